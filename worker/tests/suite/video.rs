//! Every video of the corpus to the three codings of video, checked by ffprobe.

use crate::support::{corpus, ffmpeg, ffprobe};
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, DecodeLimits, OpenHint, Session},
    model::{
        AudioCodec, AudioCoding, BitRate, Bytes, Chroma, Container, Dimensions, Effort, FrameRate,
        ImageCoding, ImageRecipe, MediaKind, Millis, Quality, Recipe, SampleRate, Stop, VideoCodec,
        VideoCoding, VideoRecipe,
    },
};
use mmsfit_worker::libav::AvCodec;

const HINT: OpenHint = OpenHint {
    largest: Dimensions::new(320, 240).unwrap(),
    animation: false,
    effort: Effort::Balanced,
};

fn recipe(
    codec: VideoCodec,
    dimensions: Dimensions,
    bitrate: u32,
    rate: u32,
    with_audio: bool,
) -> Recipe {
    let audio = match codec {
        VideoCodec::H263 => AudioCoding {
            codec: AudioCodec::AmrNb,
            bitrate: BitRate::new(5900),
            sample_rate: SampleRate::new(8000),
            channels: 1,
        },
        _ => AudioCoding {
            codec: AudioCodec::Aac,
            bitrate: BitRate::new(32_000),
            sample_rate: SampleRate::new(32_000),
            channels: 1,
        },
    };
    Recipe::Video(VideoRecipe {
        container: if codec == VideoCodec::H264 { Container::Mp4 } else { Container::ThreeGp },
        video: VideoCoding {
            codec,
            bitrate: BitRate::new(bitrate),
            dimensions,
            rate: FrameRate::new(rate, 1).expect("a rate"),
        },
        audio: with_audio.then_some(audio),
        // Half a minute of the long ones.
        keep: Some(Millis::new(30_000)),
    })
}

fn even_bounds(source: Dimensions, bounds: Dimensions) -> Dimensions {
    let within = source.shrunk_into(bounds.turned_to(source));
    let even = |n: u32| (n / 2 * 2).max(2);
    Dimensions::at_least_one(even(within.width()), even(within.height()))
}

#[test]
fn every_video_becomes_every_video_format() {
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
            info.dimensions, info.duration, info.video, info.audio
        );
        // Audio alone, or beside a cover, in a file made for videos.
        let (Some(source), audio) = (info.dimensions, info.audio.is_some()) else { continue };
        let codings = [
            recipe(VideoCodec::H263, Dimensions::at_least_one(176, 144), 60_000, 10, audio),
            recipe(VideoCodec::Mpeg4, even_bounds(source, HINT.largest), 100_000, 15, audio),
            recipe(VideoCodec::H264, even_bounds(source, HINT.largest), 120_000, 15, audio),
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
            let seconds = info.duration.min(Millis::new(30_000)).seconds();
            let audio_bits =
                if !audio { 0.0 } else { video.audio.map_or(0.0, |a| a.bitrate.per_second()) };
            let fill =
                out.len() as f64 * 8.0 / seconds / (video.video.bitrate.per_second() + audio_bits);
            println!("   {:?} {} bytes, {fill:.3}, {took:?}", video.video.codec, out.len());
            if seconds > 2.0 {
                fills.push(fill);
            }
            match AvCodec.verify(&out, None, &limits, &Stop::never()) {
                Ok(verified) => {
                    let got = verified.info.duration.seconds();
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
            dimensions: even_bounds(source, HINT.largest),
            coding: ImageCoding::Jpeg {
                quality: Quality::new(70),
                chroma: Chroma::Quarter,
                trellis: true,
            },
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

const SMALL: Dimensions = Dimensions::new(160, 120).unwrap();

fn opened(bytes: &Buffer) -> Box<dyn Session> {
    mmsfit_worker::libav::warm();
    let session = AvCodec.open(bytes, HINT, &DecodeLimits::default(), &Stop::never());
    session.unwrap_or_else(|error| panic!("{error}"))
}

/// As H.264 or another, and read again.
fn through(session: &mut Box<dyn Session>, codec: VideoCodec, size: Dimensions) -> Buffer {
    let recipe = recipe(codec, size, 100_000, 10, true);
    let out = session.encode(&recipe, Bytes::new(u64::MAX), &Stop::never());
    let out = out.unwrap_or_else(|error| panic!("{error}"));
    AvCodec.verify(&out, None, &DecodeLimits::default(), &Stop::never()).expect("it decodes");
    out
}

/// The first audio track of the file in an unknown codec.
fn spoilt(mut bytes: Vec<u8>) -> Buffer {
    let at = bytes.windows(4).rposition(|w| w == b"stsd").expect("a description");
    let mut audio = (0..at + 40).filter(|n| bytes[*n..].starts_with(b"mp4a"));
    let first = audio.next().expect("an audio file");
    bytes[first..first + 4].copy_from_slice(b"zzzz");
    let setup = bytes[first..].windows(4).position(|w| w == b"esds").expect("a setup");
    bytes[first + setup..first + setup + 4].copy_from_slice(b"free");
    bytes.into()
}

#[test]
fn the_first_audio_track_that_decodes_is_taken_and_none_costs_the_video() {
    let one = "-f lavfi -i testsrc=s=160x120:d=2 -f lavfi -i sine=duration=2 \
               -c:v libx264 -c:a aac -map 0:v -map 1:a";
    let two = format!("{one} -map 1:a");
    let (Some(one), Some(two)) = (ffmpeg(one, ".mp4"), ffmpeg(&two, ".mp4")) else { return };
    let mut session = opened(&spoilt(two));
    let audio = session.info().audio.clone().expect("the second");
    assert!(audio.is_readable() && audio.codec == "aac", "{audio:?}");
    let out = opened(&through(&mut session, VideoCodec::H264, SMALL)).info().clone();
    assert!(out.audio.is_some() && out.video.is_some(), "{out:?}");

    let mut session = opened(&spoilt(one));
    let audio = session.info().audio.clone().expect("the first");
    assert!(audio.unreadable.contains("no decoder for zzzz"), "{audio:?}");
    let out = opened(&through(&mut session, VideoCodec::H264, SMALL)).info().clone();
    assert!(out.audio.is_none() && out.video.is_some(), "{out:?}");
}

#[test]
fn what_an_edit_list_hides_is_not_playing_time() {
    let whole = "-f lavfi -i testsrc=s=160x120:d=8:r=20 -f lavfi -i sine=duration=8 \
                 -c:v libx264 -g 400 -bf 2 -c:a aac";
    let Some(whole) = ffmpeg(whole, ".mp4") else { return };
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), whole).expect("written");
    let cut = format!("-ss 4.5 -i {} -t 2.5 -c copy", file.path().display());
    let Some(cut) = ffmpeg(&cut, ".mp4") else { return };
    let mut session = opened(&cut.into());
    let info = session.info().clone();
    assert!(info.duration.get().abs_diff(2500) <= 150, "{info:?}");
    assert!(info.frames.abs_diff(50) <= 5, "{info:?}");
    let out = through(&mut session, VideoCodec::Mpeg4, SMALL);
    let made = opened(&out).info().clone();
    assert!(made.duration.abs_diff(info.duration) <= Millis::new(150), "{made:?} of {info:?}");
    // The images are those of the cut: the counter of seconds is at 4, not at 0.
    let luma = |bytes: &[u8], from: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        let input = file.path().display().to_string();
        ffmpeg(&format!("-i {input} -vf {from},format=gray -frames:v 1 -f rawvideo"), ".raw")
    };
    let whole = std::fs::read(file.path()).expect("readable");
    let (Some(got), Some(want), Some(first)) =
        (luma(&out, "null"), luma(&whole, "trim=4.5"), luma(&whole, "null"))
    else {
        return;
    };
    let apart = |a: &[u8], b: &[u8]| -> u64 {
        a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
    };
    let (near, far) = (apart(&got, &want), apart(&got, &first));
    assert!(near * 2 < far, "{near} from what is shown, {far} from what is hidden");
}

