//! What a device plays, and how audio and video can be written for it.

use crate::model::{
    AcceptList, AudioChoice, AudioCodec, AudioTrack, BitRate, Capabilities, Container, Dimensions,
    MediaInfo, MediaKind, MediaType, RemuxRecipe, VideoChoice, VideoCodec, VideoSupport,
    VideoTrack,
};

/// H.264 decoders that reach this many pixels (VGA) sit in smartphones, whose hardware takes the
/// main and high profiles too; smaller ones are those of feature phones, made for the baseline of
/// TS 26.140 and nothing else. (General knowledge; no profile states it.)
const MAIN_PROFILE_FROM: u64 = 640 * 480;
/// A video's average rate may stand this much over the device's level: levels bound the decoder's
/// buffer, not the average of a short video.
const BITRATE_TOLERANCE: f64 = 1.25;

/// Whether the device takes the part's type: that of its content, or its twin in the same file
/// format that it was declared with (audio alone in 3GP is `audio/3gpp` and `video/3gpp`).
pub(super) fn accepts(accept: &AcceptList, declared: &MediaType, found: &MediaType) -> bool {
    accept.accepts(found) || (twins(declared, found) && accept.accepts(declared))
}

/// The same file format, with and without video.
pub(super) fn twins(a: &MediaType, b: &MediaType) -> bool {
    let format = |t: &MediaType| match t.as_str() {
        "audio/3gpp" | "video/3gpp" => 1,
        "audio/mp4" | "video/mp4" => 2,
        "audio/3gpp2" | "video/3gpp2" => 3,
        _ => 0,
    };
    format(a) != 0 && format(a) == format(b)
}

/// Whether the device decodes the tracks of a part.
///
/// # Errors
/// What it does not decode, for people.
pub(super) fn plays(info: &MediaInfo, capabilities: &Capabilities) -> Result<(), String> {
    if let (MediaKind::Video, Some(track)) = (info.kind, &info.video) {
        let supports = &capabilities.video.value;
        if !supports.is_empty() {
            plays_video(track, info.dimensions, supports)?;
        }
    }
    match &info.audio {
        Some(track) => plays_audio(track, &info.media_type, capabilities),
        None => Ok(()),
    }
}

fn plays_video(
    track: &VideoTrack,
    dimensions: Option<Dimensions>,
    supports: &[VideoSupport],
) -> Result<(), String> {
    let codec = video_codec(track);
    let support = codec.and_then(|codec| supports.iter().find(|s| s.codec == codec));
    let Some(support) = support else {
        return Err(format!("the device has no decoder for {} video", track.codec));
    };
    if !profile_is_in(track, support) {
        return Err(format!("{} {} profile", track.codec, track.profile));
    }
    if let Some(dimensions) = dimensions {
        let most = support.max_dimensions.turned_to(dimensions);
        if !dimensions.within(most) {
            return Err(format!("{} {dimensions} > {most}", track.codec));
        }
    }
    let rate = f64::from(support.max_frame_rate);
    if track.frame_rate > rate + 0.5 {
        return Err(format!("{} at {:.0} > {rate} fps", track.codec, track.frame_rate));
    }
    if track.bitrate.per_second() > support.max_bitrate.per_second() * BITRATE_TOLERANCE {
        return Err(format!(
            "{} at {:.0} > {:.0} kbit/s",
            track.codec,
            track.bitrate.kilo(),
            support.max_bitrate.kilo()
        ));
    }
    Ok(())
}

fn video_codec(track: &VideoTrack) -> Option<VideoCodec> {
    let all = [VideoCodec::H263, VideoCodec::Mpeg4, VideoCodec::H264];
    all.into_iter().find(|codec| codec.name() == track.codec)
}

/// Profiles as ffprobe words them; unknown ones of the older codecs are the common ones.
fn profile_is_in(track: &VideoTrack, support: &VideoSupport) -> bool {
    let profile = track.profile.to_ascii_lowercase();
    match support.codec {
        VideoCodec::H263 => matches!(profile.as_str(), "" | "0" | "baseline" | "profile 0"),
        VideoCodec::Mpeg4 => {
            profile.is_empty() || profile.starts_with("simple profile") || profile == "simple"
        }
        VideoCodec::H264 => match profile.as_str() {
            "baseline" | "constrained baseline" => true,
            "main" | "high" | "constrained high" | "progressive high" => {
                support.max_dimensions.pixels() >= MAIN_PROFILE_FROM
            }
            _ => false,
        },
    }
}

/// The codec of an audio file, where it is one of those that devices are described by.
pub(super) fn audio_codec(track: &AudioTrack) -> Option<AudioCodec> {
    let all = [AudioCodec::AmrNb, AudioCodec::AmrWb, AudioCodec::Aac, AudioCodec::Mp3];
    all.into_iter().find(|codec| codec.name() == track.codec)
}

