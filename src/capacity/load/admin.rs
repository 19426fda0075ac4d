//! What the service takes of its machine, as its admin port tells (`process_cpu_seconds_total`).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tonic::codegen::http::Uri;

use super::LoadError;

/// Of the service's process, without its workers'.
const METRIC: &str = "process_cpu_seconds_total ";
const EVERY: Duration = Duration::from_secs(1);
/// An answer that is longer is none.
const LONGEST: u64 = 4 << 20;

/// What was used of cores in about a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// When it ended, in seconds since the step began.
    pub at: f64,
    /// CPU time for each second.
    pub cores: f64,
}

/// Asks each second, until it is dropped.
#[derive(Debug)]
pub struct Admin {
    read: Arc<Mutex<Vec<(Instant, f64)>>>,
    asking: JoinHandle<()>,
}

impl Admin {
    /// `http://host:port` of the admin port; asks once, and goes on.
    ///
    /// # Errors
    /// It does not tell.
    pub async fn watch(url: &str) -> Result<Self, LoadError> {
        let address = address(url).ok_or_else(|| LoadError::Address(url.to_owned()))?;
        let first = cpu_seconds(&address)
            .await
            .map_err(|error| LoadError::Unreachable { target: url.to_owned(), error })?;
        let read = Arc::new(Mutex::new(vec![(Instant::now(), first)]));
        let kept = Arc::clone(&read);
        let asking = tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                // A service that is too busy to tell leaves a gap.
                if let Ok(seconds) = cpu_seconds(&address).await {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.push((Instant::now(), seconds));
                }
            }
        });
        Ok(Self { read, asking })
    }

    /// What was used since `began`.
    pub fn used(&self, began: Instant) -> Vec<Used> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let used = |pair: &[(Instant, f64)]| {
            let at = pair[1].0.checked_duration_since(began)?.as_secs_f64();
            let time = (pair[1].0 - pair[0].0).as_secs_f64();
            // A service that was started again begins at 0.
            (time > 0.0 && pair[1].1 >= pair[0].1)
                .then(|| Used { at, cores: (pair[1].1 - pair[0].1) / time })
        };
        read.windows(2).filter_map(used).collect()
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

fn address(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let is_known = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/" | "/metrics");
    let authority = uri.authority().filter(|_| is_known)?;
    Some(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)))
}

async fn cpu_seconds(address: &str) -> Result<f64, String> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        // Of HTTP/1.0 the body comes in one piece.
        let ask = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(EVERY * 5, ask).await.map_err(|_| "no answer".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&answer);
    let line = text.lines().find_map(|line| line.strip_prefix(METRIC));
    line.and_then(|value| value.trim().parse().ok())
        .ok_or_else(|| format!("it does not tell {}", METRIC.trim()))
}
