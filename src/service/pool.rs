//! The threads for CPU work.

use std::fmt;

/// Threads for CPU work. A job may use rayon inside: its tasks run on the same threads.
pub struct Pool {
    /// `None` if the threads could not be started: every job is then refused, with [`Self::fault`].
    threads: Option<rayon::ThreadPool>,
    fault: String,
    size: usize,
}

impl Pool {
    /// Starts `threads` threads, at least one.
    pub fn new(threads: usize) -> Self {
        let size = threads.max(1);
        let built = rayon::ThreadPoolBuilder::new()
            .num_threads(size)
            .thread_name(|i| format!("work-{i}"))
            .build();
        let (threads, fault) = match built {
            Ok(pool) => (Some(pool), String::new()),
            Err(error) => (None, error.to_string()),
        };
        Self { threads, fault, size }
    }

    /// Why there are no threads, if there are none.
    pub fn fault(&self) -> Option<&str> {
        if self.threads.is_some() { None } else { Some(&self.fault) }
    }

    /// The number of threads: of jobs that can be at work at once.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Runs `work` with rayon's parallel iterators bound to this pool, and waits for it on the
    /// calling thread.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Starts `work` on a thread of the pool, and does not wait for it.
    ///
    /// # Errors
    /// There are no threads; the text says why.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) -> Result<(), &str> {
        let threads = self.threads.as_ref().ok_or(self.fault.as_str())?;
        threads.spawn(work);
        Ok(())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).finish_non_exhaustive()
    }
}
