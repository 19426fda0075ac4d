//! Audio in this process: what it is, and its samples, by decoders in safe Rust (the `symphonia`
//! crates).
//!
//! Only what these decoders read as well as libav does is read: one track of one or two channels,
//! of a codec and in a container that were compared with it sample by sample (see the tests). All
//! else is left to the worker: by [`CodecError::Unsupported`], which says why.
//!
//! A decoder is handed a sender's bytes in the serving process. Each loop over packets is counted
//! ([`MAX_PACKETS`]), samples are ([`MAX_SAMPLE_BYTES`]), tables that a header may ask for are
//! looked at before the decoder makes them, and a panic is an input that cannot be read.

mod aac;
mod mp4;
mod mpeg;
mod source;
#[cfg(test)]
mod tests;
mod vorbis;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes as Buffer;
use symphonia::core::{codecs::audio::AudioDecoder, packet::Packet};

use self::source::Source;
use super::{
    Codec, CodecError, DecodeLimits, OpenHint, Reference, Session, Verified, sniff::sniff,
};
use crate::model::{
    AudioTrack, BitRate, Bytes, MediaInfo, MediaKind, MediaType, Millis, SampleRate, Stop,
};

/// Packets of a file that are walked over: an hour of AAC has 170,000.
pub const MAX_PACKETS: u64 = 250_000;

/// Samples that are decoded here, in bytes of 32 bits each: six minutes of stereo. What is longer
/// goes to the worker, which keeps it at the rate of its output. At most half of
/// [`DecodeLimits::max_memory`].
pub const MAX_SAMPLE_BYTES: u64 = 128 << 20;

/// Samples by which a track may miss the length that its header tells: a packet of ALAC.
const SLACK: u64 = 4096;

/// Probes audio; encodes none, since all audio encoders are C.
pub struct AudioCodec;

/// Decoded audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// As [`probe`] tells it.
    pub info: MediaInfo,
    /// Of each channel.
    pub rate: SampleRate,
    /// One or two.
    pub channels: u8,
    /// Interleaved samples, 32-bit floats in little endian; full scale is 1, and all are finite.
    pub samples: Buffer,
}

impl Codec for AudioCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        sniff(bytes).filter(source::is_known)
    }

    fn writes(&self, _: &MediaType, _: MediaKind) -> bool {
        false
    }

    /// What the worker would have to look at is known by its type alone.
    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        stop.check()?;
        match (probe(input, limits), self.recognise(input)) {
            (Err(CodecError::Unsupported { .. }), Some(known)) => {
                Ok(MediaInfo::opaque(known, Bytes::of(input)))
            }
            (probed, _) => probed,
        }
    }

    fn open(
        &self,
        _: &Buffer,
        _: OpenHint,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        Err(left("audio is encoded by the worker alone"))
    }

    fn verify(
        &self,
        _: &Buffer,
        _: Option<&Reference>,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Verified, CodecError> {
        Err(left("audio is encoded by the worker alone"))
    }
}

/// What is in an audio file, from its headers, a walk over its packets and the first of its
/// samples.
///
/// # Errors
/// [`CodecError::Unsupported`] if it is not for the decoders of this process, or damaged;
/// [`CodecError::Limit`] if it is longer than `limits` allow.
pub fn probe(input: &Buffer, limits: &DecodeLimits) -> Result<MediaInfo, CodecError> {
    guarded(|| walk(input, limits).map(|walked| walked.info))
}

/// All samples of an audio file, without what its encoder put before the first and behind the last.
///
/// # Errors
/// As [`probe`] and for [`Stop`]; [`CodecError::Unsupported`], too, if it is too long to be
/// decoded here or any of its packets is damaged.
pub fn decode(input: &Buffer, limits: &DecodeLimits, stop: &Stop) -> Result<Audio, CodecError> {
    guarded(|| {
        let walked = walk(input, limits)?;
        stop.check()?;
        samples(input, walked, limits, stop)
    })
}

/// A file that was walked over.
struct Walked {
    info: MediaInfo,
    /// Samples of one channel that are to be heard.
    frames: u64,
}

