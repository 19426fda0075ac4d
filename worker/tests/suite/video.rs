//! Every clip of the corpus to the three codings of video, checked by ffprobe.

use crate::support::{corpus, ffprobe};
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint},
    model::{
        AudioCodec, AudioCoding, Bytes, Chroma, Container, Dimensions, FrameRate, ImageCoding,
        ImageRecipe, MediaKind, Quality, Recipe, Stop, VideoCodec, VideoCoding, VideoRecipe,
    },
};
use mmsfit_worker::libav::AvCodec;

const HINT: OpenHint = OpenHint { largest: Dimensions::new(320, 240).unwrap(), animation: false };

fn recipe(
    codec: VideoCodec,
    dimensions: Dimensions,
    bitrate: u32,
    rate: u32,
    sound: bool,
) -> Recipe {
    let audio = match codec {
        VideoCodec::H263 => {
            AudioCoding { codec: AudioCodec::AmrNb, bitrate: 5900, sample_rate: 8000, channels: 1 }
        }
        _ => AudioCoding {
            codec: AudioCodec::Aac,
            bitrate: 32_000,
            sample_rate: 32_000,
            channels: 1,
        },
    };
    Recipe::Video(VideoRecipe {
        container: if codec == VideoCodec::H264 { Container::Mp4 } else { Container::ThreeGp },
        video: VideoCoding {
            codec,
            bitrate,
            dimensions,
            rate: FrameRate::new(rate, 1).expect("a rate"),
        },
        audio: sound.then_some(audio),
        // Half a minute of the long ones.
        keep_ms: Some(30_000),
    })
}

fn even_box(source: Dimensions, bounds: Dimensions) -> Dimensions {
    let within = source.shrunk_into(bounds.turned_to(source));
    let even = |n: u32| (n / 2 * 2).max(2);
    Dimensions::at_least_one(even(within.width()), even(within.height()))
}

#[test]
fn all_clips_become_all_clips() {
    mmsfit_worker::libav::warm();
    let mut wrong = Vec::new();
    let mut fills = Vec::new();
    for (n, path) in corpus("video").into_iter().enumerate() {
        let name = path.file_name().expect("a name").display().to_string();
        let bytes = Buffer::from(std::fs::read(&path).expect("readable"));
        let limits = DecodeLimits::default();
        let Some(kind) = AvCodec.recognise(&bytes) else {
            wrong.push(format!("{name}: not recognised"));
            continue;
        };
        if kind.kind() != MediaKind::Video {
            println!("{name}: {kind}");
            continue;
        }
        let opened = AvCodec.open(&bytes, HINT, &limits, &Stop::never());
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let info = session.info().clone();
        println!(
            "{name}: {:?} {} ms {:?} {:?}",
            info.dimensions, info.duration_ms, info.video, info.audio
        );
        let (source, sound) = (info.dimensions.expect("a size"), info.audio.is_some());
        let codings = [
            recipe(VideoCodec::H263, Dimensions::at_least_one(176, 144), 60_000, 10, sound),
            recipe(VideoCodec::Mpeg4, even_box(source, HINT.largest), 100_000, 15, sound),
            recipe(VideoCodec::H264, even_box(source, HINT.largest), 120_000, 15, sound),
        ];
        for recipe in codings.iter().skip(if n % 2 == 0 { 0 } else { 1 }).step_by(2) {
            let Recipe::Video(video) = recipe else { continue };
            let began = std::time::Instant::now();
            let out = match session.encode(recipe, Bytes::new(u64::MAX), &Stop::never()) {
                Ok(out) => out,
                Err(error) => {
                    wrong.push(format!("{name}: {:?}: {error}", video.video.codec));
                    continue;
                }
            };
            let took = began.elapsed();
            let seconds = f64::from(info.duration_ms.min(30_000)) / 1000.0;
            let audio_bits =
                if !sound { 0.0 } else { f64::from(video.audio.map_or(0, |a| a.bitrate)) };
            let fill =
                out.len() as f64 * 8.0 / seconds / (f64::from(video.video.bitrate) + audio_bits);
            println!("   {:?} {} bytes, {fill:.3}, {took:?}", video.video.codec, out.len());
            if seconds > 2.0 {
                fills.push(fill);
            }
            match AvCodec.verify(&out, None, &limits, &Stop::never()) {
                Ok(verified) => {
                    let got = f64::from(verified.info.duration_ms) / 1000.0;
                    if (got - seconds).abs() > 0.1 {
                        wrong.push(format!(
                            "{name}: {:?}: {got} s of {seconds} s",
                            video.video.codec
                        ));
                    }
                    if verified.info.dimensions != Some(video.video.dimensions) {
                        wrong.push(format!("{name}: {:?}", verified.info.dimensions));
                    }
                }
                Err(error) => wrong.push(format!("{name}: verify: {error}")),
            }
            let entries = "stream=codec_name,width,height,start_time,duration,has_b_frames,profile";
            let Some(told) = ffprobe(&out, entries) else { return };
            for want in [video.video.codec.name(), "has_b_frames=0", "start_time=0.000000"] {
                if !told.contains(want) {
                    wrong.push(format!("{name}: no {want} in {told}"));
                }
            }
            let spans: Vec<f64> = told
                .lines()
                .filter_map(|line| line.strip_prefix("duration=")?.parse().ok())
                .collect();
            if spans.iter().any(|span| (span - seconds).abs() > 0.1) || spans.is_empty() {
                wrong.push(format!(
                    "{name}: {:?}: tracks of {spans:?} s, not {seconds} s",
                    video.video.codec
                ));
            }
        }
        let poster = Recipe::Image(ImageRecipe {
            dimensions: even_box(source, HINT.largest),
            coding: ImageCoding::Jpeg { quality: Quality::new(70), chroma: Chroma::Quarter },
            background: [255; 3],
        });
        if let Err(error) = session.encode(&poster, Bytes::new(u64::MAX), &Stop::never()) {
            wrong.push(format!("{name}: poster: {error}"));
        }
    }
    fills.sort_by(f64::total_cmp);
    println!("fill: {:?} of {}", fills.get(fills.len() / 2), fills.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
