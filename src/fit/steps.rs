//! The steps of video: which frame and frame rate a bitrate is worth.
//!
//! The frame rate falls to the slowest of its band (`quality::video`) before the size falls to the
//! next.

use super::rate;
use crate::{
    model::{Dimensions, FrameRate, VideoCodec, VideoSupport},
    policy::Floors,
    quality::video::band,
};

/// Legal sizes of H.263 (ITU-T H.263 table 1), without the largest.
const H263_SIZES: [(u32, u32); 4] = [(704, 576), (352, 288), (176, 144), (128, 96)];
/// Longer sides to step down by.
const SIDES: [u32; 18] =
    [1280, 1024, 960, 848, 720, 640, 560, 480, 400, 352, 320, 280, 240, 208, 176, 160, 144, 128];

/// Coded sizes for a source, falling; never upscaled, never empty.
pub fn sizes(support: &VideoSupport, source: Dimensions) -> Vec<Dimensions> {
    if support.codec == VideoCodec::H263 {
        return legal(support.max_dimensions, source);
    }
    let largest = source.shrunk_into(support.max_dimensions.turned_to(source));
    let smaller = SIDES
        .into_iter()
        .filter(|side| *side < largest.longest())
        .map(|side| largest.scaled(f64::from(side) / f64::from(largest.longest())));
    let mut sizes: Vec<Dimensions> = std::iter::once(largest).chain(smaller).map(even).collect();
    sizes.dedup();
    sizes
}

/// Sides down to even ones, 16 at least: macroblocks are what baseline codes.
fn even(dimensions: Dimensions) -> Dimensions {
    let side = |n: u32| (n & !1).max(16);
    Dimensions::at_least_one(side(dimensions.width()), side(dimensions.height()))
}

/// The legal sizes that the device takes; the image stands letterboxed in them. One that is
/// larger than the source on both sides is left out where a smaller one holds it as well.
fn legal(most: Dimensions, source: Dimensions) -> Vec<Dimensions> {
    let all: Vec<Dimensions> =
        H263_SIZES.into_iter().filter_map(|(w, h)| Dimensions::new(w, h)).collect();
    let smallest = all[all.len() - 1];
    // The device's bounds may be stated upright.
    let most =
        Dimensions::at_least_one(most.width().max(most.height()), most.width().min(most.height()));
    let mut sizes: Vec<Dimensions> = all.iter().copied().filter(|size| size.within(most)).collect();
    while sizes.len() > 1 && source.within(sizes[1]) {
        sizes.remove(0);
    }
    if sizes.is_empty() {
        sizes.push(smallest);
    }
    sizes
}

/// One place on the ladder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Coded size.
    pub dimensions: Dimensions,
    /// Frame rate.
    pub rate: FrameRate,
    /// Not below: the size has no smaller or slower one.
    pub last: bool,
}

/// All places for one codec, the best first: rates fall within a size, then the size falls.
/// What is below the floors is not among them, unless the source itself is.
pub fn ladder(
    support: &VideoSupport,
    source: Dimensions,
    source_rate: f64,
    floors: &Floors,
) -> Vec<Place> {
    let rates = rate::rates(source_rate, f64::from(support.max_frame_rate));
    let mut places = Vec::new();
    for dimensions in sizes(support, source) {
        let slowest = band(dimensions).slowest;
        let good = |i: usize| i == 0 || rates[i].per_second() >= slowest;
        for (_, rate) in rates.iter().enumerate().filter(|(i, _)| good(*i)) {
            places.push(Place { dimensions, rate: *rate, last: false });
        }
    }
    // The smallest size may go slower still.
    if let Some(last) = places.last().copied() {
        let slower = rates.iter().filter(|r| r.per_second() < last.rate.per_second());
        places.extend(slower.map(|rate| Place { rate: *rate, ..last }));
    }
    if let Some(first) = places.first().copied() {
        let side = floors.video_side.min(first.dimensions.longest());
        let slowest = f64::from(floors.video_frame_rate).min(first.rate.per_second()) - 0.1;
        // Sides are even: 128 may have become 126.
        places.retain(|place| {
            place.dimensions.longest() + 2 >= side && place.rate.per_second() >= slowest
        });
    }
    if let Some(last) = places.last_mut() {
        last.last = true;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BitRate;

    fn d(text: &str) -> Dimensions {
        text.parse().unwrap()
    }

    fn support(codec: VideoCodec, most: &str) -> VideoSupport {
        VideoSupport {
            codec,
            max_dimensions: d(most),
            max_frame_rate: 30,
            max_bitrate: BitRate::new(2_000_000),
        }
    }

    #[test]
    fn h263_has_its_legal_sizes_alone() {
        let sizes = |most, source| sizes(&support(VideoCodec::H263, most), d(source));
        assert_eq!(sizes("176x144", "1920x1080"), [d("176x144"), d("128x96")]);
        assert_eq!(sizes("352x288", "1080x1920")[0], d("352x288"));
        assert_eq!(sizes("352x288", "160x120")[0], d("176x144"));
        assert_eq!(sizes("352x288", "64x48"), [d("128x96")]);
        assert_eq!(sizes("100x80", "640x480"), [d("128x96")]);
    }

    #[test]
    fn others_follow_the_aspect_and_are_even() {
        let sizes = |most, source| sizes(&support(VideoCodec::H264, most), d(source));
        assert_eq!(sizes("320x240", "1920x1080")[0], d("320x180"));
        assert_eq!(sizes("320x240", "1080x1920")[0], d("180x320"));
        assert_eq!(sizes("640x480", "175x143")[0], d("174x142"));
        for size in sizes("1280x720", "4000x37") {
            assert!(size.width() % 2 == 0 && size.height() % 2 == 0, "{size}");
        }
    }

    #[test]
    fn the_rate_falls_before_the_size() {
        let places =
            ladder(&support(VideoCodec::H264, "320x240"), d("640x480"), 30.0, &Floors::default());
        let of = |p: &Place| (p.dimensions.width(), p.rate.per_second());
        assert_eq!(
            places.iter().take(4).map(of).collect::<Vec<_>>(),
            [(320, 30.0), (320, 15.0), (320, 10.0), (280, 30.0)]
        );
        assert!(places.last().unwrap().last);
        assert_eq!(of(places.last().unwrap()), (128, 5.0));
    }
}
