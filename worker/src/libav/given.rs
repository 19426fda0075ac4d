//! Samples that the host has decoded: no demuxer and no decoder is asked.

#![allow(unsafe_code, reason = "calls libav")]

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, DecodeLimits},
    model::{SampleRate, Stop},
};

use super::{
    audio::{Pcm, Resampler, most_bytes},
    ff::{Frame, check, internal},
};

/// Samples of each channel that the resampler gets at a time.
const CHUNK: usize = 8192;

/// Interleaved 32-bit floats in little endian.
pub(super) struct Given {
    rate: SampleRate,
    channels: u8,
    samples: Buffer,
}

impl Given {
    /// # Errors
    /// They are no samples of one or two channels: the host's mistake.
    pub fn new(rate: SampleRate, channels: u8, samples: Buffer) -> Result<Self, CodecError> {
        let whole = (1..=2).contains(&channels)
            && (1..=192_000).contains(&rate.get())
            && !samples.is_empty()
            && samples.len().is_multiple_of(4 * usize::from(channels));
        if !whole {
            return Err(internal("samples of no form"));
        }
        Ok(Self { rate, channels, samples })
    }

    /// At another rate, with other channels.
    pub fn at(
        &self,
        (rate, channels): (SampleRate, u8),
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Pcm, CodecError> {
        let mut pcm = Pcm { rate, channels, samples: Vec::new() };
        let mut resampler = Resampler::new((rate, channels));
        let most = most_bytes(rate, limits);
        let width = 4 * usize::from(self.channels);
        for chunk in self.samples.chunks(CHUNK * width) {
            stop.check()?;
            resampler.convert(&self.frame(chunk)?, &mut pcm.samples)?;
            let found = pcm.samples.len() as u64 * 2;
            if found > most {
                return Err(CodecError::Limit { what: "memory", found, limit: most });
            }
        }
        resampler.flush(&mut pcm.samples)?;
        Ok(pcm)
    }

    fn frame(&self, chunk: &[u8]) -> Result<Frame, CodecError> {
        let mut frame = Frame::new()?;
        let count = chunk.len() / (4 * usize::from(self.channels));
        frame.nb_samples = count as i32;
        frame.format = ff::AVSampleFormat::AV_SAMPLE_FMT_FLT as i32;
        frame.sample_rate = self.rate.get() as i32;
        // SAFETY: a valid frame, described as far as its buffer needs; the one plane of
        // interleaved samples then has room for `count` of each channel.
        let plane = unsafe {
            ff::av_channel_layout_default(&mut frame.ch_layout, i32::from(self.channels));
            check(ff::av_frame_get_buffer(frame.raw(), 0), "making room for samples")?;
            let plane = (*frame.extended_data).cast::<f32>();
            std::slice::from_raw_parts_mut(plane, count * usize::from(self.channels))
        };
        for (to, from) in plane.iter_mut().zip(chunk.chunks_exact(4)) {
            *to = f32::from_le_bytes([from[0], from[1], from[2], from[3]]);
        }
        Ok(frame)
    }
}
