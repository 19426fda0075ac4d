//! Speech: a round trip through every mode of AMR, decoded by another decoder than ours, and voice
//! notes between phones that have no codec in common. Skipped without the worker or ffmpeg.

use std::process::{Command, Stdio};

use crate::support::{bare, bytes_of, device, has_program, with_workers};
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Action, ReasonCode, Stop},
    samples::av,
    service::Service,
};

/// Storage frames by mode, header included: RFC 4867 clause 5.3.
const NARROW: [usize; 8] = [13, 14, 16, 18, 20, 21, 27, 32];
const WIDE: [usize; 9] = [18, 24, 33, 37, 41, 47, 51, 59, 61];
const SECONDS: usize = 6;

fn service() -> Option<Service> {
    if !has_program("ffmpeg", "ffmpeg") || !has_program("ffmpeg", "ffprobe") {
        return None;
    }
    with_workers(Config { threads: 2, ..Config::default() })
}

/// What ffmpeg makes of `input`, its complaints being failures.
fn ffmpeg(input: &[u8], arguments: &[&str]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), input).unwrap();
    let (before, after) = arguments.split_at(arguments.iter().position(|a| *a == "-i").unwrap());
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror"])
        .args(before)
        .arg("-i")
        .arg(file.path())
        .args(&after[1..])
        .arg("-")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn samples(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]]))).collect()
}

/// Loudness of every 20 ms.
fn envelope(audio: &[f64], rate: usize) -> Vec<f64> {
    let rms = |w: &[f64]| (w.iter().map(|s| s * s).sum::<f64>() / w.len() as f64).sqrt();
    audio.chunks_exact(rate / 50).map(rms).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let mean = |v: &[f64]| v[..n].iter().sum::<f64>() / n as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>();
    let both = sum(&|i| (a[i] - ma) * (b[i] - mb));
    both / (sum(&|i| (a[i] - ma).powi(2)) * sum(&|i| (b[i] - mb).powi(2))).sqrt().max(1e-9)
}

/// How many 20 ms `b` lies behind `a`.
fn lag(a: &[f64], b: &[f64]) -> usize {
    let at = |lag: usize| correlation(a, &b[lag..]);
    (0..8).max_by(|x, y| at(*x).total_cmp(&at(*y))).unwrap()
}

/// The same speech: as long, as loud, at most this many times 20 ms late, and its syllables where
/// they were.
fn assert_same_speech(source: &[f64], got: &[f64], rate: usize, late: usize, what: &str) {
    let seconds = got.len() as f64 / rate as f64;
    let most = 0.1 + 0.02 * late as f64;
    assert!((seconds - SECONDS as f64).abs() <= most, "{what}: {seconds} s");
    let (before, after) = (envelope(source, rate), envelope(got, rate));
    assert!(lag(&before, &after) <= late, "{what}: {} frames late", lag(&before, &after));
    let alike = correlation(&before, &after[lag(&before, &after)..]);
    assert!(alike >= 0.93, "{what}: {alike}");
    let level = |e: &[f64]| e.iter().map(|r| r * r).sum::<f64>() / e.len() as f64;
    let change = 10.0 * (level(&after) / level(&before)).log10();
    assert!(change.abs() <= 3.0, "{what}: {change} dB");
}

