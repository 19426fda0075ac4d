//! The codecs in C keep the contract of all codecs.

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, OpenHint},
    model::{
        AudioCodec, AudioCoding, AudioRecipe, BitRate, Chroma, Container, Dimensions, Effort,
        FrameRate, ImageCoding, ImageRecipe, Quality, Recipe, SampleRate, VideoCodec, VideoCoding,
        VideoRecipe,
    },
};
use mmsfit_worker::libav::AvCodec;

use crate::support::{
    contract::{Sample, keeps_its_contract},
    ffmpeg, wav,
};

const SIZE: Dimensions = Dimensions::new(176, 144).unwrap();
const HINT: OpenHint = OpenHint { largest: SIZE, animation: true, effort: Effort::Balanced };

fn tone() -> Buffer {
    let sample = |n: i32| (f64::from(n) / 16_000.0 * 440.0 * std::f64::consts::TAU).sin() * 9e3;
    let samples: Vec<i16> = (0..24_000).map(|n| sample(n) as i16).collect();
    wav(16_000, 1, &samples).into()
}

#[test]
fn audio() {
    let recipe = |codec, container, bitrate, sample_rate| {
        let (bitrate, sample_rate) = (BitRate::new(bitrate), SampleRate::new(sample_rate));
        let coding = AudioCoding { codec, bitrate, sample_rate, channels: 1 };
        Recipe::Audio(AudioRecipe { container, coding, keep: None })
    };
    for (name, recipe) in [
        ("WAV to AMR", recipe(AudioCodec::AmrNb, Container::Amr, 7_950, 8_000)),
        ("WAV to AMR in 3GP", recipe(AudioCodec::AmrNb, Container::ThreeGp, 12_200, 8_000)),
        ("WAV to AAC", recipe(AudioCodec::Aac, Container::Mp4, 32_000, 16_000)),
        ("WAV to MP3", recipe(AudioCodec::Mp3, Container::Mp3, 32_000, 16_000)),
    ] {
        keeps_its_contract(&AvCodec, &Sample { name, input: tone(), hint: HINT, recipe });
    }
}

#[test]
fn video() {
    let made = "-f lavfi -i testsrc=s=320x240:r=15:d=1.5 -f lavfi -i sine=d=1.5 -shortest \
                -c:v mpeg4 -c:a aac -movflags +faststart";
    let Some(input) = ffmpeg(made, ".mp4").map(Buffer::from) else { return };
    let recipe = |container, codec, audio| {
        let rate = FrameRate::new(15, 2).unwrap();
        let video = VideoCoding { codec, dimensions: SIZE, rate, bitrate: BitRate::new(64_000) };
        let coding = |codec, bitrate, sample_rate| {
            let (bitrate, sample_rate) = (BitRate::new(bitrate), SampleRate::new(sample_rate));
            Some(AudioCoding { codec, bitrate, sample_rate, channels: 1 })
        };
        let audio = match audio {
            AudioCodec::AmrNb => coding(audio, 5_900, 8_000),
            _ => coding(audio, 24_000, 16_000),
        };
        Recipe::Video(VideoRecipe { container, video, audio, keep: None })
    };
    let still = ImageRecipe {
        dimensions: SIZE,
        coding: ImageCoding::Jpeg {
            quality: Quality::new(70),
            chroma: Chroma::Quarter,
            trellis: false,
        },
        background: [255; 3],
    };
    for (name, recipe) in [
        ("MP4 to H.263", recipe(Container::ThreeGp, VideoCodec::H263, AudioCodec::AmrNb)),
        ("MP4 to MPEG-4", recipe(Container::Mp4, VideoCodec::Mpeg4, AudioCodec::Aac)),
        ("MP4 to H.264", recipe(Container::Mp4, VideoCodec::H264, AudioCodec::Aac)),
        ("MP4 to its first image", Recipe::Image(still)),
    ] {
        assert!(AvCodec.recognise(&input).is_some());
        keeps_its_contract(&AvCodec, &Sample { name, input: input.clone(), hint: HINT, recipe });
    }
}
