//! Progress of a run: a bar on a terminal, a line every few seconds in logs.

use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{Scope, ScopedJoinHandle},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::rows::Status;

/// How to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A bar on stderr.
    Bar,
    /// A plain line on stderr every few seconds.
    Lines,
    /// Nothing.
    Quiet,
}

/// Between two lines.
const EVERY: Duration = Duration::from_secs(5);

/// Counts what is finished.
pub struct Meter {
    bar: Option<ProgressBar>,
    lines: bool,
    total: usize,
    finished: AtomicUsize,
    skipped: AtomicUsize,
    without_result: AtomicUsize,
    began: Instant,
    over: (Mutex<bool>, Condvar),
}

impl Meter {
    /// For a run over `total` files.
    pub fn new(progress: Progress, total: usize) -> Self {
        let bar = (progress == Progress::Bar).then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(Some(total as u64), target);
            let template = "{bar:30} {pos}/{len} files, {per_sec}, {eta} to go{msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            lines: progress == Progress::Lines,
            total,
            finished: AtomicUsize::new(0),
            skipped: AtomicUsize::new(0),
            without_result: AtomicUsize::new(0),
            began: Instant::now(),
            over: (Mutex::new(false), Condvar::new()),
        }
    }

    /// One more is finished.
    pub fn count(&self, status: Status) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        match status {
            Status::Skipped => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
            }
            Status::Failed | Status::Refused => {
                let n = self.without_result.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(bar) = &self.bar {
                    bar.set_message(format!(", {n} without result"));
                }
            }
            Status::Done
            | Status::Unchanged
            | Status::Unsupported
            | Status::Kept
            | Status::Dropped => {}
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// The line for logs.
    fn line(&self) -> String {
        let finished = self.finished.load(Ordering::Relaxed);
        let skipped = self.skipped.load(Ordering::Relaxed);
        let seconds = self.began.elapsed().as_secs_f64().max(1e-3);
        // Skipped files cost next to nothing: they would make the estimate too optimistic.
        let rate = (finished - skipped.min(finished)) as f64 / seconds;
        let left = self.total - finished.min(self.total);
        let eta = if rate > 0.0 {
            format!("{:.0} s to go", left as f64 / rate)
        } else {
            "time to go unknown".to_owned()
        };
        format!(
            "mmsfit: {finished}/{} files, {rate:.1}/s, {eta}, {} without result\n",
            self.total,
            self.without_result.load(Ordering::Relaxed)
        )
    }

    /// Starts to write lines, if they are wanted.
    pub fn ticker<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Ticker<'scope> {
        let thread = self.lines.then(|| {
            scope.spawn(|| {
                let (over, changed) = &self.over;
                let mut guard = over.lock().unwrap_or_else(|e| e.into_inner());
                while !*guard {
                    let (next, wait) =
                        changed.wait_timeout(guard, EVERY).unwrap_or_else(|e| e.into_inner());
                    guard = next;
                    if wait.timed_out() && !*guard {
                        eprint!("{}", self.line());
                    }
                }
            })
        });
        Ticker { meter: self, thread }
    }
}

/// Writes lines until finished.
pub struct Ticker<'scope> {
    meter: &'scope Meter,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

impl Ticker<'_> {
    /// The run is over.
    pub fn finish(self) {
        let (over, changed) = &self.meter.over;
        *over.lock().unwrap_or_else(|e| e.into_inner()) = true;
        changed.notify_all();
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
        if let Some(bar) = &self.meter.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_rest() {
        let meter = Meter::new(Progress::Quiet, 4);
        assert!(meter.line().contains("0/4 files"), "{}", meter.line());
        assert!(meter.line().contains("time to go unknown"));
        meter.count(Status::Done);
        meter.count(Status::Failed);
        meter.count(Status::Skipped);
        let line = meter.line();
        assert!(line.contains("3/4 files") && line.contains("1 without result"), "{line}");
        assert!(line.contains("s to go"), "{line}");
    }
}
