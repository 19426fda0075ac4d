//! What is in a file, from its headers and a walk over its packets; little more is decoded than
//! what libav decodes to know its tracks.

#![allow(unsafe_code, reason = "calls libav")]

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, DecodeLimits},
    model::{
        AudioTrack, BitRate, Bytes, Dimensions, MediaInfo, MediaKind, MediaType, Millis,
        SampleRate, VideoTrack,
    },
};

use super::{
    decoder::Decoder,
    ff::{Packet, internal, profile_name},
    input::Input,
    tracks::{self, Candidates, Chosen, Track},
    trial::Trial,
};

/// Packets of a file that are walked over: an hour of AAC has 170,000.
const MAX_PACKETS: u64 = 2_000_000;

/// Audio files shorter than this may belong to a video of one frame, in microseconds.
const MOMENT: i64 = 1_000_000;

/// What the walk found of one track.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    pub packets: u64,
    pub bytes: u64,
    /// Time of the first and end of the last packet, in microseconds.
    pub start: i64,
    pub end: i64,
}

impl Walk {
    /// What lies outside of the edit list is decoded for what refers to it, and never shown: it is
    /// no playing time and no part of the rate.
    fn add(&mut self, track: &Track, packet: &Packet) {
        if packet.is_hidden() {
            return;
        }
        let time = if packet.pts == ff::AV_NOPTS_VALUE { packet.dts } else { packet.pts };
        let duration = track.micros(packet.duration.max(0));
        if time == ff::AV_NOPTS_VALUE {
            self.end = self.end.saturating_add(duration);
        } else {
            let time = track.micros(time);
            self.start = if self.packets == 0 { time } else { self.start.min(time) };
            self.end = self.end.max(time.saturating_add(duration));
        }
        self.packets += 1;
        self.bytes += u64::try_from(packet.size).unwrap_or(0);
    }

    pub fn micros(&self) -> i64 {
        self.end.saturating_sub(self.start).max(0)
    }

    fn bitrate(&self) -> BitRate {
        BitRate::of(Bytes::new(self.bytes), u64::try_from(self.micros()).unwrap_or(0))
    }
}

/// A probed file.
pub(super) struct Probed {
    pub info: MediaInfo,
    pub chosen: Chosen,
    pub video: Walk,
    pub audio: Walk,
}

impl Probed {
    /// The moment that counts as the start of the whole, in microseconds.
    pub fn start(&self) -> i64 {
        let of = |walk: &Walk| (walk.packets > 0).then_some(walk.start);
        of(&self.video).into_iter().chain(of(&self.audio)).min().unwrap_or(0)
    }
}

/// Opens, walks, describes.
pub(super) fn probe(bytes: &Buffer, limits: &DecodeLimits) -> Result<Probed, CodecError> {
    let mut input = Input::open(bytes)?;
    let candidates = tracks::candidates(&input);
    if candidates.video.is_empty() && candidates.audio.is_empty() {
        let detail = "there is neither audio nor a video in it".into();
        return Err(CodecError::Malformed { format: "media", detail });
    }
    let (video, audio) = walk(&mut input, &candidates)?;
    let audio = choose(audio);
    let mut video = choose(without_covers(video, audio.as_ref()));
    let mut info = MediaInfo::opaque(input.media_type.clone(), Bytes::of(bytes));
    info.kind = info.media_type.kind();
    if info.kind == MediaKind::Audio {
        // What is no video by its container has images of its audio at most.
        video = None;
    }
    let micros = [&video, &audio].into_iter().flatten().map(|t| t.walk.micros()).max().unwrap_or(0);
    let micros = u64::try_from(micros).unwrap_or(0);
    info.duration = Millis::saturating((micros / 1000).max(1));
    limits.check_duration(info.duration.get().into())?;
    if let Some(tried) = &video {
        describe_video(&mut info, tried, limits)?;
    }
    if let Some(tried) = &audio {
        describe_audio(&mut info, tried);
    }
    settle_kind(&mut info, video.as_ref(), audio.as_ref())?;
    if info.codec.is_empty() || micros == 0 {
        let detail = "it has no audio and no frame that could be played".into();
        return Err(CodecError::Malformed { format: "media", detail });
    }
    info.bitrate = BitRate::of(info.bytes, micros);
    let readable = |tried: &&Tried| tried.problem.is_none();
    let chosen = Chosen {
        video: video.as_ref().filter(readable).map(|tried| tried.track.index),
        audio: audio.as_ref().filter(readable).map(|tried| tried.track.index),
    };
    let walk = |tried: Option<Tried>| tried.map_or_else(Walk::default, |tried| tried.walk);
    Ok(Probed { info, chosen, video: walk(video), audio: walk(audio) })
}

/// A track that was walked over.
struct Tried {
    track: Track,
    walk: Walk,
    /// Why it cannot be decoded.
    problem: Option<CodecError>,
}

/// The first track that can be decoded; the first of all where none can.
fn choose(tracks: Vec<Tried>) -> Option<Tried> {
    let mut there = tracks.into_iter().filter(|tried| tried.walk.packets > 0);
    let first = there.next()?;
    if first.problem.is_none() {
        return Some(first);
    }
    there.find(|tried| tried.problem.is_none()).or(Some(first))
}

