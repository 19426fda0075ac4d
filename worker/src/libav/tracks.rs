//! Which tracks of a file are its audio and its video.

#![allow(unsafe_code, reason = "calls libav")]

use ffmpeg_sys_next as ff;
use mmsfit::model::Dimensions;

use super::{
    ff::{codec_name, rescale},
    input::Input,
};

/// One chosen track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Track {
    pub index: i32,
    pub stream: *mut ff::AVStream,
    pub params: *mut ff::AVCodecParameters,
    pub base: ff::AVRational,
}

/// The tracks that may count, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    pub video: Vec<Track>,
    pub audio: Vec<Track>,
}

/// The tracks that count, by their numbers in the file: every opening of it uses the same ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub video: Option<i32>,
    pub audio: Option<i32>,
}

impl Track {
    pub fn codec(&self) -> ff::AVCodecID {
        // SAFETY: the parameters live as long as the input, which outlives every use.
        unsafe { (*self.params).codec_id }
    }

    /// The codec as ffprobe names it; one that the library does not know by the name that the
    /// container gives it.
    pub fn codec_name(&self) -> String {
        if self.codec() != ff::AVCodecID::AV_CODEC_ID_NONE {
            return codec_name(self.codec());
        }
        // SAFETY: as above.
        let tag = unsafe { (*self.params).codec_tag }.to_le_bytes();
        let letters: String =
            tag.iter().filter(|c| c.is_ascii_graphic()).map(|c| char::from(*c)).collect();
        if letters.len() == 4 { letters } else { "an unknown codec".into() }
    }

    /// Coded size; `None` where it is invalid.
    pub fn coded(&self) -> Option<Dimensions> {
        // SAFETY: as above.
        let (width, height) = unsafe { ((*self.params).width, (*self.params).height) };
        Dimensions::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?)
    }

    /// Frames per second on average, as the container tells; zero where it does not.
    pub fn frame_rate(&self) -> f64 {
        // SAFETY: the stream lives as long as the input.
        let rate = unsafe { (*self.stream).avg_frame_rate };
        if rate.den == 0 { 0.0 } else { f64::from(rate.num) / f64::from(rate.den) }
    }

    /// Quarter turns clockwise that the image needs, and whether it is mirrored first.
    pub fn turn(&self) -> Turn {
        let mut size = 0;
        // SAFETY: the stream is valid; side data of this kind is nine 32-bit numbers.
        unsafe {
            let data = ff::av_stream_get_side_data(
                self.stream,
                ff::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX,
                &mut size,
            );
            if data.is_null() || (size as usize) < 36 {
                return Turn::default();
            }
            let mut matrix = [0i32; 9];
            std::ptr::copy_nonoverlapping(data, matrix.as_mut_ptr().cast(), 36);
            Turn::of(matrix)
        }
    }

    /// Width of a pixel over its height.
    pub fn pixel_shape(&self) -> f64 {
        // SAFETY: both live as long as the input.
        let (own, container) =
            unsafe { ((*self.params).sample_aspect_ratio, (*self.stream).sample_aspect_ratio) };
        let of = |r: ff::AVRational| {
            (r.num > 0 && r.den > 0).then(|| f64::from(r.num) / f64::from(r.den))
        };
        // The container's word counts more; nonsense is ignored.
        of(container).or(of(own)).filter(|shape| (0.2..=5.0).contains(shape)).unwrap_or(1.0)
    }

    /// As a person sees it: square pixels, upright.
    pub fn shown(&self) -> Option<Dimensions> {
        let coded = self.coded()?;
        let shape = self.pixel_shape();
        // H.263's 12:11 is that of television; devices show its pixels as squares.
        let shown = if (shape - 12.0 / 11.0).abs() < 0.01 && self.is_h263() {
            coded
        } else if shape > 1.0 {
            let width = (f64::from(coded.width()) * shape).round() as u32;
            Dimensions::at_least_one(width, coded.height())
        } else {
            let height = (f64::from(coded.height()) / shape).round() as u32;
            Dimensions::at_least_one(coded.width(), height)
        };
        Some(if self.turn().swaps() { shown.transposed() } else { shown })
    }

    fn is_h263(&self) -> bool {
        self.codec() == ff::AVCodecID::AV_CODEC_ID_H263
    }

    /// A time of this track in microseconds.
    pub fn micros(&self, time: i64) -> i64 {
        rescale(time, self.base, super::ff::MICROS)
    }
}

