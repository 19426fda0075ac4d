//! The search for the best recipe within a budget, without touching a pixel or a sample.
//!
//! Sans-IO: [`Search::step`] says what to try, the caller encodes it and tells the outcome with
//! [`Search::observe`]. The search knows sizes and recipes, never codecs, so that it is tested
//! with a fake size model alone. Images are searched by measuring; the sizes of audio and video
//! follow from duration and bitrate, so that they are computed, encoded, and corrected once.
//!
//! Architecture invariant: imports only `model` and `quality`; the same observations give the same recipes.

mod audio;
mod files;
mod image;
mod rate;
mod steps;
mod video;

#[cfg(test)]
mod av_tests;

pub use audio::{AudioSearch, AudioTask};
pub use image::{ImageSearch, ImageTask};
pub use video::{VideoSearch, VideoTask};

use crate::{
    model::{Bytes, Dimensions, MediaKind, Recipe},
    quality,
};

/// What is to be fitted: one part for one device.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// An image.
    Image(ImageTask),
    /// Audio alone, of an audio file or of a video's audio track.
    Audio(AudioTask),
    /// A video.
    Video(VideoTask),
}

impl Task {
    /// The kind of medium that is made: video also for a video that an image may replace.
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Image(_) => MediaKind::Image,
            Self::Audio(_) => MediaKind::Audio,
            Self::Video(_) => MediaKind::Video,
        }
    }

    /// The image that is searched, or that replaces a video.
    pub fn image(&self) -> Option<&ImageTask> {
        match self {
            Self::Image(task) => Some(task),
            Self::Video(task) => task.poster.as_ref(),
            Self::Audio(_) => None,
        }
    }

    /// No output needs to be larger than this.
    pub fn ceiling(&self) -> Option<Bytes> {
        match self {
            Self::Image(task) => task.ceiling,
            Self::Audio(task) => task.ceiling,
            Self::Video(task) => task.ceiling,
        }
    }

    /// The ceiling is lifted; `true` if there was one.
    pub fn lift_ceiling(&mut self) -> bool {
        let ceiling = match self {
            Self::Image(task) => &mut task.ceiling,
            Self::Audio(task) => &mut task.ceiling,
            Self::Video(task) => &mut task.ceiling,
        };
        ceiling.take().is_some()
    }

    /// With less than this it falls back: a video to an image, audio to nothing. 0
    /// for images, which become smaller.
    pub fn floor(&self) -> Bytes {
        match self {
            Self::Image(_) => Bytes::ZERO,
            Self::Audio(task) => audio::least(task),
            Self::Video(task) => video::floor(task),
        }
    }

    /// More bytes than this could not be used, where that is known beforehand.
    pub fn useful(&self) -> Option<Bytes> {
        match self {
            Self::Image(_) => None,
            Self::Audio(task) => Some(audio::useful(task)),
            Self::Video(task) => Some(video::useful(task)),
        }
    }

    /// Bytes at the quality at which parts are compared, before anything is encoded.
    pub fn guess(&self) -> f64 {
        match self {
            Self::Image(task) => quality::image::fair_bytes(task.largest().pixels(), 1),
            Self::Audio(task) => audio::demand(task),
            Self::Video(task) => video::demand(task),
        }
    }
}

/// The search for one part.
#[derive(Clone, Debug)]
pub enum Search {
    /// An image's.
    Image(Box<ImageSearch>),
    /// An audio file's.
    Audio(Box<AudioSearch>),
    /// A video's.
    Video(Box<VideoSearch>),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchStep {
    /// Encode this, but stop as soon as the output passes `cap`.
    Try {
        /// The recipe.
        recipe: Recipe,
        /// A size worth knowing exactly; may lie above the budget.
        cap: Bytes,
    },
    /// Which of these looks best when all take the bytes that the first takes? The qualities of
    /// the others are ignored.
    Compare {
        /// Images of one source at several scales and chroma samplings.
        recipes: Vec<Recipe>,
    },
    /// Encode this, and look at it: [`Search::judged`].
    Judge {
        /// The recipe.
        recipe: Recipe,
        /// The image that it is compared with is of this size.
        largest: Dimensions,
        /// What is over this need not be looked at.
        cap: Bytes,
    },
    /// This one, which was judged, is the best: keep its bytes, forget the ones before.
    Take {
        /// The recipe.
        recipe: Recipe,
    },
    /// The best result so far is final.
    Done,
    /// Nothing fits.
    Exhausted {
        /// The smallest output seen, or computed.
        smallest: Bytes,
    },
}

/// What an encode gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Finished with this size (above the budget, perhaps).
    Size(Bytes),
    /// Not encoded, but measured: the size is about this.
    Measured(Bytes),
    /// Cut off at the cap: at least this size.
    AtLeast(Bytes),
}

/// What an encode that was to be looked at gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judgement {
    /// Its size, and its SSIMULACRA2.
    Size(Bytes, f32),
    /// Cut off at the cap: at least this size.
    AtLeast(Bytes),
}

