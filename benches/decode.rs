//! A photo at a fraction of its size: our reader beside `jpeg-decoder`, for three bounds.
//!
//!     cargo bench --bench decode [PHOTO]

#[path = "support/mod.rs"]
mod support;

use mmsfit::{
    codec::image::jpeg_in,
    model::{Bytes, Dimensions, Stop},
    samples::{self, photo},
};
use support::Case;

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let (name, data) = match given {
        Some(path) => (path.clone(), std::fs::read(path).expect("a photo").into()),
        None => {
            let pixels = photo::photo(4032, 3024, 1);
            ("4032x3024".to_owned(), samples::jpeg(&pixels, None).expect("a photo"))
        }
    };
    for (w, h) in [(320u16, 240u16), (640, 480), (1600, 1200)] {
        let target = Dimensions::at_least_one(w.into(), h.into());
        let ours = || {
            let read = jpeg_in::decode(&data, target, Bytes::new(1 << 30), &Stop::never());
            read.map(|read| read.pixels.len() as u64).ok_or_else(|| "not plain".to_owned())
        };
        let theirs = || {
            let mut decoder = jpeg_decoder::Decoder::new(&data[..]);
            decoder.scale(w, h).map_err(|error| error.to_string())?;
            decoder.decode().map(|out| out.len() as u64).map_err(|error| error.to_string())
        };
        let cases = vec![Case::new("jpeg-decoder", theirs), Case::new("ours", ours)];
        support::run(&format!("{name} for {w}x{h}"), "jpeg-decoder", 9, cases);
    }
}
