//! What a service manager is told, where one asks (`NOTIFY_SOCKET`): sd_notify(3). Without one,
//! nothing is sent.

use sd_notify::NotifyState;

/// It serves.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// It reads its files again, and serves on meanwhile; [`ready`] follows.
pub fn reloading() {
    let Ok(now) = NotifyState::monotonic_usec_now() else { return };
    send(&[NotifyState::Reloading, now]);
}

/// It takes no new calls, and those at work finish.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// Tells it for ever that this runtime still runs its tasks, twice in the time that it allows
/// (`WatchdogSec`); ends at once where it does not ask.
pub async fn alive() {
    let Some(time) = sd_notify::watchdog_enabled().filter(|time| !time.is_zero()) else { return };
    let mut beat = tokio::time::interval(time / 2);
    loop {
        beat.tick().await;
        send(&[NotifyState::Watchdog]);
    }
}
