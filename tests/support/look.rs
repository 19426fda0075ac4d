//! Images as other decoders than ours see them, and how alike two of them are.

use bytes::Bytes as Buffer;
use image::{DynamicImage, ImageDecoder as _, ImageReader, metadata::Orientation};

/// An image as a person sees it: turned upright, on white, gray, in a grid of [`SIDE`]².
#[derive(Clone, Debug)]
pub struct Look {
    /// Width and height as shown.
    pub size: (u32, u32),
    /// Mean luma of each field.
    pub luma: Vec<f64>,
}

/// Fields along a side.
const SIDE: u32 = 16;

/// The exponent of the screen that a PNG was made for, where its `gAMA` alone tells the colours and
/// they are not about those of sRGB.
fn png_gamma(bytes: &[u8]) -> Option<f64> {
    let before = bytes.windows(4).position(|w| w == b"IDAT")?;
    let at = |name: &[u8]| bytes[..before].windows(4).position(|w| w == name);
    if !bytes.starts_with(b"\x89PNG")
        || [b"sRGB", b"iCCP", b"cICP"].iter().any(|n| at(*n).is_some())
    {
        return None;
    }
    let value = bytes.get(at(b"gAMA")? + 4..)?.first_chunk()?;
    let value = f64::from(u32::from_be_bytes(*value));
    (!(45_000.0..=46_000.0).contains(&value)).then_some(100_000.0 / value)
}

fn as_srgb(value: u8, gamma: f64) -> u8 {
    let light = (f64::from(value) / 255.0).powf(gamma);
    let shown =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (shown * 255.0).round() as u8
}

impl Look {
    /// Through the `image` crate, orientation applied; WBMP by the reader below. `None` where
    /// neither reads it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if let Some(image) = wbmp(bytes) {
            return Some(Self::new(&image));
        }
        let mut decoder = ImageReader::new(std::io::Cursor::new(bytes))
            .with_guessed_format()
            .ok()?
            .into_decoder()
            .ok()?;
        // In WebP the crate reads a bare TIFF block alone; many writers put JPEG's prefix before
        // it.
        let exif = decoder.exif_metadata().ok()?;
        let turn = match exif.as_deref().and_then(|exif| exif.strip_prefix(b"Exif\0\0")) {
            Some(tiff) => Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms),
            None => decoder.orientation().ok()?,
        };
        let mut image = DynamicImage::from_decoder(decoder).ok()?;
        image.apply_orientation(turn);
        if let Some(gamma) = png_gamma(bytes) {
            let mut rgba = image.to_rgba8();
            for pixel in rgba.pixels_mut() {
                pixel.0[..3].iter_mut().for_each(|v| *v = as_srgb(*v, gamma));
            }
            image = rgba.into();
        }
        Some(Self::new(&image))
    }

    /// A JPEG through zune-jpeg.
    ///
    /// # Errors
    /// What it says.
    pub fn of_jpeg(bytes: &[u8]) -> Result<Self, String> {
        use zune_jpeg::zune_core::{bytestream::ZCursor, options::DecoderOptions};
        let options = DecoderOptions::default().set_strict_mode(true);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        let pixels = decoder.decode().map_err(|error| error.to_string())?;
        let (width, height) = decoder.dimensions().ok_or("no dimensions")?;
        let (w, h) = (width as u32, height as u32);
        let image = if pixels.len() == width * height {
            image::GrayImage::from_raw(w, h, pixels).map(DynamicImage::from)
        } else {
            image::RgbImage::from_raw(w, h, pixels).map(DynamicImage::from)
        };
        Ok(Self::new(&image.ok_or("neither gray nor RGB")?))
    }

    fn new(image: &DynamicImage) -> Self {
        let rgba = image.to_rgba8();
        let size = rgba.dimensions();
        let n = SIDE as usize;
        let (mut sum, mut count) = (vec![0.0; n * n], vec![0u32; n * n]);
        let field = |at: u32, of: u32| (u64::from(at) * u64::from(SIDE) / u64::from(of)) as usize;
        for (x, y, pixel) in rgba.enumerate_pixels() {
            let [r, g, b, a] = pixel.0.map(f64::from);
            let on_white = |c: f64| (c * a + 255.0 * (255.0 - a)) / 255.0;
            let at = field(y, size.1) * n + field(x, size.0);
            sum[at] += 0.299 * on_white(r) + 0.587 * on_white(g) + 0.114 * on_white(b);
            count[at] += 1;
        }
        // Fields without a pixel, in images smaller than the grid, take the nearest one's.
        let near = |at: usize| {
            let (x, y) = (at % n, at / n);
            let clamp = |v: usize, of: u32| {
                let pixel = (v as u64 * u64::from(of) / u64::from(SIDE)) as u32;
                field(pixel.min(of - 1), of)
            };
            clamp(y, size.1) * n + clamp(x, size.0)
        };
        let luma = (0..n * n)
            .map(|at| if count[at] > 0 { at } else { near(at) })
            .map(|at| sum[at] / f64::from(count[at].max(1)))
            .collect();
        Self { size, luma }
    }

    /// How alike they look: correlation of the fields, 1 where both are flat and about as bright.
    pub fn likeness(&self, other: &Self) -> f64 {
        let n = self.luma.len() as f64;
        let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
        let (a, b) = (mean(&self.luma), mean(&other.luma));
        let pairs = || self.luma.iter().zip(&other.luma);
        let covariance = pairs().map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / n;
        let spread =
            |v: &[f64], m: f64| (v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / n).sqrt();
        let (sa, sb) = (spread(&self.luma, a), spread(&other.luma, b));
        let apart = pairs().map(|(x, y)| (x - y).abs()).sum::<f64>() / n;
        // No difference, or nothing to see in either (a colour that the profile moved far, dots
        // that stand for gray in linear light): a correlation would be of noise.
        if apart < 6.0 || (sa < 3.0 && sb < 25.0 && apart < 96.0) {
            1.0
        } else {
            covariance / (sa * sb).max(1e-9)
        }
    }
}

/// A WBMP of type 0 (WAP-237 §6), read by a reader of this test's own.
pub fn wbmp(bytes: &[u8]) -> Option<DynamicImage> {
    let [0, 0, rest @ ..] = bytes else { return None };
    let (width, rest) = multi_byte(rest)?;
    let (height, rest) = multi_byte(rest)?;
    let row = (width as usize).div_ceil(8);
    if width == 0
        || height == 0
        || width.max(height) > 10_000
        || rest.len() != row * height as usize
    {
        return None;
    }
    let white = |x: u32, y: u32| rest[y as usize * row + x as usize / 8] >> (7 - x % 8) & 1;
    let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([white(x, y) * 255]));
    Some(image.into())
}

fn multi_byte(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    for (at, &byte) in bytes.iter().enumerate().take(4) {
        value = value << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// Frames of a GIF, by the `image` crate's player: each is composed.
pub fn gif_frames(bytes: &Buffer) -> Option<usize> {
    use image::AnimationDecoder as _;
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(&bytes[..])).ok()?;
    decoder.into_frames().try_fold(0, |n, frame| frame.ok().map(|_| n + 1))
}
