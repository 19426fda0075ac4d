//! Videos: bitrates, frame and frame rate follow from budget and duration; encoded once, corrected
//! once. Where no video fits, an image replaces it.
//!
//! Long because steps, shares and corrections of a video are one decision, told in order.

use super::{
    ImageSearch, ImageTask, Observation, SearchStep, Verdict, files,
    steps::{self, Place},
};
use crate::{
    model::{
        AudioCodec, AudioCoding, AudioTrack, BitRate, Bytes, Container, Dimensions, Effort, Millis,
        Recipe, RemuxRecipe, VideoChoice, VideoCodec, VideoCoding, VideoRecipe, VideoSupport,
    },
    policy::Floors,
    quality::{
        audio::{self, AudioSource},
        source::{VideoSource, enough_audio, enough_video},
        video::{self, VideoOutput},
    },
};

/// What is to be fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoTask {
    /// Dimensions of the source as shown.
    pub source: Dimensions,
    /// Playing time of the source.
    pub duration: Millis,
    /// Frames per second of the source; 0 where unknown.
    pub frame_rate: f64,
    /// The rate of the source's video track, a hint of how much goes on in it; 0 where
    /// unknown, or where the source's codec is no measure.
    pub bitrate: BitRate,
    /// What the codec of the source's video track takes, see
    /// [`crate::quality::source::codec_bits`]; 0 where it is no measure.
    pub bits: f32,
    /// The source's audio.
    pub audio: Option<AudioTrack>,
    /// That audio is more than speech.
    pub music: bool,
    /// Ways to write it that the device takes, the best first.
    pub choices: Vec<VideoChoice>,
    /// To try first.
    pub remux: Option<RemuxRecipe>,
    /// What replaces it where no video fits.
    pub poster: Option<ImageTask>,
    /// No output needs to be larger than this.
    pub ceiling: Option<Bytes>,
    /// Whether it may be cut shorter.
    pub trim: bool,
    /// Whether its audio may be left out.
    pub mute: bool,
    /// Below this, a medium is not worth sending.
    pub floors: Floors,
    /// How much work to spend.
    pub effort: Effort,
}

impl VideoTask {
    fn seconds(&self) -> f64 {
        self.duration.max(Millis::new(1)).seconds()
    }

    /// The largest frame of a codec for the device.
    pub fn largest(&self, codec: VideoCodec) -> Option<Dimensions> {
        let choice = self.choices.iter().find(|choice| choice.support.codec == codec)?;
        steps::sizes(&choice.support, self.source).first().copied()
    }

    fn audio_source(&self) -> Option<AudioSource> {
        let track = self.audio.as_ref()?;
        let (sample_rate, channels) = (track.sample_rate, track.channels);
        let enough = enough_audio(&track.codec, &track.profile, track.bitrate);
        Some(AudioSource { sample_rate, channels, music: self.music, enough })
    }

    /// The bitrate beyond which nothing is gained: for the eye, for the device, and for what the
    /// source still holds.
    fn most(&self, support: &VideoSupport, dimensions: Dimensions, rate: f64) -> f64 {
        video::max_bitrate(support.codec, dimensions, rate)
            .min(support.max_bitrate.per_second())
            .min(self.enough(support.codec, dimensions, rate))
    }

    /// What the source still holds, in bits per second of a codec; infinite where unknown.
    pub fn enough(&self, codec: VideoCodec, dimensions: Dimensions, rate: f64) -> f64 {
        let source = VideoSource {
            bits: self.bits,
            bitrate: self.bitrate,
            dimensions: self.source,
            rate: self.frame_rate,
        };
        enough_video(source, codec, dimensions, rate)
    }

