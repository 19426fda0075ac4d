//! What every codec keeps, whoever does the work: a codec of this process, one in a confined
//! process, the fake one of the pipeline's tests.
//!
//! One file for the tests inside of both packages and those beside them.
#![allow(dead_code, reason = "each program uses a part of this")]

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, EncodeError, OpenHint, Session},
    model::{Bytes, Category, Fault, Recipe, Stop, StopCause},
};

/// A medium that a codec reads, and a recipe that it writes.
pub struct Sample {
    pub name: &'static str,
    pub input: Buffer,
    pub hint: OpenHint,
    pub recipe: Recipe,
}

/// Holds a codec to its contract.
///
/// # Panics
/// Where it breaks it.
pub fn keeps_its_contract(codec: &dyn Codec, sample: &Sample) {
    is_known(codec, sample);
    let whole = is_deterministic(codec, sample);
    keeps_the_cap(codec, sample, &whole);
    stops(codec, sample);
    survives_damage(codec, sample);
    // What a codec does not read itself, another one checks.
    if codec.recognise(&whole).is_none() {
        return;
    }
    let verified = codec.verify(&whole, None, &DecodeLimits::default(), &Stop::never());
    let verified = verified.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
    assert_eq!(verified.info.media_type, sample.recipe.media_type(), "{}", sample.name);
}

fn open(codec: &dyn Codec, sample: &Sample) -> Box<dyn Session> {
    let opened = codec.open(&sample.input, sample.hint, &DecodeLimits::default(), &Stop::never());
    opened.unwrap_or_else(|error| panic!("{}: {error}", sample.name))
}

/// What it reads it knows by its bytes, probes, and says that it can write.
fn is_known(codec: &dyn Codec, sample: &Sample) {
    let known = codec.recognise(&sample.input);
    let media_type = known.unwrap_or_else(|| panic!("{}: not recognised", sample.name));
    let written = sample.recipe.media_type().kind();
    assert!(codec.writes(&media_type, written), "{}: does not write {written:?}", sample.name);
    let info = codec.probe(&sample.input, &DecodeLimits::default(), &Stop::never());
    let info = info.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
    assert_eq!(info.bytes, Bytes::of(&sample.input), "{}", sample.name);
}

/// The same input, hint and recipe give the same bytes, in one session and in another.
fn is_deterministic(codec: &dyn Codec, sample: &Sample) -> Buffer {
    let no_cap = Bytes::new(u64::MAX);
    let mut encoded = Vec::new();
    for mut session in [open(codec, sample), open(codec, sample)] {
        for _ in 0..2 {
            let output = session.encode(&sample.recipe, no_cap, &Stop::never());
            encoded.push(output.unwrap_or_else(|error| panic!("{}: {error}", sample.name)));
        }
    }
    let whole = encoded.remove(0);
    assert!(!whole.is_empty(), "{}", sample.name);
    assert!(encoded.iter().all(|other| *other == whole), "{}: other bytes", sample.name);
    whole
}

/// A cap of its size lets an output pass, a smaller one does not, and what is told of its size then
/// is true. Afterwards the session is as good as before.
fn keeps_the_cap(codec: &dyn Codec, sample: &Sample, whole: &Buffer) {
    let (size, name) = (whole.len() as u64, sample.name);
    let mut session = open(codec, sample);
    for cap in [size - 1, size / 2, 1] {
        match session.encode(&sample.recipe, Bytes::new(cap), &Stop::never()) {
            Err(EncodeError::OverCap { at_least }) => {
                let told = (cap + 1..=size).contains(&at_least.get());
                assert!(told, "{name}: {size} bytes, cap {cap}, told {at_least}");
            }
            Err(error) => panic!("{name}: cap {cap}: {error}"),
            Ok(output) => panic!("{name}: {} bytes within {cap}", output.len()),
        }
    }
    let output = session.encode(&sample.recipe, Bytes::new(size), &Stop::never());
    assert_eq!(output.unwrap_or_else(|error| panic!("{name}: {error}")), *whole, "{name}");
}

/// A stop is obeyed, and named.
fn stops(codec: &dyn Codec, sample: &Sample) {
    let stopped = Stop::never();
    stopped.set(StopCause::Cancelled);
    let opened = codec.open(&sample.input, sample.hint, &DecodeLimits::default(), &stopped);
    let cause = opened.err().unwrap_or_else(|| panic!("{}: opened all the same", sample.name));
    assert_eq!(cause, CodecError::Stopped(StopCause::Cancelled), "{}", sample.name);
    let encoded = open(codec, sample).encode(&sample.recipe, Bytes::new(u64::MAX), &stopped);
    match encoded {
        Err(EncodeError::Codec(CodecError::Stopped(StopCause::Cancelled))) => {}
        other => panic!("{}: {other:?}", sample.name),
    }
}

/// Damaged input is the input's fault, told as such; it never panics, and is never taken for a
/// fault of ours.
fn survives_damage(codec: &dyn Codec, sample: &Sample) {
    let whole = &sample.input;
    let flipped = |every: usize| {
        let mut bytes = whole.to_vec();
        // The first bytes say what it is.
        bytes.iter_mut().skip(16).step_by(every).for_each(|byte| *byte ^= 0x55);
        Buffer::from(bytes)
    };
    let cut = [0, 1, whole.len() / 20, whole.len() / 2].map(|length| whole.slice(..length));
    for input in cut.into_iter().chain([7, 97, 1009].map(flipped)) {
        let never = Stop::never();
        let probed = codec.probe(&input, &DecodeLimits::default(), &never).map(drop);
        let opened = codec.open(&input, sample.hint, &DecodeLimits::default(), &never).map(drop);
        for error in [probed, opened].into_iter().filter_map(Result::err) {
            let theirs = [Category::Input, Category::Unsupported, Category::TooLarge]
                .contains(&error.category());
            assert!(theirs, "{}, {} bytes: {error}", sample.name, input.len());
        }
    }
}
