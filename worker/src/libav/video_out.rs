//! Kept frames to coded ones, in two passes that land on a byte count.

#![allow(unsafe_code, reason = "calls libav")]

use std::{
    cell::RefCell,
    ffi::{CStr, CString},
    ptr,
};

use ffmpeg_sys_next as ff;
use mmsfit::{
    codec::CodecError,
    model::{BitRate, Dimensions, FrameRate, Stop, VideoCodec, VideoCoding},
};

use super::{
    ff::{Encoder, Frame, Options, Packet, check, internal},
    mux::Coded,
    rate::{Controller, Law},
    yuv::Yuv,
};

/// The frames of an output, in order, each with the ticks that it is shown for.
pub(super) struct Master {
    pub dimensions: Dimensions,
    pub rate: FrameRate,
    pub frames: Vec<(Yuv, u64)>,
    /// The frames are of BT.709, which the stream has to say.
    pub bt709: bool,
}

/// What a first pass took: bits a frame, at this quantiser.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FirstPass {
    pub codec: VideoCodec,
    pub quantiser: f64,
    bits: Vec<f64>,
}

/// The share of the promised bytes that is aimed at: what the landing may miss by lies above.
const AIM: f64 = 0.995;

/// How a codec is driven.
struct Drive {
    name: &'static CStr,
    law: Law,
    /// Quantisers of first passes, coarser ones for fewer bits: one near the wanted one predicts
    /// it better.
    firsts: &'static [(f64, f64)],
    bounds: (f64, f64),
    gain: f64,
}

fn drive(codec: VideoCodec) -> Drive {
    // Bits a pixel from which on a first quantiser is used.
    const UNIFORM: &[(f64, f64)] = &[(0.35, 4.0), (0.15, 7.0), (0.07, 12.0), (0.0, 20.0)];
    const LOGARITHMIC: &[(f64, f64)] = &[(0.25, 20.0), (0.12, 25.0), (0.06, 29.0), (0.0, 34.0)];
    match codec {
        VideoCodec::H263 | VideoCodec::Mpeg4 => Drive {
            name: if codec == VideoCodec::H263 { c"h263" } else { c"mpeg4" },
            law: Law::Power { a: 1.1 },
            firsts: UNIFORM,
            bounds: (2.0, 31.0),
            gain: 1.0,
        },
        VideoCodec::H264 => Drive {
            name: c"libx264",
            law: Law::Halving { step: 6.0 },
            firsts: LOGARITHMIC,
            bounds: (8.0, 51.0),
            // What `medium` takes of what the first pass takes at the same quantiser: 0.79 to
            // 1.18 on ten videos (2026-11-25, benches/video_vs_ffmpeg.sh).
            gain: 0.95,
        },
    }
}

impl Drive {
    /// The encoder holds frames back to see what comes after them.
    fn looks_ahead(&self) -> bool {
        matches!(self.law, Law::Halving { .. })
    }
}

/// Frames that x264 looks ahead.
const AHEAD: u64 = 40;

impl Master {
    fn ticks(&self) -> u64 {
        self.frames.iter().map(|(_, ticks)| ticks).sum()
    }
}

/// Encodes all frames by `coding`; `kept` is a first pass that may be used again.
pub(super) fn encode(
    master: &Master,
    coding: &VideoCoding,
    kept: &mut Option<FirstPass>,
    stop: &Stop,
) -> Result<Coded, CodecError> {
    let drive = drive(coding.codec);
    let seconds = master.ticks() as f64 / master.rate.per_second();
    let target = coding.bitrate.per_second() * seconds * AIM;
    let density = target / (master.ticks() as f64 * master.dimensions.pixels() as f64).max(1.0);
    let firsts = drive.firsts.iter().find(|(from, _)| density >= *from);
    let quantiser = firsts.map_or(8.0, |(_, quantiser)| *quantiser);
    let first = match kept.take().filter(|f| (f.codec, f.quantiser) == (coding.codec, quantiser)) {
        Some(first) => first,
        None => {
            let coded = pass(master, coding, &drive, true, (|_| quantiser, |_| {}), stop)?;
            let bits = coded.units.iter().map(|u| u.data.len() as f64 * 8.0).collect();
            FirstPass { codec: coding.codec, quantiser, bits }
        }
    };
    let bits = first.bits.clone();
    *kept = Some(first);
    let mut landing = Landing { drive: &drive, quantiser, target, best: None };
    landing.follow(master, coding, bits, stop)?;
    landing.best.map(|(_, coded)| coded).ok_or_else(|| internal("no pass was run"))
}

