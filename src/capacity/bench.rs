//! CPU time, rate and memory for each source and target class on this machine.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Bytes, Dimensions, Effort, Stop},
    profile::InlineCapabilities,
    samples::{self, photo},
    service::{
        Service, ServiceError,
        request::{AdaptRequest, Content, LimitOverrides},
    },
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sources by name.
    pub sources: Vec<(String, Content)>,
    /// Time for each case on one thread, and again on all.
    pub time: Duration,
    /// Threads of the run on all cores, at least 1.
    pub threads: usize,
    /// Effort.
    pub effort: Effort,
}

/// A class of handsets and carriers.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// For people.
    pub name: &'static str,
    /// The maximum image dimensions.
    pub bounds: Dimensions,
    /// The bound on the message.
    pub limit: Bytes,
}

/// The classes of DESIGN §10.
pub const TARGETS: [Target; 5] = [
    Target { name: "160x120, 30 kB", bounds: bounds(160, 120), limit: Bytes::new(30_000) },
    Target { name: "640x480, 30 kB", bounds: bounds(640, 480), limit: Bytes::new(30_000) },
    Target { name: "640x480, 100 kB", bounds: bounds(640, 480), limit: Bytes::new(100_000) },
    Target { name: "1600x1200, 300 kB", bounds: bounds(1600, 1200), limit: Bytes::new(300_000) },
    Target { name: "1600x1200, 600 kB", bounds: bounds(1600, 1200), limit: Bytes::new(600_000) },
];

const fn bounds(width: u32, height: u32) -> Dimensions {
    match Dimensions::new(width, height) {
        Some(dimensions) => dimensions,
        None => panic!("bounds have no side of zero"),
    }
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The source.
    pub source: String,
    /// Its bytes.
    pub source_bytes: Bytes,
    /// The target class.
    pub target: String,
    /// Bytes on the wire after adapting.
    pub wire_bytes: Bytes,
    /// Messages adapted on one thread.
    pub messages: u64,
    /// CPU time of one message, in milliseconds, that of its worker processes included: the median.
    pub cpu_ms: f64,
    /// Of 95 in a hundred it is no more.
    pub cpu_ms_p95: f64,
    /// Of 99 in a hundred.
    pub cpu_ms_p99: f64,
    /// Messages a second on one thread.
    pub per_core_per_second: f64,
    /// Messages a second on all threads.
    pub all_cores_per_second: f64,
    /// `all / (threads × one)`: 1 is linear.
    pub scaling: f64,
}

/// All cases and where they were measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// This program's version.
    pub version: &'static str,
    /// Threads of the run on all cores.
    pub threads: usize,
    /// Effort.
    pub effort: Effort,
    /// Peak resident memory of the process over all cases so far, where the system tells.
    pub peak_memory_bytes: Option<Bytes>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// What is compared of the results of an earlier run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Earlier {
    cases: Vec<EarlierCase>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierCase {
    source: String,
    target: String,
    cpu_ms: f64,
}

