//! What a run over many images was like.

use std::fmt::Write as _;

use super::{Case, Done, place, support};

/// How a result is judged for its use of the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JPEG: sizes in fine steps.
    Photo,
    /// Stills with a palette, or lossless: sizes in coarse steps.
    Palette,
    Animation,
}

impl Done {
    pub fn kind(&self) -> Kind {
        if self.part().before.animated() {
            Kind::Animation
        } else if self.data.starts_with(b"\xff\xd8") {
            Kind::Photo
        } else {
            Kind::Palette
        }
    }
}

/// What the run was like, for people.
pub fn summary(cases: &[Case]) -> String {
    let mut text = String::new();
    let done = || cases.iter().filter_map(|c| Some((c, c.result.as_ref().ok()?)));
    let kept = done().filter(|(_, d)| d.part().encodes == 0).count();
    let _ = writeln!(
        text,
        "{} cases: {} fitted ({kept} of them not encoded), {} refused by type, {} at fault",
        cases.len(),
        done().count(),
        cases.iter().filter(|c| c.result.is_err()).count(),
        cases.iter().filter(|c| !c.faults.is_empty()).count(),
    );
    for (what, kind) in
        [("photos", Kind::Photo), ("palettes", Kind::Palette), ("animations", Kind::Animation)]
    {
        let fills = fills(cases, kind);
        let at = |share| support::percentile(&fills, share).unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "{what}: the limit binds in {}: fill median {:.4}, 10th percentile {:.4}, least {:.4}",
            fills.len(),
            at(0.5),
            at(0.1),
            at(0.0)
        );
    }
    let encodes: Vec<f64> = done()
        .filter(|(_, d)| !d.part().before.animated() && d.part().encodes > 0)
        .map(|(_, d)| f64::from(d.part().encodes))
        .collect();
    let at = |share| support::percentile(&encodes, share).unwrap_or(0.0);
    let _ = writeln!(text, "encodes of a still: median {}, most {}", at(0.5), at(1.0));
    for (case, d) in done() {
        let fill = d.data.len() as f64 / case.limit as f64;
        let low = fill < 0.9 && d.limit_binds(case.limit, case.bounds);
        if d.part().encodes > 4 || low || case.seconds > 1.5 {
            let _ = writeln!(
                text,
                "  {}: {} encodes, fill {fill:.3}, {:.2} s, {} {} {} frames -> {} {}x{} {} frames",
                place(case),
                d.part().encodes,
                case.seconds,
                d.part().before.media_type,
                d.part().before.dimensions.map_or(String::new(), |d| d.to_string()),
                d.part().before.frames,
                d.part().after.as_ref().map_or("", |a| a.media_type.as_str()),
                d.shown.0,
                d.shown.1,
                d.part().after.as_ref().map_or(0, |a| a.frames),
            );
        }
    }
    text
}

pub fn fills(cases: &[Case], kind: Kind) -> Vec<f64> {
    let done = cases.iter().filter_map(|c| Some((c, c.result.as_ref().ok()?)));
    done.filter(|(c, d)| d.kind() == kind && d.limit_binds(c.limit, c.bounds))
        .map(|(c, d)| d.data.len() as f64 / c.limit as f64)
        .collect()
}
