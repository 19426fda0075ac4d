//! The threads of a run: each takes the next item until there is none.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use super::{item::Item, progress::Meter, rows::Status};

/// Does `task` for all items on `jobs` threads; it gets an item's place too, and says `None` to end
/// the run.
///
/// # Errors
/// The first of `task`, which ends the run as well.
pub fn all(
    jobs: usize,
    items: impl Iterator<Item = Item> + Send,
    meter: &Meter,
    task: impl Fn(usize, &Item) -> io::Result<Option<Status>> + Sync,
) -> io::Result<()> {
    // Taken one at a time: however many there are, as many are in memory as are in work.
    let items = Mutex::new(items.enumerate());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let broken = Mutex::new(None);
    let worker = || {
        while let Some((index, item)) = next() {
            match task(index, &item) {
                Ok(Some(status)) => meter.count(status),
                Ok(None) => break,
                Err(error) => {
                    *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    break;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let ticker = meter.ticker(scope);
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            // A worker that panicked (a job catches its own panics) shows as rows not reached.
            let _ = worker.join();
        }
        ticker.finish();
    });
    broken.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}
