//! One decoded image and the encodes made of it.

use bytes::Bytes as Buffer;

use super::{
    contest, gif_out,
    jpeg_out::{self, Quantising, Transformed},
    judge, likeness, png_out,
    raster::{DecodedImage, Frame, Layout, Raster},
    resize::resize,
    wbmp,
};
use crate::{
    codec::{CodecError, ContentFacts, EncodeError, Judged, Reference, Session, within},
    model::{
        Bytes, Chroma, Dimensions, ImageCoding, ImageRecipe, MediaInfo, MediaType, Recipe, Rgb,
        Stop,
    },
};

/// Resized images that are kept: a search tries several qualities of one or two sizes.
const KEPT: usize = 2;

/// Files that were or may be judged and are kept: the choice is among the last few.
const KEPT_FILES: usize = 4;

/// A decoded image.
pub(super) struct ImageSession {
    info: MediaInfo,
    facts: ContentFacts,
    image: DecodedImage,
    /// Most recently used last; all frames, or the first alone.
    resized: Vec<(Key, DecodedImage)>,
    /// The transform of one of them: a search tries several qualities of it.
    transformed: Option<(Key, Chroma, Transformed)>,
    files: Vec<(Recipe, Buffer)>,
}

/// What a resized image depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    dimensions: Dimensions,
    /// Every frame for GIF, the first for the rest.
    moving: bool,
    /// The colour under it, for formats without transparency.
    background: Option<Rgb>,
}

impl ImageSession {
    /// `image` has at least one frame.
    pub fn new(info: MediaInfo, facts: ContentFacts, image: DecodedImage) -> Self {
        Self { info, facts, image, resized: Vec::new(), transformed: None, files: Vec::new() }
    }

    fn resized(&mut self, key: Key, stop: &Stop) -> Result<&DecodedImage, CodecError> {
        // Nothing shows through: one image for the formats with transparency and without.
        let clear = self.image.frames.iter().any(|f| f.raster.layout() == Layout::Rgba);
        let key = Key { background: key.background.filter(|_| clear), ..key };
        let at = self.resized.iter().position(|(kept, _)| *kept == key);
        let entry = match at {
            Some(at) => self.resized.remove(at),
            None => (key, self.make(key, stop)?),
        };
        if self.resized.len() == KEPT {
            self.resized.remove(0);
        }
        self.resized.push(entry);
        match self.resized.last() {
            Some((_, image)) => Ok(image),
            None => Err(CodecError::Internal("the image just kept is gone".into())),
        }
    }

    fn make(&self, key: Key, stop: &Stop) -> Result<DecodedImage, CodecError> {
        let wanted = if key.moving { self.image.frames.len() } else { 1 };
        let mut frames = Vec::with_capacity(wanted);
        for frame in self.image.frames.iter().take(wanted) {
            stop.check()?;
            let mut raster = resize(&frame.raster, key.dimensions)?;
            if let Some(background) = key.background {
                raster = raster.flattened(background);
            }
            frames.push(Frame { raster, delay: frame.delay });
        }
        Ok(DecodedImage { frames, loops: if key.moving { self.image.loops } else { 1 } })
    }

    fn transformed(
        &mut self,
        key: Key,
        chroma: Chroma,
        stop: &Stop,
    ) -> Result<&Transformed, CodecError> {
        let kept = self.transformed.take().filter(|kept| (kept.0, kept.1) == (key, chroma));
        let entry = match kept {
            Some(kept) => kept,
            None => (key, chroma, Transformed::new(self.first(key, stop)?, chroma, stop)?),
        };
        Ok(&self.transformed.insert(entry).2)
    }

    fn keep(&mut self, recipe: &Recipe, file: &Buffer) {
        self.files.retain(|(kept, _)| kept != recipe);
        if self.files.len() == KEPT_FILES {
            self.files.remove(0);
        }
        self.files.push((*recipe, file.clone()));
    }

    fn first(&mut self, key: Key, stop: &Stop) -> Result<&Raster, CodecError> {
        // Decoded as it is wanted: no copy.
        let as_wanted = self.image.frames.first().is_some_and(|Frame { raster, .. }| {
            let flat = raster.layout() != Layout::Rgba || key.background.is_none();
            flat && raster.dimensions() == key.dimensions
        });
        if as_wanted {
            return Ok(&self.image.frames[0].raster);
        }
        let image = self.resized(key, stop)?;
        match image.frames.first() {
            Some(frame) => Ok(&frame.raster),
            None => Err(CodecError::Internal("an image without frames".into())),
        }
    }
}

impl ImageSession {
    /// How much the first frame looks like `reference`, scaled to its size.
    pub fn likeness(&self, reference: &Reference) -> Option<f32> {
        let frame = &self.image.frames.first()?.raster;
        // Two-colour images are patterns of dots: no measure of ours means anything for them.
        if self.info.media_type == MediaType::WBMP || self.image.frames.len() > 1 {
            return None;
        }
        let luma = likeness::luma(&frame.clone().flattened(reference.background));
        luma_likeness(&Raster::new(frame.dimensions(), Layout::Gray, luma)?, reference)
    }
}

