//! Audio that the host decodes: the same facts as libav finds, and outputs that sound the same.

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session, audio},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Bytes, Container, Dimensions, Effort,
        MediaInfo, Millis, Recipe, RemuxRecipe, SampleRate, Stop,
    },
    worker::host::{Settings, Workers},
};
use mmsfit_worker::libav::{AvCodec, open_audio, warm};

use crate::support::{corpus, ffmpeg, wav};

const HINT: OpenHint = OpenHint {
    largest: Dimensions::new(176, 144).unwrap(),
    animation: false,
    effort: Effort::Balanced,
};
const SPEECH: &str = "-ac 1 -ar 8000";
const ALL: Bytes = Bytes::new(u64::MAX);

const FILES: [(&str, &str); 14] = [
    ("-ac 2 -c:a libmp3lame -b:a 128k", ".mp3"),
    ("-ac 1 -c:a libmp3lame -ar 8000 -b:a 16k", ".mp3"),
    ("-ac 2 -c:a libmp3lame -q:a 5 -write_xing 0", ".mp3"),
    ("-ac 2 -c:a aac", ".aac"),
    ("-ac 2 -c:a aac", ".m4a"),
    ("-ac 1 -c:a aac -ar 16000", ".m4a"),
    ("-ac 2 -c:a aac", ".3gp"),
    ("-ac 1 -c:a alac", ".m4a"),
    ("-ac 2 -c:a flac", ".flac"),
    ("-ac 2 -c:a libvorbis", ".ogg"),
    ("-ac 2 -c:a pcm_s16le", ".wav"),
    ("-ac 1 -c:a adpcm_ima_wav -ar 8000", ".wav"),
    ("-ac 2 -c:a pcm_s16be", ".aiff"),
    ("-ac 2 -c:a pcm_s16be", ".caf"),
];

fn made((arguments, extension): (&str, &str)) -> Option<Buffer> {
    let noise = "-f lavfi -i anoisesrc=d=3.17:c=pink:r=44100:a=0.3:seed=7";
    ffmpeg(&format!("{noise} {arguments}"), extension).map(Buffer::from)
}

fn limits() -> DecodeLimits {
    DecodeLimits::default()
}

/// All fields are the same but two. `duration`: libav counts what LAME puts around an audio file
/// (1105 samples before it, up to 1152 behind), and the first packet that an edit list hides a
/// part of; this process does not. Rates follow from that: within as much.
fn assert_same(ours: &MediaInfo, theirs: &MediaInfo, what: &str) {
    let rate = ours.audio.as_ref().expect("audio").sample_rate;
    let slack = Millis::new(2400 * 1000 / rate.get() + 2);
    let near = |a: BitRate, b: BitRate| {
        let share = slack.seconds() / theirs.duration.seconds() + 0.005;
        (a.per_second() - b.per_second()).abs() <= b.per_second() * share
    };
    assert!(ours.duration.abs_diff(theirs.duration) <= slack, "{what}: {ours:?} {theirs:?}");
    let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
    assert!(near(ours.bitrate, theirs.bitrate), "{what}: {ours:?} {theirs:?}");
    let rates = ours.audio.as_ref().zip(theirs.audio.as_ref());
    let (a, b) = rates.map(|(a, b)| (a.bitrate, b.bitrate)).expect("both have audio");
    assert!(near(a, b), "{what}: {ours:?} {theirs:?}");
    for info in [&mut ours, &mut theirs] {
        (info.duration, info.bitrate) = (Millis::ZERO, BitRate::ZERO);
        info.audio.as_mut().expect("audio").bitrate = BitRate::ZERO;
    }
    assert_eq!(ours, theirs, "{what}");
}

#[test]
fn both_ways_tell_the_same() {
    warm();
    for file in FILES {
        let Some(bytes) = made(file) else { return };
        let ours = audio::probe(&bytes, &limits()).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        let theirs = AvCodec
            .probe(&bytes, &limits(), &Stop::never())
            .unwrap_or_else(|e| panic!("{file:?}: {e}"));
        assert_same(&ours, &theirs, &format!("{file:?}"));
    }
}

