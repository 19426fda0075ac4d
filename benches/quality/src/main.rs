//! The fitting engine beside its peers and an oracle, on any folder of photos:
//! `cargo run --release --manifest-path benches/quality/Cargo.toml -- --photos DIR`.
//!
//! Every photo is fitted to every case by the service at each effort, by the procedures of peers, and
//! by an oracle that tries scales, chroma samplings and encoders at the best quality that fits. All
//! are scored with SSIMULACRA2 at the bounds, against two references: Lanczos, and means in linear
//! light. Peers and oracle are kept in a file, so that a run of ours alone takes a minute.

mod cache;
mod cases;
mod html;
mod ours;
mod peers;
mod photos;
mod score;
mod table;

use std::{collections::BTreeMap, path::PathBuf};

use cache::Cache;
use cases::CASES;
use score::{Judge, Scores};

/// What one way made of one photo in one case.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    pub scores: Scores,
    pub bytes: u64,
    /// Milliseconds of CPU, decoding included.
    pub cpu_ms: f64,
    pub encodes: u32,
}

/// Every way: of every case and photo what came of it; `None` where it failed or was over.
pub type Results = BTreeMap<String, Vec<Vec<Option<Outcome>>>>;

struct Arguments {
    photos: PathBuf,
    html: Option<PathBuf>,
    cache: PathBuf,
    /// The ceiling of the policy stays in force.
    ceiling: bool,
    /// The oracle, which takes most of the time, is asked.
    oracle: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments {
        photos: PathBuf::new(),
        html: None,
        cache: PathBuf::from("target/quality.json"),
        ceiling: false,
        oracle: true,
    };
    let mut rest = std::env::args().skip(1);
    while let Some(name) = rest.next() {
        let mut value = || rest.next().map(PathBuf::from).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--photos" => found.photos = value()?,
            "--html" => found.html = Some(value()?),
            "--cache" => found.cache = value()?,
            "--ceiling" => found.ceiling = true,
            "--without-oracle" => found.oracle = false,
            _ => return Err(format!("unknown: {name}")),
        }
    }
    if found.photos.as_os_str().is_empty() {
        return Err(
            "--photos DIR [--ceiling] [--without-oracle] [--html FILE] [--cache FILE]".into()
        );
    }
    Ok(found)
}

fn main() -> Result<(), String> {
    let arguments = arguments()?;
    let photos = photos::of(&arguments.photos)?;
    eprintln!("{} photos", photos.len());
    let mut cache = Cache::open(&arguments.cache);
    let mut results: Results = BTreeMap::new();
    let mut put = |way: &str, case: usize, outcome: Option<Outcome>| {
        let cases = results.entry(way.to_owned()).or_insert_with(|| vec![Vec::new(); CASES.len()]);
        cases[case].push(outcome);
    };
    let services = ours::services(arguments.ceiling);
    for (number, photo) in photos.iter().enumerate() {
        let mut judges: BTreeMap<(u32, u32), Judge> = BTreeMap::new();
        for (at, case) in CASES.iter().enumerate() {
            let size = case.size(photo);
            let judge = judges.entry(size).or_insert_with(|| Judge::new(photo, size));
            put("floor", at, Some(cache.of(photo, case, "floor", || peers::floor(photo, case))?));
            for (effort, service) in &services {
                put(effort, at, ours::fit(service, photo, case, judge));
            }
            for (name, peer) in peers::ALL {
                put(name, at, cache.maybe(photo, case, name, || peer(photo, case, judge)));
            }
            let oracle = || peers::oracle(photo, case, judge);
            let asked = arguments.oracle.then(|| cache.maybe(photo, case, "oracle", oracle));
            put("oracle", at, asked.flatten());
        }
        eprint!("\r{} of {}: {:40}", number + 1, photos.len(), photo.name);
        cache.save()?;
    }
    eprintln!();
    print!("{}", table::of(&results));
    if let Some(path) = arguments.html {
        let page = html::page(&results);
        std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