/// How much a luma looks like `reference`, scaled to its size.
pub(super) fn luma_likeness(luma: &Raster, reference: &Reference) -> Option<f32> {
    let shown = resize(luma, reference.dimensions).ok()?;
    Some(likeness::estimate(&reference.luma, shown.pixels(), reference.dimensions))
}

impl Session for ImageSession {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        self.facts
    }

    fn reference(&mut self, largest: Dimensions, background: Rgb) -> Option<Reference> {
        if self.image.frames.len() > 1 {
            return None;
        }
        let key = Key { dimensions: largest, moving: false, background: Some(background) };
        let raster = self.first(key, &Stop::never()).ok()?;
        Some(Reference { dimensions: largest, luma: likeness::luma(raster).into(), background })
    }

    fn moments(
        &mut self,
        count: u8,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Option<Vec<Reference>>, CodecError> {
        let shown = |frame: &Frame| {
            let raster = frame.raster.clone().flattened(background);
            let luma = likeness::luma(&raster).into();
            Reference { dimensions: raster.dimensions(), luma, background }
        };
        let mut found: Vec<(usize, Reference)> = Vec::with_capacity(count.into());
        for n in 0..count {
            stop.check()?;
            let at = self.image.shown_at((f64::from(n) + 0.5) / f64::from(count));
            let same =
                found.last().filter(|(last, _)| *last == at).map(|(_, moment)| moment.clone());
            let made = || self.image.frames.get(at).map(shown);
            let Some(moment) = same.or_else(made) else { return Ok(None) };
            found.push((at, moment));
        }
        Ok(Some(found.into_iter().map(|(_, moment)| moment).collect()))
    }

    fn measure(&mut self, recipe: &Recipe, stop: &Stop) -> Result<Option<Bytes>, CodecError> {
        let Some(&ImageRecipe { dimensions, coding, background }) = recipe.image() else {
            return Ok(None);
        };
        let ImageCoding::Jpeg { quality, chroma, trellis } = coding else { return Ok(None) };
        let key = Key { dimensions, moving: false, background: Some(background) };
        let how = Quantising::new(quality, chroma, trellis);
        let transformed = self.transformed(key, chroma, stop)?;
        Ok(Some(jpeg_out::estimate(transformed, &how, stop)?))
    }

    fn compare(&mut self, recipes: &[Recipe], stop: &Stop) -> Result<Option<usize>, CodecError> {
        let recipes: Vec<&ImageRecipe> = recipes.iter().filter_map(Recipe::image).collect();
        let Some(first) = recipes.first() else { return Ok(None) };
        let largest = recipes.iter().map(|recipe| recipe.dimensions).max_by_key(|d| d.pixels());
        let key = Key {
            dimensions: largest.unwrap_or(first.dimensions),
            moving: false,
            background: Some(first.background),
        };
        contest::best(self.first(key, stop)?, &recipes, stop)
    }

    fn judge(
        &mut self,
        recipe: &Recipe,
        largest: Dimensions,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Option<Judged>, EncodeError> {
        let Some(&ImageRecipe { background, .. }) = recipe.image() else { return Ok(None) };
        let file = self.encode(recipe, cap, stop)?;
        let size = Bytes::of(&file);
        let shown = super::still_of_ours(&file, stop)?.flattened(background);
        let key = Key { dimensions: largest, moving: false, background: Some(background) };
        let score = judge::score(self.first(key, stop)?, &shown)?;
        self.keep(recipe, &file);
        Ok(Some(Judged { size, score }))
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        if let Some((_, known)) = self.files.iter().find(|(kept, _)| kept == recipe) {
            return within(known, cap);
        }
        let Some(&ImageRecipe { dimensions, coding, background }) = recipe.image() else {
            return Err(CodecError::Internal("an image has no other medium".into()).into());
        };
        let key = |moving, background| Key { dimensions, moving, background };
        match coding {
            ImageCoding::Jpeg { quality, chroma, trellis } => {
                let how = Quantising::new(quality, chroma, trellis);
                let transformed = self.transformed(key(false, Some(background)), chroma, stop)?;
                jpeg_out::encode_baseline(transformed, &how, cap, stop)
            }
            ImageCoding::Png { colors, dither } => {
                let raster = self.first(key(false, None), stop)?;
                let file = png_out::encode(raster, colors, dither, cap, stop)?;
                self.keep(recipe, &file);
                Ok(file)
            }
            ImageCoding::Gif { colors, frame_step } => {
                let moving = frame_step < u16::MAX;
                let image = self.resized(key(moving, None), stop)?;
                gif_out::encode(image, colors, frame_step, background, cap, stop)
            }
            ImageCoding::Wbmp => wbmp::encode(self.first(key(false, None), stop)?, background, cap),
        }
    }
}
