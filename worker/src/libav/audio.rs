//! A file's audio as samples at the rate and with the channels that an encoder wants.

#![allow(unsafe_code, reason = "calls libav")]

use std::ptr;

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, DecodeLimits},
    model::{SampleRate, Stop},
};

use super::{
    decoder::Decoder,
    ff::{Frame, Packet, check, no_memory},
    fold::Fold,
    input::Input,
    tracks::{self, Chosen, Track},
};

/// Interleaved 16-bit samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pcm {
    pub rate: SampleRate,
    pub channels: u8,
    pub samples: Vec<i16>,
}

/// More samples than the resampler's filter holds back.
const FILTER: i32 = 256;

/// How long the end of cut audio takes to fade, in milliseconds (fit-to-size practice of 200).
const FADE_MS: u64 = 200;

impl Pcm {
    /// Samples of one channel.
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }

    /// Exactly this many samples a channel: cut, or filled up with silence.
    pub fn fit(&mut self, frames: usize) {
        self.samples.resize(frames * usize::from(self.channels), 0);
    }

    /// Fades the end out.
    pub fn fade_out(&mut self) {
        let frames = self.frames();
        let fade = (u64::from(self.rate.get()) * FADE_MS / 1000) as usize;
        let fade = fade.min(frames).max(1);
        let channels = usize::from(self.channels);
        for (n, frame) in self.samples.chunks_exact_mut(channels).skip(frames - fade).enumerate() {
            for sample in frame {
                *sample = (i64::from(*sample) * (fade - n) as i64 / fade as i64) as i16;
            }
        }
    }
}

/// The resampler, set up by the first frame it gets.
pub(super) struct Resampler {
    context: *mut ff::SwrContext,
    rate: u32,
    /// Channels that are wanted.
    channels: u8,
    /// Audio of several channels comes out of the library with two where one is wanted, and
    /// is folded here.
    fold: Option<Fold>,
    from: Option<(i32, i32, i32)>,
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // SAFETY: ours or null.
        unsafe { ff::swr_free(&mut self.context) }
    }
}

impl Resampler {
    /// To a rate and a number of channels.
    pub fn new((rate, channels): (SampleRate, u8)) -> Self {
        let rate = rate.get();
        Self { context: ptr::null_mut(), rate, channels, fold: None, from: None }
    }

    /// What comes out of a frame.
    pub fn convert(&mut self, frame: &Frame, out: &mut Vec<i16>) -> Result<(), CodecError> {
        let from = (frame.sample_rate, frame.format, frame.ch_layout.nb_channels);
        if self.from != Some(from) {
            // A stream that changes its form in the middle: what is inside comes out first.
            if self.from.is_some() {
                self.flush(out)?;
            }
            let several = self.channels == 1 && frame.ch_layout.nb_channels > 1;
            self.fold = several.then(|| Fold::new(self.rate));
            self.set_up(frame)?;
            self.from = Some(from);
        }
        self.run(Some(frame), out)
    }

    /// What is left inside.
    pub fn flush(&mut self, out: &mut Vec<i16>) -> Result<(), CodecError> {
        // Audio shorter than the filter comes out only if something follows it.
        let nothing = out.is_empty() && self.fold.as_mut().is_none_or(|f| f.pending().is_empty());
        if nothing && !self.context.is_null() {
            // SAFETY: an initialised context.
            let code = unsafe { ff::swr_inject_silence(self.context, FILTER) };
            check(code, "resampling")?;
        }
        self.run(None, out)
    }

    fn run(&mut self, frame: Option<&Frame>, out: &mut Vec<i16>) -> Result<(), CodecError> {
        if self.context.is_null() {
            return Ok(());
        }
        match &mut self.fold {
            Some(fold) => {
                resample(self.context, frame, 2, fold.pending())?;
                fold.fold(frame.is_none(), out);
                Ok(())
            }
            None => resample(self.context, frame, self.channels, out),
        }
    }

    fn set_up(&mut self, frame: &Frame) -> Result<(), CodecError> {
        // SAFETY: both layouts live through the call, which copies them; the old context, if any,
        // is freed by the call itself.
        unsafe {
            let mut to: ff::AVChannelLayout = std::mem::zeroed();
            let channels = if self.fold.is_some() { 2 } else { self.channels };
            ff::av_channel_layout_default(&mut to, i32::from(channels));
            let mut from: ff::AVChannelLayout = std::mem::zeroed();
            let told = frame.ch_layout.order != ff::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC;
            if told {
                ff::av_channel_layout_copy(&mut from, &frame.ch_layout);
            } else {
                ff::av_channel_layout_default(&mut from, frame.ch_layout.nb_channels.clamp(1, 8));
            }
            let code = ff::swr_alloc_set_opts2(
                &mut self.context,
                &raw mut to,
                ff::AVSampleFormat::AV_SAMPLE_FMT_S16,
                self.rate as i32,
                &raw mut from,
                std::mem::transmute::<i32, ff::AVSampleFormat>(frame.format),
                frame.sample_rate,
                0,
                ptr::null_mut(),
            );
            ff::av_channel_layout_uninit(&mut from);
            check(code, "setting up the resampler")?;
            let object = self.context.cast();
            // A long filter that keeps what is below 0.97 of half the rate, and a downmix that
            // never clips (ITU-R BS.775 coefficients, normalised).
            ff::av_opt_set_int(object, c"filter_size".as_ptr(), 64, 0);
            ff::av_opt_set_double(object, c"cutoff".as_ptr(), 0.97, 0);
            ff::av_opt_set_double(object, c"rematrix_maxval".as_ptr(), 1.0, 0);
            check(ff::swr_init(self.context), "setting up the resampler")?;
        }
        Ok(())
    }
}

