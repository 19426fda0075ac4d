//! What is said arrives as it was said, and what is not said does no harm.

use proptest::prelude::*;

use super::*;
use crate::model::{
    AudioCodec, AudioCoding, AudioRecipe, AudioTrack, BitRate, Chroma, Container, Effort,
    FrameRate, ImageCoding, ImageRecipe, MediaType, Millis, Quality, RemuxRecipe, SampleRate,
    StopCause, VideoCodec, VideoCoding, VideoRecipe, VideoTrack,
};

fn parse<T: Message>(frame: &[u8]) -> Result<T, Garbled> {
    T::from_frame(Buffer::copy_from_slice(frame))
}

/// It comes back whole, and neither cut short nor with more behind it is it anything.
fn survives<T: Message + PartialEq + std::fmt::Debug>(message: &T) {
    let frame = message.to_frame();
    let prefix: [u8; PREFIX] = frame[..PREFIX].try_into().unwrap();
    assert_eq!(frame_length(prefix, MAX_FRAME).unwrap(), frame.len() - PREFIX);
    let body = &frame[PREFIX..];
    assert_eq!(parse::<T>(body).as_ref(), Ok(message));
    for end in 0..body.len() {
        assert!(parse::<T>(&body[..end]).is_err(), "{message:?} cut to {end}");
    }
    let more = [body, &[0]].concat();
    assert!(parse::<T>(&more).is_err(), "{message:?} with more");
}

