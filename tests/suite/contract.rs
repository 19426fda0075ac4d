//! The codecs of this process keep the contract of all codecs. Those of the worker are held to it in
//! its own tests, the fake one in the pipeline's.

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{CodecSet, OpenHint},
    model::{Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, MediaKind, Quality, Recipe},
    samples::{self, photo},
};

use crate::support::contract::{Sample, keeps_its_contract};

fn sample(name: &'static str, input: Buffer, coding: ImageCoding, animation: bool) -> Sample {
    let dimensions = Dimensions::new(96, 72).unwrap();
    let recipe = Recipe::Image(ImageRecipe { dimensions, coding, background: [255; 3] });
    let hint = OpenHint { largest: dimensions, animation, effort: Effort::Balanced };
    Sample { name, input, hint, recipe }
}

#[test]
fn images() {
    let quality = Quality::new(75);
    let jpeg = ImageCoding::Jpeg { quality, chroma: Chroma::Quarter, trellis: true };
    let png = ImageCoding::Png { colors: Some(64), dither: false };
    let lossless = ImageCoding::Png { colors: None, dither: false };
    let gif = ImageCoding::Gif { colors: 64, frame_step: 1 };
    let photo = photo::photo(320, 240, 1);
    let screen = photo::screenshot(320, 240, 2);
    let animation = samples::gif(128, 96, 6).unwrap();
    let codecs = CodecSet::builtin();
    for sample in [
        sample("JPEG to JPEG", samples::jpeg(&photo, Some(6)).unwrap(), jpeg, false),
        sample("PNG to JPEG", samples::png(&photo).unwrap(), jpeg, false),
        sample("PNG to a palette", samples::png(&screen).unwrap(), png, false),
        sample("PNG to PNG", samples::png(&screen).unwrap(), lossless, false),
        sample("GIF to GIF", animation.clone(), gif, true),
        sample("GIF to its first frame", animation, jpeg, false),
        sample("JPEG to WBMP", samples::jpeg(&photo, None).unwrap(), ImageCoding::Wbmp, false),
    ] {
        let codec = codecs.find_writer(&sample.input, MediaKind::Image).expect("a codec");
        keeps_its_contract(codec, &sample);
    }
}
