//! The lanes of a task: coding families, each searched on its own with its own knobs.

use super::{
    ImageTask, Observation,
    attempt::{Attempt, Proposal, Situation},
    drawing::DrawingLane,
    jpeg::JpegLane,
    path::{PathLane, Step},
    steps::{animation, bilevel, paletted},
};
use crate::model::{Bytes, ImageCoding, ImageFormat};

/// The lanes of a task, the best first. Never empty unless the device takes no format at all.
pub(super) fn lanes(task: &ImageTask) -> Vec<Lane> {
    let takes = |format| task.formats.contains(&format);
    let exact_gif = task.facts.distinct_colors.is_some_and(|n| n <= 256);
    let mut lanes = Vec::new();

    if task.animate && takes(ImageFormat::Gif) {
        lanes.push(Lane::Path(PathLane::new(animation(task)).moving()));
    }
    if !task.still {
        return lanes;
    }
    // Drawings and screenshots stay crisp as long as the budget allows it.
    let keep_lossless = task.lossless_source && (task.facts.graphic || task.facts.transparent);
    if keep_lossless {
        if takes(ImageFormat::Png) {
            lanes.push(Lane::Drawing(Box::new(DrawingLane::new(task))));
            if takes(ImageFormat::Jpeg) {
                return lanes;
            }
        } else if takes(ImageFormat::Gif) && (exact_gif || task.facts.transparent) {
            lanes.push(single(task, ImageCoding::Gif { colors: 256, frame_step: u16::MAX }));
        }
    }
    if takes(ImageFormat::Jpeg) {
        lanes.push(Lane::Jpeg(JpegLane::new(task)));
    } else if takes(ImageFormat::Png) {
        lanes.push(single(task, ImageCoding::Png { colors: None, dither: false }));
        lanes.push(Lane::Path(PathLane::new(paletted(task, |colors| ImageCoding::Png {
            colors: Some(colors),
            dither: true,
        }))));
    } else if takes(ImageFormat::Gif) {
        lanes.push(Lane::Path(PathLane::new(paletted(task, |colors| ImageCoding::Gif {
            colors,
            frame_step: u16::MAX,
        }))));
    } else if takes(ImageFormat::Wbmp) {
        lanes.push(Lane::Path(PathLane::new(bilevel(task))));
    }
    lanes
}

/// One attempt at full size, or the next lane.
fn single(task: &ImageTask, coding: ImageCoding) -> Lane {
    Lane::Path(PathLane::new(vec![Step { dimensions: task.largest(), coding, factor: 1.0 }]))
}

/// One way of coding, with its own knobs.
#[derive(Clone, Debug)]
pub(super) enum Lane {
    Jpeg(JpegLane),
    Path(PathLane),
    Drawing(Box<DrawingLane>),
}

impl Lane {
    pub fn propose(&self, situation: Situation) -> Proposal {
        match self {
            Self::Jpeg(lane) => lane.propose(situation),
            Self::Path(lane) => lane.propose(situation),
            Self::Drawing(lane) => lane.propose(situation),
        }
    }

    /// Takes note of an observation, and tells what it means.
    pub fn learn(&mut self, attempt: &Attempt, seen: Observation) -> Observation {
        match self {
            Self::Jpeg(lane) => lane.learn(attempt, seen),
            Self::Path(lane) => {
                lane.learn(attempt, seen);
                seen
            }
            Self::Drawing(lane) => lane.learn(attempt, seen),
        }
    }

    pub fn correct(&mut self, attempt: &Attempt, actual: Bytes) {
        match self {
            Self::Jpeg(lane) => lane.correct(attempt, actual),
            Self::Path(lane) => lane.learn(attempt, Observation::Size(actual)),
            Self::Drawing(lane) => lane.correct(attempt, actual),
        }
    }

    pub fn demand(&self) -> Option<f64> {
        match self {
            Self::Jpeg(lane) => lane.demand(),
            Self::Path(lane) => lane.demand(),
            Self::Drawing(lane) => lane.demand(),
        }
    }
}