/// Second passes, the best of which is kept.
struct Landing<'a> {
    drive: &'a Drive,
    /// Of the first pass.
    quantiser: f64,
    /// Bits aimed at.
    target: f64,
    best: Option<(f64, Coded)>,
}

impl Landing<'_> {
    /// Keeps the better; whether it is near enough.
    fn keep(&mut self, coded: Coded) -> (bool, f64) {
        let fill = coded.bytes() as f64 * 8.0 / self.target;
        if self.best.as_ref().is_none_or(|(before, _)| nearer(fill, *before)) {
            self.best = Some((fill, coded));
        }
        (WINDOW.contains(&fill), fill)
    }

    /// Every frame's quantiser follows what those before it took, beside what was foreseen.
    fn follow(
        &mut self,
        master: &Master,
        coding: &VideoCoding,
        mut bits: Vec<f64>,
        stop: &Stop,
    ) -> Result<(), CodecError> {
        let (mut gain, mut law, bounds) = (self.drive.gain, self.drive.law, self.drive.bounds);
        let ahead = self.drive.looks_ahead();
        let mut before: Option<(f64, f64)> = None;
        // Short videos cost little, and are over before a correction shows.
        let short = ahead && master.ticks() <= SHORT;
        let most = if short { MOST_PASSES + 1 } else { MOST_PASSES };
        for n in 0..most {
            let control = Controller::new(law, bits, self.quantiser, gain, self.target, bounds);
            let control = RefCell::new(control.steady(short && n + 1 < most));
            let next = |_| {
                let mut control = control.borrow_mut();
                if ahead { control.steer() } else { control.next() }
            };
            let took = |bits| control.borrow_mut().observe(bits);
            let coded = pass(master, coding, self.drive, false, (next, took), stop)?;
            let control = control.into_inner();
            let sizes: Vec<f64> = coded.units.iter().map(|u| u.data.len() as f64 * 8.0).collect();
            let (done, fill) = self.keep(coded);
            if done || !control.could_do_better(fill > 1.0) {
                break;
            }
            let mean = control.mean();
            if let Some((was, filled)) = before {
                law = law.through((was, filled), (mean, fill));
            }
            before = Some((mean, fill));
            bits = control.learnt(&sizes, law);
            gain = 1.0;
        }
        Ok(())
    }
}

/// Frames of a video that counts as short: fewer than an encoder looks ahead.
const SHORT: u64 = AHEAD;
/// Second passes at most.
const MOST_PASSES: usize = 2;
/// Shares of the aim that are near enough.
const WINDOW: std::ops::RangeInclusive<f64> = 0.965..=1.02;

/// Whether one share of the aim is better than another: within before over, then the fuller or
/// the less over.
fn nearer(fill: f64, than: f64) -> bool {
    let over = |fill: f64| fill > *WINDOW.end();
    match (over(fill), over(than)) {
        (false, true) => true,
        (true, false) => false,
        (false, false) => fill > than,
        (true, true) => fill < than,
    }
}