/// Adds what comes out of a frame, or of what is left inside without one, to `out`.
fn resample(
    context: *mut ff::SwrContext,
    frame: Option<&Frame>,
    channels: u8,
    out: &mut Vec<i16>,
) -> Result<(), CodecError> {
    let samples = frame.map_or(0, |f| f.nb_samples);
    // SAFETY: an initialised context for this many channels; the output has room for what it is
    // told; the input is the frame's own planes, or null, which asks for the rest.
    unsafe {
        let room = ff::swr_get_out_samples(context, samples).max(0);
        let channels = usize::from(channels);
        let before = out.len();
        out.try_reserve(room as usize * channels).map_err(|_| no_memory())?;
        out.resize(before + room as usize * channels, 0);
        let mut plane = out.as_mut_ptr().add(before).cast::<u8>();
        let input = frame.map_or(ptr::null_mut(), |f| f.extended_data.cast());
        let got = ff::swr_convert(context, &mut plane, room, input, samples);
        let got = check(got, "resampling")? as usize;
        out.truncate(before + got * channels);
    }
    Ok(())
}

/// Bytes that samples may take.
pub(super) fn most_bytes(rate: SampleRate, limits: &DecodeLimits) -> u64 {
    let samples = limits.max_duration.as_millis() * u128::from(rate.get()) / 1000;
    limits.max_memory.get().min(u64::try_from(samples * 4).unwrap_or(u64::MAX))
}

/// Decodes the audio of a file whose beginning lies at `start` microseconds.
///
/// The first sample is the beginning: what comes before it is cut, what is missing is silence.
pub(super) fn decode(
    bytes: &Buffer,
    chosen: Chosen,
    (rate, channels): (SampleRate, u8),
    start: i64,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Pcm, CodecError> {
    let mut input = Input::open(bytes)?;
    let track = chosen.audio.and_then(|n| tracks::at(&input, n));
    let track = track.ok_or_else(|| CodecError::Unsupported {
        format: "audio",
        detail: "there is none in it".into(),
    })?;
    let mut decoder = Decoder::open(&track)?;
    let mut pcm = Pcm { rate, channels, samples: Vec::new() };
    let mut resampler = Resampler::new((rate, channels));
    let (mut packet, mut frame) = (Packet::new()?, Frame::new()?);
    let most = most_bytes(rate, limits);
    let mut aligned = false;
    let mut at_end = false;
    while !at_end {
        stop.check()?;
        at_end = !input.read(&mut packet)?;
        if !at_end && packet.stream_index != track.index {
            continue;
        }
        let fed = decoder.send((!at_end).then_some(&packet));
        let taken = fed.and_then(|()| {
            decoder.drain(&mut frame, |frame| {
                if !std::mem::replace(&mut aligned, true) {
                    align(&mut pcm, &track, frame, start);
                }
                resampler.convert(frame, &mut pcm.samples)?;
                let found = pcm.samples.len() as u64 * 2;
                if found > most {
                    return Err(CodecError::Limit { what: "memory", found, limit: most });
                }
                Ok(())
            })
        });
        match taken {
            // Where it cannot be read on, it ends: what was heard so far is kept.
            Err(CodecError::Malformed { .. }) if aligned => break,
            other => other?,
        }
    }
    resampler.flush(&mut pcm.samples)?;
    if pcm.samples.is_empty() {
        let detail = "nothing of it can be decoded".into();
        return Err(CodecError::Malformed { format: "audio", detail });
    }
    Ok(pcm)
}

/// Silence before audio that begins later than the file; at most ten seconds of it.
fn align(pcm: &mut Pcm, track: &Track, frame: &Frame, start: i64) {
    let time = frame.best_effort_timestamp;
    if time == ff::AV_NOPTS_VALUE {
        return;
    }
    let late = track.micros(time).saturating_sub(start).clamp(0, 10_000_000);
    let samples = late as u64 * u64::from(pcm.rate.get()) / 1_000_000;
    pcm.fit(samples as usize);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_audio_fades_and_keeps_its_length() {
        let mut pcm = Pcm { rate: SampleRate::new(8000), channels: 2, samples: vec![1000; 16_000] };
        pcm.fit(4000);
        pcm.fade_out();
        assert_eq!(pcm.frames(), 4000);
        assert_eq!(pcm.samples[0], 1000);
        assert_eq!(pcm.samples[2 * 2399], 1000);
        assert!(pcm.samples[2 * 3200].abs_diff(500) < 5);
        assert_eq!(pcm.samples[7999], 0);
    }
}
