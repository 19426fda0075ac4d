//! Fits an image to a handset of 2004 with the library alone: no server, no command line.
//!
//!     cargo run --no-default-features --example adapt [PICTURE [OUT]]

use std::{error::Error, fs, io::Cursor};

use mmsfit::{
    config::Config,
    model::{Bytes, Stop},
    service::{
        Service,
        request::{AdaptRequest, Content},
    },
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (image, out) = (arguments.next(), arguments.next());
    let data = match &image {
        Some(path) => fs::read(path)?,
        None => made_up()?,
    };

    let service = Service::new(Config::default());
    let content = Content::Bare { data: data.into(), name: image.unwrap_or_default() };
    let mut request = AdaptRequest::new(content);
    request.device.device_id = Some("nokia-6230".into());
    request.limits.max_message_bytes = Some(Bytes::new(30_000));
    let answer = service.adapt(request, &Stop::never())?;

    let report = &answer.report;
    println!("{} before, {} after", report.wire_bytes_before, report.wire_bytes_after);
    for part in &report.parts {
        let reasons: Vec<String> = part.reasons.iter().map(ToString::to_string).collect();
        println!("{:?}: {}", part.action, reasons.join("; "));
    }
    if let (Content::Bare { data, .. }, Some(out)) = (&answer.content, out) {
        fs::write(out, data)?;
    }
    Ok(())
}

/// A sky with some noise in it, as a PNG.
fn made_up() -> Result<Vec<u8>, image::ImageError> {
    let image = image::RgbImage::from_fn(800, 600, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 28;
        let (across, down) = ((x * 80 / 800) as u8, (y * 200 / 600) as u8);
        image::Rgb([40 + down + grain as u8, 60 + across, 230 - down])
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png)?;
    Ok(png.into_inner())
}
