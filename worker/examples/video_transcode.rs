//! One video through the worker's codec in process, for comparison with other tools: decoded once,
//! encoded to a byte count. Prints bytes and CPU seconds.
//!
//!     video_transcode IN OUT h263|h264 WIDTH HEIGHT FPS BYTES

#![allow(unsafe_code, reason = "asks libc for the CPU time")]

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint},
    model::{
        BitRate, Bytes, Container, Dimensions, Effort, FrameRate, Recipe, Stop, VideoCodec,
        VideoCoding, VideoRecipe,
    },
};
use mmsfit_worker::libav::{AvCodec, warm};

fn cpu_seconds() -> f64 {
    // SAFETY: plain old data, written by the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let of = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    of(usage.ru_utime) + of(usage.ru_stime)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |n: usize| arguments[n].parse::<u32>().expect("a number");
    let input = Buffer::from(std::fs::read(&arguments[1]).expect("readable"));
    let h263 = arguments[3] == "h263";
    let dimensions = Dimensions::at_least_one(number(4), number(5));
    let (rate, bytes) = (number(6), number(7));
    warm();
    let hint = OpenHint { largest: dimensions, animation: false, effort: Effort::Balanced };
    let limits = DecodeLimits::default();
    let mut session = AvCodec.open(&input, hint, &limits, &Stop::never()).expect("opens");
    let seconds = session.info().duration.seconds();
    // The index takes some 12 bytes an image and 700 in all.
    let payload = f64::from(bytes) - 700.0 - 12.0 * seconds * f64::from(rate);
    let recipe = Recipe::Video(VideoRecipe {
        container: if h263 { Container::ThreeGp } else { Container::Mp4 },
        video: VideoCoding {
            codec: if h263 { VideoCodec::H263 } else { VideoCodec::H264 },
            bitrate: BitRate::new((payload * 8.0 / seconds) as u32),
            dimensions,
            rate: FrameRate::new(rate, 1).expect("a rate"),
        },
        audio: None,
        keep: None,
    });
    let out = session.encode(&recipe, Bytes::new(u64::MAX), &Stop::never()).expect("encodes");
    std::fs::write(&arguments[2], &out).expect("written");
    println!("{} {:.3}", out.len(), cpu_seconds());
}
