//! The same coded tracks in another file, bit for bit.

#![allow(unsafe_code, reason = "calls libav")]

use bytes::Bytes as Buffer;
use ff::AVCodecID::*;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, EncodeError},
    model::{AudioCodec, Bytes, Container, RemuxRecipe, VideoCodec},
};

use super::{
    ff::Packet,
    input::Input,
    mux::{self, Coded},
    tracks::{self, Chosen, Track},
};

/// Whether a codec belongs into a file: by the one rule for both, of files rewritten and moved.
fn belongs(container: Container, codec: ff::AVCodecID) -> bool {
    let video = |codec| container.holds_video(codec);
    let audio = |codec| container.holds_audio(codec);
    match codec {
        AV_CODEC_ID_H263 => video(VideoCodec::H263),
        AV_CODEC_ID_MPEG4 => video(VideoCodec::Mpeg4),
        AV_CODEC_ID_H264 => video(VideoCodec::H264),
        AV_CODEC_ID_AMR_NB => audio(AudioCodec::AmrNb),
        AV_CODEC_ID_AMR_WB => audio(AudioCodec::AmrWb),
        AV_CODEC_ID_AAC => audio(AudioCodec::Aac),
        AV_CODEC_ID_MP3 => audio(AudioCodec::Mp3),
        _ => false,
    }
}

/// Copies what the recipe names.
pub(super) fn remux(
    bytes: &Buffer,
    chosen: Chosen,
    recipe: &RemuxRecipe,
    cap: Bytes,
) -> Result<Buffer, EncodeError> {
    let mut input = Input::open(bytes)?;
    let wanted = [
        chosen.video.filter(|_| recipe.video),
        chosen.audio.filter(|_| recipe.audio.is_some() || !recipe.video),
    ];
    let wanted: Vec<Track> =
        wanted.into_iter().flatten().filter_map(|n| tracks::at(&input, n)).collect();
    for track in &wanted {
        if !belongs(recipe.container, track.codec()) {
            let detail = format!("{} in that file", track.codec_name());
            return Err(CodecError::Unsupported { format: "container", detail }.into());
        }
    }
    if wanted.is_empty() || wanted.len() > 1 && !recipe.video {
        let detail = "the tracks are not there".into();
        return Err(CodecError::Unsupported { format: "container", detail }.into());
    }
    let mut coded = Vec::new();
    for track in &wanted {
        // SAFETY: the parameters live as long as the input.
        coded.push(unsafe { Coded::copied(track.params, track.base) }?);
    }
    let mut packet = Packet::new()?;
    while input.read(&mut packet)? {
        if let Some(n) = wanted.iter().position(|track| track.index == packet.stream_index) {
            if packet.is_hidden() {
                hide(&wanted[n])?;
                continue;
            }
            coded[n].push(&packet);
            // Coded media are no smaller than what they become.
            if coded[n].bytes() > cap.get() {
                return Err(EncodeError::OverCap { at_least: Bytes::new(cap.get() + 1) });
            }
        }
    }
    from_zero(&mut coded)?;
    let tracks: Vec<&Coded> = coded.iter().collect();
    match mux::write_file(recipe.container, &tracks, recipe.video, cap) {
        Ok(file) => Ok(file.into()),
        // Others pack their tracks in ways that have no place in the new file: several frames of
        // AMR in one sample.
        Err(EncodeError::Codec(CodecError::Internal(detail))) => {
            Err(CodecError::Unsupported { format: "container", detail }.into())
        }
        Err(error) => Err(error),
    }
}

/// What is not shown is left out: the new file has no edit list to say so. Each packet
/// of audio stands alone; frames that others refer to cannot be left out.
fn hide(track: &Track) -> Result<(), CodecError> {
    // SAFETY: the parameters live as long as the input.
    let kind = unsafe { (*track.params).codec_type };
    if kind == ff::AVMediaType::AVMEDIA_TYPE_AUDIO {
        return Ok(());
    }
    let detail = "its edit list hides a part of it".into();
    Err(CodecError::Unsupported { format: "container", detail })
}

/// Moves all times so that the first is zero. Times that do not grow cannot be written.
fn from_zero(tracks: &mut [Coded]) -> Result<(), CodecError> {
    let micros = |track: &Coded, time| super::ff::rescale(time, track.base, super::ff::MICROS);
    let first =
        tracks.iter().filter_map(|t| t.units.first().map(|u| micros(t, u.dts))).min().unwrap_or(0);
    for track in tracks.iter_mut() {
        let shift = super::ff::rescale(first, super::ff::MICROS, track.base);
        let mut last = i64::MIN;
        for unit in &mut track.units {
            unit.dts -= shift;
            unit.pts -= shift;
            if unit.dts <= last || unit.pts == ff::AV_NOPTS_VALUE - shift {
                let detail = "its times do not grow".into();
                return Err(CodecError::Unsupported { format: "container", detail });
            }
            last = unit.dts;
        }
    }
    Ok(())
}
