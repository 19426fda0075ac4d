//! A file in memory, opened by the one demuxer that its content calls for.

#![allow(unsafe_code, reason = "calls libav")]

use std::{
    ffi::{CStr, c_int, c_void},
    ptr,
};

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, remote},
    model::MediaType,
};

use super::{
    evrc,
    ff::{EOF, Options, Packet, check, failed, no_memory},
};

/// Bytes that libav takes at a time.
const STRIDE: usize = 32 << 10;
/// Tracks beyond this are not looked at: real files have two or three.
const MAX_STREAMS: u32 = 32;
/// How far the headers are looked for, in bytes and microseconds.
const PROBE_BYTES: i64 = 4 << 20;
const PROBE_MICROS: i64 = 3_000_000;

/// The demuxer for a type, and its short name for errors.
fn demuxer(media_type: &MediaType) -> Option<(&'static CStr, &'static str)> {
    Some(match media_type.as_str() {
        "video/mp4" | "audio/mp4" => (c"mov", "MP4"),
        "video/quicktime" => (c"mov", "MOV"),
        "video/3gpp" | "audio/3gpp" | "video/3gpp2" | "audio/3gpp2" => (c"mov", "3GP"),
        "video/webm" | "audio/webm" => (c"matroska", "WebM"),
        "video/x-matroska" | "audio/x-matroska" => (c"matroska", "Matroska"),
        "video/mp2t" => (c"mpegts", "MPEG-TS"),
        "video/mpeg" => (c"mpeg", "MPEG-PS"),
        "video/x-msvideo" => (c"avi", "AVI"),
        "video/x-flv" => (c"flv", "FLV"),
        "audio/amr" => (c"amr", "AMR"),
        "audio/amr-wb" => (c"amr", "AMR-WB"),
        "audio/aac" => (c"aac", "AAC"),
        "audio/mpeg" => (c"mp3", "MP3"),
        "audio/wav" => (c"wav", "WAV"),
        "audio/x-aiff" => (c"aiff", "AIFF"),
        "audio/ogg" | "video/ogg" => (c"ogg", "Ogg"),
        "audio/flac" => (c"flac", "FLAC"),
        "audio/x-caf" => (c"caf", "CAF"),
        "audio/qcelp" => (c"qcp", "QCELP"),
        "audio/evrc" => (c"qcp", "EVRC"),
        "image/gif" => (c"gif", "GIF"),
        _ => return None,
    })
}

/// Where libav reads.
struct Cursor {
    bytes: Buffer,
    at: usize,
}

/// An open file.
pub(super) struct Input {
    context: *mut ff::AVFormatContext,
    io: *mut ff::AVIOContext,
    /// Behind `io.opaque`: must live as long, at the same address.
    _cursor: Box<Cursor>,
    /// By content.
    pub media_type: MediaType,
}

unsafe extern "C" fn read(opaque: *mut c_void, into: *mut u8, size: c_int) -> c_int {
    // SAFETY: `opaque` is the cursor of an `Input` that is alive while libav reads; libav gives
    // `size` bytes at `into`.
    unsafe {
        let cursor = &mut *opaque.cast::<Cursor>();
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        let n = rest.len().min(usize::try_from(size).unwrap_or(0));
        if n == 0 {
            return EOF;
        }
        ptr::copy_nonoverlapping(rest.as_ptr(), into, n);
        cursor.at += n;
        n as c_int
    }
}

unsafe extern "C" fn seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let cursor = unsafe { &mut *opaque.cast::<Cursor>() };
    let length = cursor.bytes.len() as i64;
    let to = match whence & !(ff::AVSEEK_FORCE as c_int) {
        0 => Some(offset),
        1 => (cursor.at as i64).checked_add(offset),
        2 => length.checked_add(offset),
        n if n == ff::AVSEEK_SIZE as c_int => return length,
        _ => None,
    };
    match to.and_then(|to| usize::try_from(to).ok()) {
        Some(to) => {
            cursor.at = to.min(cursor.bytes.len());
            cursor.at as i64
        }
        None => i64::from(ff::AVERROR(ff::EINVAL)),
    }
}

