//! Coded packets to a file in memory.

#![allow(unsafe_code, reason = "calls libav")]

use std::{
    ffi::{CStr, c_int, c_void},
    ptr,
};

use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Container},
};

use super::{
    faststart,
    ff::{Encoder, Options, Packet, check, no_memory},
};

/// One coded packet.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub data: Vec<u8>,
    pub pts: i64,
    pub dts: i64,
    pub duration: i64,
    pub key: bool,
}

/// One coded track.
pub(super) struct Coded {
    params: *mut ff::AVCodecParameters,
    pub base: ff::AVRational,
    pub units: Vec<Unit>,
}

impl Drop for Coded {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { ff::avcodec_parameters_free(&mut self.params) }
    }
}

impl Coded {
    fn empty(base: ff::AVRational) -> Result<Self, CodecError> {
        // SAFETY: allocates or answers null.
        let params = unsafe { ff::avcodec_parameters_alloc() };
        if params.is_null() {
            Err(no_memory())
        } else {
            Ok(Self { params, base, units: Vec::new() })
        }
    }

    /// Takes all packets that are ready.
    pub fn drain(&mut self, encoder: &Encoder, packet: &mut Packet) -> Result<(), CodecError> {
        while encoder.receive(packet)? {
            self.push(packet);
        }
        Ok(())
    }

    /// The track that an open encoder will write, in a time base of `base.0 / base.1` seconds.
    pub fn of(encoder: &Encoder, base: (u32, u32)) -> Result<Self, CodecError> {
        let base = ff::AVRational { num: base.0 as i32, den: base.1 as i32 };
        let coded = Self::empty(base)?;
        // SAFETY: both are valid.
        let code = unsafe { ff::avcodec_parameters_from_context(coded.params, encoder.0) };
        check(code, "describing a track")?;
        Ok(coded)
    }

    /// What is already in a file, for another file.
    ///
    /// # Safety
    /// `params` must be valid.
    pub unsafe fn copied(
        params: *const ff::AVCodecParameters,
        base: ff::AVRational,
    ) -> Result<Self, CodecError> {
        let coded = Self::empty(base)?;
        // SAFETY: both are valid. A tag of another container means nothing in this one.
        unsafe {
            check(ff::avcodec_parameters_copy(coded.params, params), "describing a track")?;
            (*coded.params).codec_tag = 0;
        }
        Ok(coded)
    }

    /// Adds a packet.
    pub fn push(&mut self, packet: &Packet) {
        self.units.push(Unit {
            data: packet.bytes().to_vec(),
            pts: packet.pts,
            dts: if packet.dts == ff::AV_NOPTS_VALUE { packet.pts } else { packet.dts },
            duration: packet.duration,
            key: packet.flags & ff::AV_PKT_FLAG_KEY != 0,
        });
    }

    /// Drops what an encoder puts before the first sample, so that no edit list is needed to
    /// keep audio and video in step, and what lies behind the last of `length`.
    pub fn without_priming(&mut self, length: i64) {
        self.units.retain(|unit| unit.pts >= 0 && unit.pts < length);
        let first = self.units.first().map_or(0, |unit| unit.pts);
        // Encoders give packets without a duration, or a shorter last one.
        let step = self.units.get(1).map_or(0, |unit| unit.pts - first);
        for unit in &mut self.units {
            unit.pts -= first;
            unit.dts = unit.pts;
            if step > 0 {
                unit.duration = step;
            }
        }
    }

    /// Payload bytes.
    pub fn bytes(&self) -> u64 {
        self.units.iter().map(|unit| unit.data.len() as u64).sum()
    }
}

/// Where libav writes: memory, up to a cap.
struct Sink {
    bytes: Vec<u8>,
    at: usize,
    cap: usize,
    over: bool,
}

unsafe extern "C" fn write(opaque: *mut c_void, from: *mut u8, size: c_int) -> c_int {
    // SAFETY: `opaque` is the sink of a `File` that is alive while libav writes; libav gives
    // `size` bytes at `from`.
    unsafe {
        let sink = &mut *opaque.cast::<Sink>();
        let from = std::slice::from_raw_parts(from, usize::try_from(size).unwrap_or(0));
        let end = sink.at.saturating_add(from.len());
        if end > sink.cap {
            sink.over = true;
            return ff::AVERROR(ff::ENOSPC);
        }
        if end > sink.bytes.len() {
            sink.bytes.resize(end, 0);
        }
        sink.bytes[sink.at..end].copy_from_slice(from);
        sink.at = end;
    }
    size
}

