//! Scale and chroma by their looks, where there is time to look (BEST).

use super::{JpegLane, Setting};
use crate::{
    fit::{Observation, image::Proposal},
    model::{Chroma, Dimensions, ImageCoding, Quality},
};

/// Within these qualities a photo may look better with the other chroma sampling.
const CHROMA_RANGE: (f64, f64) = (55.0, 97.0);
/// Below this quality a photo may look better at another scale.
const SCALES_BELOW: f64 = 78.0;
/// Whether settings are compared by their looks, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Contest {
    /// The effort leaves no time for it.
    Never,
    /// As soon as sizes are known well enough.
    Wanted,
    /// Won by this one, which holds for budgets like that.
    Won(f64, Setting),
}

/// A contest needs a size within this share of what is aimed for, and holds for budgets within it.
const CONTEST_RANGE: f64 = 0.2;

impl Contest {
    /// What won, if it holds for this many bytes.
    pub(super) fn winner(&self, bytes: f64) -> Option<Setting> {
        match self {
            Self::Won(at, winner) if (bytes / at - 1.0).abs() < 2.0 * CONTEST_RANGE => {
                Some(*winner)
            }
            _ => None,
        }
    }
}

impl JpegLane {
    /// Asks which of a few settings looks best, once sizes are known well enough.
    pub(super) fn contest(&self, setting: Setting, aim: f64) -> Option<Proposal> {
        if self.contest != Contest::Wanted {
            return None;
        }
        let quality = self.near(setting, aim)?;
        let contenders = self.contenders(setting, quality);
        let coding = |s: &Setting| ImageCoding::Jpeg {
            quality: Quality::from_hundredths((quality * 100.0) as u16),
            chroma: s.chroma,
            trellis: false,
        };
        let compared: Vec<_> = contenders.iter().map(|s| (s.dimensions, coding(s))).collect();
        (compared.len() > 1).then_some(Proposal::Compare(aim, compared))
    }

    /// Settings near the one that the rules choose, that one first; none where the rules are sure.
    fn contenders(&self, first: Setting, quality: f64) -> Vec<Setting> {
        let floor = self.floor_scale();
        let mut all = vec![first];
        let mut add = |scale: f64, chroma: Chroma| {
            let setting =
                Setting { dimensions: self.largest.scaled(scale.clamp(floor, 1.0)), chroma };
            if !all.contains(&setting) {
                all.push(setting);
            }
        };
        let z = f64::from(first.dimensions.longest()) / f64::from(self.largest.longest());
        if self.full_chroma && (CHROMA_RANGE.0..CHROMA_RANGE.1).contains(&quality) {
            let other = if first.chroma == Chroma::Full { Chroma::Quarter } else { Chroma::Full };
            add(z, other);
        }
        if quality < SCALES_BELOW {
            [1.0, 0.8, 0.65, 0.5].into_iter().for_each(|scale| add(scale, Chroma::Quarter));
        }
        all
    }

    /// Tells which of the contenders for this many bytes looks best; `None` if that is not known.
    pub fn decide(&mut self, bytes: f64, winner: Option<(Dimensions, ImageCoding)>) {
        self.contest = match winner {
            Some((dimensions, ImageCoding::Jpeg { chroma, .. })) => {
                Contest::Won(bytes, Setting { dimensions, chroma })
            }
            _ => Contest::Never,
        };
    }

    /// The quality of a try at `setting` whose size is near `aim`.
    fn near(&self, setting: Setting, aim: f64) -> Option<f64> {
        self.seen.iter().rev().find_map(|(s, quality, seen)| match seen {
            Observation::Size(size) | Observation::Measured(size) if *s == setting => {
                let off = (size.get() as f64 / aim - 1.0).abs();
                (off < CONTEST_RANGE).then(|| f64::from(quality.hundredths()) / 100.0)
            }
            _ => None,
        })
    }
}
