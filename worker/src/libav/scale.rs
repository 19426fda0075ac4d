//! Decoded frames to small ones: scaled, turned and letterboxed once, 8-bit 4:2:0.

#![allow(unsafe_code, reason = "calls libav")]

use std::ptr;

use ffmpeg_sys_next as ff;
use mmsfit::{codec::CodecError, model::Dimensions};

use super::{
    ff::{Frame, check, no_memory},
    frames::Look,
    tonemap::ToneMap,
    yuv::Yuv,
};

/// The matrix and range of a scaler's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    width: i32,
    height: i32,
    format: i32,
    range: i32,
    matrix: i32,
    hdr: bool,
}

/// Scales whatever comes into frames of one size.
pub(super) struct Scaler {
    /// Of the output.
    dimensions: Dimensions,
    /// Whether the output is to be of BT.601 whatever the input is: codecs that cannot say.
    to_601: bool,
    context: *mut ff::SwsContext,
    source: Option<Source>,
    /// Inside the output, before turning.
    inner: Dimensions,
    tone: Option<ToneMap>,
    /// What comes out is of BT.709 and not of BT.601.
    pub bt709: bool,
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: ours or null.
        unsafe { ff::sws_freeContext(self.context) }
    }
}

fn even(n: f64, most: u32) -> u32 {
    ((n / 2.0).round() as u32 * 2).clamp(2, most)
}

/// The image inside the frame: the whole frame where the shapes agree within rounding.
fn placed(shown: (f64, f64), frame: Dimensions) -> Dimensions {
    let (w, h) = (f64::from(frame.width()), f64::from(frame.height()));
    let scale = (w / shown.0).min(h / shown.1);
    let (iw, ih) = (shown.0 * scale, shown.1 * scale);
    // Four pixels are what rounding to even sides, or to sixteen, may miss on one of them.
    let near = |inner: f64, outer: f64| outer - inner < 4.0;
    let iw = if near(iw, w) { frame.width() } else { even(iw, frame.width()) };
    let ih = if near(ih, h) { frame.height() } else { even(ih, frame.height()) };
    Dimensions::at_least_one(iw, ih)
}

impl Scaler {
    pub fn new(dimensions: Dimensions, to_601: bool) -> Self {
        Self {
            dimensions,
            to_601,
            context: ptr::null_mut(),
            source: None,
            inner: dimensions,
            tone: None,
            bt709: false,
        }
    }

    /// One frame.
    pub fn scale(&mut self, frame: &Frame, look: &Look) -> Result<Yuv, CodecError> {
        let source = Source {
            width: frame.width,
            height: frame.height,
            format: frame.format,
            range: frame.color_range as i32,
            matrix: frame.colorspace as i32,
            hdr: ToneMap::needed(frame),
        };
        if self.source != Some(source) {
            self.set_up(frame, source, look)?;
            self.source = Some(source);
        }
        let scaled = match &self.tone {
            Some(tone) => {
                let (w, h) = (self.inner.width() as usize, self.inner.height() as usize);
                let mut rgb = vec![0u8; w * h * 6];
                self.run(
                    frame,
                    [rgb.as_mut_ptr(), ptr::null_mut(), ptr::null_mut()],
                    [w * 6, 0, 0],
                )?;
                tone.apply(&rgb, self.inner)
            }
            None => {
                let mut yuv = Yuv::flat(self.inner, [0; 3]);
                let (w, half) = (self.inner.width() as usize, self.inner.width() as usize / 2);
                let [y, u, v] = &mut yuv.planes;
                let planes = [y.as_mut_ptr(), u.as_mut_ptr(), v.as_mut_ptr()];
                self.run(frame, planes, [w, half, half])?;
                yuv
            }
        };
        Ok(scaled.turned(look.turn).within(self.dimensions))
    }

    fn run(
        &self,
        frame: &Frame,
        planes: [*mut u8; 3],
        strides: [usize; 3],
    ) -> Result<(), CodecError> {
        let strides = strides.map(|n| n as i32);
        // SAFETY: the context was made for this source and this size; the planes have room for
        // the whole frame at these strides.
        let code = unsafe {
            ff::sws_scale(
                self.context,
                frame.data.as_ptr().cast(),
                frame.linesize.as_ptr(),
                0,
                frame.height,
                planes.as_ptr(),
                strides.as_ptr(),
            )
        };
        check(code, "scaling").map(|_| ())
    }