fn d(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

fn info() -> MediaInfo {
    MediaInfo {
        codec: "baseline".into(),
        dimensions: Some(d(320, 240)),
        frames: 30,
        duration: Millis::new(2000),
        bitrate: BitRate::new(64_000),
        video: Some(VideoTrack {
            codec: "h263".into(),
            profile: String::new(),
            frame_rate: 14.985,
            bitrate: BitRate::new(50_000),
        }),
        audio: Some(AudioTrack {
            codec: "amr_nb".into(),
            profile: "ä".into(),
            sample_rate: SampleRate::new(8000),
            channels: 1,
            bitrate: BitRate::new(12_200),
            unreadable: "why".into(),
        }),
        has_alpha: true,
        has_metadata: true,
        truncated: true,
        ..MediaInfo::opaque(MediaType::fold("video/3gpp"), Bytes::new(16_000))
    }
}

fn reference() -> Reference {
    Reference { dimensions: d(2, 2), luma: Buffer::from_static(&[1, 2, 3, 4]), background: [9; 3] }
}

fn recipes() -> Vec<Recipe> {
    let image = |coding| {
        Recipe::Image(ImageRecipe { dimensions: d(176, 144), coding, background: [255, 0, 7] })
    };
    let audio = AudioCoding {
        codec: AudioCodec::AmrWb,
        bitrate: BitRate::new(12_650),
        sample_rate: SampleRate::new(16_000),
        channels: 1,
    };
    let video = VideoCoding {
        codec: VideoCodec::H264,
        bitrate: BitRate::new(90_000),
        dimensions: d(320, 180),
        rate: FrameRate::new(30_000, 1001).unwrap(),
    };
    let video =
        |audio, keep| Recipe::Video(VideoRecipe { container: Container::Mp4, video, audio, keep });
    vec![
        image(ImageCoding::Jpeg { quality: Quality::new(71), chroma: Chroma::Full, trellis: true }),
        image(ImageCoding::Png { colors: Some(16), dither: true }),
        image(ImageCoding::Gif { colors: 64, frame_step: 3 }),
        image(ImageCoding::Wbmp),
        Recipe::Audio(AudioRecipe {
            container: Container::Amr,
            coding: audio,
            keep: Some(Millis::new(900)),
        }),
        video(Some(audio), None),
        video(None, Some(Millis::new(5000))),
        Recipe::Remux(RemuxRecipe { container: Container::ThreeGp, video: true, audio: None }),
    ]
}

#[test]
fn requests_survive() {
    let (limits, input) = (DecodeLimits::default(), Buffer::from_static(b"bytes"));
    let hint = OpenHint { largest: d(640, 480), animation: true, effort: Effort::Balanced };
    survives(&Request::Probe { input: input.clone(), limits });
    survives(&Request::Open { input: input.clone(), hint, limits });
    survives(&Request::Preview { input: input.clone(), hint, limits });
    let samples = Buffer::from_static(&[0, 0, 128, 63]);
    let (rate, channels) = (SampleRate::new(44_100), 1);
    let info = Box::new(info());
    survives(&Request::OpenAudio { info, rate, channels, samples, hint, limits });
    survives(&Request::Facts);
    survives(&Request::Reference { largest: d(1, 1), background: [0, 1, 2] });
    survives(&Request::Moments { count: 9, background: [0, 1, 2] });
    for recipe in recipes() {
        survives(&Request::Measure(recipe));
        survives(&Request::Encode { recipe, cap: Bytes::new(u64::MAX) });
    }
    for reference in [None, Some(reference())] {
        survives(&Request::Verify { output: input.clone(), reference, limits });
    }
    survives(&Request::Strip(Buffer::new()));
}

#[test]
fn replies_survive() {
    let malformed = CodecError::Malformed { format: "MP4", detail: "a box".into() };
    let unsupported = CodecError::Unsupported { format: "HEIC", detail: String::new() };
    let limit = CodecError::Limit { what: "pixels", found: 9, limit: 3 };
    let errors = [
        malformed,
        unsupported,
        limit,
        CodecError::Stopped(StopCause::Deadline),
        CodecError::Stopped(StopCause::Cancelled),
        CodecError::Internal("so it is".into()),
    ];
    for error in errors {
        survives(&Reply::Failed(error));
    }
    let facts = ContentFacts {
        distinct_colors: Some(12),
        transparent: true,
        gray: false,
        graphic: true,
        music: true,
    };
    let verified = Verified { info: info(), quality: Some(71.5) };
    for reply in [
        Reply::Info(info()),
        Reply::Facts(facts),
        Reply::Reference(Some(reference())),
        Reply::Reference(None),
        Reply::Moments(Some(vec![reference(), reference()])),
        Reply::Moments(None),
        Reply::Measured(Some(Bytes::new(7))),
        Reply::Measured(None),
        Reply::Output(Some(Buffer::from_static(b"out"))),
        Reply::Output(None),
        Reply::OverCap(Bytes::new(70_000)),
        Reply::Verified(verified),
    ] {
        survives(&reply);
    }
}

#[test]
fn control_survives() {
    survives(&Command::Start { job: 7, limits: JobLimits::default() });
    survives(&Command::Kill(u64::MAX));
    survives(&Command::Ping);
    for exit in [Exit::Status(1), Exit::Signal(9), Exit::NotStarted(-11)] {
        survives(&Event::Ended { job: 3, exit });
    }
    survives(&Event::Pong);
    let confinement = Confinement { system_call_filter: true, landlock: 4, ..Default::default() };
    survives(&Greeting::Ready {
        version: "1".into(),
        confinement,
        libraries: vec!["a 1 (LGPL)".into(), String::new()],
    });
    survives(&Greeting::Refused { version: "1".into(), reason: "no filter".into() });
}

#[test]
fn words_of_a_worker_are_made_harmless() {
    let evil = format!("\u{1b}[2Jline\nline{}", "x".repeat(5000));
    let frame = Reply::Failed(CodecError::Malformed { format: "EVIL\n", detail: evil }).to_frame();
    let Ok(Reply::Failed(CodecError::Malformed { format, detail })) = parse(&frame[PREFIX..])
    else {
        panic!("it is an error");
    };
    assert_eq!(format, "media", "only known names");
    assert!(!detail.contains(char::is_control) && detail.chars().count() == 300, "{detail}");
}

#[test]
fn lengths_are_not_believed() {
    assert!(frame_length([255; 4], usize::MAX).is_err());
    assert!(frame_length(1001u32.to_le_bytes(), 1000).is_err());
    assert_eq!(frame_length(1000u32.to_le_bytes(), 1000), Ok(1000));
    // An output of 2^63 bytes, a text of 4 GiB, an image without a side.
    assert!(parse::<Reply>(&[4, 1, 0, 0, 0, 0, 0, 0, 0, 128]).is_err());
    assert!(parse::<Reply>(&[7, 4, 255, 255, 255, 255]).is_err());
    assert!(parse::<Reply>(&[2, 1, 0, 0, 0, 0, 1, 0, 0, 0]).is_err());
}

proptest! {
    #[test]
    fn noise_is_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        // Whatever is read says the same when it is said again.
        if let Ok(reply) = parse::<Reply>(&noise) {
            let again = parse::<Reply>(&reply.to_frame()[PREFIX..]).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{reply:?}"));
        }
        let _ = (parse::<Request>(&noise), parse::<Event>(&noise), parse::<Greeting>(&noise));
    }

    #[test]
    fn flipped_bytes_are_read_or_refused(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let frame = Reply::Verified(Verified { info: info(), quality: None }).to_frame();
        let mut body = frame[PREFIX..].to_vec();
        let at = at.index(body.len());
        body[at] = to;
        let _ = parse::<Reply>(&body);
    }
}
