//! What the sandbox adds to one job: the same probe and the same small encode in process and in a
//! confined process, in turn. Prints medians and their difference.
//!
//!     cargo build --release && cargo run --release -p mmsfit-worker --example sandbox_cost [FILE]

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Bytes, Container, Dimensions, Effort,
        Recipe, SampleRate, Stop,
    },
    samples::av,
    worker::host::{Settings, Workers},
};
use mmsfit_worker::libav::{AvCodec, warm};

const ROUNDS: usize = 200;

fn probe(codec: &dyn Codec, input: &Buffer) -> Duration {
    let began = Instant::now();
    codec.probe(input, &DecodeLimits::default(), &Stop::never()).expect("a valid input");
    began.elapsed()
}

fn encode(codec: &dyn Codec, input: &Buffer) -> Duration {
    let coding = AudioCoding {
        codec: AudioCodec::AmrNb,
        bitrate: BitRate::new(12_200),
        sample_rate: SampleRate::new(8000),
        channels: 1,
    };
    let recipe = Recipe::Audio(AudioRecipe { container: Container::Amr, coding, keep: None });
    let hint = OpenHint {
        largest: Dimensions::at_least_one(1, 1),
        animation: false,
        effort: Effort::Balanced,
    };
    let limits = DecodeLimits::default();
    let began = Instant::now();
    let mut session = codec.open(input, hint, &limits, &Stop::never()).expect("opens");
    session.encode(&recipe, Bytes::new(1 << 20), &Stop::never()).expect("encodes");
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() {
    let program = std::env::current_exe().expect("a path");
    let beside = program.parent().and_then(|dir| dir.parent()).expect("a directory");
    let workers = Workers::new(Settings::new(beside.join("mmsfit-worker")));
    let remote = workers.codec();
    workers.ready().expect("mmsfit-worker is built");
    warm();
    let input = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path).expect("readable").into(),
        None => av::wav(1),
    };
    type Run = fn(&dyn Codec, &Buffer) -> Duration;
    for (name, run) in [("probe", probe as Run), ("open + encode", encode as Run)] {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            here.push(run(&AvCodec, &input));
            there.push(run(&remote, &input));
        }
        let (here, there) = (median(here), median(there));
        let added = there - here;
        println!("{name}: in process {here:.2} ms, sandboxed {there:.2} ms, added {added:.2} ms");
    }
}
