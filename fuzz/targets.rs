//! One function a parser or frame: bytes that anybody could send, and what must hold whatever they
//! are. Called by libFuzzer (`fuzz_targets/`), and with the seeds by the tests
//! (`tests/suite/fuzz.rs`).

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, image::ImageCodec, sniff},
    message::{Edit, Form, Message, ParseLimits, PartData},
    model::{Bytes, Counting, Dimensions, Effort, Interface, Stop},
    profile,
    worker::protocol::{Answer, Message as Frame, Request},
};

/// What must hold of any bytes.
type Target = fn(&[u8]);

/// All of them by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("pdu", pdu),
    ("wsp", wsp),
    ("mime", mime),
    ("smil", smil),
    ("uaprof", uaprof),
    ("jpeg", jpeg),
    ("headers", headers),
    ("sniffing", sniffing),
    ("protocol", protocol),
];

/// What a parsed message promises: unchanged it is the input, its size is what is written, and it
/// can be changed.
fn valid(message: &Message, form: Form, input: &Buffer) {
    let written = message.serialize(form).expect("what was read can be written");
    assert_eq!(written, *input, "unchanged, yet other bytes");
    for interface in [Interface::Mm1, Interface::Mm4, Interface::Mm7] {
        assert!(message.wire_size(Counting::Interface, interface) > Bytes::ZERO);
    }
    let _ = message.lint();
    let dropped: Vec<Edit> = message.parts().iter().map(|_| Edit::Drop).collect();
    if let Ok(changed) = message.rewrite(&dropped) {
        let written = changed.serialize(form).expect("what was changed can be written");
        let size = changed.wire_size(Counting::Interface, message.default_interface());
        assert!(size.get() > 0 && !written.is_empty());
    }
}

/// A whole PDU of the MMS encapsulation.
pub fn pdu(data: &[u8]) {
    let input = Buffer::copy_from_slice(data);
    if let Ok(message) = Message::parse_pdu(input.clone(), &ParseLimits::default()) {
        valid(&message, Form::MmsPdu, &input);
    }
}

/// The body of a PDU, from the value of its Content-Type on.
pub fn wsp(data: &[u8]) {
    const HEAD: [u8; 5] = [0x8c, 0x84, 0x8d, 0x92, 0x84];
    pdu(&[&HEAD, data].concat());
}

/// A mail.
pub fn mime(data: &[u8]) {
    let input = Buffer::copy_from_slice(data);
    if let Ok(message) = Message::parse_mime(input.clone(), &ParseLimits::default()) {
        valid(&message, Form::Mime, &input);
    }
}

/// A presentation beside what it may refer to.
pub fn smil(data: &[u8]) {
    let part = |content_type: &str, name: &str, data: &[u8]| PartData {
        content_type: content_type.into(),
        content_id: name.into(),
        content_location: name.into(),
        name: name.into(),
        data: Buffer::copy_from_slice(data),
    };
    let parts = vec![
        part("application/smil", "s.smil", data),
        part("image/jpeg", "a.jpg", b"\xff\xd8\xff"),
        part("video/3gpp", "b.3gp", b"\0\0\0\x18ftyp3gp4"),
    ];
    let message = Message::from_parts(Vec::new(), parts, &ParseLimits::default());
    let message = message.expect("three parts");
    let _ = message.lint();
    let still = Edit::Replace { content_type: "image/png".into(), data: Buffer::new() };
    let edits = [Edit::Keep, Edit::Drop, still];
    let _ = message.rewrite(&edits[..message.parts().len().min(3)]);
}

/// A device's document.
pub fn uaprof(data: &[u8]) {
    let _ = profile::parse(data);
}

/// A JPEG's segments and scans.
pub fn jpeg(data: &[u8]) {
    decode(&[b"\xff\xd8", data].concat());
}

/// The headers of all image formats.
pub fn headers(data: &[u8]) {
    let input = Buffer::copy_from_slice(data);
    let _ = ImageCodec.probe(&input, &small(), &Stop::never());
    decode(data);
}

fn small() -> DecodeLimits {
    DecodeLimits { max_pixels: 1 << 20, max_total_pixels: 1 << 22, ..DecodeLimits::default() }
}

fn decode(data: &[u8]) {
    let largest = Dimensions::at_least_one(64, 64);
    let hint = OpenHint { largest, animation: true, effort: Effort::Fast };
    let input = Buffer::copy_from_slice(data);
    if let Ok(session) = ImageCodec.open(&input, hint, &small(), &Stop::never()) {
        assert!(session.info().dimensions.is_some(), "decoded, but of no size");
    }
}

/// The first bytes of anything.
pub fn sniffing(data: &[u8]) {
    let _ = sniff(data);
}

/// Frames between host and worker, both ways. What is read is written as it was.
pub fn protocol(data: &[u8]) {
    fn both<M: Frame + PartialEq + std::fmt::Debug>(data: &[u8]) {
        if let Ok(read) = M::from_frame(Buffer::copy_from_slice(data)) {
            let frame = Buffer::from(read.to_frame()).slice(4..);
            let again = M::from_frame(frame.clone()).expect("what was written can be read");
            assert_eq!(again.to_frame()[4..], frame[..]);
        }
    }
    both::<Request>(data);
    both::<Answer>(data);
}