fn plays_audio(
    track: &AudioTrack,
    media_type: &MediaType,
    capabilities: &Capabilities,
) -> Result<(), String> {
    let known = &capabilities.audio.value;
    if known.is_empty() {
        return Ok(());
    }
    let missing = || Err(format!("the device has no decoder for {} audio", track.codec));
    match audio_codec(track) {
        Some(codec) if known.contains(&codec) => Ok(()),
        Some(_) => missing(),
        // A type that implies its codec (WAV, Ogg, QCELP) says enough when it is taken; a
        // general file with a strange codec in it does not.
        None => {
            let general = ["/mp4", "/3gpp", "/3gpp2", "/quicktime", "/webm", "/x-matroska"];
            let general = general.iter().any(|end| media_type.as_str().ends_with(end));
            if general { missing() } else { Ok(()) }
        }
    }
}

/// Audio files that the device takes, by preference among equals: MP4 is what later ones know,
/// 3GP what earlier ones do.
pub(super) fn audio_choices(capabilities: &Capabilities) -> Vec<AudioChoice> {
    use {AudioCodec as C, Container as F};
    let known = &capabilities.audio.value;
    let all = [
        (C::Aac, F::Mp4),
        (C::Aac, F::Adts),
        (C::Aac, F::ThreeGp),
        (C::Mp3, F::Mp3),
        (C::AmrWb, F::Amr),
        (C::AmrWb, F::ThreeGp),
        (C::AmrNb, F::Amr),
        (C::AmrNb, F::ThreeGp),
    ];
    all.into_iter()
        .map(|(codec, container)| AudioChoice { codec, container })
        .filter(|choice| capabilities.accept.accepts(&choice.media_type()))
        .filter(|choice| match choice.container {
            // Nothing known: 3GP promises AMR alone (TS 26.140 clause 4.2).
            F::ThreeGp if known.is_empty() => choice.codec == C::AmrNb,
            _ => known.is_empty() || known.contains(&choice.codec),
        })
        .collect()
}

/// Video files that the device takes: the best codec first, and for each MP4 before 3GP (which one
/// is written depends on the audio: AMR belongs into 3GP).
pub(super) fn video_choices(capabilities: &Capabilities) -> Vec<VideoChoice> {
    let accept = &capabilities.accept;
    let takes = |container| {
        let support = assumed(container);
        accept.accepts(&VideoChoice { support, container, audio: Vec::new() }.media_type())
    };
    let files: Vec<Container> =
        [Container::Mp4, Container::ThreeGp].into_iter().filter(|file| takes(*file)).collect();
    let mut supports = capabilities.video.value.clone();
    if supports.is_empty() {
        // The weaker promise first: a device that lists 3GP promises no more than that.
        supports.extend(files.last().map(|file| assumed(*file)));
    }
    supports.sort_by_key(|support| std::cmp::Reverse(support.codec));
    let known = &capabilities.audio.value;
    let audio = |file: Container| -> Vec<AudioCodec> {
        let all = [AudioCodec::AmrNb, AudioCodec::AmrWb, AudioCodec::Aac];
        all.into_iter()
            .filter(|codec| file.holds_audio(*codec))
            .filter(|codec| match file {
                Container::ThreeGp if known.is_empty() => *codec == AudioCodec::AmrNb,
                _ => known.is_empty() || known.contains(codec),
            })
            .collect()
    };
    let joined = supports.iter().flat_map(|support| {
        let fitting = files.iter().filter(|file| file.holds_video(support.codec));
        fitting.map(|file| VideoChoice { support: *support, container: *file, audio: audio(*file) })
    });
    joined.collect()
}

/// What a device plays that lists the type and says no more: in 3GP H.263 profile 0 level 10,
/// which TS 26.140 asks of all; in MP4 H.264 baseline level 1.2, which no standard asks, but which
/// every phone has that lists it in the field.
fn assumed(container: Container) -> VideoSupport {
    let (codec, (width, height), bits) = match container {
        Container::Mp4 => (VideoCodec::H264, (320, 240), 384_000),
        _ => (VideoCodec::H263, (176, 144), 64_000),
    };
    let max_dimensions = Dimensions::at_least_one(width, height);
    VideoSupport { codec, max_dimensions, max_frame_rate: 15, max_bitrate: BitRate::new(bits) }
}

/// The file that the tracks can be moved into as they are, if the device takes one.
pub(super) fn remux(info: &MediaInfo, capabilities: &Capabilities) -> Option<RemuxRecipe> {
    let audio = match &info.audio {
        // A result is decoded once more before it leaves.
        Some(track) if !track.is_readable() => return None,
        Some(track) => Some(audio_codec(track)?),
        None => None,
    };
    if info.kind == MediaKind::Video {
        let codec = video_codec(info.video.as_ref()?)?;
        let choices = video_choices(capabilities);
        let fits = |choice: &&VideoChoice| {
            choice.container.holds_video(codec)
                && audio.is_none_or(|audio| choice.audio.contains(&audio))
        };
        let choice = choices.iter().find(fits)?;
        Some(RemuxRecipe { container: choice.container, video: true, audio })
    } else {
        let audio = audio?;
        let choice =
            audio_choices(capabilities).into_iter().find(|choice| choice.codec == audio)?;
        Some(RemuxRecipe { container: choice.container, video: false, audio: Some(audio) })
    }
}
