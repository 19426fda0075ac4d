//! The zygotes of one host: the one that starts jobs, and those before it whose jobs have not ended.

use std::sync::Arc;

use super::{counts::Restart, zygote::Zygote};

/// Dropping them ends them all.
#[derive(Default)]
pub(super) struct Generations {
    current: Option<Arc<Zygote>>,
    old: Vec<Arc<Zygote>>,
}

impl Generations {
    /// The one that starts jobs, if it lives.
    pub fn alive(&self) -> Option<&Arc<Zygote>> {
        self.current.as_ref().filter(|zygote| zygote.alive())
    }

    /// The one that starts jobs, or did so until it died. There is none afterwards.
    pub fn take(&mut self) -> Option<Arc<Zygote>> {
        self.current.take()
    }

    /// Jobs that have not ended, of all generations.
    pub fn running(&self) -> usize {
        self.current.iter().chain(&self.old).map(|zygote| zygote.running()).sum()
    }

    /// Another starts jobs from now on. The one before it ends with its last job.
    pub fn succeed(&mut self, next: Arc<Zygote>) {
        self.old.retain(|zygote| zygote.alive());
        if let Some(before) = self.current.replace(next) {
            before.retire();
            self.old.push(before);
        }
    }
}

impl Drop for Generations {
    fn drop(&mut self) {
        for zygote in self.current.iter().chain(&self.old) {
            zygote.destroy(Restart::Died);
        }
    }
}
