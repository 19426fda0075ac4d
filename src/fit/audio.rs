//! Audio alone: the size follows from duration and bitrate, so that one encode is enough; where
//! an encoder does not keep its rate, one correction.

use super::{Observation, SearchStep, Verdict, files};
use crate::{
    model::{
        AudioChoice, AudioCodec, AudioRecipe, BitRate, Bytes, Millis, Recipe, RemuxRecipe,
        SampleRate,
    },
    policy::Floors,
    quality::audio::{self as quality, AudioSource, modes},
};

/// What is to be fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioTask {
    /// Playing time of the source.
    pub duration: Millis,
    /// Sample rate of the source; 0 where unknown.
    pub sample_rate: SampleRate,
    /// Channels of the source; 0 where unknown.
    pub channels: u32,
    /// The rate of AAC or MP3 that holds all that the source has; `BitRate::MAX` where that is not
    /// known.
    pub enough: BitRate,
    /// More than speech: a speech codec would spoil it.
    pub music: bool,
    /// Ways to write it that the device takes.
    pub choices: Vec<AudioChoice>,
    /// To try first.
    pub remux: Option<RemuxRecipe>,
    /// No output needs to be larger than this.
    pub ceiling: Option<Bytes>,
    /// Whether it may be cut shorter.
    pub trim: bool,
    /// Below this, a medium is not worth sending.
    pub floors: Floors,
}

impl AudioTask {
    fn seconds(&self) -> f64 {
        self.duration.seconds()
    }

    /// The lowest bitrate that the policy lets pass.
    fn lowest(&self, codec: AudioCodec) -> BitRate {
        quality::min_bitrate_above(codec, self.floors.audio_bitrate, self.as_source())
    }

    fn as_source(&self) -> AudioSource {
        let &Self { sample_rate, channels, music, enough, .. } = self;
        AudioSource { sample_rate, channels, music, enough }
    }
}

/// Speech at less than this is better served by a speech codec: AAC-LC has neither the band nor
/// the bits there, and AMR-WB at 12.65 kbit/s is good (TS 26.171 and the listening tests named in
/// TR 26.936; the threshold itself is ours, unmeasured).
const SPEECH_BELOW: f64 = 20_000.0;
/// From this mode on AMR-WB beats the narrow band at the same rate.
const WIDE_FROM: f64 = 8_850.0;
/// The share of the budget that a rate-controlled encode aims for.
const AIM: f64 = 0.985;
/// A result that fills this share of its budget is full.
const FULL: f64 = 0.97;
/// Encodes at most; the first or second fits, unless the encoder ignores the rate.
const HARD_LIMIT: u32 = 5;
/// What is left after cutting is at least this long.
const SHORTEST: Millis = Millis::new(1_000);
/// An audio file that is cut is cut at these rates rather than at the lowest: what is left of it
/// should be pleasant (fit-to-size.md §6: below AMR 5.9 cutting is the lesser evil).
fn cutting_rate(codec: AudioCodec) -> BitRate {
    match codec {
        AudioCodec::AmrNb => BitRate::new(5_900),
        AudioCodec::AmrWb => BitRate::new(8_850),
        AudioCodec::Aac => BitRate::new(16_000),
        AudioCodec::Mp3 => quality::MP3_FLOOR,
    }
}

/// The search for one audio file.
#[derive(Clone, Debug)]
pub struct AudioSearch {
    task: AudioTask,
    ceiling: u64,
    budget: u64,
    remux: Option<RemuxRecipe>,
    /// Choices still open, by index.
    open: Vec<usize>,
    /// Actual over computed size, as learnt: 1 until an encode tells otherwise.
    factor: f64,
    /// Encodes since the budget was set, and in all.
    rounds: u32,
    tries: u32,
    pending: Option<Recipe>,
    best: Option<(Recipe, u64)>,
    smallest: u64,
}

impl AudioSearch {
    /// A search within `budget` media bytes.
    pub fn new(task: &AudioTask, budget: Bytes) -> Self {
        let ceiling = task.ceiling.map_or(u64::MAX, Bytes::get).max(1);
        Self {
            ceiling,
            budget: budget.get().min(ceiling),
            remux: task.remux,
            open: (0..task.choices.len()).collect(),
            factor: 1.0,
            rounds: 0,
            tries: 0,
            pending: None,
            best: None,
            smallest: least(task).get(),
            task: task.clone(),
        }
    }

