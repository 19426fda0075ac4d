//! Waking when a call is due: tokio's timers are of a millisecond, in which twenty calls are due at
//! 20,000 a second, and each late one is slow by as much in the figures.

use std::{
    io,
    time::{Duration, Instant},
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::{net::unix::pipe::Receiver, time::sleep_until};

/// Of the kernel, where it has one to give.
#[derive(Debug)]
pub(super) struct Alarm(Option<Receiver>);

impl Alarm {
    pub(super) fn new() -> Self {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let clock = timerfd_create(TimerfdClockId::Monotonic, flags);
        // What is waited for and read is no pipe, but behaves as one in all that is asked of it.
        Self(clock.ok().and_then(|clock| Receiver::from_owned_fd_unchecked(clock).ok()))
    }

    /// Returns at `due` or as soon as may be after it.
    pub(super) async fn wait(&mut self, due: Instant) {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let rang = match &self.0 {
                None => break,
                Some(clock) => ring(clock, left).await,
            };
            if rang.is_err() {
                break;
            }
        }
        sleep_until(due.into()).await;
    }
}

async fn ring(clock: &Receiver, left: Duration) -> io::Result<()> {
    let once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let left = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    };
    let setting = Itimerspec { it_interval: once, it_value: left };
    timerfd_settime(clock, TimerfdTimerFlags::empty(), &setting)?;
    // How often it rang (timerfd_create(2)).
    let mut times = [0; 8];
    loop {
        clock.readable().await?;
        match clock.try_read(&mut times) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_wakes_not_before() {
        let mut alarm = Alarm::new();
        assert!(alarm.0.is_some());
        // How soon is the machine's load: `cargo bench --bench generator` tells.
        for micros in (0..100).map(|n| n * 37) {
            let due = Instant::now() + Duration::from_micros(micros);
            alarm.wait(due).await;
            assert!(Instant::now() >= due);
        }
    }
}
