//! Every audio file of the corpus to every audio format that is written, checked by ffprobe.

use std::{path::Path, process::Command};

use crate::support::{corpus, ffmpeg, ffprobe, wav};
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Bytes, Container, Dimensions, Effort,
        MediaKind, Recipe, SampleRate, Stop,
    },
};
use mmsfit_worker::libav::AvCodec;

const HINT: OpenHint = OpenHint {
    largest: Dimensions::new(176, 144).unwrap(),
    animation: false,
    effort: Effort::Balanced,
};

/// Decodes all with ffmpeg; seconds of what came out.
fn decoded_seconds(bytes: &[u8]) -> Option<f64> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(file.path())
        .args(["-f", "s16le", "-ac", "1", "-ar", "8000", "-"])
        .output()
        .ok()?;
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(out.stdout.len() as f64 / 16_000.0)
}

fn open(path: &Path) -> Option<Box<dyn Session>> {
    let bytes = Buffer::from(std::fs::read(path).expect("readable"));
    let kind = AvCodec.recognise(&bytes)?;
    if kind.kind() != MediaKind::Audio {
        return None;
    }
    match AvCodec.open(&bytes, HINT, &DecodeLimits::default(), &Stop::never()) {
        Ok(session) => Some(session),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn recipe(codec: AudioCodec, container: Container, bitrate: u32, rate: u32) -> Recipe {
    let (bitrate, sample_rate) = (BitRate::new(bitrate), SampleRate::new(rate));
    let coding = AudioCoding { codec, bitrate, sample_rate, channels: 1 };
    Recipe::Audio(AudioRecipe { container, coding, keep: None })
}

/// Frames of random bits at all rates, as phones store EVRC: no encoder is at hand.
#[test]
fn evrc_is_read_as_phones_store_it() {
    let mut file = b"#!EVRC\n".to_vec();
    let mut state = 1u32;
    for n in 0..150usize {
        let (rate, length) = [(1, 2), (3, 10), (4, 22), (4, 22), (0, 0)][n % 5];
        file.push(rate);
        for _ in 0..length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            file.push((state >> 24) as u8);
        }
    }
    let bytes = Buffer::from(file);
    assert_eq!(AvCodec.recognise(&bytes).map(|t| t.as_str().to_owned()), Some("audio/evrc".into()));
    let session = AvCodec.open(&bytes, HINT, &DecodeLimits::default(), &Stop::never());
    let mut session = session.expect("it opens");
    let info = session.info().clone();
    assert_eq!(info.audio.as_ref().map(|track| track.codec.as_str()), Some("evrc"));
    assert!(info.duration.get().abs_diff(3000) <= 20, "{}", info.duration);
    let amr = recipe(AudioCodec::AmrNb, Container::Amr, 12_200, 8000);
    let out = session.encode(&amr, Bytes::new(u64::MAX), &Stop::never()).expect("it is written");
    if ffprobe(&out, "stream=codec_name").is_some() {
        let seconds = decoded_seconds(&out).expect("ffmpeg");
        assert!((seconds - 3.0).abs() <= 0.1, "{seconds}");
    }
}

#[test]
fn every_audio_file_becomes_every_audio_format() {
    let targets = [
        (recipe(AudioCodec::AmrNb, Container::Amr, 7950, 8000), "amr_nb"),
        (recipe(AudioCodec::AmrNb, Container::ThreeGp, 12200, 8000), "amr_nb"),
        (recipe(AudioCodec::AmrWb, Container::Amr, 12650, 16000), "amr_wb"),
        (recipe(AudioCodec::Aac, Container::Mp4, 32000, 32000), "aac"),
        (recipe(AudioCodec::Aac, Container::Adts, 24000, 22050), "aac"),
        (recipe(AudioCodec::Mp3, Container::Mp3, 48000, 32000), "mp3"),
    ];
    mmsfit_worker::libav::warm();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (n, path) in corpus("audio").into_iter().enumerate() {
        let Some(mut session) = open(&path) else {
            println!("not audio: {}", path.display());
            continue;
        };
        let info = session.info().clone();
        println!(
            "{}: {} {:?} {} ms music {}",
            path.file_name().expect("a name").display(),
            info.media_type,
            info.audio,
            info.duration,
            session.facts().music
        );
        let seconds = info.duration.seconds();
        // Two of them for each, in turn: six codings of seventy files take a minute.
        for (recipe, codec) in targets.iter().cycle().skip(n * 2 % 6).take(2) {
            let out = session.encode(recipe, Bytes::new(u64::MAX), &Stop::never());
            let out = out.unwrap_or_else(|e| panic!("{}: {recipe:?}: {e}", path.display()));
            let verified = AvCodec.verify(&out, None, &DecodeLimits::default(), &Stop::never());
            let verified = verified.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(verified.info.media_type, recipe.media_type());
            let Some(told) = ffprobe(&out, "stream=codec_name") else { return };
            assert!(told.contains(&format!("codec_name={codec}\n")), "{told}");
            let got = decoded_seconds(&out).expect("ffmpeg");
            if (got - seconds).abs() > 0.1 {
                wrong.push(format!("{}: {recipe:?}: {got} s of {seconds} s", path.display()));
            }
            count += 1;
        }
    }
    println!("{count} outputs");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn opened(bytes: &Buffer) -> Box<dyn Session> {
    mmsfit_worker::libav::warm();
    let session = AvCodec.open(bytes, HINT, &DecodeLimits::default(), &Stop::never());
    session.unwrap_or_else(|error| panic!("{error}"))
}

/// Every length below a frame of any codec, to every audio format that is written.
#[test]
fn the_shortest_audio_is_still_audio() {
    let targets = [
        recipe(AudioCodec::AmrNb, Container::Amr, 7950, 8000),
        recipe(AudioCodec::AmrNb, Container::ThreeGp, 12200, 8000),
        recipe(AudioCodec::AmrWb, Container::Amr, 12650, 16000),
        recipe(AudioCodec::Aac, Container::Mp4, 32000, 32000),
        recipe(AudioCodec::Aac, Container::Adts, 24000, 22050),
        recipe(AudioCodec::Mp3, Container::Mp3, 48000, 32000),
    ];
    let mut wrong = Vec::new();
    for (rate, samples) in [(8000, 1), (8000, 7), (8000, 40), (44_100, 441), (48_000, 950)] {
        let tone: Vec<i16> = (0..samples).map(|n| ((n % 20) * 1000 - 10_000) as i16).collect();
        let mut session = opened(&wav(rate, 1, &tone).into());
        assert!(!session.info().duration.is_zero());
        for recipe in &targets {
            let out = session.encode(recipe, Bytes::new(u64::MAX), &Stop::never());
            let verified = out.map_err(|e| e.to_string()).and_then(|out| {
                let limits = DecodeLimits::default();
                AvCodec.verify(&out, None, &limits, &Stop::never()).map_err(|e| e.to_string())
            });
            if let Err(error) = verified {
                wrong.push(format!("{samples} at {rate} as {recipe:?}: {error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn opposite_sides_are_heard_as_one() {
    let tone = |n: usize| ((n as f64 * 0.1).sin() * 9000.0) as i16;
    let loudness = |side: i16| -> Option<f64> {
        let samples: Vec<i16> = (0..32_000).flat_map(|n| [tone(n), tone(n) * side]).collect();
        let mut session = opened(&wav(16_000, 2, &samples).into());
        let amr = recipe(AudioCodec::AmrNb, Container::Amr, 12_200, 8000);
        let out = session.encode(&amr, Bytes::new(u64::MAX), &Stop::never()).expect("written");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &out).expect("written");
        let pcm = ffmpeg(&format!("-i {} -f s16le", file.path().display()), ".pcm")?;
        let squares = pcm.chunks_exact(2).map(|s| f64::from(i16::from_le_bytes([s[0], s[1]])));
        Some((squares.map(|s| s * s).sum::<f64>() / pcm.len() as f64 * 2.0).sqrt())
    };
    let (Some(together), Some(apart)) = (loudness(1), loudness(-1)) else { return };
    assert!(apart > together * 0.9 && together > 3000.0, "{apart} of {together}");
}

/// Audio in files that are made for videos, and codecs of old recorders.
#[test]
fn audio_of_all_containers_is_read() {
    const TONE: &str = "-f lavfi -i sine=duration=2 -ar 22050 -ac 1";
    const COVER: &str =
        "-f lavfi -i sine=duration=2 -f lavfi -i testsrc=s=200x200:d=0.04 -map 0:a -map 1:v";
    let files = [
        (format!("{TONE} -c:a libspeex -ar 16000"), ".spx", "audio/ogg", "speex"),
        (format!("{TONE} -c:a libspeex -ar 16000"), ".flv", "audio/x-flv", "speex"),
        (format!("{TONE} -c:a nellymoser"), ".flv", "audio/x-flv", "nellymoser"),
        (format!("{TONE} -c:a libvorbis"), ".ogv", "audio/ogg", "vorbis"),
        (format!("{TONE} -c:a mp2"), ".mpg", "audio/mp2p", "mp2"),
        (format!("{TONE} -c:a aac"), ".ts", "audio/mp2t", "aac"),
        (format!("{TONE} -c:a libmp3lame"), ".avi", "audio/x-msvideo", "mp3"),
        // Covers that no flag tells from a video.
        (format!("{COVER} -c:v mjpeg -c:a aac -f mov"), ".m4a", "audio/mp4", "aac"),
        (format!("{COVER} -c:v mjpeg -c:a aac -f mp4"), ".m4a", "audio/mp4", "aac"),
        (format!("{COVER} -c:v png -c:a aac"), ".mkv", "audio/x-matroska", "aac"),
        (format!("{COVER} -c:v libx264 -c:a aac"), ".mp4", "audio/mp4", "aac"),
    ];
    for (arguments, extension, media_type, codec) in files {
        let Some(bytes) = ffmpeg(&arguments, extension) else { continue };
        let mut session = opened(&bytes.into());
        let info = session.info().clone();
        assert_eq!(info.media_type.as_str(), media_type, "{arguments} {extension}");
        assert_eq!(info.kind, MediaKind::Audio, "{arguments}");
        assert!(info.video.is_none() && info.duration.get().abs_diff(2000) < 200, "{info:?}");
        assert_eq!(info.audio.expect("an audio file").codec, codec, "{arguments}");
        let amr = recipe(AudioCodec::AmrNb, Container::Amr, 7950, 8000);
        let out = session.encode(&amr, Bytes::new(u64::MAX), &Stop::never());
        assert!(out.is_ok_and(|out| out.len() > 1500), "{arguments}");
    }
}
