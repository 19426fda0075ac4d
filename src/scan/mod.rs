//! Whether a virus scanner knows the bytes of a part: asked of a clamd, before any codec sees them.
//!
//! One connection for each part, no more at once than the configuration says. What clamd said of some
//! bytes holds for a while for the same bytes: a campaign sends one picture a thousand times. Who asks
//! for them at the same time waits for one scan; where that one is abandoned, the next scans.

mod answer;
mod clamd;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use tokio::{sync::Semaphore, time::timeout_at};

use crate::{config::ScanConfig, telemetry::Metrics};

/// Verdicts that are kept at most.
const MAX_KEPT: u64 = 16_384;

/// Bytes by their hash: one that can be made to collide would let one part pass for another.
pub type Digest = [u8; 32];

/// The digest of a part.
pub fn digest(data: &[u8]) -> Digest {
    Sha256::digest(data).into()
}

/// What clamd said of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It knows nothing against it.
    Clean,
    /// It found this signature: a short name in plain characters.
    Found(Arc<str>),
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No connection.
    #[error("clamd cannot be reached")]
    Unreachable,
    /// No answer, or no connection free, in time.
    #[error("clamd did not answer in time")]
    TimedOut,
    /// It closed the connection before it had answered.
    #[error("clamd broke off")]
    Broken,
    /// It answered with an error of its own.
    #[error("clamd answered with an error")]
    Failed,
    /// It answered with something else than its protocol has.
    #[error("clamd answered with something that is no answer")]
    Nonsense,
    /// The part is larger than we send, or than it takes.
    #[error("the part is larger than is scanned")]
    TooLarge,
}

impl Trouble {
    /// As a label.
    fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Failed => "failed",
            Self::Nonsense => "nonsense",
            Self::TooLarge => "too_large",
        }
    }
}

/// Has parts scanned. Clones share everything. Cheap to clone.
#[derive(Clone)]
pub struct Scanner(Arc<Inner>);

struct Inner {
    settings: ScanConfig,
    /// Connections at once.
    places: Semaphore,
    /// `None`: every part is scanned anew.
    kept: Option<Cache<Digest, Verdict>>,
    /// The last scan ended in trouble.
    troubled: AtomicBool,
    metrics: Metrics,
}

impl Scanner {
    /// By the settings; `None` where they name no clamd.
    pub fn new(settings: &ScanConfig, metrics: Metrics) -> Option<Self> {
        settings.address.as_ref()?;
        metrics.scanning();
        let kept = Cache::builder().max_capacity(MAX_KEPT).time_to_live(settings.keep).build();
        Some(Self(Arc::new(Inner {
            places: Semaphore::new(settings.max_scans),
            kept: (!settings.keep.is_zero()).then_some(kept),
            troubled: AtomicBool::new(false),
            settings: settings.clone(),
            metrics,
        })))
    }

    /// The settings.
    pub fn settings(&self) -> &ScanConfig {
        &self.0.settings
    }

    /// What is known of a part with this digest. Ends at `until`, and where the future is dropped.
    ///
    /// # Errors
    /// Why nothing is known.
    pub async fn scan(
        &self,
        data: &[u8],
        digest: Digest,
        until: Instant,
    ) -> Result<Verdict, Trouble> {
        let inner = &self.0;
        let mut asked = false;
        let scan = async {
            asked = true;
            inner.ask(data).await
        };
        let timed = match &inner.kept {
            // In time here and not within: that one caller has no time must not be the others' answer.
            Some(kept) => {
                let shared = kept.try_get_with(digest, scan);
                let timed = timeout_at(until.into(), shared).await;
                timed.map(|shared| shared.map_err(|trouble| *trouble))
            }
            None => timeout_at(until.into(), scan).await,
        };
        let result = timed.unwrap_or(Err(Trouble::TimedOut));
        inner.count(&result, asked);
        result
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner").field("address", &self.0.settings.address).finish_non_exhaustive()
    }
}

impl Inner {
    /// Asks clamd. Of no limit in time but that of the connection: that is the caller's.
    async fn ask(&self, data: &[u8]) -> Result<Verdict, Trouble> {
        if data.len() > self.settings.max_bytes.as_usize() {
            return Err(Trouble::TooLarge);
        }
        let address = self.settings.address.as_ref().ok_or(Trouble::Unreachable)?;
        let _place = self.places.acquire().await.map_err(|_| Trouble::Unreachable)?;
        let began = Instant::now();
        let answered = clamd::scan(address, self.settings.connect_time, data).await;
        self.metrics.scan_took(began.elapsed());
        answered
    }

    fn count(&self, result: &Result<Verdict, Trouble>, asked: bool) {
        let label = match result {
            Ok(_) if !asked => "kept",
            Ok(Verdict::Clean) => "clean",
            Ok(Verdict::Found(_)) => "found",
            Err(trouble) => trouble.label(),
        };
        self.metrics.scanned(label);
        // One line when it begins and one when it ends: not one for each message.
        match result {
            Err(Trouble::TooLarge) => {}
            Err(trouble) => {
                if !self.troubled.swap(true, Ordering::Relaxed) {
                    tracing::error!(%trouble, "parts cannot be scanned");
                }
            }
            Ok(_) if asked => {
                if self.troubled.swap(false, Ordering::Relaxed) {
                    tracing::warn!("parts are scanned again");
                }
            }
            Ok(_) => {}
        }
    }
}
