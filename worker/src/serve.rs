//! A job's conversation: the calls of the `Codec` and `Session` traits, one after the other.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, CodecSet, EncodeError, Session},
    model::Stop,
    worker::protocol::{Answer, MAX_FRAME, Message, PREFIX, Reply, Request, frame_length},
};

use crate::{faults::FaultCodec, heif::HeifCodec, libav::AvCodec};

/// Exit status after a conversation that the host ended.
const DONE: i32 = 0;
/// Exit status after an invalid request.
const GARBLED: i32 = 65;

/// The codecs of this package.
fn codecs(faults: bool) -> CodecSet {
    let mut codecs: Vec<Box<dyn Codec>> = vec![Box::new(HeifCodec), Box::new(AvCodec)];
    if faults {
        codecs.insert(0, Box::new(FaultCodec));
    }
    CodecSet::new(codecs)
}

/// Loads and initialises once what every job would otherwise repeat. No input is touched.
pub fn warm() {
    crate::heif::warm();
    crate::libav::warm();
}

/// The libraries with their versions and licences.
pub fn libraries() -> Vec<String> {
    let mut libraries = crate::libav::libraries();
    libraries.push(crate::heif::library());
    libraries
}

/// Answers until the host hangs up; then the status to exit with.
pub fn serve(mut socket: UnixStream, faults: bool) -> i32 {
    let codecs = codecs(faults);
    let mut session: Option<Box<dyn Session>> = None;
    while let Some(frame) = read_frame(&mut socket) {
        let Ok(request) = Request::from_frame(frame) else { return GARBLED };
        // A panic leaves the session in an unknown state: it is not used again.
        let answered = catch_unwind(AssertUnwindSafe(|| answer(&codecs, &mut session, request)));
        let reply = answered.unwrap_or_else(|panic| {
            session = None;
            Reply::Failed(CodecError::Malformed { format: "media", detail: words(&*panic) })
        });
        let answer = Answer { cpu_us: cpu_us(), reply };
        if socket.write_all(&answer.to_frame()).is_err() {
            break;
        }
    }
    // The process ends: taking the session apart would only cost time.
    std::mem::forget(session);
    DONE
}

/// CPU time of this process, in microseconds.
fn cpu_us() -> u64 {
    // SAFETY: an all-zero `timespec` is a valid one, and the call fills it.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time);
        time
    };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the decoder failed: {}", text.unwrap_or("no message"))
}

fn answer(codecs: &CodecSet, session: &mut Option<Box<dyn Session>>, request: Request) -> Reply {
    let never = Stop::never();
    match request {
        Request::Probe { input, limits } => reply(
            find(codecs, &input)
                .and_then(|codec| codec.probe(&input, &limits, &never))
                .map(Reply::Info),
        ),
        Request::Open { input, hint, limits } => {
            let opened =
                find(codecs, &input).and_then(|codec| codec.open(&input, hint, &limits, &never));
            reply(opened.map(|opened| Reply::Info(session.insert(opened).info().clone())))
        }
        Request::OpenAudio { info, rate, channels, samples, hint, limits } => {
            let opened = crate::libav::open_audio(*info, (rate, channels), samples, hint, limits);
            reply(opened.map(|opened| Reply::Info(session.insert(opened).info().clone())))
        }
        Request::Preview { input, hint, limits } => {
            let found =
                find(codecs, &input).and_then(|codec| codec.preview(&input, hint, &limits, &never));
            let none = || CodecError::Unsupported { format: "media", detail: "no preview".into() };
            let opened = found.and_then(|preview| preview.ok_or_else(none));
            reply(opened.map(|opened| Reply::Info(session.insert(opened).info().clone())))
        }
        Request::Facts => reply(of(session).map(|s| Reply::Facts(s.facts()))),
        Request::Reference { largest, background } => {
            reply(of(session).map(|s| Reply::Reference(s.reference(largest, background))))
        }
        Request::Moments { count, background } => {
            let found = of(session).and_then(|s| s.moments(count, background, &never));
            reply(found.map(Reply::Moments))
        }
        Request::Measure(recipe) => {
            reply(of(session).and_then(|s| s.measure(&recipe, &never)).map(Reply::Measured))
        }
        Request::Encode { recipe, cap } => {
            match of(session).map(|s| s.encode(&recipe, cap, &never)) {
                Ok(Ok(output)) => Reply::Output(Some(output)),
                Ok(Err(EncodeError::OverCap { at_least })) => Reply::OverCap(at_least),
                Ok(Err(EncodeError::Codec(error))) | Err(error) => Reply::Failed(error),
            }
        }
        Request::Verify { output, reference, limits } => reply(
            find(codecs, &output)
                .and_then(|codec| codec.verify(&output, reference.as_ref(), &limits, &never))
                .map(Reply::Verified),
        ),
        Request::Strip(input) => reply(
            find(codecs, &input)
                .and_then(|codec| codec.strip_metadata(&input, &never))
                .map(Reply::Output),
        ),
    }
}

fn reply(result: Result<Reply, CodecError>) -> Reply {
    result.unwrap_or_else(Reply::Failed)
}

fn find<'a>(codecs: &'a CodecSet, input: &[u8]) -> Result<&'a dyn Codec, CodecError> {
    codecs.find(input).map(|(codec, _)| codec).ok_or_else(|| CodecError::Unsupported {
        format: "media",
        detail: "the worker does not know this format".into(),
    })
}

fn of(session: &mut Option<Box<dyn Session>>) -> Result<&mut Box<dyn Session>, CodecError> {
    session.as_mut().ok_or_else(|| CodecError::Internal("nothing is open".into()))
}

fn read_frame(socket: &mut UnixStream) -> Option<Buffer> {
    let mut prefix = [0; PREFIX];
    socket.read_exact(&mut prefix).ok()?;
    let length = frame_length(prefix, MAX_FRAME).ok()?;
    let mut frame = Vec::new();
    frame.try_reserve_exact(length).ok()?;
    let read = socket.take(length as u64).read_to_end(&mut frame).ok()?;
    (read == length).then(|| frame.into())
}
