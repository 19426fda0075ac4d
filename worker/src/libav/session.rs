//! One open file and the outputs made of it.

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{CodecError, ContentFacts, DecodeLimits, EncodeError, OpenHint, Session},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Bytes, Container, Dimensions, FrameRate,
        MediaInfo, Millis, Recipe, RemuxRecipe, Rgb, SampleRate, Stop,
    },
};

use super::{
    audio::{self, Pcm},
    audio_out,
    ff::internal,
    given::Given,
    music,
    mux::{self, Coded},
    probe::{Probed, Walk},
    remux,
    tracks::Chosen,
    video_out::{FirstPass, Master},
};

/// What was made for one form of output.
pub(super) struct Video {
    pub(super) key: (Dimensions, FrameRate, Millis, bool),
    pub(super) master: Master,
    pub(super) first: Option<FirstPass>,
}

/// An open file. What is decoded is kept: a second attempt costs no second decode.
pub(super) struct AvSession {
    pub(super) bytes: Buffer,
    pub(super) probed: Probed,
    pub(super) hint: OpenHint,
    pub(super) limits: DecodeLimits,
    /// Only the first image is wanted.
    pub(super) hurried: bool,
    /// Samples that the host sent instead of bytes.
    given: Option<Given>,
    pcm: Option<Pcm>,
    pub(super) video: Option<Video>,
    /// Whether they move, and the session that encodes them.
    pub(super) images: Option<(bool, Box<dyn Session>)>,
}

/// Samples of the shortest AAC and MP3: two frames and four.
const LEAST_AAC: usize = 2 * 1024;
const LEAST_MP3: usize = 4 * 1152;

/// Codecs that are made for speech alone.
const SPEECH: [&str; 7] = ["amr_nb", "amr_wb", "evrc", "qcelp", "gsm", "gsm_ms", "speex"];

/// The size of a coded second that an AAC encode may miss its rate by before it is done again.
const AAC_TOLERANCE: f64 = 1.005;

impl AvSession {
    pub fn new(bytes: Buffer, probed: Probed, hint: OpenHint, limits: DecodeLimits) -> Self {
        Self {
            bytes,
            probed,
            hint,
            limits,
            hurried: false,
            given: None,
            pcm: None,
            video: None,
            images: None,
        }
    }

    /// Of audio that is decoded already.
    pub fn of_samples(info: MediaInfo, given: Given, hint: OpenHint, limits: DecodeLimits) -> Self {
        let (video, audio) = (Walk::default(), Walk::default());
        let probed = Probed { info, chosen: Chosen::default(), video, audio };
        Self { given: Some(given), ..Self::new(Buffer::new(), probed, hint, limits) }
    }

    /// How long the output is.
    pub(super) fn length(&self, keep: Option<Millis>) -> Millis {
        let all = self.probed.info.duration;
        keep.map_or(all, |keep| keep.min(all)).max(Millis::new(1))
    }

    fn pcm(&mut self, rate: SampleRate, channels: u8, stop: &Stop) -> Result<&Pcm, CodecError> {
        let kept = self.pcm.take().filter(|pcm| (pcm.rate, pcm.channels) == (rate, channels));
        let pcm = match (kept, &self.given) {
            (Some(pcm), _) => pcm,
            (None, Some(given)) => given.at((rate, channels), &self.limits, stop)?,
            (None, None) => {
                let start = self.probed.start();
                let (chosen, form) = (self.probed.chosen, (rate, channels));
                audio::decode(&self.bytes, chosen, form, start, &self.limits, stop)?
            }
        };
        Ok(self.pcm.insert(pcm))
    }