    /// How demanding the frames are beside usual ones: the square root of the source's bits per
    /// pixel and frame over a tenth of a bit, kept near 1, because encoders differ more than
    /// contents do.
    fn complexity(&self) -> f64 {
        let shown = self.source.pixels() as f64 * self.frame_rate;
        if self.bitrate.is_zero() || !(shown.is_finite() && shown > 0.0) {
            return 1.0;
        }
        (self.bitrate.per_second() / shown / 0.1).sqrt().clamp(0.6, 1.25)
    }
}

/// The share of the budget that a first encode aims for: rate control lands up to 4 % below, and
/// up to 1 % above.
const AIM: f64 = 0.978;
/// The share that a correction aims for.
const CORRECTED: f64 = 0.985;
/// A result that fills this share of its budget is full: another encode is not worth its time.
const FULL: f64 = 0.93;
/// The audio's share of a video's bits: 13 of 80 kbit/s at 300 KiB and 30 s (fit-to-size.md §7).
const AUDIO_SHARE: f64 = 0.15;
/// From these bitrates on the codec is taken for audio beside video: AAC, AMR-WB.
const AAC_FROM: f64 = 24_000.0;
const AMR_WB_FROM: f64 = 12_650.0;
/// Music needs AAC sooner.
const MUSIC_FROM: f64 = 16_000.0;
/// AAC beside video gains nothing beyond this.
const AAC_MOST: f64 = 96_000.0;
/// What is left after cutting is at least this long.
const SHORTEST: Millis = Millis::new(2_000);
/// Encodes of videos; after these the video falls back to an image.
const HARD_LIMIT: u32 = 4;

/// Where the search stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Video,
    Poster,
}

/// What is learnt of an encoder: bytes of the video track over what was asked for.
#[derive(Clone, Copy, Debug)]
struct Learnt {
    codec: VideoCodec,
    /// Where it was learnt: a correction stays there.
    dimensions: Dimensions,
    rate: f64,
    factor: f64,
}

/// A recipe with what is expected of it.
#[derive(Clone, Copy, Debug)]
struct Design {
    recipe: VideoRecipe,
    /// More bytes would show no difference.
    top: bool,
}

/// The search for one video.
#[derive(Clone, Debug)]
pub struct VideoSearch {
    task: VideoTask,
    ceiling: u64,
    budget: u64,
    stage: Stage,
    remux: Option<RemuxRecipe>,
    /// Choices still open, by index.
    open: Vec<usize>,
    learnt: Option<Learnt>,
    poster: Option<ImageSearch>,
    /// Encodes of videos since the budget was set, and of everything in all.
    rounds: u32,
    tries: u32,
    pending: Option<(Recipe, bool)>,
    best: Option<(Recipe, u64, bool)>,
}

impl VideoSearch {
    /// A search within `budget` media bytes.
    pub fn new(task: &VideoTask, budget: Bytes) -> Self {
        let ceiling = task.ceiling.map_or(u64::MAX, Bytes::get).max(1);
        let budget = budget.get().min(ceiling);
        Self {
            ceiling,
            budget,
            stage: Stage::Video,
            remux: task.remux,
            open: (0..task.choices.len()).collect(),
            learnt: None,
            poster: task.poster.as_ref().map(|p| ImageSearch::new(p, Bytes::new(budget))),
            rounds: 0,
            tries: 0,
            pending: None,
            best: None,
            task: task.clone(),
        }
    }

    pub(super) fn step(&mut self) -> SearchStep {
        if self.stage == Stage::Video {
            match self.step_video() {
                Some(step) => return step,
                None => self.stage = Stage::Poster,
            }
        }
        let Some(poster) = &mut self.poster else {
            return SearchStep::Exhausted {
                smallest: least(&self.task).max(Bytes::new(self.budget + 1)),
            };
        };
        let step = poster.step();
        if let SearchStep::Try { recipe, .. } = &step {
            self.pending = Some((*recipe, false));
        }
        step
    }

