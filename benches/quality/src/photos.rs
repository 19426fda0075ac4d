//! The photos of a folder.

use std::path::Path;

use bytes::Bytes;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage, metadata::Orientation};

/// One photo: its file, and its pixels upright.
pub struct Photo {
    pub name: String,
    pub file: Bytes,
    pub rgb: RgbImage,
    /// What makes the stored pixels upright.
    pub turn: Orientation,
}

impl Photo {
    /// Whether the sides change places.
    pub fn swaps(&self) -> bool {
        let mut probe = DynamicImage::new_luma8(2, 1);
        probe.apply_orientation(self.turn);
        probe.width() == 1
    }
}

fn decoded(file: &[u8]) -> Option<(RgbImage, Orientation)> {
    let reader = ImageReader::new(std::io::Cursor::new(file)).with_guessed_format().ok()?;
    let mut decoder = reader.into_decoder().ok()?;
    let turn = decoder.orientation().ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(turn);
    Some((image.into_rgb8(), turn))
}

/// Every JPEG in `folder` that is larger than a phone's screen and in colours that need no profile.
pub fn of(folder: &Path) -> Result<Vec<Photo>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let photo = |path: &Path| {
        let file = std::fs::read(path).ok().filter(|file| file.starts_with(&[0xff, 0xd8]))?;
        let profiled = file.windows(12).take(65_536).any(|w| w == b"ICC_PROFILE\0");
        let (rgb, turn) = decoded(&file).filter(|_| !profiled)?;
        let large = rgb.width().max(rgb.height()) > 800 && rgb.width().min(rgb.height()) > 400;
        let name = path.file_name()?.to_string_lossy().into_owned();
        large.then(|| Photo { name, file: file.into(), rgb, turn })
    };
    let photos: Vec<Photo> = paths.iter().filter_map(|path| photo(path)).collect();
    if photos.is_empty() {
        return Err(format!("{}: no photos", folder.display()));
    }
    Ok(photos)
}
