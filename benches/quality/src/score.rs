//! SSIMULACRA2 against two references.

use std::{cell::RefCell, collections::BTreeMap};

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};
use image::{RgbImage, imageops::FilterType};

use crate::photos::Photo;

/// Against the photo made small by Lanczos, and by means in linear light.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Scores {
    pub lanczos: f64,
    pub area: f64,
}

pub struct Judge {
    pub size: (u32, u32),
    /// By Lanczos.
    pub small: RgbImage,
    /// The same at other sizes, once they were asked for.
    smaller: RefCell<BTreeMap<(u32, u32), RgbImage>>,
    lanczos: Ssimulacra2Reference,
    area: Ssimulacra2Reference,
}

fn view(image: &RgbImage) -> PixelSlice<'_> {
    let (w, h) = image.dimensions();
    PixelSlice::new(image.as_raw(), w, h, w as usize * 3, PixelDescriptor::RGB8_SRGB)
        .expect("a whole image")
}

impl Judge {
    pub fn new(photo: &Photo, size: (u32, u32)) -> Self {
        let small = image::imageops::resize(&photo.rgb, size.0, size.1, FilterType::Lanczos3);
        let mean = means(&photo.rgb, size);
        let of = |image: &RgbImage| Ssimulacra2Reference::new(&view(image)).expect("large enough");
        Self { size, lanczos: of(&small), area: of(&mean), small, smaller: RefCell::default() }
    }

    /// The photo made small by Lanczos to another size.
    pub fn at(&self, photo: &Photo, size: (u32, u32)) -> RgbImage {
        let make = || image::imageops::resize(&photo.rgb, size.0, size.1, FilterType::Lanczos3);
        self.smaller.borrow_mut().entry(size).or_insert_with(make).clone()
    }

    /// Of a JPEG of any scale.
    pub fn score(&self, file: &[u8]) -> Option<Scores> {
        let shown = image::load_from_memory(file).ok()?.into_rgb8();
        let (w, h) = self.size;
        let shown = match shown.dimensions() == self.size {
            true => shown,
            false => image::imageops::resize(&shown, w, h, FilterType::Lanczos3),
        };
        let shown = view(&shown);
        Some(Scores {
            lanczos: self.lanczos.compare(&shown).ok()?,
            area: self.area.compare(&shown).ok()?,
        })
    }
}

fn linear(value: u8) -> f32 {
    let v = f32::from(value) / 255.0;
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

fn gamma(light: f32) -> u8 {
    let v =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (v * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

/// For each place the pixels that it covers, and by how much.
fn cover(from: u32, to: u32) -> Vec<Vec<(u32, f32)>> {
    let scale = f64::from(from) / f64::from(to);
    (0..to)
        .map(|n| {
            let (start, end) = (f64::from(n) * scale, f64::from(n + 1) * scale);
            (start as u32..(end.ceil() as u32).min(from))
                .map(|at| {
                    let share = (end.min(f64::from(at + 1)) - start.max(f64::from(at))) / scale;
                    (at, share as f32)
                })
                .collect()
        })
        .collect()
}

fn means(image: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let table: Vec<f32> = (0..=255).map(linear).collect();
    let (columns, rows) = (cover(image.width(), width), cover(image.height(), height));
    let mut out = RgbImage::new(width, height);
    let mut line = vec![[0.0f32; 3]; image.width() as usize];
    for (y, covered) in rows.iter().enumerate() {
        line.fill([0.0; 3]);
        for (row, share) in covered {
            for (sum, x) in line.iter_mut().zip(0..) {
                let pixel = image.get_pixel(x, *row).0;
                (0..3).for_each(|n| sum[n] += table[usize::from(pixel[n])] * share);
            }
        }
        for (x, covered) in columns.iter().enumerate() {
            let mut sum = [0.0f32; 3];
            for (at, share) in covered {
                (0..3).for_each(|n| sum[n] += line[*at as usize][n] * share);
            }
            out.put_pixel(x as u32, y as u32, image::Rgb(sum.map(gamma)));
        }
    }
    out
}