    /// `None`: no video fits.
    fn step_video(&mut self) -> Option<SearchStep> {
        if let Some((recipe, size, top)) = self.best.filter(|(r, ..)| r.image().is_none()) {
            let full = size as f64 >= self.budget as f64 * FULL;
            let enough = self.rounds >= 2 || (self.task.effort == Effort::Fast && self.rounds >= 1);
            if full || top || enough {
                return Some(SearchStep::Done);
            }
            match self.design() {
                Some(next) if Recipe::Video(next.recipe) != recipe => {
                    return Some(self.attempt(next, self.budget));
                }
                _ => return Some(SearchStep::Done),
            }
        }
        if let Some(remux) = self.remux {
            self.pending = Some((Recipe::Remux(remux), true));
            let cap = Bytes::new(self.budget);
            return Some(SearchStep::Try { recipe: Recipe::Remux(remux), cap });
        }
        if self.rounds >= HARD_LIMIT {
            return None;
        }
        let design = self.design()?;
        // An exact size above the budget is worth more than a bound: the encode costs the same.
        let cap = if self.rounds == 0 { self.budget.saturating_mul(3) / 2 } else { self.budget };
        Some(self.attempt(design, cap))
    }

    fn attempt(&mut self, design: Design, cap: u64) -> SearchStep {
        let recipe = Recipe::Video(design.recipe);
        self.pending = Some((recipe, design.top));
        SearchStep::Try { recipe, cap: Bytes::new(cap) }
    }

    /// Media bytes that the next encode should take.
    fn aim(&self) -> f64 {
        let share = match self.rounds {
            0 => AIM,
            1 => CORRECTED,
            // The encoder misses its rate: aim lower each time.
            n => 0.9_f64.powi(n as i32 - 1),
        };
        self.budget as f64 * share
    }

    /// The best recipe that should fit: with audio, else cut, else without audio.
    fn design(&self) -> Option<Design> {
        let task = &self.task;
        let whole = task.seconds();
        let codecs = self.codecs();
        let each = |audio: bool, cut: bool| {
            codecs.iter().find_map(|codec| {
                if cut { self.cut(*codec, audio) } else { self.whole(*codec, audio, whole) }
            })
        };
        let has_audio = task.audio.is_some();
        let mute = has_audio && task.mute;
        each(has_audio, false)
            .or_else(|| if task.trim { each(has_audio, true) } else { None })
            .or_else(|| if mute { each(false, false) } else { None })
            .or_else(|| if mute && task.trim { each(false, true) } else { None })
    }

    /// Open codecs, the best first.
    fn codecs(&self) -> Vec<VideoCodec> {
        let mut codecs: Vec<VideoCodec> =
            self.open.iter().map(|i| self.task.choices[*i].support.codec).collect();
        codecs.sort_by_key(|codec| std::cmp::Reverse(*codec));
        codecs.dedup();
        codecs
    }

    fn choices(&self, codec: VideoCodec) -> impl Iterator<Item = &VideoChoice> {
        let all = self.open.iter().map(|i| &self.task.choices[*i]);
        all.filter(move |choice| choice.support.codec == codec)
    }

    /// A video of `seconds`.
    fn whole(&self, codec: VideoCodec, with_audio: bool, seconds: f64) -> Option<Design> {
        let support = self.choices(codec).next()?.support;
        let aim = self.aim();
        let total = aim * 8.0 / seconds;
        let audio = if with_audio { self.audio(codec, total) } else { None };
        if with_audio && audio.is_none() && self.choices(codec).any(|c| !c.audio.is_empty()) {
            return None;
        }
        let container = match audio {
            Some((container, _)) => container,
            None => self.choices(codec).next()?.container,
        };
        let audio = audio.map(|(_, coding)| coding);
        let beside = audio.map_or(0.0, |coding| files::beside(&coding, seconds));
        let complexity = self.task.complexity();
        for place in self.places(&support) {
            let rate = place.rate.per_second();
            let frames = (seconds * rate).ceil().max(1.0);
            let factor = self.factor(codec, &place);
            let bits = (aim - files::video(frames) - beside) * 8.0 / seconds / factor;
            let shown = place.dimensions.pixels() as f64 * rate * video::newness(rate);
            let fair = video::fair_bits(codec, place.dimensions) * complexity * shown;
            let needed = if place.last { fair * video::STARVED } else { fair };
            // Two thirds of a device's own limit are enough: it is what it was made for.
            let needed = needed.min(support.max_bitrate.per_second() * 0.66);
            if bits < needed.max(1_000.0) {
                continue;
            }
            let most = self.task.most(&support, place.dimensions, rate).max(needed);
            let bitrate = BitRate::new(bits.min(most) as u32);
            let video =
                VideoCoding { codec, bitrate, dimensions: place.dimensions, rate: place.rate };
            let recipe = VideoRecipe { container, video, audio, keep: None };
            return Some(Design { recipe, top: bits > most });
        }
        None
    }