#[test]
fn old_containers_and_codecs_of_films_are_read() {
    const FILM: &str = "-f lavfi -i testsrc=s=160x120:d=2:r=25 -f lavfi -i sine=duration=2";
    let files = [
        ("-c:v mpeg1video -c:a mp2 -f mpeg", "video/mpeg", "mpeg1video"),
        ("-c:v mpeg2video -c:a mp2 -f vob", "video/mpeg", "mpeg2video"),
        ("-c:v flv1 -c:a libmp3lame -ar 22050 -f flv", "video/x-flv", "flv1"),
        ("-c:v libx264 -c:a aac -f flv", "video/x-flv", "h264"),
        ("-c:v libtheora -c:a libvorbis -f ogg", "video/ogg", "theora"),
        ("-c:v libtheora -c:a libspeex -ar 16000 -f ogg", "video/ogg", "theora"),
    ];
    for (coding, media_type, codec) in files {
        let Some(bytes) = ffmpeg(&format!("{FILM} {coding}"), ".film") else { continue };
        let mut session = opened(&bytes.into());
        let info = session.info().clone();
        assert_eq!((info.media_type.as_str(), info.codec.as_str()), (media_type, codec));
        assert!(info.duration.get().abs_diff(2000) < 200 && info.audio.is_some(), "{info:?}");
        through(&mut session, VideoCodec::H263, Dimensions::at_least_one(128, 96));
    }
}

/// A video that does not say what its colours are is of BT.709 from high definition on, and every
/// output says what it is.
#[test]
fn untagged_colours_are_those_of_the_size() {
    let red = |size: &str, matrix: &str| {
        let scale = format!("scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p");
        ffmpeg(
            &format!("-f lavfi -i color=red:s={size}:d=1:r=10 -vf {scale} -c:v mpeg4 -q:v 2"),
            ".mp4",
        )
    };
    // The brightness of red in BT.709 and BT.601, clause 3 of each.
    for (size, matrix, codec, tag, luma) in [
        ("1280x720", "bt709", VideoCodec::H264, "bt709", 63u8),
        ("720x1280", "bt709", VideoCodec::H264, "bt709", 63),
        ("1280x720", "bt709", VideoCodec::Mpeg4, "", 81),
        ("640x360", "bt601", VideoCodec::H264, "smpte170m", 81),
    ] {
        let Some(bytes) = red(size, matrix) else { return };
        let out = through(&mut opened(&bytes.into()), codec, SMALL);
        let Some(told) = ffprobe(&out, "stream=color_space") else { return };
        assert!(told.contains(tag), "{size}: {told}");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &out).expect("written");
        let input = file.path().display();
        let raw = ffmpeg(&format!("-i {input} -frames:v 1 -pix_fmt yuv420p -f rawvideo"), ".raw");
        let Some(raw) = raw else { return };
        let middle = raw[160 * 60 + 80];
        assert!(middle.abs_diff(luma) <= 3, "{size} as {codec:?}: {middle}, not {luma}");
    }
}
