//! Long because of its table: every kind of file against ffmpeg, and damaged ones against nothing
//! but patience.

use std::{path::Path, process::Command};

use proptest::prelude::*;

use super::*;
use crate::{model::StopCause, need};

/// Something between a voice and a street, three seconds and a bit.
const NOISE: &str = "-f lavfi -i anoisesrc=d=3.17:c=pink:r=44100:a=0.3:seed=7";

/// What ffmpeg makes of arguments, in a file of this extension.
fn made(arguments: &str, extension: &str) -> Option<Buffer> {
    let file = tempfile::Builder::new().suffix(extension).tempfile().unwrap();
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(NOISE.split(' '))
        .args(arguments.split(' '))
        .arg(file.path())
        .status();
    let made = status.is_ok_and(|status| status.success());
    let bytes = std::fs::read(file.path()).ok().filter(|bytes| made && !bytes.is_empty());
    if bytes.is_none() {
        need::missing("ffmpeg", format_args!("none that does {arguments}"));
    }
    bytes.map(Buffer::from)
}

/// Its samples, by ffmpeg.
fn samples_by_ffmpeg(path: &Path) -> Vec<f32> {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "f32le", "-c:a", "pcm_f32le", "-"])
        .output()
        .unwrap();
    floats(&out.stdout)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn limits() -> DecodeLimits {
    DecodeLimits::default()
}

fn decoded(bytes: &Buffer) -> Result<Audio, CodecError> {
    decode(bytes, &limits(), &Stop::never())
}

/// Arguments, extension, codec, and how far a sample may lie from ffmpeg's: nothing where all is
/// integers, the rounding of 32-bit floats elsewhere.
const READ: [(&str, &str, &str, f32); 27] = [
    ("-ac 2 -c:a libmp3lame -b:a 128k", ".mp3", "mp3", 1e-5),
    ("-ac 2 -c:a libmp3lame -q:a 4 -metadata title=x", ".mp3", "mp3", 1e-5),
    ("-ac 2 -c:a libmp3lame -write_xing 0", ".mp3", "mp3", 1e-5),
    ("-ac 2 -c:a libmp3lame -write_xing 0 -q:a 5", ".mp3", "mp3", 1e-5),
    ("-ac 1 -c:a libmp3lame -ar 22050 -b:a 32k", ".mp3", "mp3", 1e-5),
    ("-ac 1 -c:a libmp3lame -ar 8000 -b:a 16k -write_id3v1 1", ".mp3", "mp3", 1e-5),
    ("-ac 2 -c:a aac", ".aac", "aac", 1e-5),
    ("-ac 1 -c:a aac -ar 32000", ".aac", "aac", 1e-5),
    ("-ac 2 -c:a aac", ".m4a", "aac", 1e-5),
    ("-ac 1 -c:a aac -ar 48000 -movflags +faststart", ".mp4", "aac", 1e-5),
    ("-ac 1 -c:a aac -ar 16000", ".m4a", "aac", 1e-5),
    ("-ac 2 -c:a aac", ".3gp", "aac", 1e-5),
    ("-ac 2 -c:a aac -ar 48000", ".mov", "aac", 1e-5),
    ("-ac 2 -c:a alac", ".m4a", "alac", 0.0),
    ("-ac 1 -c:a alac", ".caf", "alac", 0.0),
    ("-ac 2 -c:a flac", ".flac", "flac", 0.0),
    ("-ac 1 -c:a flac", ".ogg", "flac", 0.0),
    ("-ac 2 -c:a libvorbis", ".ogg", "vorbis", 1e-5),
    ("-ac 1 -c:a libvorbis -ar 16000", ".ogg", "vorbis", 1e-5),
    ("-ac 2 -c:a pcm_s16le", ".wav", "pcm_s16le", 0.0),
    ("-ac 1 -c:a pcm_s24le -ar 48000", ".wav", "pcm_s24le", 0.0),
    ("-ac 1 -c:a pcm_u8 -ar 8000", ".wav", "pcm_u8", 0.0),
    ("-ac 1 -c:a pcm_mulaw -ar 8000", ".wav", "pcm_mulaw", 0.0),
    ("-ac 2 -c:a adpcm_ima_wav", ".wav", "adpcm_ima_wav", 0.0),
    ("-ac 1 -c:a adpcm_ms -ar 11025", ".wav", "adpcm_ms", 0.0),
    ("-ac 2 -c:a pcm_s16be", ".aiff", "pcm_s16be", 0.0),
    ("-ac 2 -c:a pcm_s16be", ".caf", "pcm_s16be", 0.0),
];

/// What an encoder puts before the beginning is not heard, and not what it puts behind the end
/// where ffmpeg leaves that out.
#[test]
fn every_sample_is_that_of_ffmpeg() {
    for (arguments, extension, codec, error) in READ {
        let Some(bytes) = made(arguments, extension) else { return };
        let what = format!("{arguments} {extension}");
        let audio = decoded(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        let file = tempfile::Builder::new().suffix(extension).tempfile().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let (want, got) = (samples_by_ffmpeg(file.path()), floats(&audio.samples));
        assert_eq!(got.len(), want.len(), "{what}: samples");
        let most = want.iter().zip(&got).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most <= error, "{what}: {most}");
        let frames = got.len() as u64 / u64::from(audio.channels);
        let told = u64::from(audio.info.duration.get()) * u64::from(audio.rate.get()) / 1000;
        assert!(told.abs_diff(frames) <= SLACK, "{what}: {told} of {frames}");
        assert_eq!(audio.info.codec, codec, "{what}");
        assert_eq!(AudioCodec.probe(&bytes, &limits(), &Stop::never()), Ok(audio.info), "{what}");
    }
}