    /// Places to look at: a correction stays where it was, as long as that is not starved.
    fn places(&self, support: &crate::model::VideoSupport) -> Vec<Place> {
        let ladder =
            steps::ladder(support, self.task.source, self.task.frame_rate, &self.task.floors);
        let at = self.learnt.filter(|l| l.codec == support.codec).and_then(|learnt| {
            ladder.iter().position(|p| {
                p.dimensions == learnt.dimensions && p.rate.per_second() == learnt.rate
            })
        });
        match at {
            // The first correction: where it was, with the patience of a last step.
            Some(at) if self.rounds == 1 => {
                let stay = Place { last: true, ..ladder[at] };
                std::iter::once(stay).chain(ladder.into_iter().skip(at + 1)).collect()
            }
            // It was over again: the encoder cannot go so low there.
            Some(at) if self.rounds > 1 && self.best.is_none() => {
                let next = (at + 1).min(ladder.len() - 1);
                ladder.into_iter().skip(next).collect()
            }
            _ => ladder,
        }
    }

    fn factor(&self, codec: VideoCodec, place: &Place) -> f64 {
        match self.learnt {
            Some(learnt) if learnt.codec == codec => {
                let same =
                    learnt.dimensions == place.dimensions && learnt.rate == place.rate.per_second();
                // Elsewhere only half of what it was over is assumed.
                if same { learnt.factor } else { ((learnt.factor + 1.0) / 2.0).max(1.0) }
            }
            _ => 1.0,
        }
    }

