//! Owners of what libav hands out, and its error numbers as ours.

#![allow(unsafe_code, reason = "calls libav")]

use std::{ffi::CStr, ptr};

use ffmpeg_sys_next as ff;
use mmsfit::codec::CodecError;

/// What libav answers when there is nothing more.
pub(super) const EOF: i32 = ff::AVERROR_EOF;
/// What it answers when it wants to be fed first.
pub(super) const AGAIN: i32 = ff::AVERROR(ff::EAGAIN);

/// What a decoder answers that does not know this variant of its codec.
const NOT_THERE: i32 = ff::AVERROR(ff::ENOSYS);

/// The error of a failed call; `doing` completes "while …".
pub(super) fn failed(code: i32, doing: &str) -> CodecError {
    let mut text = [0; 128];
    // SAFETY: the buffer has the length that is told; it is zeroed, so that it always ends.
    let said = unsafe {
        ff::av_strerror(code, text.as_mut_ptr(), text.len());
        CStr::from_ptr(text.as_ptr())
    };
    let detail = format!("{} while {doing}", said.to_string_lossy());
    if code == ff::AVERROR(ff::ENOMEM) {
        // Memory is limited by the kernel: what asks for more than there is asks for too much.
        return CodecError::Malformed { format: "media", detail };
    }
    let missing = [ff::AVERROR_DECODER_NOT_FOUND, ff::AVERROR_PATCHWELCOME, NOT_THERE];
    if missing.contains(&code) {
        return CodecError::Unsupported { format: "media", detail };
    }
    CodecError::Malformed { format: "media", detail }
}

/// `code`, unless it is an error.
pub(super) fn check(code: i32, doing: &str) -> Result<i32, CodecError> {
    if code < 0 { Err(failed(code, doing)) } else { Ok(code) }
}

/// No memory: the kernel's limit, reached by what the input asked for.
pub(super) fn no_memory() -> CodecError {
    CodecError::Malformed { format: "media", detail: "it needs more memory than it may use".into() }
}

pub(super) fn internal(what: &str) -> CodecError {
    CodecError::Internal(what.into())
}

