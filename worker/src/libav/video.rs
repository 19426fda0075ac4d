//! The video of a session: decoded once, kept small, encoded as often as asked.

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{
        CodecError, EncodeError, Reference, Session,
        image::{
            raster::{DecodedImage as Pictures, Frame as DecodedImage, Layout, Raster},
            session_of,
        },
    },
    model::{
        Bytes, Dimensions, FrameRate, ImageCoding, ImageRecipe, Millis, Recipe, Rgb, Stop,
        VideoCodec, VideoRecipe,
    },
};

use super::{
    frames::{self, Ticks},
    mux,
    scale::Scaler,
    session::{AvSession, Video},
    video_out::{self, Master},
    yuv::Yuv,
};

/// Memory that kept frames may take, in bytes.
const MAX_KEPT: u64 = 384 << 20;

impl AvSession {
    fn video(
        &mut self,
        dimensions: Dimensions,
        rate: FrameRate,
        length: Millis,
        to_601: bool,
        stop: &Stop,
    ) -> Result<&mut Video, CodecError> {
        let key = (dimensions, rate, length, to_601);
        let kept = self.video.take().filter(|video| video.key == key);
        let video = match kept {
            Some(video) => video,
            None => Video { key, master: self.master(key, stop)?, first: None },
        };
        Ok(self.video.insert(video))
    }

    fn master(
        &self,
        (dimensions, rate, length, to_601): (Dimensions, FrameRate, Millis, bool),
        stop: &Stop,
    ) -> Result<Master, CodecError> {
        let count = ((length.seconds() * rate.per_second()).round() as u64).max(1);
        let source = self.probed.info.dimensions.map_or(0, Dimensions::pixels);
        let small = source >= dimensions.pixels() * 4;
        let ticks = Ticks { rate, count, start: self.probed.start(), small };
        let mut scaler = Scaler::new(dimensions, to_601);
        let mut frames: Vec<(Yuv, u64)> = Vec::new();
        let (mut kept, mut bt709) = (0u64, false);
        frames::each(&self.bytes, self.probed.chosen, &ticks, stop, |frame, look, shown| {
            let yuv = scaler.scale(frame, look)?;
            bt709 = scaler.bt709;
            kept += dimensions.pixels() * 3 / 2;
            if kept > MAX_KEPT {
                return Err(CodecError::Limit { what: "memory", found: kept, limit: MAX_KEPT });
            }
            frames.push((yuv, shown));
            Ok(())
        })?;
        Ok(Master { dimensions, rate, frames, bt709 })
    }