    /// As much of the video as the smallest frame can show at all.
    fn cut(&self, codec: VideoCodec, with_audio: bool) -> Option<Design> {
        // The size grows with the time: halve the interval.
        let (mut low, mut high) = (SHORTEST.seconds(), self.task.seconds());
        let mut found = self.whole(codec, with_audio, low)?;
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            match self.whole(codec, with_audio, middle) {
                Some(design) => (low, found) = (middle, design),
                None => high = middle,
            }
        }
        let keep = Millis::new((low * 1e3) as u32);
        found.recipe.keep = (keep < self.task.duration).then_some(keep);
        Some(Design { top: false, ..found })
    }

    /// File and audio for a video of `total` bits a second.
    fn audio(&self, codec: VideoCodec, total: f64) -> Option<(Container, AudioCoding)> {
        let facts = self.task.audio_source()?;
        let share = total * AUDIO_SHARE;
        let holds = |audio: AudioCodec| {
            self.choices(codec).find(|c| c.audio.contains(&audio)).map(|c| c.container)
        };
        let aac_from = if facts.music { MUSIC_FROM } else { AAC_FROM };
        let wide = share >= AMR_WB_FROM && facts.wide();
        // The best that the share can pay for; else the cheapest.
        let order = [
            (AudioCodec::Aac, share >= aac_from),
            (AudioCodec::AmrWb, wide),
            (AudioCodec::AmrNb, true),
            (AudioCodec::AmrWb, true),
            (AudioCodec::Aac, true),
        ];
        order.into_iter().filter(|(_, worth)| *worth).find_map(|(audio, _)| {
            let container = holds(audio)?;
            let limit = share.max(audio::min_bitrate(audio).per_second()).min(AAC_MOST);
            let bitrate = audio::max_bitrate_within(audio, limit, facts)?;
            Some((container, audio::coding(audio, bitrate, facts)))
        })
    }

    pub(super) fn observe(&mut self, seen: Observation) -> Verdict {
        let Some((recipe, top)) = self.pending.take() else { return Verdict::Discard };
        self.tries += 1;
        if let (Recipe::Image(_), Some(poster)) = (&recipe, &mut self.poster) {
            let verdict = poster.observe(seen);
            if let (Verdict::Keep, Observation::Size(n) | Observation::Measured(n)) =
                (verdict, seen)
            {
                self.best = Some((recipe, n.get(), false));
            }
            return verdict;
        }
        let (size, whole) = match seen {
            Observation::Size(size) | Observation::Measured(size) => (size.get(), true),
            Observation::AtLeast(size) => ((size.get() as f64 * 1.1) as u64, false),
        };
        match &recipe {
            Recipe::Video(video) => {
                self.rounds += 1;
                self.learn(video, size);
            }
            _ => self.remux = None,
        }
        if !whole || size > self.budget {
            return Verdict::Discard;
        }
        let better = self.best.is_none_or(|(best, n, _)| best.image().is_some() || size > n);
        if better {
            self.best = Some((recipe, size, top));
            Verdict::Keep
        } else {
            Verdict::Discard
        }
    }

    fn learn(&mut self, recipe: &VideoRecipe, size: u64) {
        let seconds = recipe.keep.map_or(self.task.seconds(), Millis::seconds);
        let rate = recipe.video.rate.per_second();
        let fixed = files::video((seconds * rate).ceil())
            + recipe.audio.map_or(0.0, |coding| files::beside(&coding, seconds));
        let asked = recipe.video.bitrate.bytes_in(seconds);
        let factor = ((size as f64 - fixed) / asked.max(1.0)).clamp(0.3, 8.0);
        let (codec, dimensions) = (recipe.video.codec, recipe.video.dimensions);
        self.learnt = Some(Learnt { codec, dimensions, rate, factor });
    }

    pub(super) fn refuse(&mut self) {
        match self.pending.take() {
            Some((Recipe::Video(video), _)) => self.close(&video),
            Some((Recipe::Image(_), _)) => {
                if let Some(poster) = &mut self.poster {
                    poster.refuse();
                }
            }
            _ => self.remux = None,
        }
    }

    pub(super) fn reject(&mut self) {
        match self.best.take() {
            Some((Recipe::Video(video), ..)) => self.close(&video),
            Some((Recipe::Image(_), ..)) => {
                if let Some(poster) = &mut self.poster {
                    poster.reject();
                }
            }
            _ => self.remux = None,
        }
        self.rounds = 0;
    }

    /// The choice behind a recipe is closed.
    fn close(&mut self, video: &VideoRecipe) {
        let choices = &self.task.choices;
        self.open.retain(|i| {
            let choice = &choices[*i];
            choice.support.codec != video.video.codec || choice.container != video.container
        });
        self.learnt = None;
    }

    /// Tells which of the poster's recipes looks best.
    pub(super) fn choose(&mut self, best: Option<usize>) {
        if let Some(poster) = &mut self.poster {
            poster.choose(best);
        }
    }

    pub(super) fn settle(&mut self, actual: Bytes) -> Verdict {
        // Videos are never measured without an encode; images may be.
        let Some(poster) = &mut self.poster else { return Verdict::Keep };
        match self.best {
            Some((recipe @ Recipe::Image(_), ..)) => {
                let verdict = poster.settle(actual);
                self.best = (verdict == Verdict::Keep).then_some((recipe, actual.get(), false));
                verdict
            }
            _ => Verdict::Keep,
        }
    }

    pub(super) fn set_budget(&mut self, budget: Bytes) {
        let budget = budget.get().min(self.ceiling);
        if budget == self.budget {
            return;
        }
        self.budget = budget;
        self.rounds = 0;
        self.stage = Stage::Video;
        if let Some(poster) = &mut self.poster {
            poster.set_budget(Bytes::new(budget));
        }
        if self.best.is_some_and(|(_, size, _)| size > budget) {
            self.best = None;
        }
    }

    pub(super) fn lift_ceiling(&mut self, budget: Bytes) {
        self.ceiling = u64::MAX;
        self.set_budget(budget);
    }

    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    pub(super) fn saturated(&self) -> bool {
        match self.best {
            Some((Recipe::Image(_), ..)) => {
                self.poster.as_ref().is_some_and(ImageSearch::saturated)
            }
            Some((_, _, top)) => top,
            None => false,
        }
    }

    pub(super) fn demand(&self) -> f64 {
        match (self.stage, &self.poster) {
            (Stage::Poster, Some(poster)) => poster.demand().unwrap_or_else(|| demand(&self.task)),
            _ => demand(&self.task),
        }
    }
}

