//! Samples to coded packets.

#![allow(unsafe_code, reason = "calls libav")]

use std::ptr;

use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::CodecError,
    model::{AudioCodec, AudioCoding, Stop},
};

use super::{
    audio::Pcm,
    ff::{Encoder, Frame, Packet, check, internal},
    mux::Coded,
};

fn library_name(codec: AudioCodec) -> &'static std::ffi::CStr {
    match codec {
        AudioCodec::AmrNb => c"libopencore_amrnb",
        AudioCodec::AmrWb => c"libvo_amrwbenc",
        AudioCodec::Aac => c"aac",
        AudioCodec::Mp3 => c"libmp3lame",
    }
}

/// Encodes all of `pcm`, which has the rate and the channels of `coding`.
pub(super) fn encode(pcm: &Pcm, coding: &AudioCoding, stop: &Stop) -> Result<Coded, CodecError> {
    if (pcm.rate, pcm.channels) != (coding.sample_rate, coding.channels) {
        return Err(internal("samples of another form"));
    }
    let encoder = Encoder::find(library_name(coding.codec))?;
    let format = open(&encoder, coding)?;
    // SAFETY: an open encoder.
    let frame_size = match unsafe { (*encoder.0).frame_size } {
        0 => 1024,
        n => usize::try_from(n).map_err(|_| internal("a frame size of nothing"))?,
    };
    let mut coded = Coded::of(&encoder, (1, coding.sample_rate.get()))?;
    let mut packet = Packet::new()?;
    let channels = usize::from(pcm.channels);
    // Silence in front of what an encoder's delay does not fill its first packets with: those are
    // dropped whole, and the audio begins where it began.
    // SAFETY: an open encoder.
    let delay = usize::try_from(unsafe { (*encoder.0).initial_padding }).unwrap_or(0);
    let lead = (frame_size - delay % frame_size) % frame_size;
    let lead = if matches!(coding.codec, AudioCodec::Mp3) { 0 } else { lead };
    let count = (lead + pcm.frames()).div_ceil(frame_size);
    for n in 0..count {
        if n % 64 == 0 {
            stop.check()?;
        }
        let mut frame = new_frame(coding, format, frame_size)?;
        let skip = if n == 0 { lead } else { 0 };
        let from = (n * frame_size + skip - lead) * channels;
        let chunk = pcm.samples.get(from..).unwrap_or(&[]);
        fill(&mut frame, chunk, channels, format, skip);
        frame.pts = (n * frame_size) as i64 - lead as i64;
        encoder.send(Some(&frame))?;
        coded.drain(&encoder, &mut packet)?;
    }
    encoder.send(None)?;
    coded.drain(&encoder, &mut packet)?;
    coded.without_priming(pcm.frames() as i64);
    Ok(coded)
}

fn open(encoder: &Encoder, coding: &AudioCoding) -> Result<ff::AVSampleFormat, CodecError> {
    let format = sample_format(encoder)?;
    // SAFETY: an encoder that is not open yet.
    unsafe {
        let context = &mut *encoder.0;
        context.sample_fmt = format;
        context.sample_rate = coding.sample_rate.get() as i32;
        context.bit_rate = i64::from(coding.bitrate.get());
        ff::av_channel_layout_default(&mut context.ch_layout, i32::from(coding.channels));
        context.time_base = ff::AVRational { num: 1, den: coding.sample_rate.get() as i32 };
        context.flags |= (ff::AV_CODEC_FLAG_GLOBAL_HEADER | ff::AV_CODEC_FLAG_BITEXACT) as i32;
        context.thread_count = 1;
        if coding.codec == AudioCodec::Aac {
            context.profile = ff::FF_PROFILE_AAC_LOW as i32;
        }
        check(ff::avcodec_open2(context, ptr::null(), ptr::null_mut()), "opening the encoder")?;
        Ok(format)
    }
}

/// The best that an encoder takes of those that [`fill`] writes: libmp3lame's first is another.
fn sample_format(encoder: &Encoder) -> Result<ff::AVSampleFormat, CodecError> {
    use ff::AVSampleFormat::{
        AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_NONE, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S16P,
    };
    let mut takes = Vec::new();
    // SAFETY: an encoder's list of sample formats, if any, ends with this mark.
    unsafe {
        let mut next = (*(*encoder.0).codec).sample_fmts;
        while !next.is_null() && *next != AV_SAMPLE_FMT_NONE {
            takes.push(*next);
            next = next.add(1);
        }
    }
    [AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_S16P, AV_SAMPLE_FMT_S16]
        .into_iter()
        .find(|known| takes.contains(known))
        .ok_or_else(|| internal("an encoder takes none of the sample formats that are written"))
}

fn new_frame(
    coding: &AudioCoding,
    format: ff::AVSampleFormat,
    samples: usize,
) -> Result<Frame, CodecError> {
    let mut frame = Frame::new()?;
    frame.nb_samples = samples as i32;
    frame.format = format as i32;
    frame.sample_rate = coding.sample_rate.get() as i32;
    // SAFETY: a valid frame, described as far as its buffers need.
    unsafe {
        ff::av_channel_layout_default(&mut frame.ch_layout, i32::from(coding.channels));
        check(ff::av_frame_get_buffer(frame.raw(), 0), "making room for samples")?;
    }
    Ok(frame)
}

/// Writes samples as the encoder wants them, silence before the first (`lead` of each channel) and
/// behind the last.
fn fill(
    frame: &mut Frame,
    samples: &[i16],
    channels: usize,
    format: ff::AVSampleFormat,
    lead: usize,
) {
    use ff::AVSampleFormat::{AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S16P};
    let count = frame.nb_samples as usize;
    let at = |n: usize, channel: usize| match n.checked_sub(lead) {
        Some(n) => samples.get(n * channels + channel).copied().unwrap_or(0),
        None => 0,
    };
    for channel in 0..channels {
        for n in 0..count {
            let sample = at(n, channel);
            // SAFETY: the frame has buffers for `nb_samples` of each channel in this format:
            // one plane a channel, or one for all where it is interleaved.
            unsafe {
                match format {
                    AV_SAMPLE_FMT_FLTP => {
                        let plane = (*frame.extended_data.add(channel)).cast::<f32>();
                        *plane.add(n) = f32::from(sample) / 32768.0;
                    }
                    AV_SAMPLE_FMT_S16P => {
                        *(*frame.extended_data.add(channel)).cast::<i16>().add(n) = sample;
                    }
                    AV_SAMPLE_FMT_S16 => {
                        *(*frame.extended_data).cast::<i16>().add(n * channels + channel) = sample;
                    }
                    // None other is chosen.
                    _ => {}
                }
            }
        }
    }
}