    pub(super) fn step(&mut self) -> SearchStep {
        let full = self.best.is_some_and(|(recipe, size)| {
            size as f64 >= self.budget as f64 * FULL || self.is_top(&recipe)
        });
        if full || (self.best.is_some() && self.rounds >= 2) || self.rounds >= HARD_LIMIT {
            return self.end();
        }
        if let Some(remux) = self.remux {
            return self.attempt(Recipe::Remux(remux));
        }
        match self.design() {
            Some(recipe) if self.best.is_none_or(|(best, _)| best != Recipe::Audio(recipe)) => {
                self.attempt(Recipe::Audio(recipe))
            }
            _ => self.end(),
        }
    }

    fn attempt(&mut self, recipe: Recipe) -> SearchStep {
        self.pending = Some(recipe);
        // An exact size above the budget is worth more than a bound: the encode costs the same.
        let cap = if self.rounds == 0 { self.budget.saturating_mul(5) / 4 } else { self.budget };
        SearchStep::Try { recipe, cap: Bytes::new(cap) }
    }

    fn end(&self) -> SearchStep {
        if self.best.is_some() {
            SearchStep::Done
        } else {
            SearchStep::Exhausted { smallest: Bytes::new(self.smallest.max(self.budget + 1)) }
        }
    }

    /// More bytes would not help: bit for bit, or at its highest useful rate.
    fn is_top(&self, recipe: &Recipe) -> bool {
        match recipe {
            Recipe::Audio(audio) => {
                let top = quality::max_bitrate_within(
                    audio.coding.codec,
                    f64::INFINITY,
                    self.task.as_source(),
                );
                audio.keep.is_none() && Some(audio.coding.bitrate) == top
            }
            _ => true,
        }
    }

    /// The best recipe that should fit.
    fn design(&self) -> Option<AudioRecipe> {
        let order = order(&self.task, self.budget as f64 / self.factor, &self.open);
        let whole = order.iter().find_map(|choice| self.whole(*choice));
        let cut = || order.iter().find_map(|choice| self.cut(*choice));
        whole.or_else(|| if self.task.trim { cut() } else { None })
    }

    fn room(&self, codec: AudioCodec) -> f64 {
        let aim = if modes(codec).is_some() { 1.0 } else { AIM };
        self.budget as f64 * aim / self.factor
    }

    /// The whole audio by one choice, at the highest rate that fits.
    fn whole(&self, choice: AudioChoice) -> Option<AudioRecipe> {
        let (task, seconds) = (&self.task, self.task.seconds());
        let room = self.room(choice.codec);
        let at = |bitrate| {
            let coding = quality::coding(choice.codec, bitrate, task.as_source());
            (coding, files::audio(choice.container, &coding, seconds))
        };
        let highest = |limit| quality::max_bitrate_within(choice.codec, limit, task.as_source());
        let mut bitrate = highest(f64::INFINITY)?;
        loop {
            let (mut coding, size) = at(bitrate);
            let spare = (room - size) * 8.0 / seconds.max(0.001);
            if spare < 0.0 {
                bitrate = if choice.codec == AudioCodec::Aac {
                    // The tables shrink with the sample rate: the first step may be too long.
                    let floor = quality::min_bitrate(choice.codec).per_second();
                    let below = bitrate.per_second() - 1.0;
                    highest((bitrate.per_second() + spare).max(floor).min(below))?
                } else {
                    highest(bitrate.per_second() - 1.0)?
                };
                continue;
            }
            // What a step was too long by.
            if let Some(more) = highest(bitrate.per_second() + spare) {
                let (better, size) = at(more);
                coding = if size <= room { better } else { coding };
            }
            let enough = coding.bitrate >= task.lowest(choice.codec);
            let recipe = AudioRecipe { container: choice.container, coding, keep: None };
            return enough.then_some(recipe);
        }
    }

    /// As much of the audio as fits at a fair rate.
    fn cut(&self, choice: AudioChoice) -> Option<AudioRecipe> {
        let task = &self.task;
        let bitrate = cutting_rate(choice.codec)
            .max(task.lowest(choice.codec))
            .min(quality::max_bitrate(choice.codec, task.as_source()));
        let coding = quality::coding(choice.codec, bitrate, task.as_source());
        let seconds = task.seconds();
        let (size, empty) = (
            files::audio(choice.container, &coding, seconds),
            files::audio(choice.container, &coding, 0.0),
        );
        let share = (self.room(choice.codec) - empty) / (size - empty).max(1.0);
        let keep = (f64::from(task.duration.get()) * share.min(1.0)) as i64 / 20 * 20;
        let keep = u32::try_from(keep).ok().map(Millis::new).filter(|keep| *keep >= SHORTEST)?;
        let keep = (keep < task.duration).then_some(keep);
        Some(AudioRecipe { container: choice.container, coding, keep })
    }