/// Leaves out tracks of a single frame beside videos, and beside audio: a cover is no video,
/// whether its flag says so or not. What is over in a moment is a video of one frame if the
/// frame is there as long as the audio.
fn without_covers(mut tracks: Vec<Tried>, audio: Option<&Tried>) -> Vec<Tried> {
    let film = tracks.iter().any(|tried| tried.walk.packets > 1);
    let heard = audio.filter(|tried| tried.problem.is_none()).map_or(0, |t| t.walk.micros());
    tracks.retain(|tried| {
        let moment = heard < MOMENT && tried.walk.micros() >= heard / 2;
        tried.walk.packets > 1 || !film && (heard == 0 || moment)
    });
    tracks
}

/// Walks over all packets once. Audio is tried until something of it is decoded: that takes a
/// packet or two. Frames are large, and only tried where there are several tracks of them.
fn walk(
    input: &mut Input,
    candidates: &Candidates,
) -> Result<(Vec<Tried>, Vec<Tried>), CodecError> {
    let several = candidates.video.len() > 1;
    let of = |track: &Track, tried: bool| {
        let trial = tried.then(|| Trial::of(track));
        (*track, Walk::default(), trial)
    };
    let films = candidates.video.iter().map(|track| of(track, several));
    let mut tracks: Vec<_> =
        films.chain(candidates.audio.iter().map(|track| of(track, true))).collect();
    let mut packet = Packet::new()?;
    let mut left = MAX_PACKETS;
    while input.read(&mut packet)? {
        left = left.checked_sub(1).ok_or_else(|| internal("a file of endless packets"))?;
        let index = packet.stream_index;
        if let Some((track, walk, trial)) = tracks.iter_mut().find(|(t, ..)| t.index == index) {
            walk.add(track, &packet);
            if let Some(trial) = trial {
                trial.feed(Some(&packet));
            }
        }
    }
    let mut tried = tracks.into_iter().map(|(track, walk, trial)| {
        let problem = match trial {
            Some(trial) => trial.verdict(),
            None => Decoder::known(&track).err(),
        };
        Tried { track, walk, problem }
    });
    let films = tried.by_ref().take(candidates.video.len()).collect();
    Ok((films, tried.collect()))
}

fn describe_video(
    info: &mut MediaInfo,
    Tried { track, walk, .. }: &Tried,
    limits: &DecodeLimits,
) -> Result<(), CodecError> {
    let coded = track.coded().map_or(0, Dimensions::pixels);
    if coded > limits.max_pixels {
        let limit = limits.max_pixels;
        return Err(CodecError::Limit { what: "pixels", found: coded, limit });
    }
    // SAFETY: the parameters live as long as the input.
    let profile = unsafe { (*track.params).profile };
    let counted = walk.packets as f64 * 1e6 / walk.micros().max(1) as f64;
    let told = track.frame_rate();
    info.dimensions = track.shown();
    info.frames = u32::try_from(walk.packets).unwrap_or(u32::MAX);
    info.codec = track.codec_name();
    info.video = Some(VideoTrack {
        codec: info.codec.clone(),
        profile: profile_name(track.codec(), profile),
        frame_rate: if told > 0.0 && told < 1000.0 { told } else { counted.min(1000.0) },
        bitrate: walk.bitrate(),
    });
    Ok(())
}

fn describe_audio(info: &mut MediaInfo, Tried { track, walk, problem }: &Tried) {
    // SAFETY: the parameters live as long as the input.
    let params = unsafe { &*track.params };
    let name = track.codec_name();
    if info.codec.is_empty() {
        info.codec = name.clone();
    }
    info.audio = Some(AudioTrack {
        codec: name,
        profile: profile_name(track.codec(), params.profile),
        sample_rate: SampleRate::new(u32::try_from(params.sample_rate).unwrap_or(0)),
        channels: u32::try_from(params.ch_layout.nb_channels).unwrap_or(0),
        bitrate: walk.bitrate(),
        unreadable: problem.as_ref().map_or_else(String::new, ToString::to_string),
    });
}

/// What was recognised by its container is what its tracks say. What cannot be decoded at all is
/// told as that.
fn settle_kind(
    info: &mut MediaInfo,
    video: Option<&Tried>,
    audio: Option<&Tried>,
) -> Result<(), CodecError> {
    if let Some(problem) = video.and_then(|tried| tried.problem.clone()) {
        return Err(problem);
    }
    if info.media_type == MediaType::GIF {
        info.audio = None;
        return Ok(());
    }
    if info.video.is_some() && info.dimensions.is_some() {
        return Ok(());
    }
    if video.is_some() {
        let detail = "its video cannot be read".into();
        return Err(CodecError::Unsupported { format: "video", detail });
    }
    if let Some(problem) = audio.and_then(|tried| tried.problem.clone()) {
        return Err(problem);
    }
    if info.kind == MediaKind::Video {
        info.media_type = audio_alone(&info.media_type);
        info.kind = MediaKind::Audio;
    }
    Ok(())
}

/// The type of a file that could hold a video and holds audio alone.
fn audio_alone(media_type: &MediaType) -> MediaType {
    match media_type.as_str() {
        "video/quicktime" => MediaType::fold("audio/mp4"),
        // `audio/mpeg` is MP3 by itself.
        "video/mpeg" => MediaType::fold("audio/mp2p"),
        film => MediaType::fold(&film.replacen("video/", "audio/", 1)),
    }
}
