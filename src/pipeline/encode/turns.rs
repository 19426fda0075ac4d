//! The parts of a message in parallel, a few at a time: between two turns threads look for other work, so
//! that a message of a hundred parts does not keep the pool from all others until its last.

use rayon::prelude::*;

/// Parts of one turn, for each thread: enough that few threads wait for the last of a turn.
const EACH: usize = 2;

fn turn() -> usize {
    EACH * rayon::current_num_threads().max(1)
}

/// Does `work` for each.
pub(super) fn for_each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Send + Sync) {
    for some in items.chunks_mut(turn()) {
        some.par_iter_mut().with_max_len(1).for_each(&work);
    }
}

/// What `work` gives for each, in their order.
pub(super) fn map<T: Send, R: Send>(
    items: &mut [T],
    work: impl Fn(&mut T) -> R + Send + Sync,
) -> Vec<R> {
    let mut all = Vec::with_capacity(items.len());
    for some in items.chunks_mut(turn()) {
        all.par_extend(some.par_iter_mut().with_max_len(1).map(&work));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn each_has_its_turn_in_order() {
        let mut items: Vec<usize> = (0..101).collect();
        for_each(&mut items, |item| *item += 1);
        assert_eq!(map(&mut items, |item| *item), (1..102).collect::<Vec<_>>());
        assert!(map(&mut [0; 0], |item: &mut i32| *item).is_empty());
    }

    #[test]
    fn who_comes_later_does_not_wait_for_the_last_of_many() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let (ends, ended) = mpsc::channel();
        let (many, one) = (ends.clone(), ends);
        pool.spawn(move || {
            for_each(&mut [(); 200], |()| std::thread::sleep(Duration::from_millis(2)));
            many.send("many").expect("heard");
        });
        std::thread::sleep(Duration::from_millis(20));
        pool.spawn(move || one.send("one").expect("heard"));
        assert_eq!(ended.recv(), Ok("one"));
        assert_eq!(ended.recv(), Ok("many"));
    }
}
