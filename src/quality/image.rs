//! Quality of images.

/// Bytes per pixel at a fair quality: 1.2 bits.
const FAIR_BYTES_PER_PIXEL: f64 = 0.15;
/// Of an animation this many frames are counted at most.
const MAX_FRAMES: u32 = 30;

/// Bytes of an image of this many pixels at a fair quality, before anything is measured. Frames of
/// an animation count by their root: most of each is the one before.
pub fn fair_bytes(pixels: u64, frames: u32) -> f64 {
    let frames = f64::from(frames.clamp(1, MAX_FRAMES)).sqrt();
    pixels as f64 * frames * FAIR_BYTES_PER_PIXEL
}