    /// The audio by `coding`, as long as the whole output.
    pub(super) fn audio(
        &mut self,
        coding: &AudioCoding,
        keep: Option<Millis>,
        stop: &Stop,
    ) -> Result<Coded, CodecError> {
        let length = self.length(keep);
        let whole = self.probed.info.duration;
        let beside_video = self.probed.info.video.is_some();
        let pcm = self.pcm(coding.sample_rate, coding.channels, stop)?;
        let wanted =
            (u64::from(length.get()) * u64::from(coding.sample_rate.get())).div_ceil(1000) as usize;
        let mut cut = pcm.clone();
        // A decoder may give some more or less than the container promised: alone, an audio file is
        // as long as it really is; beside a video or cut, as long as that.
        if beside_video || length < whole {
            cut.fit(wanted);
        } else {
            let slack = coding.sample_rate.get() as usize / 20;
            cut.fit(cut.frames().clamp(wanted.saturating_sub(slack), wanted + slack));
        }
        if length < whole {
            cut.fade_out();
        }
        // Streams without an index are known by frames that follow each other.
        match coding.codec {
            AudioCodec::Aac if !beside_video => cut.fit(cut.frames().max(LEAST_AAC)),
            AudioCodec::Mp3 if !beside_video => cut.fit(cut.frames().max(LEAST_MP3)),
            _ => {}
        }
        let coded = audio_out::encode(&cut, coding, stop)?;
        if coding.codec != AudioCodec::Aac {
            return Ok(coded);
        }
        // The encoder's rate control is loose on short audio files: once more, by what it missed.
        let seconds = cut.frames() as f64 / coding.sample_rate.per_second();
        let promised = coding.bitrate.bytes_in(seconds);
        let ratio = coded.bytes() as f64 / promised;
        if ratio <= AAC_TOLERANCE {
            return Ok(coded);
        }
        let bitrate = BitRate::new((coding.bitrate.per_second() / ratio * 0.99) as u32);
        audio_out::encode(&cut, &AudioCoding { bitrate, ..*coding }, stop)
    }

    fn encode_audio(
        &mut self,
        recipe: &AudioRecipe,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Buffer, EncodeError> {
        let coded = self.audio(&recipe.coding, recipe.keep, stop)?;
        check_container(recipe.container, recipe.coding.codec)?;
        Ok(mux::write_file(recipe.container, &[&coded], false, cap)?.into())
    }

    fn encode_remux(&mut self, recipe: &RemuxRecipe, cap: Bytes) -> Result<Buffer, EncodeError> {
        remux::remux(&self.bytes, self.probed.chosen, recipe, cap)
    }
}

fn check_container(container: Container, codec: AudioCodec) -> Result<(), CodecError> {
    match container.holds_audio(codec) {
        true => Ok(()),
        false => Err(internal("a codec in a file where it does not belong")),
    }
}

impl Session for AvSession {
    fn info(&self) -> &MediaInfo {
        &self.probed.info
    }

    fn facts(&mut self) -> ContentFacts {
        let mut facts = ContentFacts::default();
        if self.hurried {
            return facts;
        }
        // Audio from a speech codec loses nothing in another speech codec.
        let spoken = |codec: &str| SPEECH.contains(&codec);
        if self
            .probed
            .info
            .audio
            .as_ref()
            .is_some_and(|track| track.is_readable() && !spoken(&track.codec))
            && let Ok(pcm) = self.pcm(SampleRate::new(16_000), 1, &Stop::never())
        {
            facts.music = music::is_music(&pcm.samples);
        }
        facts
    }

    fn reference(&mut self, _: Dimensions, _: Rgb) -> Option<mmsfit::codec::Reference> {
        None
    }

    fn moments(
        &mut self,
        count: u8,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Option<Vec<mmsfit::codec::Reference>>, CodecError> {
        self.looks(count, background, stop)
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        stop.check()?;
        match recipe {
            Recipe::Audio(recipe) => self.encode_audio(recipe, cap, stop),
            Recipe::Remux(recipe) => self.encode_remux(recipe, cap),
            Recipe::Video(recipe) => self.encode_video(recipe, cap, stop),
            Recipe::Image(recipe) => self.encode_image(recipe, cap, stop),
        }
    }
}
