//! Parts scanned before the message is planned: no codec has seen a byte of them, and no thread for CPU
//! work waits for the scanner.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use tokio::task::JoinSet;
use tracing::{Instrument as _, info_span};

use super::Offload;
use crate::{
    config::{ScanFailure, ScanFound},
    model::{Category, PartId},
    scan::{self, Digest, Scanner, Trouble, Verdict},
    service::{Caller, ServiceError, request::AdaptRequest},
};

/// The scanner may be back in a moment: it reloads its signatures.
const RETRY: Duration = Duration::from_secs(2);

/// A part to be scanned.
struct Scannable {
    id: PartId,
    data: Buffer,
    digest: Digest,
}

/// What was said of the parts, in their order.
type Said = Vec<(PartId, Result<Verdict, Trouble>)>;

impl Offload {
    /// Scans as the configuration says, where it does.
    #[must_use]
    pub fn with_scan(self) -> Self {
        let scanner = Scanner::new(&self.service().config().scan, self.metrics.clone());
        Self { scanner, ..self }
    }

    /// Has the parts of a message scanned, and notes with the request what came of it. Takes no longer
    /// than the configuration says, nor than half the time to the deadline. `call` is for the log.
    ///
    /// # Errors
    /// Something was found, or a part could not be scanned, and the configuration wants such messages
    /// refused; or the message cannot be read.
    pub async fn scan(
        &self,
        request: &mut AdaptRequest,
        call: &str,
        deadline: Option<Instant>,
    ) -> Result<(), ServiceError> {
        let Some(scanner) = &self.scanner else { return Ok(()) };
        let scanned = self.scan_all(scanner, request, deadline).await;
        scanned.inspect_err(|error| Caller::from(&*request).log_refusal(call, error))
    }

    async fn scan_all(
        &self,
        scanner: &Scanner,
        request: &mut AdaptRequest,
        deadline: Option<Instant>,
    ) -> Result<(), ServiceError> {
        let content = request.content.clone();
        let parts = self.quick(deadline, move |service, stop| {
            let message = service.parse(content)?;
            let mut parts = Vec::new();
            for (id, part) in (0..).map(PartId).zip(message.parts()) {
                stop.check().map_err(ServiceError::stopped)?;
                if !part.data.is_empty() {
                    let digest = scan::digest(&part.data);
                    parts.push(Scannable { id, data: part.data.clone(), digest });
                }
            }
            Ok(parts)
        });
        let parts = parts.await?;
        let scanning = info_span!("scan", mmsfit.parts = parts.len() as i64);
        let said = ask(scanner, parts, deadline).instrument(scanning).await;
        let settings = scanner.settings();
        let found = said.iter().filter_map(|(id, said)| match said {
            Ok(Verdict::Found(name)) => Some((*id, name.to_string())),
            _ => None,
        });
        let found: Vec<(PartId, String)> = found.collect();
        if let Some((part, name)) = found.first().filter(|_| settings.found == ScanFound::Refuse) {
            return Err(ServiceError::infected(*part, name));
        }
        request.scanned.infected = found;
        let troubles = said.iter().filter_map(|(id, said)| Some((*id, said.as_ref().err()?)));
        // What will never be scanned first: to try again is of no use then.
        let worst = troubles.clone().min_by_key(|(_, trouble)| **trouble != Trouble::TooLarge);
        if let Some((part, trouble)) = worst {
            match settings.fail {
                ScanFailure::Closed => return Err(refusal(part, *trouble)),
                ScanFailure::Open => {
                    let (count, all) = (troubles.count(), said.len());
                    let why = format!("{count} of {all} parts were not scanned: {trouble}");
                    request.scanned.not_scanned = Some(why);
                }
            }
        }
        Ok(())
    }
}

/// All parts at once; the scanner has a bound of its own.
async fn ask(scanner: &Scanner, parts: Vec<Scannable>, deadline: Option<Instant>) -> Said {
    let now = Instant::now();
    let patience = scanner.settings().max_time;
    let patience = deadline
        .map_or(patience, |deadline| patience.min(deadline.saturating_duration_since(now) / 2));
    // What a task that was lost would have said.
    let mut said: Said = parts.iter().map(|part| (part.id, Err(Trouble::Broken))).collect();
    let mut asked = JoinSet::new();
    for (place, part) in parts.into_iter().enumerate() {
        let scanner = scanner.clone();
        asked.spawn(
            async move { (place, scanner.scan(&part.data, part.digest, now + patience).await) },
        );
    }
    while let Some(done) = asked.join_next().await {
        if let Ok((place, answer)) = done
            && let Some(said) = said.get_mut(place)
        {
            said.1 = answer;
        }
    }
    said
}

fn refusal(part: PartId, trouble: Trouble) -> ServiceError {
    let message = format!("part {} could not be scanned: {trouble}", part.0);
    let error = match trouble {
        Trouble::TooLarge => ServiceError::new(Category::TooLarge, "SCAN_TOO_LARGE", message),
        _ => ServiceError {
            retry_after: Some(RETRY.into()),
            ..ServiceError::new(Category::Unavailable, "SCAN_UNAVAILABLE", message)
        },
    };
    ServiceError { part: Some(part), ..error }
}
