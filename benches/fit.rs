//! What a fit costs beside the least that anybody could do: `cargo bench --bench fit`.
//!
//! The floor is one decode at the scale that the bounds need, one resize and one encode by the same
//! codec, with the quality that the limit allows known beforehand. A whole fit finds that quality,
//! and decodes its result again to be sure. `MMSFIT_PHOTO=path` measures a JPEG of yours instead of
//! the made-up one.

#![allow(missing_docs, reason = "a bench")]

mod support;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session, image::ImageCodec},
    config::Config,
    model::{Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, Quality, Recipe, Stop},
    service::{
        Service,
        request::{AdaptRequest, Content, LimitOverrides},
    },
};
use support::{Case, message::jpeg, run};

const ROUNDS: usize = 15;
const FLOOR: &str = "floor: decode, resize, encode, once";

fn open(input: &Buffer, largest: Dimensions) -> Result<Box<dyn Session>, String> {
    let hint = OpenHint { largest, animation: false, effort: Effort::Balanced };
    ImageCodec
        .open(input, hint, &DecodeLimits::default(), &Stop::never())
        .map_err(|error| error.to_string())
}

fn encode(session: &mut dyn Session, dimensions: Dimensions, quality: u8) -> Result<u64, String> {
    let coding = ImageCoding::Jpeg {
        quality: Quality::new(quality),
        chroma: Chroma::Quarter,
        trellis: true,
    };
    let recipe = Recipe::Image(ImageRecipe { dimensions, coding, background: [255; 3] });
    session
        .encode(&recipe, Bytes::new(u64::MAX), &Stop::never())
        .map(|out| out.len() as u64)
        .map_err(|error| error.to_string())
}

/// The highest quality at which the image takes no more than `limit`; 1 if none does.
fn affordable(input: &Buffer, dimensions: Dimensions, limit: u64) -> Result<u8, String> {
    let mut session = open(input, dimensions)?;
    let (mut fits, mut over) = (1, 96);
    while over - fits > 1 {
        let middle = fits + (over - fits) / 2;
        if encode(session.as_mut(), dimensions, middle)? <= limit {
            fits = middle;
        } else {
            over = middle;
        }
    }
    Ok(fits)
}

/// The whole way of one bare image through the service.
fn adapt(
    service: &Service,
    input: &Buffer,
    bounds: Dimensions,
    limit: u64,
    effort: Effort,
) -> Result<u64, String> {
    let content = Content::Bare { data: input.clone(), name: "photo.jpg".to_owned() };
    let mut request = AdaptRequest::new(content);
    request.effort = effort;
    request.limits = LimitOverrides {
        max_message_bytes: Some(Bytes::new(limit)),
        max_image_width: Some(bounds.width()),
        max_image_height: Some(bounds.height()),
        image_turns: true,
        replace: true,
        client_max_bytes: None,
    };
    let answer = service.adapt(request, &Stop::never()).map_err(|error| error.to_string())?;
    match answer.content {
        Content::Bare { data, .. } if data.len() as u64 <= limit => Ok(data.len() as u64),
        other => Err(format!("a bare file within {limit} bytes was wanted: {other:?}")),
    }
}

fn main() {
    let input: Buffer = match std::env::var_os("MMSFIT_PHOTO") {
        Some(path) => std::fs::read(path).expect("MMSFIT_PHOTO can be read").into(),
        None => jpeg(4000, 3000, 90),
    };
    let info =
        ImageCodec.probe(&input, &DecodeLimits::default(), &Stop::never()).expect("it is an image");
    let full = info.dimensions.expect("an image has dimensions");
    println!(
        "{full}, {} ({:.2} bytes a pixel)",
        info.bytes,
        input.len() as f64 / full.pixels() as f64
    );
    let service = Service::new(Config { threads: 1, ..Config::default() });
    for (width, height, limit) in
        [(640, 480, 100_000), (640, 480, 30_000), (160, 120, 30_000), (1600, 1200, 300_000)]
    {
        let bounds = Dimensions::at_least_one(width, height);
        let shown = full.shrunk_into(bounds);
        let quality = match affordable(&input, shown, limit) {
            Ok(quality) => quality,
            Err(reason) => {
                println!("skipped: {reason}");
                continue;
            }
        };
        let mut cases = vec![Case::new(FLOOR, || {
            let mut session = open(&input, shown)?;
            encode(session.as_mut(), shown, quality)
        })];
        for (name, effort) in
            [("FAST", Effort::Fast), ("BALANCED", Effort::Balanced), ("BEST", Effort::Best)]
        {
            let (service, input) = (&service, &input);
            cases.push(Case::new(name, move || adapt(service, input, bounds, limit, effort)));
        }
        run(
            &format!("fit to {width}x{height}, {limit} bytes (floor at quality {quality})"),
            FLOOR,
            ROUNDS,
            cases,
        );
    }
}
