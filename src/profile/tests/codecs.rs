//! What is decoded of video and audio: codecs without a level, kinds of devices, and what must
//! not matter.

use super::{Shelf, bag, document};
use crate::{
    model::{AudioCodec, Bytes, Capabilities, Dimensions, VideoCodec, VideoSupport},
    profile::{DeviceDescription, InlineCapabilities, resolve},
};

const TYPES: [&str; 5] = ["image/jpeg", "audio/amr", "video/3gpp", "video/mp4", "text/plain"];

fn mms(bytes: u64, types: &[&str], more: &str) -> String {
    format!(
        "<mms:MmsMaxMessageSize>{bytes}</mms:MmsMaxMessageSize>{}{more}",
        bag("MmsCcppAccept", types)
    )
}

fn phone(screen: &str, mms: &str, streams: &[&str]) -> String {
    let streams = if streams.is_empty() { String::new() } else { bag("StreamingAccept", streams) };
    document(&format!("<prf:ScreenSize>{screen}</prf:ScreenSize>"), &format!("{mms}{streams}"))
}

fn of(xml: String) -> Capabilities {
    let device = DeviceDescription { uaprof_xml: Some(xml.into()), ..Default::default() };
    resolve(&device, None, &Shelf::default()).unwrap().capabilities
}

fn codec(c: &Capabilities, codec: VideoCodec) -> Option<VideoSupport> {
    c.video.iter().find(|one| one.codec == codec).copied()
}

fn figures(c: &Capabilities, wanted: VideoCodec) -> Option<(u32, u32, u32)> {
    codec(c, wanted)
        .map(|v| (v.max_dimensions.width(), v.max_dimensions.height(), v.max_bitrate.get()))
}

#[test]
fn issue_17_13_a_codec_without_a_level_follows_the_screen() {
    for spelling in ["video/H264", "video/x-h264", "video/avc", "video/H264-2000"] {
        for screen in ["480x800", "1440x2560", "800*480", "540X960"] {
            let c = of(phone(screen, &mms(307_200, &TYPES, ""), &[spelling, "video/MP4V-ES"]));
            assert_eq!(figures(&c, VideoCodec::H264), Some((640, 480, 10_000_000)), "{screen}");
            assert_eq!(figures(&c, VideoCodec::Mpeg4), Some((352, 288, 384_000)), "{screen}");
            assert!(c.audio.contains(&AudioCodec::Aac));
        }
        let c = of(phone("240x320", &mms(307_200, &TYPES, ""), &[spelling]));
        assert_eq!(figures(&c, VideoCodec::H264), Some((320, 240, 384_000)));
        let c = of(phone("128x160", &mms(307_200, &TYPES, ""), &[spelling]));
        assert_eq!(figures(&c, VideoCodec::H264), Some((176, 144, 128_000)));
    }
    // Stated among the types of messages alone, and the half screens of the first smartphones.
    let types: Vec<&str> = TYPES.into_iter().chain(["video/h264"]).collect();
    let c = of(phone("320x480", &mms(307_200, &types, ""), &[]));
    assert_eq!(figures(&c, VideoCodec::H264), Some((480, 288, 4_000_000)));
    let c = of(phone("240x320", &mms(307_200, &types, ""), &[]));
    assert_eq!(figures(&c, VideoCodec::H264), Some((320, 240, 384_000)));
    // The levels of other codecs tell, too.
    let c = of(phone(
        "176x220",
        &mms(307_200, &TYPES, ""),
        &["video/H264", "video/H263-2000;profile=0;level=30"],
    ));
    assert_eq!(figures(&c, VideoCodec::H264), Some((352, 288, 768_000)));
}

#[test]
fn issue_17_13_the_higher_of_statement_and_kind_binds() {
    let big =
        |streams: &[&str], more: &str| of(phone("1080x1920", &mms(307_200, &TYPES, more), streams));
    let rate = "<mms:VideoDecodingByteRate>16000</mms:VideoDecodingByteRate>";
    let low = big(&["video/H264;profile-level-id=42F00B"], rate);
    assert_eq!(figures(&low, VideoCodec::H264), Some((640, 480, 10_000_000)));
    let high = big(&["video/H264;profile-level-id=42E028"], "");
    assert_eq!(figures(&high, VideoCodec::H264), Some((1920, 1080, 20_000_000)));
    assert!(low.video.provenance.attribute.contains("video-smartphone"));
    // A small one is what it says, at the rate that it says.
    let xml = |rate| {
        phone("240x320", &mms(307_200, &TYPES, rate), &["video/H264;profile-level-id=42E00D"])
    };
    let small = of(xml(rate));
    assert_eq!(figures(&small, VideoCodec::H264), Some((352, 288, 128_000)));
    assert_eq!(figures(&of(xml("")), VideoCodec::H264), Some((352, 288, 768_000)));
    // What its player does not list it does not play.
    assert_eq!(codec(&small, VideoCodec::Mpeg4), None);
}

