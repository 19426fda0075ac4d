//! Every sound of the corpus to every sound that is written, checked by ffprobe.

use std::{path::Path, process::Command};

use crate::support::{corpus, ffprobe};
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, Bytes, Container, Dimensions, MediaKind, Recipe, Stop,
    },
};
use mmsfit_worker::libav::AvCodec;

const HINT: OpenHint = OpenHint { largest: Dimensions::new(176, 144).unwrap(), animation: false };

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
    let coding = AudioCoding { codec, bitrate, sample_rate: rate, channels: 1 };
    Recipe::Audio(AudioRecipe { container, coding, keep_ms: None })
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
    assert!(info.duration_ms.abs_diff(3000) <= 20, "{}", info.duration_ms);
    let amr = recipe(AudioCodec::AmrNb, Container::Amr, 12_200, 8000);
    let out = session.encode(&amr, Bytes::new(u64::MAX), &Stop::never()).expect("it is written");
    if ffprobe(&out, "stream=codec_name").is_some() {
        let seconds = decoded_seconds(&out).expect("ffmpeg");
        assert!((seconds - 3.0).abs() <= 0.1, "{seconds}");
    }
}

#[test]
fn all_sounds_become_all_sounds() {
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
            println!("not sound: {}", path.display());
            continue;
        };
        let info = session.info().clone();
        println!(
            "{}: {} {:?} {} ms music {}",
            path.file_name().expect("a name").display(),
            info.media_type,
            info.audio,
            info.duration_ms,
            session.facts().music
        );
        let seconds = f64::from(info.duration_ms) / 1000.0;
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
