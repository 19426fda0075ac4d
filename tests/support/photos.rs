//! A photo-like image and a message around it, made by hand: WSP multipart in an M-Send.req.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use image::{RgbImage, codecs::jpeg::JpegEncoder};

/// A JPEG with slopes, edges and some grain, the same each time.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut seed = 0x2545_f491_u32;
    let image = RgbImage::from_fn(width, height, |x, y| {
        // xorshift32
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let grain = i64::from(seed % 25) - 12;
        let wave = (f64::from(x) / 37.0).sin() * (f64::from(y) / 53.0).cos() * 60.0;
        let edge = if (x / 160 + y / 120) % 2 == 0 { 20 } else { -20 };
        let level = |base: u32, span: u32| {
            (i64::from(base * 160 / span) + 40 + wave as i64 + edge + grain).clamp(0, 255) as u8
        };
        image::Rgb([level(x, width), level(y, height), level(x + y, width + height)])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 92).encode_image(&image).expect("it encodes");
    jpeg
}

/// An M-Send.req (OMA-TS-MMS_ENC) with these parts: well-known content type, Content-Location,
/// data.
pub fn pdu(parts: &[(u8, &str, &[u8])]) -> Vec<u8> {
    let mut out = b"\x8c\x80\x98T1\0\x8d\x92\x89\x01\x81\x97+15550100/TYPE=PLMN\0\x84\xa3".to_vec();
    uintvar(&mut out, parts.len());
    for (content_type, location, data) in parts {
        let mut headers = vec![0x80 | content_type, 0x8e];
        headers.extend_from_slice(location.as_bytes());
        headers.push(0);
        uintvar(&mut out, headers.len());
        uintvar(&mut out, data.len());
        out.extend(headers);
        out.extend_from_slice(data);
    }
    out
}

/// WSP well-known content types (WAP-230 table 40).
pub const IMAGE_JPEG: u8 = 0x1e;
pub const TEXT_PLAIN: u8 = 0x03;

fn uintvar(out: &mut Vec<u8>, n: usize) {
    for shift in (1..5).rev().map(|i| i * 7) {
        if n >> shift > 0 {
            out.push(0x80 | (n >> shift & 0x7f) as u8);
        }
    }
    out.push((n & 0x7f) as u8);
}