#[test]
fn both_ways_tell_the_same_of_real_audio() {
    warm();
    let (mut here, mut left) = (0, Vec::new());
    for path in corpus("audio") {
        let bytes = Buffer::from(std::fs::read(&path).expect("readable"));
        match audio::probe(&bytes, &limits()) {
            Ok(ours) => {
                here += 1;
                let what = path.display().to_string();
                let theirs = AvCodec.probe(&bytes, &limits(), &Stop::never());
                assert_same(&ours, &theirs.unwrap_or_else(|e| panic!("{what}: {e}")), &what);
            }
            Err(error) => left.push(format!("{}: {error}", path.display())),
        }
    }
    println!("{here} here, {} left:\n{}", left.len(), left.join("\n"));
}

fn given(bytes: &Buffer) -> Box<dyn Session> {
    let audio = audio::decode(bytes, &limits(), &Stop::never()).expect("it is decoded");
    let form = (audio.rate, audio.channels);
    open_audio(audio.info, form, audio.samples, HINT, limits()).expect("it opens")
}

fn recipe(codec: AudioCodec, container: Container, bitrate: u32, form: (u32, u8)) -> Recipe {
    let (bitrate, sample_rate) = (BitRate::new(bitrate), SampleRate::new(form.0));
    let coding = AudioCoding { codec, bitrate, sample_rate, channels: form.1 };
    Recipe::Audio(AudioRecipe { container, coding, keep: None })
}

fn heard(bytes: &Buffer, arguments: &str) -> Option<Vec<f64>> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let pcm = ffmpeg(&format!("-i {} {arguments} -f s16le", file.path().display()), ".pcm")?;
    Some(pcm.chunks_exact(2).map(|s| f64::from(i16::from_le_bytes([s[0], s[1]]))).collect())
}

/// How alike two audio files at 8 kHz are, sample by sample, the second up to 150 ms late: 1 is the
/// same.
fn likeness(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let alike = |b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1.0);
    (0..1200.min(b.len())).map(|late| alike(&b[late..])).fold(-1.0, f64::max)
}

/// libav puts silence where it left out what LAME put before an audio file (1105 samples of any
/// rate): its outputs are late by it.
#[test]
fn samples_become_what_bytes_become() {
    warm();
    let targets = [
        recipe(AudioCodec::AmrNb, Container::Amr, 12_200, (8000, 1)),
        recipe(AudioCodec::Aac, Container::Mp4, 48_000, (32_000, 2)),
        recipe(AudioCodec::Mp3, Container::Mp3, 64_000, (44_100, 1)),
    ];
    for (n, file) in FILES.into_iter().enumerate() {
        let Some(bytes) = made(file) else { return };
        let mut ours = given(&bytes);
        let whole = AvCodec.open(&bytes, HINT, &limits(), &Stop::never());
        let mut theirs = whole.unwrap_or_else(|e| panic!("{file:?}: {e}"));
        assert_eq!(ours.facts(), theirs.facts(), "{file:?}");
        let target = &targets[n % targets.len()];
        let encoded = |session: &mut Box<dyn Session>| {
            let out = session.encode(target, ALL, &Stop::never());
            out.unwrap_or_else(|e| panic!("{file:?} {target:?}: {e}"))
        };
        let (a, b) = (encoded(&mut ours), encoded(&mut theirs));
        assert_eq!(a, encoded(&mut given(&bytes)), "{file:?}: the same again");
        // A packet more or less, where libav's length holds what LAME put around the audio.
        let most = b.len() / 20 + 500;
        assert!(a.len().abs_diff(b.len()) <= most, "{file:?}: {} and {}", a.len(), b.len());
        let (Some(a), Some(b)) = (heard(&a, SPEECH), heard(&b, SPEECH)) else { return };
        let alike = likeness(&a, &b);
        println!("{file:?} {alike}");
        assert!(alike > 0.8, "{file:?} {target:?}: {alike}");
    }
}

