//! What is in a file, from its headers and a walk over its packets; nothing is decoded but what
//! libav decodes to know its tracks.

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::{CodecError, DecodeLimits},
    model::{AudioTrack, Bytes, Dimensions, MediaInfo, MediaKind, MediaType, VideoTrack},
};

use super::{
    decoder,
    ff::{Packet, internal},
    input::Input,
    tracks::{self, Track, Tracks},
};

/// Packets of a file that are walked over: an hour of AAC has 170,000.
const MAX_PACKETS: u64 = 2_000_000;

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
    fn add(&mut self, track: &Track, packet: &ff::AVPacket) {
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

    fn bits_per_second(&self) -> u32 {
        let micros = u128::try_from(self.micros()).unwrap_or(0).max(1);
        u32::try_from(u128::from(self.bytes) * 8_000_000 / micros).unwrap_or(u32::MAX)
    }
}

/// A probed file.
pub(super) struct Probed {
    pub info: MediaInfo,
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
    let tracks = tracks::find(&input)?;
    let (video, audio) = walk(&mut input, &tracks)?;
    let mut info = MediaInfo::opaque(input.media_type.clone(), Bytes::of(bytes));
    let micros = video.micros().max(audio.micros());
    info.duration_ms = u32::try_from(micros / 1000).unwrap_or(u32::MAX);
    if u64::from(info.duration_ms) > limits.max_duration_ms {
        let (found, limit) = (info.duration_ms.into(), limits.max_duration_ms);
        return Err(CodecError::Limit { what: "milliseconds", found, limit });
    }
    if let Some(track) = &tracks.video {
        describe_video(&mut info, track, &video, limits)?;
    }
    if let Some(track) = tracks.audio.filter(|_| audio.packets > 0) {
        describe_audio(&mut info, &track, &audio);
    }
    settle_kind(&mut info);
    if info.kind == MediaKind::Video && info.video.is_none() {
        let detail = "its moving pictures cannot be read".into();
        return Err(CodecError::Unsupported { format: "video", detail });
    }
    if info.codec.is_empty() || micros == 0 {
        let detail = "it has no sound and no picture that could be played".into();
        return Err(CodecError::Malformed { format: "media", detail });
    }
    let size = info.bytes.get();
    info.bitrate = u32::try_from(u128::from(size) * 8_000_000 / micros as u128).unwrap_or(u32::MAX);
    Ok(Probed { info, video, audio })
}

fn walk(input: &mut Input, tracks: &Tracks) -> Result<(Walk, Walk), CodecError> {
    let (mut video, mut audio) = (Walk::default(), Walk::default());
    let mut packet = Packet::new()?;
    let mut left = MAX_PACKETS;
    while input.read(&mut packet)? {
        left = left.checked_sub(1).ok_or_else(|| internal("a file of endless packets"))?;
        for (track, walk) in [(&tracks.video, &mut video), (&tracks.audio, &mut audio)] {
            if let Some(track) = track.as_ref().filter(|t| t.index == packet.stream_index) {
                walk.add(track, &packet);
            }
        }
    }
    Ok((video, audio))
}

fn describe_video(
    info: &mut MediaInfo,
    track: &Track,
    walk: &Walk,
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
    info.codec = decoder::name(track.codec());
    info.video = Some(VideoTrack {
        codec: info.codec.clone(),
        profile: decoder::profile(track.codec(), profile),
        frame_rate: if told > 0.0 && told < 1000.0 { told } else { counted.min(1000.0) },
        bitrate: walk.bits_per_second(),
    });
    Ok(())
}

fn describe_audio(info: &mut MediaInfo, track: &Track, walk: &Walk) {
    // SAFETY: the parameters live as long as the input.
    let params = unsafe { &*track.params };
    let name = decoder::name(track.codec());
    if info.codec.is_empty() {
        info.codec = name.clone();
    }
    info.audio = Some(AudioTrack {
        codec: name,
        profile: decoder::profile(track.codec(), params.profile),
        sample_rate: u32::try_from(params.sample_rate).unwrap_or(0),
        channels: u32::try_from(params.ch_layout.nb_channels).unwrap_or(0),
        bitrate: walk.bits_per_second(),
    });
}

/// What was recognised by its container is what its tracks say.
fn settle_kind(info: &mut MediaInfo) {
    if info.media_type == MediaType::GIF {
        info.kind = MediaKind::Image;
        info.audio = None;
        return;
    }
    let sound_alone = info.video.is_none() || info.dimensions.is_none();
    info.kind = info.media_type.kind();
    if sound_alone {
        info.video = None;
        info.dimensions = None;
        info.frames = 0;
    }
}