unsafe extern "C" fn seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `write`.
    let sink = unsafe { &mut *opaque.cast::<Sink>() };
    let to = match whence & !(ff::AVSEEK_FORCE as c_int) {
        0 => Some(offset),
        1 => (sink.at as i64).checked_add(offset),
        2 => (sink.bytes.len() as i64).checked_add(offset),
        n if n == ff::AVSEEK_SIZE as c_int => return sink.bytes.len() as i64,
        _ => None,
    };
    match to.and_then(|to| usize::try_from(to).ok()).filter(|to| *to <= sink.cap) {
        Some(to) => {
            sink.at = to;
            to as i64
        }
        None => i64::from(ff::AVERROR(ff::EINVAL)),
    }
}

/// What libav calls to write, as of FFmpeg 5.
type Write = unsafe extern "C" fn(*mut c_void, *mut u8, c_int) -> c_int;

struct File {
    context: *mut ff::AVFormatContext,
    io: *mut ff::AVIOContext,
    sink: Box<Sink>,
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: ours; custom IO is not freed with the context.
        unsafe {
            ff::avformat_free_context(self.context);
            if !self.io.is_null() {
                ff::av_freep((&raw mut (*self.io).buffer).cast());
                ff::avio_context_free(&mut self.io);
            }
        }
    }
}

/// The muxer of a container, and its options.
fn muxer(
    container: Container,
    video: bool,
) -> (&'static CStr, &'static [(&'static CStr, &'static CStr)]) {
    // No edit lists: old phones ignore them, and audio and video would drift apart.
    const MOV: &[(&CStr, &CStr)] = &[(c"use_editlist", c"0"), (c"write_tmcd", c"0")];
    match container {
        Container::ThreeGp => (c"3gp", MOV),
        Container::Mp4 if video => (c"mp4", MOV),
        Container::Mp4 => (c"ipod", MOV),
        Container::Amr => (c"amr", &[]),
        Container::Adts => (c"adts", &[]),
        Container::Mp3 => (c"mp3", &[(c"write_xing", c"0"), (c"id3v2_version", c"0")]),
    }
}

fn indexed(container: Container) -> bool {
    matches!(container, Container::ThreeGp | Container::Mp4)
}

/// What a file may lose when its index is put first: boxes of nothing between others.
const SLACK: Bytes = Bytes::new(1024);

/// The file, of at most `cap` bytes; the video comes first.
pub(super) fn write_file(
    container: Container,
    tracks: &[&Coded],
    video: bool,
    cap: Bytes,
) -> Result<Vec<u8>, EncodeError> {
    let payload: u64 = tracks.iter().map(|track| track.bytes()).sum();
    if payload > cap.get() {
        return Err(EncodeError::OverCap { at_least: Bytes::new(payload) });
    }
    let (name, options) = muxer(container, video);
    // The index comes first in the end, without the place that was kept free for it.
    let slack = if indexed(container) { SLACK } else { Bytes::ZERO };
    let mut file = File::new(name, cap + slack)?;
    match file.write(tracks, options) {
        Ok(()) => {}
        Err(_) if file.sink.over => {
            let at_least = Bytes::new(payload.max(cap.get() + 1));
            return Err(EncodeError::OverCap { at_least });
        }
        // What is written is ours to get right.
        Err(CodecError::Malformed { format, detail }) => {
            return Err(CodecError::Internal(format!("{format}: {detail}")).into());
        }
        Err(error) => return Err(error.into()),
    }
    let bytes = std::mem::take(&mut file.sink.bytes);
    let bytes = if indexed(container) { faststart::moov_first(bytes) } else { bytes };
    let at_least = Bytes::new(bytes.len() as u64);
    if at_least > cap { Err(EncodeError::OverCap { at_least }) } else { Ok(bytes) }
}