fn walk(input: &Buffer, limits: &DecodeLimits) -> Result<Walked, CodecError> {
    let mut source = Source::open(input)?;
    let mut trial = Some(source.decoder()?);
    let (mut packets, mut bytes, mut ticks) = (0, 0, 0u64);
    while let Some(packet) = source.next()? {
        packets += 1;
        if packets > MAX_PACKETS {
            return Err(left("it has too many packets"));
        }
        bytes += packet.data.len() as u64 + source.framing;
        ticks = ticks.saturating_add(packet.dur.get());
        // What a header says of a codec is true if something comes out of it.
        if let Some(decoder) = &mut trial
            && is_heard(&source, decoder.as_mut(), &packet)?
        {
            trial = None;
        }
    }
    if trial.is_some() || bytes == 0 {
        return Err(left("nothing of it can be decoded"));
    }
    source.check_covered(bytes)?;
    let frames = source.heard_of(ticks)?;
    let rate = u64::from(source.rate);
    // Microseconds, as the worker counts.
    let micros = frames.saturating_mul(1_000_000) / rate;
    let duration_ms = (micros / 1000).max(1);
    limits.check_duration(duration_ms)?;
    let track = AudioTrack {
        codec: source.codec.to_owned(),
        profile: source.profile.to_owned(),
        sample_rate: SampleRate::new(source.rate),
        channels: source.channels.into(),
        bitrate: BitRate::of(Bytes::new(bytes), micros),
        unreadable: String::new(),
    };
    let size = Bytes::of(input);
    let info = MediaInfo {
        codec: track.codec.clone(),
        duration: Millis::saturating(duration_ms),
        bitrate: BitRate::of(size, micros),
        audio: Some(track),
        ..MediaInfo::opaque(source.media_type, size)
    };
    Ok(Walked { info, frames })
}

/// Whether samples come out of a packet.
fn is_heard(
    source: &Source,
    decoder: &mut dyn AudioDecoder,
    packet: &Packet,
) -> Result<bool, CodecError> {
    let buffer = decoder.decode(packet).map_err(damaged)?;
    source.check_form(buffer.spec())?;
    Ok(buffer.frames() > 0)
}

fn samples(
    input: &Buffer,
    walked: Walked,
    limits: &DecodeLimits,
    stop: &Stop,
) -> Result<Audio, CodecError> {
    let mut source = Source::open(input)?;
    let most = MAX_SAMPLE_BYTES.min(limits.max_memory.get() / 2);
    let width = u64::from(source.channels) * 4;
    let too_long = || left("it is too long to be decoded here");
    let wanted = walked.frames.saturating_mul(width);
    if wanted > most {
        return Err(too_long());
    }
    let mut decoder = source.decoder()?;
    let mut samples: Vec<u8> = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0));
    let mut chunk: Vec<f32> = Vec::new();
    let mut skip = usize::try_from(source.skip).unwrap_or(usize::MAX);
    while let Some(packet) = source.next()? {
        stop.check()?;
        let buffer = decoder.decode(&packet).map_err(damaged)?;
        source.check_form(buffer.spec())?;
        buffer.copy_to_vec_interleaved(&mut chunk);
        let skipped = skip.min(buffer.frames());
        skip -= skipped;
        let new = chunk.get(skipped * usize::from(source.channels)..).unwrap_or_default();
        if new.iter().any(|sample| !sample.is_finite()) {
            return Err(left("a sample is no number"));
        }
        let end = samples.len();
        if (end + new.len() * 4) as u64 > most {
            return Err(too_long());
        }
        samples.resize(end + new.len() * 4, 0);
        for (to, from) in samples[end..].chunks_exact_mut(4).zip(new) {
            to.copy_from_slice(&from.to_le_bytes());
        }
    }
    let frames = samples.len() as u64 / width;
    if frames == 0 || frames.abs_diff(walked.frames) > SLACK {
        return Err(left("it is not as long as its packets say"));
    }
    let (rate, channels) = (SampleRate::new(source.rate), source.channels);
    Ok(Audio { info: walked.info, rate, channels, samples: samples.into() })
}

/// Not for this process: the worker may know more.
fn left(why: impl Into<String>) -> CodecError {
    CodecError::Unsupported { format: "audio", detail: why.into() }
}

/// A damaged file may play further in the worker.
fn damaged(error: symphonia::core::errors::Error) -> CodecError {
    left(format!("it cannot be read here: {error}"))
}

/// A decoder that panics found input that its author did not think of: so the input is left, too.
fn guarded<T>(work: impl FnOnce() -> Result<T, CodecError>) -> Result<T, CodecError> {
    // Nothing outlives the closure but its result, so that no broken state can be seen.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(left("the decoder gave up")))
}