#[test]
fn speech_survives_every_mode() {
    let Some(service) = service() else { return };
    let voice = av::wav(SECONDS as u32);
    for (kind, magic, modes, rate, decoder) in [
        ("audio/amr", &b"#!AMR\n"[..], &NARROW[..], 8_000, "amrnb"),
        ("audio/amr-wb", &b"#!AMR-WB\n"[..], &WIDE[..], 16_000, "amrwb"),
    ] {
        let text = rate.to_string();
        let plain = ["-i", "-ac", "1", "-ar", &text, "-f", "s16le"];
        let source = samples(&ffmpeg(&voice, &plain));
        for (mode, frame) in modes.iter().enumerate() {
            // Room for this mode (and the frame that an encoder may add), none for the next one.
            let limit = magic.len() + frame * (SECONDS * 50 + 1);
            let phone = device(limit as u64, (176, 144), &["image/jpeg", kind]);
            let response = service.adapt(bare("note.wav", &voice, phone), &Stop::never()).unwrap();
            let out = bytes_of(&response.content);
            let what = format!("{kind}, mode {mode}");
            assert!(out.len() <= limit, "{what}: {} of {limit}", out.len());
            assert!(out.starts_with(magic), "{what}");
            let frames: Vec<&[u8]> = out[magic.len()..].chunks(*frame).collect();
            assert!(
                frames.iter().all(|f| f.len() == *frame && usize::from(f[0] >> 3 & 15) == mode),
                "{what}: frames of another mode"
            );
            assert_eq!(response.report.parts[0].action, Action::Transcode, "{what}");
            // ffmpeg's own decoders, which share no code with the encoders' libraries.
            let decoded = ffmpeg(&out, &["-c:a", decoder, "-i", "-ar", &text, "-f", "s16le"]);
            assert_same_speech(&source, &samples(&decoded), rate, 1, &what);
        }
    }
}

#[test]
fn voice_notes_cross_between_phones() {
    let Some(service) = service() else { return };
    let voice = av::wav(SECONDS as u32);
    let encode = |arguments: &[&str]| Buffer::from(ffmpeg(&voice, arguments));
    let send = |name: &str, note: &Buffer, accept: &[&str]| {
        let phone = device(102_400, (640, 480), accept);
        service.adapt(bare(name, note, phone), &Stop::never()).unwrap()
    };
    let wide = bytes_of(&send("note.wav", &voice, &["image/jpeg", "audio/amr-wb"]).content);
    assert!(wide.starts_with(b"#!AMR-WB\n"));
    let notes = [
        ("note.awb", wide),
        ("note.ogg", encode(&["-i", "-c:a", "libopus", "-b:a", "24k", "-f", "ogg"])),
        ("note.aac", encode(&["-i", "-c:a", "aac", "-b:a", "48k", "-f", "adts"])),
        ("note.mp3", encode(&["-i", "-c:a", "libmp3lame", "-b:a", "48k", "-f", "mp3"])),
    ];
    let source = samples(&ffmpeg(&voice, &["-i", "-ac", "1", "-ar", "8000", "-f", "s16le"]));
    for (name, note) in &notes {
        for (accept, codec) in [
            ("audio/mp4", "aac"),
            ("audio/aac", "aac"),
            ("audio/mpeg", "mp3"),
            ("audio/amr-wb", "amr_wb"),
            ("audio/amr", "amr_nb"),
        ] {
            let response = send(name, note, &["image/jpeg", accept]);
            let out = bytes_of(&response.content);
            let part = &response.report.parts[0];
            let what = format!("{name} for {accept}");
            let heard = Command::new("ffprobe")
                .args(["-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name"])
                .args(["-i", "pipe:0"])
                .stdin(Stdio::from(at_start(&out)))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&heard.stdout).trim(), codec, "{what}");
            let steps = [ReasonCode::EncodingChosen, ReasonCode::ContainerChanged];
            let told = part.reasons.iter().any(|r| steps.contains(&r.code));
            assert!(told || part.action == Action::Keep, "{what}: {:?}", part.reasons);
            let plain = ["-i", "-ac", "1", "-ar", "8000", "-f", "s16le"];
            let decoded = samples(&ffmpeg(&out, &plain));
            // Files of bare AAC and MP3 don't tell what their encoders put before the audio.
            let late = if name.ends_with("ogg") || name.ends_with("awb") { 1 } else { 5 };
            assert_same_speech(&source, &decoded, 8_000, late, &what);
        }
    }
}

fn at_start(bytes: &[u8]) -> std::fs::File {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}