impl File {
    fn new(name: &CStr, cap: Bytes) -> Result<Self, CodecError> {
        const STRIDE: usize = 32 << 10;
        let cap = cap.as_usize().min(1 << 30);
        let mut sink = Box::new(Sink { bytes: Vec::new(), at: 0, cap, over: false });
        let opaque: *mut Sink = &mut *sink;
        let mut file = Self { context: ptr::null_mut(), io: ptr::null_mut(), sink };
        // SAFETY: what is allocated is owned by `file` at once and checked; the callbacks match
        // the sink, which is at a fixed address.
        unsafe {
            let code = ff::avformat_alloc_output_context2(
                &mut file.context,
                ptr::null_mut(),
                name.as_ptr(),
                ptr::null(),
            );
            check(code, "setting up the file")?;
            let buffer = ff::av_malloc(STRIDE);
            if buffer.is_null() {
                return Err(no_memory());
            }
            // From FFmpeg 7 on the callback takes a pointer to constant bytes: the same thing.
            #[allow(clippy::useless_transmute, reason = "not on all versions of the library")]
            let callback = Some(std::mem::transmute::<Write, _>(write as Write));
            file.io = ff::avio_alloc_context(
                buffer.cast(),
                STRIDE as c_int,
                1,
                opaque.cast(),
                None,
                callback,
                Some(seek),
            );
            if file.io.is_null() {
                ff::av_free(buffer);
                return Err(no_memory());
            }
            (*file.context).pb = file.io;
            (*file.context).flags |= (ff::AVFMT_FLAG_CUSTOM_IO | ff::AVFMT_FLAG_BITEXACT) as c_int;
        }
        Ok(file)
    }

    fn write(&mut self, tracks: &[&Coded], options: &[(&CStr, &CStr)]) -> Result<(), CodecError> {
        let mut options = Options::new(options);
        let mut streams = Vec::new();
        // SAFETY: the context is valid; streams and parameters are the library's own.
        unsafe {
            for track in tracks {
                let stream = ff::avformat_new_stream(self.context, ptr::null());
                if stream.is_null() {
                    return Err(no_memory());
                }
                let code = ff::avcodec_parameters_copy((*stream).codecpar, track.params);
                check(code, "describing a track")?;
                (*stream).time_base = track.base;
                streams.push(stream);
            }
            check(ff::avformat_write_header(self.context, options.raw()), "writing the header")?;
        }
        let mut packet = Packet::new()?;
        for (index, unit) in interleaved(tracks) {
            // SAFETY: the packet gets bytes of its own; the stream is valid.
            unsafe {
                packet.clear();
                let size = i32::try_from(unit.data.len()).map_err(|_| no_memory())?;
                check(ff::av_new_packet(packet.raw(), size), "making room for a packet")?;
                ptr::copy_nonoverlapping(unit.data.as_ptr(), packet.data, unit.data.len());
                packet.stream_index = index as i32;
                (packet.pts, packet.dts, packet.duration) = (unit.pts, unit.dts, unit.duration);
                packet.flags = if unit.key { ff::AV_PKT_FLAG_KEY as c_int } else { 0 };
                let base = (*streams[index]).time_base;
                ff::av_packet_rescale_ts(packet.raw(), tracks[index].base, base);
                check(ff::av_write_frame(self.context, packet.raw()), "writing")?;
            }
        }
        // SAFETY: the header is written.
        unsafe {
            check(ff::av_write_trailer(self.context), "writing the index")?;
            ff::avio_flush(self.io);
            check((*self.io).error, "writing")?;
        }
        Ok(())
    }
}

/// Units of all tracks in the order of their times, half a second of one track at a time: enough
/// to play while reading, few enough chunks for a small index.
fn interleaved<'a>(tracks: &[&'a Coded]) -> Vec<(usize, &'a Unit)> {
    let mut units: Vec<(i64, usize, &Unit)> = Vec::new();
    for (index, track) in tracks.iter().enumerate() {
        for unit in &track.units {
            let micros = super::ff::rescale(unit.dts, track.base, super::ff::MICROS);
            units.push((micros.div_euclid(500_000), index, unit));
        }
    }
    // Stable: within a track the order stays.
    units.sort_by_key(|(slot, index, _)| (*slot, *index));
    units.into_iter().map(|(_, index, unit)| (index, unit)).collect()
}
