//! Decoded frames at the rate of the output: one for every tick, those in between never scaled
//! and, where nothing refers to them, never decoded.

use bytes::Bytes as Buffer;
use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::CodecError,
    model::{FrameRate, Stop},
};

use super::{
    decoder::Decoder,
    ff::{Frame, Packet, internal},
    input::Input,
    tracks::{self, Chosen, Track, Turn},
};

/// Decoded frames beyond this are not looked at: an hour at 60 a second has 216,000.
const MAX_FRAMES: u64 = 300_000;

/// The properties of a video's frames that scaling needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub turn: Turn,
    /// Width of a pixel over its height.
    pub shape: f64,
}

/// What the consumer of the frames asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    pub rate: FrameRate,
    /// Frames wanted.
    pub count: u64,
    /// The beginning, in microseconds of the file.
    pub start: i64,
    /// Small frames are wanted: deblocking of unreferenced frames may be skipped.
    pub small: bool,
}

/// More than a microsecond of 120 frames a second, less than is visible.
const HALFWAY: f64 = 1e-3;

impl Ticks {
    /// The tick at which a frame of this time is due: the nearest, as broadcasters round.
    fn of(&self, micros: i64) -> i64 {
        let since = micros.saturating_sub(self.start) as f64 / 1e6;
        // Times are in whole microseconds: what lies half-way must not fall to either side by that.
        (since * self.rate.per_second() + HALFWAY).round() as i64
    }
}

/// Decodes and hands every shown frame over, with the number of ticks that it is shown for.
pub(super) fn each(
    bytes: &Buffer,
    chosen: Chosen,
    ticks: &Ticks,
    stop: &Stop,
    mut take: impl FnMut(&Frame, &Look, u64) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let mut input = Input::open(bytes)?;
    let track = chosen.video.and_then(|n| tracks::at(&input, n));
    let track = track.ok_or_else(|| CodecError::Unsupported {
        format: "video",
        detail: "there is none in it".into(),
    })?;
    let look = Look { turn: track.turn(), shape: shape(&track) };
    let mut decoder = Decoder::open(&track)?;
    if ticks.small {
        decoder.context().skip_loop_filter = ff::AVDiscard::AVDISCARD_NONREF;
    }
    let mut pending = Frame::new()?;
    let mut pending_tick: Option<i64> = None;
    let (mut packet, mut frame) = (Packet::new()?, Frame::new()?);
    let mut next = 0i64;
    let mut left = MAX_FRAMES;
    let mut at_end = false;
    'file: while !at_end {
        stop.check()?;
        at_end = !input.read(&mut packet)?;
        if !at_end && packet.stream_index != track.index {
            continue;
        }
        if !at_end {
            decoder.context().skip_frame = if shown(&packet, &track, ticks) {
                ff::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ff::AVDiscard::AVDISCARD_NONREF
            };
        }
        decoder.send((!at_end).then_some(&packet))?;
        while decoder.receive(&mut frame)?.is_some() {
            left = left.checked_sub(1).ok_or_else(|| internal("a video of endless frames"))?;
            let time = frame.best_effort_timestamp;
            let tick = if time == ff::AV_NOPTS_VALUE {
                pending_tick.map_or(0, |tick| tick + 1)
            } else {
                ticks.of(track.micros(time))
            };
            if let Some(before) = pending_tick {
                // It is shown until the new one is due; from the first tick on, at the beginning.
                let until = tick.clamp(next, ticks.count as i64);
                if until > next && tick > before {
                    take(&pending, &look, (until - next) as u64)?;
                    next = until;
                }
                if next >= ticks.count as i64 {
                    break 'file;
                }
            }
            std::mem::swap(&mut pending, &mut frame);
            pending_tick = Some(pending_tick.map_or(tick, |before| before.max(tick)));
            frame.clear();
        }
    }
    if pending_tick.is_none() {
        let detail = "no frame of it can be decoded".into();
        return Err(CodecError::Malformed { format: "video", detail });
    }
    // The last one stays until the end.
    if next < ticks.count as i64 {
        take(&pending, &look, (ticks.count as i64 - next) as u64)?;
    }
    Ok(())
}

/// H.263's pixels are shown as squares: see [`Track::shown`].
fn shape(track: &Track) -> f64 {
    match (track.shown(), track.coded()) {
        (Some(shown), Some(coded)) => {
            let shown = if track.turn().swaps() { shown.transposed() } else { shown };
            f64::from(shown.width()) * f64::from(coded.height())
                / (f64::from(shown.height()) * f64::from(coded.width()))
        }
        _ => 1.0,
    }
}

/// Whether the frame of a packet is the last one due at its tick.
fn shown(packet: &Packet, track: &Track, ticks: &Ticks) -> bool {
    if packet.pts == ff::AV_NOPTS_VALUE || packet.duration <= 0 {
        return true;
    }
    let at = ticks.of(track.micros(packet.pts));
    let after = ticks.of(track.micros(packet.pts.saturating_add(packet.duration)));
    after > at
}
