//! The image codec, step by step: `cargo bench --bench picture`. `MMSFIT_PHOTO=path` measures a
//! JPEG of yours instead of the made-up one.

#![allow(missing_docs, reason = "a bench")]

mod support;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session, image::ImageCodec},
    model::{Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, Quality, Recipe, Stop},
};
use mmsfit_resample::{Kernel, Pixels, Resampler, Window};
use support::{Case, photo::photo, run};

const VGA: Dimensions = match Dimensions::new(640, 480) {
    Some(dimensions) => dimensions,
    None => unreachable!(),
};

fn open(input: &Buffer, largest: Dimensions) -> Result<Box<dyn Session>, String> {
    let hint = OpenHint { largest, animation: false, effort: Effort::Balanced };
    ImageCodec
        .open(input, hint, &DecodeLimits::default(), &Stop::never())
        .map_err(|error| error.to_string())
}

fn encode(
    session: &mut dyn Session,
    dimensions: Dimensions,
    coding: ImageCoding,
) -> Result<u64, String> {
    let recipe = Recipe::Image(ImageRecipe { dimensions, coding, background: [255; 3] });
    session
        .encode(&recipe, Bytes::new(u64::MAX), &Stop::never())
        .map(|out| out.len() as u64)
        .map_err(|error| error.to_string())
}

fn jpeg(quality: u8, chroma: Chroma) -> ImageCoding {
    ImageCoding::Jpeg { quality: Quality::new(quality), chroma, trellis: true }
}

fn main() {
    let input: Buffer = match std::env::var_os("MMSFIT_PHOTO") {
        Some(path) => std::fs::read(path).expect("MMSFIT_PHOTO can be read").into(),
        None => {
            let mut out = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut out, 90);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
            encoder
                .encode(&photo(4000, 3000, 1), 4000, 3000, jpeg_encoder::ColorType::Rgb)
                .expect("the made-up photo can be coded");
            out.into()
        }
    };
    let info =
        ImageCodec.probe(&input, &DecodeLimits::default(), &Stop::never()).expect("it is an image");
    let full = info.dimensions.expect("an image has dimensions");
    println!(
        "{full}, {} ({:.2} bytes a pixel)",
        info.bytes,
        input.len() as f64 / full.pixels() as f64
    );

    let vga = full.shrunk_into(VGA);
    let bounds_1600 = full.shrunk_into(Dimensions::at_least_one(1600, 1200));
    let small = vga.scaled(0.8);
    let mut session = open(&input, VGA).expect("the photo opens");
    let mut again = open(&input, VGA).expect("the photo opens");
    let mut flip = false;
    let source = photo(1000, 750, 1);
    let size = (1000, 750);
    let window = Window::whole(size);
    let source = Pixels { size, channels: 3, alpha: false, data: &source, window };
    let convolve = |kernel| {
        let resized = Resampler::new().resample(source, (640, 480), kernel)?;
        Ok(u64::from(resized[0]))
    };
    let session = std::cell::RefCell::new(&mut session);
    let with = |coding| encode(session.borrow_mut().as_mut(), vga, coding);

    run(
        "picture",
        "decode for 640x480",
        15,
        vec![
            Case::new("probe", || {
                ImageCodec
                    .probe(&input, &DecodeLimits::default(), &Stop::never())
                    .map(|info| info.frames.into())
                    .map_err(|error| error.to_string())
            }),
            Case::new("decode for 640x480", || {
                open(&input, VGA).map(|mut s| s.facts().distinct_colors.unwrap_or(0).into())
            }),
            Case::new("decode for 1600x1200", || open(&input, bounds_1600).map(|_| 0)),
            Case::new("decode whole", || open(&input, full).map(|_| 0)),
            Case::new("resize 1000x750 to 640x480, Lanczos3", || convolve(Kernel::Lanczos3)),
            Case::new("resize 1000x750 to 640x480, Catmull-Rom", || convolve(Kernel::CatmullRom)),
            Case::new("resize and encode, a new size each time", || {
                // Three sizes in turn: the two that are kept are never the one that is asked.
                flip = !flip;
                let size = if flip { small } else { small.scaled(0.9) };
                let third = small.scaled(0.5);
                encode(again.as_mut(), size, jpeg(80, Chroma::Quarter))?;
                encode(again.as_mut(), third, jpeg(80, Chroma::Quarter))
            }),
            Case::new("encode 640x480 q80 4:2:0", || with(jpeg(80, Chroma::Quarter))),
            Case::new("encode 640x480 q80 4:4:4", || with(jpeg(80, Chroma::Full))),
            Case::new("encode 640x480 q40 4:2:0", || with(jpeg(40, Chroma::Quarter))),
            Case::new("encode 640x480 PNG", || {
                with(ImageCoding::Png { colors: None, dither: false })
            }),
            Case::new("encode 640x480 PNG, 64 colours", || {
                with(ImageCoding::Png { colors: Some(64), dither: true })
            }),
            Case::new("encode 640x480 GIF, 64 colours", || {
                with(ImageCoding::Gif { colors: 64, frame_step: 1 })
            }),
        ],
    );
}
