//! What is on the screen at the same moments of an animation and of videos made of it.

use crate::support::ffmpeg;
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{
        Codec, DecodeLimits, OpenHint, Reference,
        image::{ImageCodec, likeness},
    },
    model::{Dimensions, Effort, Stop},
};
use mmsfit_worker::libav::AvCodec;

const COUNT: u8 = 8;

fn moments(codec: &dyn Codec, bytes: Vec<u8>) -> Vec<Reference> {
    let largest = Dimensions::at_least_one(4000, 4000);
    let hint = OpenHint { largest, animation: true, effort: Effort::Balanced };
    let never = Stop::never();
    let bytes = Buffer::from(bytes);
    let mut session = codec.open(&bytes, hint, &DecodeLimits::default(), &never).expect("opens");
    session.moments(COUNT, [255; 3], &never).expect("no error").expect("something to see")
}

#[test]
fn a_video_that_shows_the_same_is_told_from_one_that_does_not() {
    let Some(gif) = ffmpeg("-f lavfi -i testsrc=s=160x160:r=5:d=4", ".gif") else { return };
    let file = tempfile::Builder::new().suffix(".gif").tempfile().expect("a file");
    std::fs::write(file.path(), &gif).expect("written");
    let source = format!("-i {}", file.path().display());
    let original = moments(&ImageCodec, gif);
    assert_eq!(original.len(), usize::from(COUNT));
    let of = |arguments: &str, ending: &str| {
        let video = ffmpeg(&format!("{source} {arguments}"), ending).expect("ffmpeg is there");
        let shown = moments(&AvCodec, video);
        likeness::of_moments(&original, &shown).expect("as many moments")
    };
    let sharp = of("-c:v libx264 -pix_fmt yuv420p -crf 10", ".mp4");
    let poor = of("-c:v libx264 -pix_fmt yuv420p -crf 42", ".mp4");
    let late = of("-vf setpts=PTS+1.2/TB,tpad=start_duration=1.2 -c:v libx264 -crf 10", ".mp4");
    // In the middle of a frame of another shape, as H.263 has to be.
    let bars = of("-vf scale=144:144,pad=176:144:16:0 -c:v h263 -q:v 2 -r 5", ".3gp");
    assert!(sharp > 80.0, "{sharp}");
    assert!(poor < sharp - 10.0, "{poor} of {sharp}");
    assert!(late < sharp - 5.0, "{late} of {sharp}");
    assert!(bars > sharp - 40.0 && bars > 40.0, "{bars} of {sharp}");
}