impl Earlier {
    /// The CPU time of a case over what it was; `None`: it was not measured then.
    pub fn over(&self, case: &Case) -> Option<f64> {
        let same = |was: &&EarlierCase| was.source == case.source && was.target == case.target;
        let was = self.cases.iter().find(same)?;
        (was.cpu_ms > 0.0).then(|| case.cpu_ms / was.cpu_ms)
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A sample cannot be made.
    #[error(transparent)]
    Sample(#[from] samples::SampleError),
    /// A sample cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which path.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
}

/// A source that the engine refused, and why.
#[derive(Debug)]
pub struct Refused {
    /// The source.
    pub source: String,
    /// Why.
    pub error: Box<ServiceError>,
}

/// Generated images of all sizes.
///
/// # Errors
/// If the samples cannot be encoded.
pub fn generated() -> Result<Vec<(String, Content)>, BenchError> {
    samples::SIZES
        .iter()
        .map(|&(name, width, height)| {
            let data = samples::jpeg(&photo::photo(width, height, 1), None)?;
            let content = Content::Bare { data, name: "photo.jpg".to_owned() };
            Ok((format!("photo {name}"), content))
        })
        .collect()
}

/// The regular files of a folder, by name, through `judge`, which tells what each is (`None`:
/// left out).
///
/// # Errors
/// The first that cannot be read.
pub fn from_folder(
    folder: &std::path::Path,
    judge: impl Fn(Buffer, String) -> Option<Content>,
) -> Result<Vec<(String, Content)>, BenchError> {
    let failed = |path: &std::path::Path| {
        let path = path.to_owned();
        move |error| BenchError::Read { path, error }
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let data = fs::read(&path).map_err(failed(&path))?;
        sources.extend(judge(data.into(), name.clone()).map(|content| (name, content)));
    }
    Ok(sources)
}

/// Measures every source for every target; `done` hears of each case as it is finished.
///
/// # Errors
/// The first refusal: a source that cannot be adapted cannot be measured.
pub fn run(
    service: &Service,
    options: &Options,
    mut done: impl FnMut(&Case),
) -> Result<Results, Refused> {
    let mut cases = Vec::new();
    for (name, content) in &options.sources {
        for target in &TARGETS {
            let request = request(content.clone(), target, options.effort);
            let case = measure(service, name, target, &request, options)
                .map_err(|error| Refused { source: name.clone(), error: Box::new(error) })?;
            done(&case);
            cases.push(case);
        }
    }
    Ok(Results {
        version: env!("CARGO_PKG_VERSION"),
        threads: options.threads,
        effort: options.effort,
        peak_memory_bytes: peak_memory(),
        cases,
    })
}

fn request(content: Content, target: &Target, effort: Effort) -> AdaptRequest {
    let mut request = AdaptRequest::new(content);
    let accept = ["image/jpeg", "image/png", "image/gif", "text/plain", "application/smil"];
    request.device.inline = Some(InlineCapabilities {
        max_message_bytes: Some(target.limit),
        max_image: Some(target.bounds),
        accept: accept.map(str::to_owned).to_vec(),
        ..InlineCapabilities::default()
    });
    request.limits = LimitOverrides {
        max_message_bytes: Some(target.limit),
        max_image_width: Some(target.bounds.width()),
        max_image_height: Some(target.bounds.height()),
        image_turns: false,
        replace: true,
        client_max_bytes: None,
    };
    request.effort = effort;
    request
}

fn size_of(content: &Content) -> Bytes {
    match content {
        Content::MmsPdu(data) | Content::Mime(data) | Content::Bare { data, .. } => Bytes::of(data),
        Content::Parts { parts, .. } => parts.iter().map(|part| Bytes::of(&part.data)).sum(),
    }
}

fn measure(
    service: &Service,
    source: &str,
    target: &Target,
    request: &AdaptRequest,
    options: &Options,
) -> Result<Case, ServiceError> {
    let stop = Stop::never();
    // The first pays for page faults and lazy tables: it is not counted.
    let first = service.adapt(request.clone(), &stop)?;
    let (mut costs, wall) = (Vec::new(), Instant::now());
    while costs.is_empty() || wall.elapsed() < options.time {
        let cpu = ProcessTime::now();
        let report = service.adapt(request.clone(), &stop)?.report;
        // What the account does not know of this process is little, and what its workers took is in
        // the account alone.
        let own = cpu.elapsed().as_secs_f64() * 1e3;
        costs.push(report.account.map_or(own, |account| account.cpu_ms.max(own)));
    }
    let one = costs.len() as f64 / wall.elapsed().as_secs_f64().max(1e-9);
    costs.sort_by(f64::total_cmp);
    let cost = |share: f64| {
        let at = (costs.len() as f64 * share).ceil() as usize;
        costs.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
    };

    let finished = AtomicU64::new(0);
    let wall = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                // What is in flight at the end is finished and counted, and so is its time.
                while wall.elapsed() < options.time {
                    if service.adapt(request.clone(), &stop).is_err() {
                        break;
                    }
                    finished.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let all = finished.load(Ordering::Relaxed) as f64 / wall.elapsed().as_secs_f64().max(1e-9);
    Ok(Case {
        source: source.to_owned(),
        source_bytes: size_of(&request.content),
        target: target.name.to_owned(),
        wire_bytes: first.report.wire_bytes_after,
        messages: costs.len() as u64,
        cpu_ms: cost(0.5),
        cpu_ms_p95: cost(0.95),
        cpu_ms_p99: cost(0.99),
        per_core_per_second: one,
        all_cores_per_second: all,
        scaling: all / (one * options.threads.max(1) as f64),
    })
}

/// `VmHWM` of proc(5): the most that was resident since the process began.
pub fn peak_memory() -> Option<Bytes> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(Bytes::new(kib.saturating_mul(1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_known_on_linux() {
        assert!(peak_memory().is_some_and(|peak| peak > Bytes::new(1 << 20)));
    }

    #[test]
    fn folders_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), b"2").unwrap();
        fs::write(dir.path().join("a"), b"1").unwrap();
        fs::create_dir(dir.path().join("c")).unwrap();
        let judge =
            |data: Buffer, name: String| (name != "b").then_some(Content::Bare { data, name });
        let sources = from_folder(dir.path(), judge).unwrap();
        assert_eq!(sources.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