impl Input {
    /// Opens and reads the headers.
    pub fn open(bytes: &Buffer) -> Result<Self, CodecError> {
        let unknown = || CodecError::Unsupported {
            format: "media",
            detail: "the worker does not read this format".into(),
        };
        let media_type = remote::moving(bytes).ok_or_else(unknown)?;
        let (name, format) = demuxer(&media_type).ok_or_else(|| CodecError::Unsupported {
            format: "media",
            detail: format!("{media_type} is not read"),
        })?;
        // SAFETY: a string with its end.
        let demuxer = unsafe { ff::av_find_input_format(name.as_ptr()) };
        if demuxer.is_null() {
            return Err(unknown());
        }
        let mut cursor = Box::new(Cursor { bytes: evrc::readable(bytes), at: 0 });
        let opaque: *mut Cursor = &mut *cursor;
        // SAFETY: the buffer is libav's own and goes with the context; the callbacks match the
        // cursor; what cannot be allocated is null and checked.
        let (context, io) = unsafe {
            let buffer = ff::av_malloc(STRIDE);
            if buffer.is_null() {
                return Err(no_memory());
            }
            let io = ff::avio_alloc_context(
                buffer.cast(),
                STRIDE as c_int,
                0,
                opaque.cast(),
                Some(read),
                None,
                Some(seek),
            );
            let context = ff::avformat_alloc_context();
            if io.is_null() || context.is_null() {
                return Err(no_memory());
            }
            (*context).pb = io;
            (*context).flags |= ff::AVFMT_FLAG_CUSTOM_IO as c_int;
            (*context).probesize = PROBE_BYTES;
            (*context).max_analyze_duration = PROBE_MICROS;
            (*context).max_streams = MAX_STREAMS as c_int;
            (context, io)
        };
        let mut input = Self { context, io, _cursor: cursor, media_type };
        input.headers(demuxer).map_err(|error| match error {
            CodecError::Malformed { detail, .. } => CodecError::Malformed { format, detail },
            error => error,
        })?;
        Ok(input)
    }

    fn headers(&mut self, demuxer: *const ff::AVInputFormat) -> Result<(), CodecError> {
        // No file of another name is opened for this one.
        let mut options = Options::new(&[
            (c"protocol_whitelist", c""),
            (c"enable_drefs", c"0"),
            (c"use_absolute_path", c"0"),
        ]);
        // SAFETY: the context is ours; on failure libav frees it and sets it to null.
        let code = unsafe {
            ff::avformat_open_input(
                &mut self.context,
                ptr::null(),
                demuxer.cast_mut(),
                options.raw(),
            )
        };
        check(code, "reading its headers")?;
        // SAFETY: an open context.
        let code = unsafe { ff::avformat_find_stream_info(self.context, ptr::null_mut()) };
        check(code, "looking at its tracks")?;
        Ok(())
    }

    /// The tracks.
    pub fn streams(&self) -> &[*mut ff::AVStream] {
        if self.context.is_null() {
            return &[];
        }
        // SAFETY: an open context has `nb_streams` pointers at `streams`.
        unsafe {
            let count = (*self.context).nb_streams as usize;
            if count == 0 || (*self.context).streams.is_null() {
                return &[];
            }
            std::slice::from_raw_parts((*self.context).streams, count)
        }
    }

    /// The next packet of any track; `false` at the end. A damaged end is an end.
    pub fn read(&mut self, packet: &mut Packet) -> Result<bool, CodecError> {
        packet.clear();
        // SAFETY: an open context and a valid packet.
        match unsafe { ff::av_read_frame(self.context, packet.raw()) } {
            0 => Ok(true),
            EOF => Ok(false),
            code if code == ff::AVERROR_INVALIDDATA => Ok(false),
            code => Err(failed(code, "reading on")),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // SAFETY: both are ours; custom IO is not freed with the context, and its buffer may have
        // been replaced by libav, so that the one it has now is freed.
        unsafe {
            ff::avformat_close_input(&mut self.context);
            ff::av_freep((&raw mut (*self.io).buffer).cast());
            ff::avio_context_free(&mut self.io);
        }
    }
}
