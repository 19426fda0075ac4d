//! What a person wants to see of a run: sums by kind, why things were changed or failed, the slowest
//! items and the worst results, and how both are spread. Of any number of rows it holds a few hundred.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap},
};

use serde::Deserialize;

use super::rows::{PathText, Row, Status};

/// Items that are named at most, of each list.
const NAMED: usize = 12;
/// Bars of a distribution.
pub const BARS: usize = 20;

/// What a person wants to see of a run.
#[derive(Clone, Debug, Default)]
pub struct Highlights {
    /// By what the largest part of an item is: image, video, audio, other.
    pub kinds: BTreeMap<String, Sums>,
    /// What decided about parts that were changed, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// Items without a result by status and reason.
    pub failures: BTreeMap<(String, String), u64>,
    /// Items by bytes after over bytes before, in twentieths.
    pub ratio: [u64; BARS],
    /// Parts by their estimate of SSIMULACRA2, in steps of five.
    pub quality: [u64; BARS],
    slowest: BinaryHeap<Named>,
    worst: BinaryHeap<Named>,
}

/// Sums of items.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Items.
    pub items: u64,
    /// Bytes before and after.
    pub before: u64,
    /// Bytes of the results.
    pub after: u64,
    /// CPU time in milliseconds.
    pub cpu_ms: f64,
}

/// An item that stands out.
#[derive(Clone, Debug)]
pub struct Named {
    /// By how much: milliseconds, or less likeness.
    pub figure: f64,
    /// Which.
    pub path: String,
    /// Its result.
    pub output: Option<PathText>,
    /// The part, from 1, where there are several.
    pub part: Option<usize>,
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Named {}

impl PartialOrd for Named {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Named {
    /// The one that stands out least comes first from a heap.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_figure = other.figure.total_cmp(&self.figure);
        by_figure.then_with(|| self.path.cmp(&other.path)).then_with(|| self.part.cmp(&other.part))
    }
}

/// As much of the engine's report as is looked at.
#[derive(Deserialize)]
struct Told {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    action: String,
    #[serde(default)]
    reasons: Vec<Why>,
    before: Medium,
    quality_estimate: Option<f64>,
}

#[derive(Deserialize)]
struct Why {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Medium {
    media_type: String,
    bytes: u64,
}

impl Highlights {
    /// Counts a row.
    pub fn count(&mut self, row: &Row) {
        if let Some(reason) = &row.reason {
            let status = format!("{:?}", row.status).to_lowercase();
            *self.failures.entry((status, reason.clone())).or_default() += 1;
        }
        let told = row.report.as_ref().and_then(|report| Told::deserialize(report).ok());
        let parts = told.map(|told| told.parts).unwrap_or_default();
        let largest = parts.iter().max_by_key(|part| part.before.bytes);
        let kind = largest.map_or("other", |part| kind(&part.before.media_type));
        if let Some(after) = row.bytes_after {
            let sums = self.kinds.entry(kind.to_owned()).or_default();
            sums.items += 1;
            sums.before += row.bytes_before;
            sums.after += after;
            let share = after as f64 / row.bytes_before.max(1) as f64;
            bump(&mut self.ratio, share);
            if row.status != Status::Skipped {
                sums.cpu_ms += row.cpu_ms;
            }
        }
        let named = |figure, part| Named {
            figure,
            path: row.path.text().to_owned(),
            output: row.output.clone(),
            part,
        };
        if row.cpu_ms > 0.0 && row.status != Status::Skipped {
            keep(&mut self.slowest, named(row.cpu_ms, None));
        }
        for (number, part) in (1..).zip(&parts) {
            if let Some(why) = part.reasons.first().filter(|_| part.action != "ACTION_KEEP") {
                *self.reasons.entry(why.code.clone()).or_default() += 1;
            }
            if let Some(quality) = part.quality_estimate {
                bump(&mut self.quality, quality / 100.0);
                let part = (parts.len() > 1).then_some(number);
                keep(&mut self.worst, named(-quality, part));
            }
        }
    }

    /// Those that took the most CPU time, in milliseconds, the slowest first.
    pub fn slowest(&self) -> Vec<Named> {
        self.slowest.clone().into_sorted_vec()
    }

    /// Those that look the least like their originals, by the negative estimate, the worst first.
    pub fn worst(&self) -> Vec<Named> {
        self.worst.clone().into_sorted_vec()
    }
}

fn keep(heap: &mut BinaryHeap<Named>, named: Named) {
    heap.push(named);
    if heap.len() > NAMED {
        heap.pop();
    }
}

fn bump(bars: &mut [u64; BARS], share: f64) {
    // What is over all bars stands in the last.
    let bar = (share.max(0.0) * BARS as f64) as usize;
    if let Some(bar) = bars.get_mut(bar.min(BARS - 1)) {
        *bar += 1;
    }
}

fn kind(media_type: &str) -> &'static str {
    let of = ["image", "video", "audio", "text"];
    let first = media_type.split('/').next().unwrap_or("");
    of.into_iter().find(|kind| *kind == first).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn row(name: &str, cpu_ms: f64, quality: f64) -> Row {
        let part = json!({
            "action": "ACTION_TRANSCODE", "reasons": [{ "code": "REASON_CODE_OVER_IMAGE_LIMIT" }],
            "before": { "mediaType": "image/jpeg", "bytes": 1000 }, "qualityEstimate": quality,
        });
        Row {
            status: Status::Done,
            bytes_before: 1000,
            bytes_after: Some(310),
            cpu_ms,
            report: Some(json!({ "parts": [part] })),
            ..Row::bare(Path::new(name))
        }
    }

    #[test]
    fn the_slowest_and_the_worst_are_named_in_order() {
        let mut seen = Highlights::default();
        for number in 0..100 {
            let name = format!("{number:03}.jpg");
            seen.count(&row(&name, f64::from(number * 37 % 100) + 1.0, f64::from(number)));
        }
        let slowest: Vec<f64> = seen.slowest().iter().map(|named| named.figure).collect();
        assert_eq!(slowest, (89..=100).rev().map(f64::from).collect::<Vec<_>>());
        let worst: Vec<String> = seen.worst().into_iter().map(|named| named.path).collect();
        assert_eq!(worst[..3], ["000.jpg", "001.jpg", "002.jpg"]);
        assert_eq!(seen.quality, [5; BARS]);
        assert_eq!(seen.ratio[6], 100);
        assert_eq!(seen.kinds["image"].items, 100);
        assert_eq!(seen.reasons["REASON_CODE_OVER_IMAGE_LIMIT"], 100);
    }

    #[test]
    fn what_failed_is_counted_by_its_reason() {
        let mut seen = Highlights::default();
        let bare = Row::bare(Path::new("a"));
        seen.count(&bare.clone().without(Status::Failed, "MEDIA_MALFORMED", "broken"));
        seen.count(&bare.without(Status::Refused, "CANNOT_FIT", "too big"));
        assert_eq!(seen.failures.len(), 2);
        assert_eq!(seen.failures[&("refused".to_owned(), "CANNOT_FIT".to_owned())], 1);
        assert!(seen.kinds.is_empty() && seen.slowest().is_empty());
    }
}