macro_rules! owner {
    ($(#[$doc:meta])* $name:ident, $raw:ident, $alloc:ident, $free:ident) => {
        $(#[$doc])*
        pub(super) struct $name(*mut ff::$raw);

        impl $name {
            /// A new, empty one.
            pub fn new() -> Result<Self, CodecError> {
                // SAFETY: allocates, and answers null when it cannot.
                let raw = unsafe { ff::$alloc() };
                if raw.is_null() { Err(no_memory()) } else { Ok(Self(raw)) }
            }

            /// For calls into libav.
            pub fn raw(&self) -> *mut ff::$raw {
                self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: came from the allocator and is freed once.
                unsafe { ff::$free(&mut self.0) }
            }
        }

        impl std::ops::Deref for $name {
            type Target = ff::$raw;
            fn deref(&self) -> &ff::$raw {
                // SAFETY: never null after `new`, and owned.
                unsafe { &*self.0 }
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut ff::$raw {
                // SAFETY: never null after `new`, and owned.
                unsafe { &mut *self.0 }
            }
        }
    };
}

owner! {
    /// An image or a run of samples.
    Frame, AVFrame, av_frame_alloc, av_frame_free
}
owner! {
    /// Coded bytes with their time.
    Packet, AVPacket, av_packet_alloc, av_packet_free
}

impl Frame {
    /// Gives up its buffers, to be filled again.
    pub fn clear(&mut self) {
        // SAFETY: a valid frame.
        unsafe { ff::av_frame_unref(self.0) }
    }
}

impl Packet {
    /// Gives up its bytes, to be filled again.
    pub fn clear(&mut self) {
        // SAFETY: a valid packet.
        unsafe { ff::av_packet_unref(self.0) }
    }

    /// The file says that what it holds is not to be shown.
    pub fn is_hidden(&self) -> bool {
        self.flags & ff::AV_PKT_FLAG_DISCARD as i32 != 0
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        let size = usize::try_from(self.size).unwrap_or(0);
        if self.data.is_null() || size == 0 {
            return &[];
        }
        // SAFETY: libav keeps `size` bytes at `data` for as long as the packet is not cleared,
        // which needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.data, size) }
    }
}

/// Options as libav takes them: names and values.
pub(super) struct Options(*mut ff::AVDictionary);

impl Options {
    /// From pairs.
    pub fn new(pairs: &[(&CStr, &CStr)]) -> Self {
        let mut options = Self(ptr::null_mut());
        for (name, value) in pairs {
            // SAFETY: both are strings with their end; the dictionary copies them.
            unsafe { ff::av_dict_set(&mut options.0, name.as_ptr(), value.as_ptr(), 0) };
        }
        options
    }

    /// For calls that take what they know and leave the rest.
    pub fn raw(&mut self) -> *mut *mut ff::AVDictionary {
        &mut self.0
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: a dictionary of ours, freed once; null is allowed.
        unsafe { ff::av_dict_free(&mut self.0) }
    }
}

/// `value` of one time base in another, rounded to the nearest.
pub(super) fn rescale(value: i64, from: ff::AVRational, to: ff::AVRational) -> i64 {
    // SAFETY: takes plain numbers; a base of nothing is answered with nothing.
    if from.den == 0 || to.num == 0 { 0 } else { unsafe { ff::av_rescale_q(value, from, to) } }
}

/// Microseconds.
pub(super) const MICROS: ff::AVRational = ff::AVRational { num: 1, den: 1_000_000 };

/// An open encoder.
pub(super) struct Encoder(pub *mut ff::AVCodecContext);

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { ff::avcodec_free_context(&mut self.0) }
    }
}

impl Encoder {
    /// By the library's name; not yet open.
    pub fn find(name: &CStr) -> Result<Self, CodecError> {
        // SAFETY: a string with its end; null is checked.
        unsafe {
            let codec = ff::avcodec_find_encoder_by_name(name.as_ptr());
            if codec.is_null() {
                return Err(CodecError::Unsupported {
                    format: "media",
                    detail: format!("this installation has no encoder {}", name.to_string_lossy()),
                });
            }
            let context = ff::avcodec_alloc_context3(codec);
            if context.is_null() { Err(no_memory()) } else { Ok(Self(context)) }
        }
    }

    /// The next packet that is ready; `false` where there is none.
    pub fn receive(&self, packet: &mut Packet) -> Result<bool, CodecError> {
        packet.clear();
        // SAFETY: an open encoder and a valid packet.
        match unsafe { ff::avcodec_receive_packet(self.0, packet.raw()) } {
            0 => Ok(true),
            EOF | AGAIN => Ok(false),
            code => Err(failed(code, "encoding")),
        }
    }

    /// Feeds a frame, or nothing: the end.
    pub fn send(&self, frame: Option<&Frame>) -> Result<(), CodecError> {
        let raw = frame.map_or(ptr::null_mut(), Frame::raw);
        // SAFETY: an open encoder; a valid frame or null.
        check(unsafe { ff::avcodec_send_frame(self.0, raw) }, "encoding").map(|_| ())
    }
}

/// The library's name of a codec, which is ffprobe's.
pub(super) fn codec_name(id: ff::AVCodecID) -> String {
    // SAFETY: answers a static string for any number.
    unsafe { CStr::from_ptr(ff::avcodec_get_name(id)) }.to_string_lossy().into_owned()
}

/// The library's name of a codec's profile; empty where it has none.
pub(super) fn profile_name(id: ff::AVCodecID, profile: i32) -> String {
    // SAFETY: answers a static string or null.
    unsafe {
        let name = ff::avcodec_profile_name(id, profile);
        if name.is_null() {
            String::new()
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}