/// One run over all frames.
fn pass(
    master: &Master,
    coding: &VideoCoding,
    drive: &Drive,
    first: bool,
    (mut quantiser, mut took): (impl FnMut(u64) -> f64, impl FnMut(f64)),
    stop: &Stop,
) -> Result<Coded, CodecError> {
    let encoder = Encoder::find(drive.name)?;
    open(&encoder, master, coding, first, quantiser_at_start(drive, coding))?;
    let (frames, seconds) = (master.rate.numerator(), master.rate.denominator());
    let mut coded = Coded::of(&encoder, (seconds, frames))?;
    let mut packet = Packet::new()?;
    let mut tick = 0u64;
    for (yuv, ticks) in &master.frames {
        for _ in 0..*ticks {
            stop.check()?;
            let mut frame = yuv_frame(yuv)?;
            frame.pts = tick as i64;
            set_quantiser(&encoder, &mut frame, coding.codec, quantiser(tick));
            encoder.send(Some(&frame))?;
            let before = coded.units.len();
            coded.drain(&encoder, &mut packet)?;
            coded.units[before..].iter().for_each(|unit| took(unit.data.len() as f64 * 8.0));
            tick += 1;
        }
    }
    // What an encoder that looks ahead holds back comes out steered, too, if more is sent: flat
    // frames, which are worth nothing to those before them, cost next to nothing, and are never
    // coded.
    let mut spare = if drive.looks_ahead() && !first { AHEAD + 8 } else { 0 };
    while spare > 0 && (coded.units.len() as u64) < tick {
        let mut frame = yuv_frame(&Yuv::flat(master.dimensions, [128; 3]))?;
        frame.pts = (tick + AHEAD + 8 - spare) as i64;
        set_quantiser(&encoder, &mut frame, coding.codec, quantiser(tick));
        encoder.send(Some(&frame))?;
        let before = coded.units.len();
        coded.drain(&encoder, &mut packet)?;
        coded.units[before..].iter().for_each(|unit| took(unit.data.len() as f64 * 8.0));
        spare -= 1;
    }
    if (coded.units.len() as u64) < tick {
        encoder.send(None)?;
        coded.drain(&encoder, &mut packet)?;
    }
    coded.units.truncate(tick as usize);
    if coded.units.len() as u64 != tick {
        return Err(internal("an encoder lost frames"));
    }
    for unit in &mut coded.units {
        unit.dts = unit.pts;
        unit.duration = 1;
    }
    Ok(coded)
}

fn quantiser_at_start(drive: &Drive, coding: &VideoCoding) -> f64 {
    match coding.codec {
        VideoCodec::H264 => drive.firsts.last().map_or(30.0, |(_, q)| *q),
        _ => 8.0,
    }
}

fn set_quantiser(encoder: &Encoder, frame: &mut Frame, codec: VideoCodec, quantiser: f64) {
    match codec {
        VideoCodec::H264 => {
            // SAFETY: an open libx264, which takes the new value with the next frame.
            unsafe {
                ff::av_opt_set_double((*encoder.0).priv_data, c"crf".as_ptr(), quantiser, 0);
            }
        }
        VideoCodec::H263 | VideoCodec::Mpeg4 => {
            frame.quality = (quantiser * f64::from(ff::FF_QP2LAMBDA)).round() as i32;
        }
    }
}

/// Settings of x264 in both passes: one thread, the same bytes every time, no word about itself;
/// colours as fine as they are with the psychovisual settings that `ssim` turns off (+0.13 dB of
/// SSIM), and what lasts finer than what passes (+0.04 dB; four videos at 80 and 200 kbit/s,
/// 2026-11-25).
const ALWAYS: &str = "threads=1:sliced-threads=0:sync-lookahead=0:rc-lookahead=40:info=0:\
                      chroma-qp-offset=-2:qcomp=0.5";