#[test]
fn opposite_sides_of_samples_do_not_cancel() {
    warm();
    let tone = |n: usize| ((n as f64 * 0.1).sin() * 9000.0) as i16;
    let loudness = |side: i16| -> Option<f64> {
        let samples: Vec<i16> = (0..32_000).flat_map(|n| [tone(n), tone(n) * side]).collect();
        let mut session = given(&wav(16_000, 2, &samples).into());
        let amr = recipe(AudioCodec::AmrNb, Container::Amr, 12_200, (8000, 1));
        let out = session.encode(&amr, ALL, &Stop::never()).expect("written");
        let pcm = heard(&out, SPEECH)?;
        Some((pcm.iter().map(|s| s * s).sum::<f64>() / pcm.len() as f64).sqrt())
    };
    let (Some(together), Some(apart)) = (loudness(1), loudness(-1)) else { return };
    assert!(apart > together * 0.9 && together > 3000.0, "{apart} of {together}");
}

#[test]
fn samples_of_no_form_are_refused() {
    let info = audio::probe(&wav(8000, 1, &[1000; 8000]).into(), &limits()).expect("an audio file");
    let opened = |rate, channels, bytes: usize| {
        let samples = Buffer::from(vec![0; bytes]);
        open_audio(info.clone(), (SampleRate::new(rate), channels), samples, HINT, limits())
    };
    for (rate, channels, bytes) in
        [(8000, 0, 8), (8000, 3, 24), (0, 1, 8), (8000, 2, 4), (8000, 1, 0)]
    {
        assert!(opened(rate, channels, bytes).is_err(), "{rate} {channels} {bytes}");
    }
    let mut session = opened(8000, 1, 32_000).expect("it opens");
    let other = RemuxRecipe { container: Container::Mp4, video: false, audio: None };
    assert!(session.encode(&Recipe::Remux(other), ALL, &Stop::never()).is_err(), "bytes are away");
}

/// Through the sandbox: no job to know an audio file, one to encode it, one more to move its
/// packets.
#[test]
fn jobs_are_started_for_what_needs_them() {
    let workers = Workers::new(Settings::new(env!("CARGO_BIN_EXE_mmsfit-worker").into()));
    let jobs = || workers.ready().expect("it runs").jobs_started;
    let codec = workers.codec();
    let amr = recipe(AudioCodec::AmrNb, Container::Amr, 12_200, (8000, 1));
    let open = |bytes: &Buffer, limits: DecodeLimits| {
        codec.open(bytes, HINT, &limits, &Stop::never()).expect("it opens")
    };
    let tone: Vec<i16> =
        (0..80_000).map(|n| ((f64::from(n) * 0.1).sin() * 9000.0) as i16).collect();
    let bytes = Buffer::from(wav(16_000, 1, &tone));
    let info = codec.probe(&bytes, &limits(), &Stop::never()).expect("an audio file");
    assert_eq!((info.duration, info.codec.as_str()), (Millis::new(5000), "pcm_s16le"));
    let mut session = open(&bytes, limits());
    assert_eq!(session.info(), &info);
    assert_eq!(jobs(), 0);
    session.facts();
    let out = session.encode(&amr, ALL, &Stop::never()).expect("written");
    assert_eq!(out, session.encode(&amr, ALL, &Stop::never()).expect("written again"));
    assert_eq!(jobs(), 1);
    // Too long for the memory allowed here: the worker gets all of it, and makes the same.
    let tight = DecodeLimits { max_memory: Bytes::new(500_000), ..limits() };
    let whole = open(&bytes, tight).encode(&amr, ALL, &Stop::never()).expect("written");
    assert_eq!((whole.len(), jobs()), (out.len(), 2));
    let cut = bytes.slice(..bytes.len() / 2);
    assert!(open(&cut, limits()).encode(&amr, ALL, &Stop::never()).is_ok(), "damaged");
    assert_eq!(jobs(), 3);
    let Some(aac) = made(("-ac 2 -c:a aac", ".m4a")) else { return };
    let other =
        RemuxRecipe { container: Container::ThreeGp, video: false, audio: Some(AudioCodec::Aac) };
    let mut session = open(&aac, limits());
    let moved = session.encode(&Recipe::Remux(other), ALL, &Stop::never()).expect("moved");
    assert_eq!(jobs(), 4);
    assert_eq!(codec.probe(&moved, &limits(), &Stop::never()).expect("an audio file").codec, "aac");
}