    fn set_up(&mut self, frame: &Frame, source: Source, look: &Look) -> Result<(), CodecError> {
        let (w, h) = (f64::from(frame.width.max(1)) * look.shape, f64::from(frame.height.max(1)));
        let frame_bounds =
            if look.turn.swaps() { self.dimensions.transposed() } else { self.dimensions };
        self.inner = placed((w, h), frame_bounds);
        self.tone = source.hdr.then(|| ToneMap::of(frame));
        // SAFETY: plain numbers; the old context, if any, is freed; null is checked; the tables
        // are static.
        unsafe {
            ff::sws_freeContext(self.context);
            let format = std::mem::transmute::<i32, ff::AVPixelFormat>(source.format);
            let to = if source.hdr {
                ff::AVPixelFormat::AV_PIX_FMT_RGB48LE
            } else {
                ff::AVPixelFormat::AV_PIX_FMT_YUV420P
            };
            self.context = ff::sws_getContext(
                source.width,
                source.height,
                format,
                self.inner.width() as i32,
                self.inner.height() as i32,
                to,
                ff::SWS_BICUBIC as i32,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.context.is_null() {
                return Err(no_memory());
            }
            let full = frame.color_range == ff::AVColorRange::AVCOL_RANGE_JPEG;
            let own = matrix(frame);
            // What a stream cannot say, or few players understand, is made BT.601.
            let keep = own == ff::SWS_CS_ITU709 as i32 && !self.to_601;
            self.bt709 = keep && self.tone.is_none();
            let target = if keep { own } else { ff::SWS_CS_ITU601 as i32 };
            ff::sws_setColorspaceDetails(
                self.context,
                ff::sws_getCoefficients(own),
                i32::from(full),
                ff::sws_getCoefficients(target),
                0,
                0,
                1 << 16,
                1 << 16,
            );
        }
        Ok(())
    }
}

/// Frames wider or higher than these are of BT.709 if they do not say what they are, as players
/// take them (mpv, and Android's MediaCodec by its default aspects): what was made before high
/// definition has at most 1279 by 576.
const WIDEST_601: i32 = 1279;
const HIGHEST_601: i32 = 576;

/// The scaler's number of a frame's matrix.
fn matrix(frame: &Frame) -> i32 {
    let high =
        frame.width.max(frame.height) > WIDEST_601 || frame.width.min(frame.height) > HIGHEST_601;
    match frame.colorspace {
        ff::AVColorSpace::AVCOL_SPC_BT709 => ff::SWS_CS_ITU709 as i32,
        ff::AVColorSpace::AVCOL_SPC_BT2020_NCL | ff::AVColorSpace::AVCOL_SPC_BT2020_CL => {
            ff::SWS_CS_BT2020 as i32
        }
        ff::AVColorSpace::AVCOL_SPC_UNSPECIFIED if high && is_yuv(frame.format) => {
            ff::SWS_CS_ITU709 as i32
        }
        _ => ff::SWS_CS_ITU601 as i32,
    }
}

/// Whether a format of pixels keeps colour apart from brightness.
fn is_yuv(format: i32) -> bool {
    // SAFETY: a format of a decoded frame, which the library made; answers a static description
    // or null.
    unsafe {
        let format = std::mem::transmute::<i32, ff::AVPixelFormat>(format);
        let about = ff::av_pix_fmt_desc_get(format);
        let other = (ff::AV_PIX_FMT_FLAG_RGB | ff::AV_PIX_FMT_FLAG_PAL) as u64;
        !about.is_null() && (*about).nb_components >= 3 && (*about).flags & other == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_placed() {
        let qcif = Dimensions::at_least_one(176, 144);
        assert_eq!(placed((1920.0, 1080.0), qcif), Dimensions::at_least_one(176, 144 - 44));
        assert_eq!(placed((640.0, 524.0), qcif), qcif);
    }
}