fn open(
    encoder: &Encoder,
    master: &Master,
    coding: &VideoCoding,
    first: bool,
    start: f64,
) -> Result<(), CodecError> {
    let crf = CString::new(format!("{start:.1}")).map_err(|_| internal("a number"))?;
    // SAFETY: an encoder that is not open yet.
    let context = unsafe { &mut *encoder.0 };
    let (frames, seconds) = (master.rate.numerator() as i32, master.rate.denominator() as i32);
    context.width = master.dimensions.width() as i32;
    context.height = master.dimensions.height() as i32;
    context.pix_fmt = ff::AVPixelFormat::AV_PIX_FMT_YUV420P;
    context.time_base = ff::AVRational { num: seconds, den: frames };
    context.framerate = ff::AVRational { num: frames, den: seconds };
    context.sample_aspect_ratio = ff::AVRational { num: 1, den: 1 };
    // A key frame every five seconds: old phones cannot seek or start elsewhere.
    context.gop_size = (master.rate.per_second() * 5.0).round().max(1.0) as i32;
    context.max_b_frames = 0;
    context.thread_count = 1;
    context.flags |= ff::AV_CODEC_FLAG_BITEXACT as i32;
    tag_colours(context, master.bt709);
    let mut options = match coding.codec {
        VideoCodec::H264 => {
            context.flags |=
                (ff::AV_CODEC_FLAG_GLOBAL_HEADER | ff::AV_CODEC_FLAG_CLOSED_GOP) as i32;
            // The first pass only learns how hard each frame is, but it weighs what frames
            // are worth to later ones as the second does: otherwise it foretells little. Of the
            // second, references of their own for parts of blocks cost a seventh of the time for
            // 0.001 dB of SSIM (five videos, 2026-11-25, benches/video_vs_ffmpeg.sh).
            let (preset, special) = if first {
                (c"superfast", "mbtree=1")
            } else {
                (c"medium", "mixed-refs=0:subme=6")
            };
            let parameters = format!("{ALWAYS}:{special}");
            let parameters = CString::new(parameters).map_err(|_| internal("a setting"))?;
            Options::new(&[
                (c"preset", preset),
                (c"profile", c"baseline"),
                (c"tune", c"ssim"),
                (c"crf", crf.as_c_str()),
                (c"x264-params", parameters.as_c_str()),
            ])
        }
        VideoCodec::H263 | VideoCodec::Mpeg4 => {
            context.flags |= ff::AV_CODEC_FLAG_QSCALE as i32;
            context.global_quality = ff::FF_QP2LAMBDA as i32 * 8;
            context.mb_decision = if first { 0 } else { ff::FF_MB_DECISION_RD as i32 };
            context.trellis = i32::from(!first);
            (context.qmin, context.qmax) = (2, 31);
            if coding.codec == VideoCodec::Mpeg4 {
                context.flags |= ff::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
                context.profile = ff::FF_PROFILE_MPEG4_SIMPLE as i32;
                context.level = mpeg4_level(master, coding.bitrate);
            }
            // Key frames where they are planned and nowhere else.
            Options::new(&[(c"sc_threshold", c"1000000000")])
        }
    };
    // SAFETY: as above; the options are taken or left.
    let code = unsafe { ff::avcodec_open2(encoder.0, ptr::null(), options.raw()) };
    check(code, "opening the encoder").map(|_| ())
}

/// Says what the colours are: what says nothing is guessed by its size, and a small copy of a
/// large video has another than its original (ISO/IEC 23091-2 tables 2 to 4).
fn tag_colours(context: &mut ff::AVCodecContext, bt709: bool) {
    context.color_range = ff::AVColorRange::AVCOL_RANGE_MPEG;
    if bt709 {
        context.colorspace = ff::AVColorSpace::AVCOL_SPC_BT709;
        context.color_primaries = ff::AVColorPrimaries::AVCOL_PRI_BT709;
        context.color_trc = ff::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    } else {
        context.colorspace = ff::AVColorSpace::AVCOL_SPC_SMPTE170M;
        context.color_primaries = ff::AVColorPrimaries::AVCOL_PRI_SMPTE170M;
        context.color_trc = ff::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE170M;
    }
}

/// Levels of the simple profile (ISO/IEC 14496-2 table N.1): 0 to 3.
fn mpeg4_level(master: &Master, bitrate: BitRate) -> i32 {
    let blocks = master.dimensions.pixels() / 256;
    let speed = blocks as f64 * master.rate.per_second();
    match (bitrate.get(), blocks, speed) {
        (0..=64_000, 0..=99, s) if s <= 1485.0 => 1,
        (0..=128_000, 0..=396, s) if s <= 5940.0 => 2,
        _ => 3,
    }
}

fn yuv_frame(yuv: &Yuv) -> Result<Frame, CodecError> {
    let mut frame = Frame::new()?;
    frame.format = ff::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
    frame.width = yuv.dimensions.width() as i32;
    frame.height = yuv.dimensions.height() as i32;
    // SAFETY: a valid frame, described as far as its buffers need.
    check(unsafe { ff::av_frame_get_buffer(frame.raw(), 0) }, "making room for a frame")?;
    for (n, plane) in yuv.planes.iter().enumerate() {
        let width = yuv.dimensions.width() as usize / if n == 0 { 1 } else { 2 };
        let stride = usize::try_from(frame.linesize[n]).map_err(|_| internal("a stride"))?;
        for (y, row) in plane.chunks_exact(width).enumerate() {
            // SAFETY: the plane has this many rows of `stride` bytes, no fewer than `width`.
            unsafe { ptr::copy_nonoverlapping(row.as_ptr(), frame.data[n].add(y * stride), width) }
        }
    }
    Ok(frame)
}
