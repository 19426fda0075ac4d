//! Photos as cameras write them, at a fraction of their size: one Huffman-coded sequential scan of
//! one or three components. Subsampled colour is transformed to the size of the luma instead of
//! being interpolated, as libjpeg does.
//!
//! Whatever is not plainly so (progressive, several scans, four components, damage of any kind) is
//! left to the crates that know all of JPEG: here it is `None`, never an error. Half of the time
//! of the `jpeg-decoder` crate: `benches/decode.rs`.

mod bits;
mod frame;
mod idct;
#[cfg(test)]
mod tests;

use self::{
    bits::Bits,
    frame::{Component, Frame},
};
use crate::model::{Bytes, Dimensions, Stop};

/// Decoded samples, interleaved: gray or RGB.
pub struct Decoded {
    /// Of what came out.
    pub dimensions: Dimensions,
    /// 1 or 3.
    pub channels: usize,
    /// Rows from the top, without padding.
    pub pixels: Vec<u8>,
}

/// Decodes to at least `target` on one side (in stored order), if the file is one of those. Stops
/// between rows of blocks; the caller asks why. Takes four bytes for each pixel that comes out at
/// the most, and nothing where that is more than `max_memory`.
pub fn decode(
    stream: &[u8],
    target: Dimensions,
    max_memory: Bytes,
    stop: &Stop,
) -> Option<Decoded> {
    let frame = Frame::read(stream)?;
    let scale = frame.scale_for(target);
    let dimensions = frame.scaled(scale)?;
    (dimensions.pixels().checked_mul(4)? <= max_memory.get()).then_some(())?;
    let mut strips: Vec<Strip> =
        frame.components.iter().map(|c| Strip::new(&frame, c, scale)).collect::<Option<_>>()?;
    let (width, height) = (dimensions.width() as usize, dimensions.height() as usize);
    let channels = strips.len();
    let mut pixels = Vec::with_capacity(width * height * channels);
    let mut bits = Bits::new(frame.data);
    let mut block = [0i32; 64];
    let (mut until_restart, mut restarts) = (frame.restart_interval, 0u8);
    for _ in 0..frame.mcu_rows {
        if stop.check().is_err() {
            return None;
        }
        for column in 0..frame.mcu_columns {
            if frame.restart_interval > 0 {
                if until_restart == 0 {
                    bits.restart(restarts)?;
                    restarts = restarts.wrapping_add(1);
                    until_restart = frame.restart_interval;
                    strips.iter_mut().for_each(|strip| strip.mean = 0);
                }
                until_restart -= 1;
            }
            for (strip, component) in strips.iter_mut().zip(&frame.components) {
                strip.read(&mut bits, &frame, component, column, &mut block)?;
            }
        }
        if bits.is_over() {
            return None;
        }
        let left = height - pixels.len() / (width * channels);
        let rows = left.min(frame.mcu_height * scale / 8);
        for y in 0..rows {
            put_row(&strips, y, width, &mut pixels);
        }
    }
    (pixels.len() == width * height * channels).then_some(Decoded { dimensions, channels, pixels })
}

/// The samples of one component in one row of MCUs.
struct Strip {
    samples: Vec<u8>,
    stride: usize,
    /// Samples of a block, across and down.
    block: (usize, usize),
    transform: fn(&[i32; 64], &mut [u8], usize),
    /// The mean of the block before.
    mean: i32,
}

impl Strip {
    fn new(frame: &Frame<'_>, component: &Component, scale: usize) -> Option<Self> {
        let (most_h, most_v) = frame.most_sampled();
        let exact = most_h % component.h == 0 && most_v % component.v == 0;
        let block = (scale * most_h / component.h, scale * most_v / component.v);
        let transform = idct::of(block.0, block.1).filter(|_| exact)?;
        let stride = frame.mcu_columns * component.h * block.0;
        let samples = vec![0; stride * component.v * block.1];
        Some(Self { samples, stride, block, transform, mean: 0 })
    }

    /// The blocks of one MCU.
    #[inline]
    fn read(
        &mut self,
        bits: &mut Bits<'_>,
        frame: &Frame<'_>,
        component: &Component,
        column: usize,
        block: &mut [i32; 64],
    ) -> Option<()> {
        let codes = frame.codes(component)?;
        let quantisers = frame.quantisers(component)?;
        for y in 0..component.v {
            for x in 0..component.h {
                block.fill(0);
                bits::block(bits, codes, quantisers, &mut self.mean, block)?;
                let left = (column * component.h + x) * self.block.0;
                let start = y * self.block.1 * self.stride + left;
                (self.transform)(block, self.samples.get_mut(start..)?, self.stride);
            }
        }
        Some(())
    }

    fn row(&self, y: usize, width: usize) -> &[u8] {
        &self.samples[y * self.stride..][..width]
    }
}

/// A row of pixels; colour by ITU-T T.871 clause 7.
fn put_row(strips: &[Strip], y: usize, width: usize, pixels: &mut Vec<u8>) {
    let [luma, blue, red] = strips else {
        return pixels.extend(strips.first().map_or(&[][..], |strip| strip.row(y, width)));
    };
    let start = pixels.len();
    pixels.resize(start + width * 3, 0);
    let samples = luma.row(y, width).iter().zip(blue.row(y, width)).zip(red.row(y, width));
    for (pixel, ((y, cb), cr)) in pixels[start..].chunks_exact_mut(3).zip(samples) {
        // 16 fractional bits, rounded.
        let y = (i32::from(*y) << 16) + 32_768;
        let (cb, cr) = (i32::from(*cb) - 128, i32::from(*cr) - 128);
        let sample = |value: i32| (value >> 16).clamp(0, 255) as u8;
        pixel[0] = sample(y + 91_881 * cr);
        pixel[1] = sample(y - 22_554 * cb - 46_802 * cr);
        pixel[2] = sample(y + 116_130 * cb);
    }
}