/// Known by their type, and by no more than that.
#[test]
fn what_others_read_better_is_left_to_them() {
    const COVER: &str = "-f lavfi -i testsrc=s=64x64:d=0.04 -map 0:a -map 1:v -c:v mjpeg";
    let files = [
        ("-ac 2 -c:a mp2 -f mp2".to_owned(), ".mp3"),
        ("-ac 2 -c:a libopus -ar 48000".to_owned(), ".ogg"),
        ("-ac 1 -c:a aac -ar 24000".to_owned(), ".aac"),
        ("-ac 2 -c:a aac -movflags frag_keyframe+empty_moov".to_owned(), ".m4a"),
        ("-ac 2 -c:a libmp3lame".to_owned(), ".mp4"),
        ("-ac 6 -c:a flac".to_owned(), ".flac"),
        ("-ac 2 -c:a adpcm_ima_qt".to_owned(), ".caf"),
        ("-ac 2 -c:a aac".to_owned(), ".mka"),
        (format!("{COVER} -ac 2 -c:a aac -f mov"), ".m4a"),
    ];
    for (arguments, extension) in files {
        let Some(bytes) = made(&arguments, extension) else { return };
        let error = probe(&bytes, &limits()).expect_err(&arguments);
        assert!(matches!(error, CodecError::Unsupported { .. }), "{arguments}: {error}");
        assert!(decoded(&bytes).is_err(), "{arguments}");
        if let Some(known) = AudioCodec.recognise(&bytes) {
            let opaque = MediaInfo::opaque(known, Bytes::of(&bytes));
            assert_eq!(
                AudioCodec.probe(&bytes, &limits(), &Stop::never()),
                Ok(opaque),
                "{arguments}"
            );
        }
    }
}

#[test]
fn limits_are_kept() {
    let wav = wav(8000, &[1000; 16_000]);
    let short = DecodeLimits { max_duration: std::time::Duration::from_millis(1999), ..limits() };
    assert!(matches!(probe(&wav, &short), Err(CodecError::Limit { found: 2000, .. })));
    // Half of the memory is for samples: 16,000 of four bytes.
    let of = |bytes| DecodeLimits { max_memory: Bytes::new(bytes), ..limits() };
    assert!(decode(&wav, &of(128_000), &Stop::never()).is_ok());
    assert!(decode(&wav, &of(127_999), &Stop::never()).is_err());
    assert!(probe(&wav, &of(0)).is_ok(), "to know it costs no memory");
    let stop = Stop::never();
    stop.set(StopCause::Deadline);
    assert!(matches!(decode(&wav, &limits(), &stop), Err(CodecError::Stopped(_))));
}

#[test]
fn damage_is_left_to_the_worker() {
    let whole = wav(8000, &[1000; 16_000]);
    assert!(decoded(&whole).is_ok());
    assert!(decoded(&whole.slice(..whole.len() / 2)).is_err(), "cut off");
    let Some(mp3) = made("-ac 2 -c:a libmp3lame -b:a 64k", ".mp3") else { return };
    let mut holes = mp3.to_vec();
    holes[9000..13_000].fill(0);
    assert!(decoded(&holes.into()).is_err(), "a hole");
}

/// 16 bits, one channel.
fn wav(rate: u32, samples: &[i16]) -> Buffer {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(rate.to_le_bytes());
    out.extend((rate * 2).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.into()
}

/// The same second in every container, to be damaged.
fn seeds() -> &'static [Buffer] {
    static SEEDS: std::sync::OnceLock<Vec<Buffer>> = std::sync::OnceLock::new();
    SEEDS.get_or_init(|| {
        let of = |(arguments, extension, ..): &(&str, &str, &str, f32)| {
            made(&format!("{arguments} -t 0.4"), extension)
        };
        let made: Vec<Buffer> = READ.iter().map_while(of).collect();
        [vec![wav(8000, &[500; 4000])], made].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever it is, it is read or left: no panic comes out, and what comes out is bounded.
    #[test]
    fn mutants_are_read_or_left(
        seed in any::<proptest::sample::Index>(),
        edits in proptest::collection::vec(
            // Headers are hit as often as all the rest.
            (any::<bool>(), any::<proptest::sample::Index>(), any::<u8>()), 1..12),
        end in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let mut bytes = seed.get(seeds()).to_vec();
        for (header, at, value) in edits {
            let length = if header { bytes.len().min(200) } else { bytes.len() };
            bytes[at.index(length)] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()) + 1);
        }
        let bytes = Buffer::from(bytes);
        if let Ok(info) = AudioCodec.probe(&bytes, &limits(), &Stop::never()) {
            prop_assert_eq!(info.bytes, Bytes::of(&bytes));
        }
        if let Ok(audio) = decoded(&bytes) {
            prop_assert!(audio.samples.len() as u64 <= MAX_SAMPLE_BYTES);
            prop_assert!((1..=2).contains(&audio.channels) && audio.samples.len() % 4 == 0);
            prop_assert!(floats(&audio.samples).iter().all(|sample| sample.is_finite()));
        }
    }
}
