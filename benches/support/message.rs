//! Messages to measure with: an image of about 100 kB, a text and SMIL in one of the byte forms.

use bytes::Bytes as Buffer;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use mmsfit::{message::Form, message::PartData, samples};

use super::photo::photo;

/// A made-up photo as a camera writes it, 4:2:0.
pub fn jpeg(width: u16, height: u16, quality: u8) -> Buffer {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&photo(width.into(), height.into(), 1), width, height, ColorType::Rgb)
        .expect("the made-up photo can be coded");
    out.into()
}

/// A message with this image, a text, and a presentation that shows both.
pub fn message(image: Buffer, form: Form) -> Buffer {
    let smil = "<smil><head><layout><root-layout width=\"640\" height=\"480\"/>\
                <region id=\"Image\" top=\"0\" left=\"0\" height=\"80%\" width=\"100%\"/>\
                <region id=\"Text\" top=\"80%\" left=\"0\" height=\"20%\" width=\"100%\"/>\
                </layout></head><body><par dur=\"5000ms\">\
                <img src=\"photo.jpg\" region=\"Image\"/><text src=\"text.txt\" region=\"Text\"/>\
                </par></body></smil>";
    let part = |content_type: &str, name: &str, data: Buffer| PartData {
        content_type: content_type.to_owned(),
        content_id: name.to_owned(),
        content_location: name.to_owned(),
        name: name.to_owned(),
        data,
    };
    let parts = vec![
        part("application/smil", "main.smil", Buffer::from_static(smil.as_bytes())),
        part("image/jpeg", "photo.jpg", image),
        part("text/plain; charset=utf-8", "text.txt", Buffer::from_static(b"Greetings!")),
    ];
    samples::message(parts, form).expect("a message can be built")
}