/// Whether the output just observed is the one to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: keep its bytes, forget the ones before.
    Keep,
    /// Not worth keeping; only its size was learnt.
    Discard,
}

macro_rules! each {
    ($self:expr, $search:ident => $body:expr) => {
        match $self {
            Search::Image($search) => $body,
            Search::Audio($search) => $body,
            Search::Video($search) => $body,
        }
    };
}

impl Search {
    /// A search for `task` within `budget` media bytes.
    pub fn new(task: &Task, budget: Bytes) -> Self {
        match task {
            Task::Image(task) => Self::Image(Box::new(ImageSearch::new(task, budget))),
            Task::Audio(task) => Self::Audio(Box::new(AudioSearch::new(task, budget))),
            Task::Video(task) => Self::Video(Box::new(VideoSearch::new(task, budget))),
        }
    }

    /// What to do next.
    pub fn step(&mut self) -> SearchStep {
        each!(self, search => search.step())
    }

    /// Tells what the last proposed encode gave.
    pub fn observe(&mut self, seen: Observation) -> Verdict {
        each!(self, search => search.observe(seen))
    }

    /// Tells that the session does not do the last proposed recipe at all.
    pub fn refuse(&mut self) {
        each!(self, search => search.refuse());
    }

    /// Reports that the best result did not pass its check: it is discarded for the next best.
    pub fn reject(&mut self) {
        each!(self, search => search.reject());
    }

    /// Tells what the best result, so far only measured, really takes. If that is over the
    /// budget after all, the search goes on.
    pub fn settle(&mut self, actual: Bytes) -> Verdict {
        match self {
            Self::Image(search) => search.settle(actual),
            Self::Audio(_) => Verdict::Keep,
            Self::Video(search) => search.settle(actual),
        }
    }

    /// Tells which of the recipes of [`SearchStep::Compare`] looks best; `None` where that cannot be told.
    pub fn choose(&mut self, best: Option<usize>) {
        match self {
            Self::Image(search) => search.choose(best),
            Self::Audio(_) => {}
            Self::Video(search) => search.choose(best),
        }
    }

    /// Tells what came of [`SearchStep::Judge`]; `None` where looks cannot be told.
    pub fn judged(&mut self, judgement: Option<Judgement>) {
        if let Self::Image(search) = self {
            search.judged(judgement);
        }
    }

    /// Whether nothing more will be tried, now that the best result is settled.
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Image(search) => search.is_finished(),
            Self::Audio(_) | Self::Video(_) => true,
        }
    }

    /// The size of what is left after [`Search::settle`] refused a result.
    pub fn settled(&self) -> Option<Bytes> {
        match self {
            Self::Image(search) => search.settled(),
            Self::Audio(_) | Self::Video(_) => None,
        }
    }

    /// Changes the budget between two steps; what was learnt stays. A best result that no longer
    /// fits is discarded.
    pub fn set_budget(&mut self, budget: Bytes) {
        each!(self, search => search.set_budget(budget));
    }

    /// The original's size no longer caps the result. What was learnt stays; `frugal` goes on
    /// behind the first lane, whose bytes are the most.
    pub fn lift_ceiling(&mut self, budget: Bytes, frugal: bool) {
        match self {
            Self::Image(search) => search.lift_ceiling(budget, frugal),
            Self::Audio(search) => search.lift_ceiling(budget),
            Self::Video(search) => search.lift_ceiling(budget),
        }
    }

    /// Encodes observed so far, measurements counted as thirds; rounded up.
    pub fn tries(&self) -> u32 {
        each!(self, search => search.tries())
    }

    /// Whether more bytes could not improve the result.
    pub fn saturated(&self) -> bool {
        each!(self, search => search.saturated())
    }

    /// Bytes at the reference quality, as far as is known: the measure by which parts share a
    /// budget so that all come out alike.
    pub fn demand(&self) -> Option<f64> {
        match self {
            Self::Image(search) => search.demand(),
            Self::Audio(search) => Some(search.demand()),
            Self::Video(search) => Some(search.demand()),
        }
    }

    /// Whether sizes are learnt by encoding alone, so that one encode ahead is worth its time.
    pub fn size_is_unpredictable(&self) -> bool {
        matches!(self, Self::Image(_))
    }

    /// The harshest recipe of every lane: the smallest of their outputs is the smallest that can
    /// be reached. Empty where [`Search::least`] tells it.
    pub fn harshest(task: &Task) -> Vec<Recipe> {
        task.image().map_or_else(Vec::new, ImageSearch::harshest)
    }

    /// The smallest output, where it can be computed.
    pub fn least(task: &Task) -> Option<Bytes> {
        match task {
            Task::Image(_) => None,
            Task::Audio(task) => Some(audio::least(task)),
            Task::Video(task) if task.poster.is_some() => None,
            Task::Video(task) => Some(video::least(task)),
        }
    }
}