/// How stored images are turned to stand upright: mirrored left to right first, if at all, then
/// turned clockwise by quarters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub mirrored: bool,
    pub quarters: u8,
}

impl Turn {
    /// From a display matrix (ISO/IEC 14496-12 clause 8.3.2), of which only quarter turns and
    /// mirrors are real.
    fn of(matrix: [i32; 9]) -> Self {
        let sign = |n: i32| n.signum();
        match (sign(matrix[0]), sign(matrix[1]), sign(matrix[3]), sign(matrix[4])) {
            (0, 1, -1, 0) => Self { mirrored: false, quarters: 1 },
            (-1, 0, 0, -1) => Self { mirrored: false, quarters: 2 },
            (0, -1, 1, 0) => Self { mirrored: false, quarters: 3 },
            (-1, 0, 0, 1) => Self { mirrored: true, quarters: 0 },
            (0, -1, -1, 0) => Self { mirrored: true, quarters: 1 },
            (1, 0, 0, -1) => Self { mirrored: true, quarters: 2 },
            (0, 1, 1, 0) => Self { mirrored: true, quarters: 3 },
            _ => Self::default(),
        }
    }

    /// Whether width and height change places.
    pub fn swaps(self) -> bool {
        self.quarters % 2 == 1
    }
}

/// All audio and video tracks but those that say they are covers or chapter pictures.
pub(super) fn candidates(input: &Input) -> Candidates {
    let mut found = Candidates::default();
    for index in 0..input.streams().len() {
        let Some(track) = at(input, index as i32) else { continue };
        // SAFETY: an open input's streams and their parameters are valid.
        let (kind, disposition) =
            unsafe { ((*track.params).codec_type, (*track.stream).disposition) };
        let still = (ff::AV_DISPOSITION_ATTACHED_PIC | ff::AV_DISPOSITION_TIMED_THUMBNAILS) as i32;
        match kind {
            ff::AVMediaType::AVMEDIA_TYPE_VIDEO if disposition & still == 0 => {
                found.video.push(track);
            }
            ff::AVMediaType::AVMEDIA_TYPE_AUDIO => found.audio.push(track),
            _ => {}
        }
    }
    found
}

/// The track of a number; `None` where the file has none, or one without times.
pub(super) fn at(input: &Input, index: i32) -> Option<Track> {
    let stream = *input.streams().get(usize::try_from(index).ok()?)?;
    // SAFETY: an open input's streams are valid.
    let (params, base) = unsafe { ((*stream).codecpar, (*stream).time_base) };
    let timed = !params.is_null() && base.num > 0 && base.den > 0;
    timed.then_some(Track { index, stream, params, base })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_of_phones() {
        const ONE: i32 = 1 << 16;
        let turn = |a, b, c, d| Turn::of([a, b, 0, c, d, 0, 0, 0, 1 << 30]);
        assert_eq!(turn(ONE, 0, 0, ONE), Turn::default());
        // A phone held upright: turned clockwise by a quarter to be shown.
        assert_eq!(turn(0, ONE, -ONE, 0), Turn { mirrored: false, quarters: 1 });
        assert_eq!(turn(-ONE, 0, 0, -ONE).quarters, 2);
        assert!(turn(-ONE, 0, 0, ONE).mirrored);
        assert!(turn(0, -ONE, ONE, 0).swaps());
    }
}