#[test]
fn issue_17_14_the_size_limit_decides_no_codec() {
    let kinds = [
        ("96x65", ""),
        ("176x220", ""),
        ("240x320", "<mms:MmsVersion><rdf:Bag><rdf:li>1.3</rdf:li></rdf:Bag></mms:MmsVersion>"),
        ("480x800", ""),
        ("1080x2400", ""),
    ];
    for (screen, more) in kinds {
        let sizes = [30_720, 102_400, 307_200, 614_400, 1_048_576, 3_145_728];
        let all: Vec<_> = sizes
            .map(|bytes| of(phone(screen, &mms(bytes, &TYPES, more), &[])))
            .map(|c| (c.video, c.audio))
            .to_vec();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{screen}");
        let inline = |bytes| {
            let device = DeviceDescription {
                uaprof_xml: Some(phone(screen, &mms(307_200, &TYPES, more), &[]).into()),
                inline: Some(InlineCapabilities {
                    max_message_bytes: Some(Bytes::new(bytes)),
                    ..Default::default()
                }),
                ..Default::default()
            };
            let c = resolve(&device, None, &Shelf::default()).unwrap().capabilities;
            (c.video, c.audio, c.jpeg_full_chroma, c.jpeg_progressive)
        };
        let asked: Vec<_> = sizes.map(inline).to_vec();
        assert!(asked.windows(2).all(|pair| pair[0] == pair[1]), "{screen}");
        assert_eq!((&asked[0].0, &asked[0].1), (&all[0].0, &all[0].1), "{screen}");
    }
    // Nor where nothing else is said.
    let alone = |bytes| {
        let inline = InlineCapabilities { max_message_bytes: bytes, ..Default::default() };
        let device = DeviceDescription { inline: Some(inline), ..Default::default() };
        resolve(&device, None, &Shelf::default()).unwrap().capabilities.video
    };
    assert_eq!(alone(None), alone(Some(Bytes::new(60_000))));
    assert_eq!(alone(None), alone(Some(Bytes::new(2_000_000))));
    assert!(alone(None)[0].codec == VideoCodec::H264, "nobody's phone is of today");
}

#[test]
fn issue_17_14_kinds_are_told_by_what_they_say_of_themselves() {
    let system = |name: &str, version: &str| {
        let xml = phone("240x320", &mms(307_200, &TYPES, ""), &[]);
        let system =
            format!("<prf:OSName>{name}</prf:OSName><prf:OSVersion>{version}</prf:OSVersion>");
        figures(
            &of(xml.replace("<prf:ScreenSize>", &format!("{system}<prf:ScreenSize>"))),
            VideoCodec::H264,
        )
    };
    assert_eq!(system("Android", "4.4.2"), Some((640, 480, 10_000_000)));
    assert_eq!(system("Android", "Android 11"), Some((640, 480, 10_000_000)));
    assert_eq!(system("Android", "2.3"), Some((352, 288, 768_000)));
    assert_eq!(system("Nucleus", "4.4"), None);
    let recent: Vec<&str> = TYPES.into_iter().chain(["image/webp"]).collect();
    let c = of(phone("240x320", &mms(307_200, &recent, ""), &[]));
    assert_eq!(figures(&c, VideoCodec::H264), Some((640, 480, 10_000_000)));
    // Communicators of 2005 have long screens and no H.264.
    assert_eq!(
        codec(&of(phone("640x200", &mms(300_000, &TYPES, ""), &[])), VideoCodec::H264),
        None
    );
    // No video where messages carry none, whatever the player does.
    let c = of(phone("480x800", &mms(300_000, &["image/jpeg"], ""), &["video/H264"]));
    assert!(c.video.is_empty());
    // A screen in the request.
    let inline = InlineCapabilities { screen: Dimensions::new(480, 800), ..Default::default() };
    let device = DeviceDescription {
        inline: Some(inline),
        uaprof_xml: Some(document("", &mms(307_200, &TYPES, "")).into()),
        ..Default::default()
    };
    let c = resolve(&device, None, &Shelf::default()).unwrap().capabilities;
    assert_eq!(figures(&c, VideoCodec::H264), Some((640, 480, 10_000_000)));
}