/// Bytes at a fair quality, by the best choice, weighted.
pub fn demand(task: &VideoTask) -> f64 {
    let Some(best) = task.choices.first() else { return 1.0 };
    let places = steps::ladder(&best.support, task.source, task.frame_rate, &task.floors);
    let Some(first) = places.first() else { return 1.0 };
    let output = VideoOutput {
        codec: best.support.codec,
        dimensions: first.dimensions,
        rate: first.rate.per_second(),
        max_bitrate: best.support.max_bitrate,
        audio: task.audio.is_some(),
    };
    video::fair_bytes(output, task.seconds())
}

/// The largest video that is worth its bytes, with a little for what an encoder adds.
pub fn useful(task: &VideoTask) -> Bytes {
    let seconds = task.seconds();
    let of = |choice: &VideoChoice| {
        let places = steps::ladder(&choice.support, task.source, task.frame_rate, &task.floors);
        let first = places.first()?;
        let rate = first.rate.per_second();
        let bits = task.most(&choice.support, first.dimensions, rate);
        let audio = if task.audio.is_some() { AAC_MOST } else { 0.0 };
        Some(files::video((seconds * rate).ceil()) + (bits + audio) / 8.0 * seconds)
    };
    let most = task.choices.iter().filter_map(of).fold(0.0, f64::max);
    Bytes::new((most * 1.05) as u64)
}

/// The smallest video.
pub fn least(task: &VideoTask) -> Bytes {
    let of = |choice: &VideoChoice| {
        let places = steps::ladder(&choice.support, task.source, task.frame_rate, &task.floors);
        let last = places.last()?;
        let shortest = SHORTEST.seconds();
        let seconds = if task.trim { task.seconds().min(shortest) } else { task.seconds() };
        let rate = last.rate.per_second();
        let bits = video::fair_bits(choice.support.codec, last.dimensions)
            * video::STARVED
            * task.complexity()
            * last.dimensions.pixels() as f64
            * rate;
        Some(files::video((seconds * rate).ceil()) + bits.max(1_000.0) / 8.0 * seconds)
    };
    let least = task.choices.iter().filter_map(of).fold(f64::INFINITY, f64::min);
    Bytes::new(if least.is_finite() { (least / AIM).ceil() as u64 + 1 } else { 0 })
}

/// The smallest video that keeps its audio, with what a first encode may be over.
pub fn floor(task: &VideoTask) -> Bytes {
    let images = least(task).get() as f64;
    let audio = match task.audio {
        Some(_) => audio::min_bitrate(AudioCodec::AmrNb).bytes_in(task.seconds()),
        None => 0.0,
    };
    Bytes::new(((images + audio) * 1.1) as u64)
}
