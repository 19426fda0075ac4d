//! Audio and video through libav, from memory to memory: one demuxer by content, an
//! allow-list of decoders, no protocols, one thread.

#![allow(unsafe_code, reason = "calls libav")]
#![allow(
    clippy::unnecessary_cast,
    reason = "constants of the library change their type with its version"
)]

mod audio;
mod audio_out;
mod decoder;
mod evrc;
mod faststart;
mod ff;
mod fold;
mod frames;
mod given;
mod input;
mod music;
mod mux;
mod probe;
mod rate;
mod remux;
mod scale;
mod session;
mod tonemap;
mod tracks;
mod trial;
mod verify;
mod video;
mod video_out;
mod yuv;

use std::ffi::CStr;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, OpenHint, Reference, Session, Verified, remote},
    model::{MediaInfo, MediaKind, MediaType, SampleRate, Stop},
};

use self::{given::Given, session::AvSession};

/// Reads and writes audio and video.
pub struct AvCodec;

/// Makes the library quiet and its tables ready.
pub fn warm() {
    // SAFETY: takes a number.
    unsafe { ffmpeg_sys_next::av_log_set_level(ffmpeg_sys_next::AV_LOG_QUIET as i32) };
}

/// Names, versions and licences.
pub fn libraries() -> Vec<String> {
    let version = |n: u32| format!("{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
    // SAFETY: static strings and numbers.
    unsafe {
        let text = |s| CStr::from_ptr(s).to_string_lossy().into_owned();
        vec![
            format!(
                "libavcodec {} ({})",
                version(ffmpeg_sys_next::avcodec_version()),
                text(ffmpeg_sys_next::avcodec_license())
            ),
            format!(
                "libavformat {} ({})",
                version(ffmpeg_sys_next::avformat_version()),
                text(ffmpeg_sys_next::avformat_license())
            ),
        ]
    }
}

/// A session of samples that the host has decoded: rate and channels, and 32-bit floats in little
/// endian.
///
/// # Errors
/// They are no such samples.
pub fn open_audio(
    info: MediaInfo,
    (rate, channels): (SampleRate, u8),
    samples: Buffer,
    hint: OpenHint,
    limits: DecodeLimits,
) -> Result<Box<dyn Session>, CodecError> {
    let given = Given::new(rate, channels, samples)?;
    Ok(Box::new(AvSession::of_samples(info, given, hint, limits)))
}

impl Codec for AvCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        remote::moving(bytes)
    }

    fn writes(&self, input: &MediaType, output: MediaKind) -> bool {
        remote::writes(input, output)
    }

    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        _: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        probe::probe(input, limits).map(|probed| probed.info)
    }

    fn open(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        stop.check()?;
        let probed = probe::probe(input, limits)?;
        Ok(Box::new(AvSession::new(input.clone(), probed, hint, *limits)))
    }

    fn preview(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Option<Box<dyn Session>>, CodecError> {
        stop.check()?;
        let probed = probe::probe(input, limits)?;
        if probed.chosen.video.is_none() {
            return Ok(None);
        }
        let mut session = AvSession::new(input.clone(), probed, hint, *limits);
        session.hurried = true;
        Ok(Some(Box::new(session)))
    }

    fn verify(
        &self,
        output: &Buffer,
        _: Option<&Reference>,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Verified, CodecError> {
        stop.check()?;
        verify::verify(output, limits)
    }
}