    pub(super) fn observe(&mut self, seen: Observation) -> Verdict {
        let Some(recipe) = self.pending.take() else { return Verdict::Discard };
        self.tries += 1;
        let (size, whole) = match seen {
            Observation::Size(size) | Observation::Measured(size) => (size.get(), true),
            Observation::AtLeast(size) => ((size.get() as f64 * 1.03) as u64, false),
        };
        match recipe {
            Recipe::Audio(audio) => {
                self.rounds += 1;
                let seconds = audio.keep.map_or(self.task.seconds(), Millis::seconds);
                let computed = files::audio(audio.container, &audio.coding, seconds);
                self.factor = (size as f64 / computed.max(1.0)).clamp(0.2, 20.0);
            }
            _ => self.remux = None,
        }
        if !whole || size > self.budget {
            // Whatever made the encoder go over: ask for less next time.
            if self.rounds > 1 {
                self.factor *= 1.03;
            }
            return Verdict::Discard;
        }
        self.smallest = self.smallest.min(size);
        if self.best.is_none_or(|(_, best)| size > best) {
            self.best = Some((recipe, size));
            Verdict::Keep
        } else {
            Verdict::Discard
        }
    }

    pub(super) fn refuse(&mut self) {
        match self.pending.take() {
            Some(Recipe::Audio(audio)) => self.close(&audio),
            _ => self.remux = None,
        }
    }

    pub(super) fn reject(&mut self) {
        match self.best.take() {
            Some((Recipe::Audio(audio), _)) => self.close(&audio),
            _ => self.remux = None,
        }
        (self.rounds, self.factor) = (0, 1.0);
    }

    fn close(&mut self, audio: &AudioRecipe) {
        let closed = AudioChoice { codec: audio.coding.codec, container: audio.container };
        self.open.retain(|i| self.task.choices[*i] != closed);
        self.factor = 1.0;
    }

    pub(super) fn set_budget(&mut self, budget: Bytes) {
        self.budget = budget.get().min(self.ceiling);
        self.rounds = 0;
        if self.best.is_some_and(|(_, size)| size > self.budget) {
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
        self.best.is_some_and(|(recipe, _)| self.is_top(&recipe))
    }

    pub(super) fn demand(&self) -> f64 {
        demand(&self.task)
    }
}

/// The open choices, the best for this many bytes first.
fn order(task: &AudioTask, budget: f64, open: &[usize]) -> Vec<AudioChoice> {
    let rate = budget * 8.0 / task.seconds().max(0.001);
    let tight = rate < SPEECH_BELOW && !task.music;
    let wide = task.as_source().wide() && rate >= WIDE_FROM;
    let rank = |codec: AudioCodec| match (codec, tight) {
        (AudioCodec::AmrWb, true) if wide => 0,
        (AudioCodec::AmrNb, true) => 1,
        (AudioCodec::AmrWb, true) => 2,
        (AudioCodec::Aac, true) => 3,
        (AudioCodec::Mp3, true) => 4,
        (AudioCodec::Aac, false) => 0,
        (AudioCodec::Mp3, false) => 1,
        (AudioCodec::AmrWb, false) if wide => 2,
        (AudioCodec::AmrNb, false) => 3,
        (AudioCodec::AmrWb, false) => 4,
    };
    let mut choices: Vec<AudioChoice> = open.iter().map(|i| task.choices[*i]).collect();
    // Stable: among files for one codec the given order holds.
    choices.sort_by_key(|choice| rank(choice.codec));
    choices
}

/// Bytes at a fair quality.
pub fn demand(task: &AudioTask) -> f64 {
    let codecs = task.choices.iter().map(|choice| choice.codec);
    quality::fair_bytes(codecs, task.as_source(), task.seconds())
}

/// The largest useful file, with a little for what an encoder adds.
pub fn useful(task: &AudioTask) -> Bytes {
    let size = |choice: &AudioChoice| {
        let bitrate = quality::max_bitrate(choice.codec, task.as_source());
        let coding = quality::coding(choice.codec, bitrate, task.as_source());
        files::audio(choice.container, &coding, task.seconds())
    };
    let most = task.choices.iter().map(size).fold(0.0, f64::max);
    Bytes::new((most * 1.03) as u64 + 64)
}

/// The smallest file that holds it, cut where it may be.
pub fn least(task: &AudioTask) -> Bytes {
    let size = |choice: &AudioChoice| {
        let bitrate = task.lowest(choice.codec);
        let coding = quality::coding(choice.codec, bitrate, task.as_source());
        let shortest = SHORTEST.seconds();
        let seconds = if task.trim { task.seconds().min(shortest) } else { task.seconds() };
        files::audio(choice.container, &coding, seconds)
    };
    let least = task.choices.iter().map(size).fold(f64::INFINITY, f64::min);
    Bytes::new(if least.is_finite() { (least * 1.02).ceil() as u64 } else { 0 })
}
