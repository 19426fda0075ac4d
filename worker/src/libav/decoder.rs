//! One track's decoder.

#![allow(unsafe_code, reason = "calls libav")]

use std::ptr;

use ff::AVCodecID::*;
use ffmpeg_sys_next as ff;
use mmsfit::codec::CodecError;

use super::{
    ff::{AGAIN, EOF, Frame, Packet, check, failed, no_memory},
    tracks::Track,
};

/// Decoders that an input may ask for. All others of the library are never run: formats that
/// messages do not use would only add attack surface.
const ALLOWED: &[ff::AVCodecID] = &[
    // Video.
    AV_CODEC_ID_H263,
    AV_CODEC_ID_H263P,
    AV_CODEC_ID_MPEG4,
    AV_CODEC_ID_MSMPEG4V3,
    AV_CODEC_ID_H264,
    AV_CODEC_ID_HEVC,
    AV_CODEC_ID_VP8,
    AV_CODEC_ID_VP9,
    AV_CODEC_ID_AV1,
    AV_CODEC_ID_MJPEG,
    AV_CODEC_ID_MPEG1VIDEO,
    AV_CODEC_ID_MPEG2VIDEO,
    AV_CODEC_ID_GIF,
    AV_CODEC_ID_THEORA,
    AV_CODEC_ID_FLV1,
    AV_CODEC_ID_VP6F,
    // Audio.
    AV_CODEC_ID_AMR_NB,
    AV_CODEC_ID_AMR_WB,
    AV_CODEC_ID_AAC,
    AV_CODEC_ID_AAC_LATM,
    AV_CODEC_ID_MP2,
    AV_CODEC_ID_MP3,
    AV_CODEC_ID_VORBIS,
    AV_CODEC_ID_OPUS,
    AV_CODEC_ID_FLAC,
    AV_CODEC_ID_ALAC,
    AV_CODEC_ID_QCELP,
    AV_CODEC_ID_EVRC,
    AV_CODEC_ID_GSM,
    AV_CODEC_ID_GSM_MS,
    AV_CODEC_ID_AC3,
    AV_CODEC_ID_SPEEX,
    AV_CODEC_ID_NELLYMOSER,
    AV_CODEC_ID_PCM_U8,
    AV_CODEC_ID_PCM_S8,
    AV_CODEC_ID_PCM_S16LE,
    AV_CODEC_ID_PCM_S16BE,
    AV_CODEC_ID_PCM_S24LE,
    AV_CODEC_ID_PCM_S24BE,
    AV_CODEC_ID_PCM_S32LE,
    AV_CODEC_ID_PCM_S32BE,
    AV_CODEC_ID_PCM_F32LE,
    AV_CODEC_ID_PCM_F32BE,
    AV_CODEC_ID_PCM_F64LE,
    AV_CODEC_ID_PCM_F64BE,
    AV_CODEC_ID_PCM_ALAW,
    AV_CODEC_ID_PCM_MULAW,
    AV_CODEC_ID_ADPCM_MS,
    AV_CODEC_ID_ADPCM_IMA_WAV,
    AV_CODEC_ID_ADPCM_IMA_QT,
    AV_CODEC_ID_ADPCM_SWF,
];

/// An open decoder.
pub(super) struct Decoder {
    context: *mut ff::AVCodecContext,
    /// Damaged packets in a row.
    broken: u32,
    /// Damaged packets in all.
    damaged: u32,
}

/// Damaged packets in a row that are skipped before the rest is abandoned.
const PATIENCE: u32 = 50;

impl Decoder {
    /// The decoder that a track needs, if it is one that may be run.
    ///
    /// # Errors
    /// There is none.
    pub fn known(track: &Track) -> Result<*const ff::AVCodec, CodecError> {
        let id = track.codec();
        // SAFETY: answers null where there is none.
        let codec = unsafe { ff::avcodec_find_decoder(id) };
        if codec.is_null() || !ALLOWED.contains(&id) {
            let detail = format!("no decoder for {}", track.codec_name());
            return Err(CodecError::Unsupported { format: "media", detail });
        }
        Ok(codec)
    }

    /// For a track.
    pub fn open(track: &Track) -> Result<Self, CodecError> {
        let codec = Self::known(track)?;
        // SAFETY: what is allocated is owned by `Self` at once; the track's parameters are valid.
        unsafe {
            let context = ff::avcodec_alloc_context3(codec);
            if context.is_null() {
                return Err(no_memory());
            }
            let decoder = Self { context, broken: 0, damaged: 0 };
            check(ff::avcodec_parameters_to_context(context, track.params), "setting up")?;
            (*context).pkt_timebase = track.base;
            // One thread: the host decides how much runs at once.
            (*context).thread_count = 1;
            let opened = ff::avcodec_open2(context, codec, ptr::null_mut());
            check(opened, "opening the decoder").map_err(|error| match error {
                // The codec is known, and this variant of it is not: xHE-AAC.
                CodecError::Unsupported { format, .. } => {
                    let detail = format!("no decoder for this kind of {}", track.codec_name());
                    CodecError::Unsupported { format, detail }
                }
                error => error,
            })?;
            Ok(decoder)
        }
    }

    /// How many packets were skipped because they were damaged.
    pub fn damaged_packets(&self) -> u32 {
        self.damaged
    }

    /// Its settings and state.
    pub fn context(&mut self) -> &mut ff::AVCodecContext {
        // SAFETY: never null, owned.
        unsafe { &mut *self.context }
    }

    /// Feeds a packet, or nothing: the end. Damaged packets are skipped, up to a point.
    pub fn send(&mut self, packet: Option<&Packet>) -> Result<(), CodecError> {
        let raw = packet.map_or(ptr::null_mut(), Packet::raw);
        // SAFETY: an open decoder; a valid packet or null.
        match unsafe { ff::avcodec_send_packet(self.context, raw) } {
            0 | EOF => {
                self.broken = 0;
                Ok(())
            }
            AGAIN => Ok(()),
            code if code == ff::AVERROR(ff::ENOMEM) => Err(no_memory()),
            code => self.damaged(code),
        }
    }

    /// The next decoded frame; `None` when it wants to be fed, or at the end.
    pub fn receive(&mut self, frame: &mut Frame) -> Result<Option<()>, CodecError> {
        // SAFETY: an open decoder and a valid frame, which libav empties first.
        match unsafe { ff::avcodec_receive_frame(self.context, frame.raw()) } {
            0 => Ok(Some(())),
            EOF | AGAIN => Ok(None),
            code if code == ff::AVERROR(ff::ENOMEM) => Err(no_memory()),
            code => self.damaged(code).map(|()| None),
        }
    }

    /// Hands over every frame that is ready.
    pub fn drain(
        &mut self,
        frame: &mut Frame,
        mut take: impl FnMut(&Frame) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        while self.receive(frame)?.is_some() {
            take(frame)?;
            frame.clear();
        }
        Ok(())
    }

    fn damaged(&mut self, code: i32) -> Result<(), CodecError> {
        self.broken += 1;
        self.damaged += 1;
        if self.broken > PATIENCE { Err(failed(code, "decoding")) } else { Ok(()) }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { ff::avcodec_free_context(&mut self.context) }
    }
}
