//! Which tracks of a file are its sound and its moving pictures.

use ffmpeg_sys_next as ff;
use mmsfit::{codec::CodecError, model::Dimensions};

use super::{ff::rescale, input::Input};

/// One chosen track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Track {
    pub index: i32,
    pub stream: *mut ff::AVStream,
    pub params: *mut ff::AVCodecParameters,
    pub base: ff::AVRational,
}

/// The tracks that count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tracks {
    pub video: Option<Track>,
    pub audio: Option<Track>,
}

impl Track {
    pub fn codec(&self) -> ff::AVCodecID {
        // SAFETY: the parameters live as long as the input, which outlives every use.
        unsafe { (*self.params).codec_id }
    }

    /// Coded size; `None` where it is none.
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

    /// Quarter turns clockwise that the picture needs, and whether it is mirrored first.
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

/// How stored pictures are turned to stand upright: mirrored left to right first, if at all, then
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

/// Finds them: the first track of each kind that is no cover picture and can be decoded.
pub(super) fn find(input: &Input) -> Result<Tracks, CodecError> {
    let mut tracks = Tracks::default();
    for (index, stream) in input.streams().iter().enumerate() {
        // SAFETY: an open input's streams and their parameters are valid.
        let (params, disposition, base) =
            unsafe { ((**stream).codecpar, (**stream).disposition, (**stream).time_base) };
        if params.is_null() || base.num <= 0 || base.den <= 0 {
            continue;
        }
        let track = Track { index: index as i32, stream: *stream, params, base };
        // SAFETY: as above.
        let kind = unsafe { (*params).codec_type };
        let cover = disposition & ff::AV_DISPOSITION_ATTACHED_PIC as i32 != 0;
        match kind {
            ff::AVMediaType::AVMEDIA_TYPE_VIDEO if !cover && tracks.video.is_none() => {
                tracks.video = Some(track);
            }
            ff::AVMediaType::AVMEDIA_TYPE_AUDIO if tracks.audio.is_none() => {
                tracks.audio = Some(track);
            }
            _ => {}
        }
    }
    if tracks.video.is_none() && tracks.audio.is_none() {
        let detail = "there is neither sound nor a moving picture in it".into();
        return Err(CodecError::Malformed { format: "media", detail });
    }
    Ok(tracks)
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