    /// A video by `recipe`.
    pub(super) fn encode_video(
        &mut self,
        recipe: &VideoRecipe,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Buffer, EncodeError> {
        let coding = recipe.video;
        let length = self.length(recipe.keep);
        let to_601 = coding.codec != VideoCodec::H264;
        let video = self.video(coding.dimensions, coding.rate, length, to_601, stop)?;
        let video = video_out::encode(&video.master, &coding, &mut video.first, stop)?;
        let audio = match &recipe.audio {
            Some(audio) if self.probed.chosen.audio.is_some() => {
                Some(self.audio(audio, recipe.keep, stop)?)
            }
            _ => None,
        };
        let tracks: Vec<&mux::Coded> =
            [Some(&video), audio.as_ref()].into_iter().flatten().collect();
        Ok(mux::write_file(recipe.container, &tracks, true, cap)?.into())
    }

    /// A poster image of the video, or an animation of it.
    pub(super) fn encode_image(
        &mut self,
        recipe: &ImageRecipe,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Buffer, EncodeError> {
        let moving =
            matches!(recipe.coding, ImageCoding::Gif { frame_step, .. } if frame_step < u16::MAX);
        if self.images.as_ref().is_none_or(|(was, _)| *was != moving) {
            let session = self.image_session(moving, stop)?;
            self.images = Some((moving, session));
        }
        match &mut self.images {
            Some((_, session)) => session.encode(&Recipe::Image(*recipe), cap, stop),
            None => Err(super::ff::internal("the images just made are gone").into()),
        }
    }

    /// The luma of `count` moments, at the size of the video.
    pub(super) fn looks(
        &self,
        count: u8,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Option<Vec<Reference>>, CodecError> {
        let info = &self.probed.info;
        let (Some(shown), Some(_)) = (info.dimensions, &info.video) else { return Ok(None) };
        let even = |n: u32| (n / 2 * 2).max(2);
        let dimensions = Dimensions::at_least_one(even(shown.width()), even(shown.height()));
        let length = info.duration.max(Millis::new(1));
        // A frame takes the ticks from the nearest one on: at each tick there is what is on the
        // screen half a stretch later.
        let rate = FrameRate::new(u32::from(count) * 1000, length.get());
        let rate = rate.ok_or_else(|| super::ff::internal("a rate of nothing"))?;
        let master = self.master((dimensions, rate, length, true), stop)?;
        let mut moments = Vec::with_capacity(count.into());
        for (yuv, ticks) in &master.frames {
            let luma: Buffer = yuv.planes[0].iter().map(|y| full_range(*y)).collect();
            let moment = Reference { dimensions, luma, background };
            moments.extend((0..*ticks).map(|_| moment.clone()));
        }
        Ok((moments.len() == usize::from(count)).then_some(moments))
    }

    fn image_session(&self, moving: bool, stop: &Stop) -> Result<Box<dyn Session>, CodecError> {
        let info = self.probed.info.clone();
        let shown = info.dimensions.ok_or_else(|| super::ff::internal("a video without frames"))?;
        let within = shown.shrunk_into(self.hint.largest.turned_to(shown));
        let even = |n: u32| (n / 2 * 2).max(2);
        let dimensions = Dimensions::at_least_one(even(within.width()), even(within.height()));
        let seconds = info.duration.max(Millis::new(1)).seconds();
        // An animation: at most ten frames a second and sixty in all. A poster: eight frames
        // of the first tenth, but at least of two seconds, of which the richest is taken.
        let span = if moving { seconds } else { seconds.min((seconds / 10.0).max(2.0)) };
        let span = if self.hurried { span.min(HURRIED) } else { span };
        let count = if moving { (span * 10.0).clamp(2.0, 60.0) } else { 8.0 }.round();
        let rate = FrameRate::new((count * 1000.0) as u32, (span * 1000.0).max(1.0) as u32);
        let rate = rate.ok_or_else(|| super::ff::internal("a rate of nothing"))?;
        let key = (dimensions, rate, Millis::new((span * 1000.0) as u32), true);
        let master = self.master(key, stop)?;
        let delay = span * 1000.0 / count;
        let frames: Vec<DecodedImage> = if moving {
            let of = |(yuv, ticks): &(Yuv, u64)| {
                let delay = Millis::new((*ticks as f64 * delay).round() as u32);
                Some(DecodedImage { raster: rgb(yuv)?, delay })
            };
            master.frames.iter().filter_map(of).collect()
        } else {
            let best = master.frames.iter().max_by_key(|(yuv, _)| variance(&yuv.planes[0]));
            best.and_then(|(yuv, _)| Some(DecodedImage { raster: rgb(yuv)?, delay: Millis::ZERO }))
                .into_iter()
                .collect()
        };
        if frames.is_empty() {
            return Err(super::ff::internal("a video without frames"));
        }
        Ok(session_of(info, Pictures { frames, loops: 0 }))
    }
}

/// Seconds of a video that are looked at for an image of it in a hurry.
const HURRIED: f64 = 0.2;

/// How much detail it shows.
fn variance(luma: &[u8]) -> u64 {
    let count = luma.len().max(1) as u64;
    let sum: u64 = luma.iter().map(|n| u64::from(*n)).sum();
    let squares: u64 = luma.iter().map(|n| u64::from(*n).pow(2)).sum();
    squares / count - (sum / count).pow(2).min(squares / count)
}

/// Luma of limited range to 0…255.
fn full_range(luma: u8) -> u8 {
    ((f32::from(luma) - 16.0) * 255.0 / 219.0).round().clamp(0.0, 255.0) as u8
}

/// ITU-R BT.601-7 in limited range to RGB.
fn rgb(yuv: &Yuv) -> Option<Raster> {
    let width = yuv.dimensions.width() as usize;
    let mut out = Vec::with_capacity(yuv.planes[0].len() * 3);
    for (n, luma) in yuv.planes[0].iter().enumerate() {
        let at = (n / width / 2) * (width / 2) + (n % width) / 2;
        let y = 1.164_38 * (f32::from(*luma) - 16.0);
        let cb = f32::from(*yuv.planes[1].get(at)?) - 128.0;
        let cr = f32::from(*yuv.planes[2].get(at)?) - 128.0;
        for channel in [y + 1.596_03 * cr, y - 0.391_76 * cb - 0.812_97 * cr, y + 2.017_23 * cb] {
            out.push((channel + 0.5).clamp(0.0, 255.0) as u8);
        }
    }
    Raster::new(yuv.dimensions, Layout::Rgb, out)
}
