//! One HEIF file, opened: owners of what libheif hands out.

#![allow(unsafe_code, reason = "calls libheif")]

use std::{
    borrow::Cow,
    ffi::{CStr, c_int},
    marker::PhantomData,
    ptr,
};

use mmsfit::{
    codec::{
        CodecError, DecodeLimits,
        image::{ForeignColor, ForeignPixels},
    },
    model::Dimensions,
};

use super::{boxes::Survey, ffi};

/// Longer profiles are none (the largest of the ICC's own registry has 3 MB, for printers).
const MAX_ICC: usize = 1 << 20;

/// Colour primaries of Display P3 (ITU-T H.273 table 2: SMPTE EG 432-1).
const PRIMARIES_P3: c_int = 12;

fn checked(error: ffi::Error) -> Result<(), CodecError> {
    if error.code == 0 {
        return Ok(());
    }
    let detail = if error.message.is_null() {
        format!("error {}.{}", error.code, error.subcode)
    } else {
        // SAFETY: a message is a string that lives as long as the context, which is alive here.
        unsafe { CStr::from_ptr(error.message) }.to_string_lossy().into_owned()
    };
    // heif_error_Memory_allocation_error with heif_suberror_Security_limit_exceeded is a limit,
    // but of an input that is up to no good.
    Err(match (error.code, error.subcode) {
        // heif_error_Unsupported_filetype, _feature, heif_error_Plugin_loading_error;
        // heif_suberror_Unknown_color_profile_type, _NCLX_...; all that begins with Unsupported:
        // a newer library may know what this one does not.
        (3 | 4 | 11, _) | (_, 126 | 133..=135 | 3000..4000) => unsupported(detail),
        _ => CodecError::Malformed { format: "HEIF", detail },
    })
}

fn unsupported(detail: String) -> CodecError {
    CodecError::Unsupported { format: "HEIF", detail }
}

/// The primary image of a file.
pub(super) struct Heif<'a> {
    context: *mut ffi::Context,
    handle: *mut ffi::Handle,
    /// What the context reads from: the file, or a copy of less.
    bytes: Cow<'a, [u8]>,
}

impl Drop for Heif<'_> {
    fn drop(&mut self) {
        // SAFETY: both came from the library and are released once; null is allowed.
        unsafe {
            if !self.handle.is_null() {
                ffi::heif_image_handle_release(self.handle);
            }
            ffi::heif_context_free(self.context);
        }
    }
}

impl<'a> Heif<'a> {
    /// Parses the boxes; decodes nothing. A file that the library refuses is tried once more
    /// without what stands beside the primary image.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let refused = match Self::parse(Cow::Borrowed(bytes)) {
            Ok(heif) => return Ok(heif),
            Err(refused) => refused,
        };
        let Some(survey) = Survey::of(bytes) else { return Err(refused) };
        if let Some(kind) = survey.unknown_type() {
            return Err(unsupported(format!("an image of type {kind}")));
        }
        let Some(reduced) = survey.reduced() else { return Err(refused) };
        Self::parse(Cow::Owned(reduced))
    }

    fn parse(bytes: Cow<'a, [u8]>) -> Result<Self, CodecError> {
        // SAFETY: allocates.
        let context = unsafe { ffi::heif_context_alloc() };
        if context.is_null() {
            return Err(CodecError::Internal("no memory for a HEIF context".into()));
        }
        let mut heif = Self { context, handle: ptr::null_mut(), bytes };
        // SAFETY: the context is valid; the bytes are held until it is freed, and stay where they
        // are when `Self` is moved; the handle is written before it is read.
        unsafe {
            ffi::heif_context_set_max_decoding_threads(context, 0);
            ffi::heif_context_set_maximum_image_size_limit(context, 1 << 16);
            checked(ffi::heif_context_read_from_memory_without_copy(
                context,
                heif.bytes.as_ptr().cast(),
                heif.bytes.len(),
                ptr::null(),
            ))?;
            checked(ffi::heif_context_get_primary_image_handle(context, &mut heif.handle))?;
        }
        if heif.handle.is_null() {
            let detail = "no primary image".into();
            return Err(CodecError::Malformed { format: "HEIF", detail });
        }
        Ok(heif)
    }

    /// A file whose primary image is a grid of tiles that can be asked for one by one.
    pub fn of_grid(reachable: Vec<u8>) -> Result<Self, CodecError> {
        Self::parse(Cow::Owned(reachable))
    }

    /// What the library reads from.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An image by the number of its item.
    pub fn tile(&self, id: u32) -> Result<Tile<'_>, CodecError> {
        let mut handle = ptr::null_mut();
        // SAFETY: the context is valid; the handle is written before it is read.
        checked(unsafe { ffi::heif_context_get_image_handle(self.context, id, &mut handle) })?;
        if handle.is_null() {
            let detail = "a tile that is not there".into();
            return Err(CodecError::Malformed { format: "HEIF", detail });
        }
        Ok(Tile { handle, of: PhantomData })
    }

    /// The first thumbnail.
    pub fn thumbnail(&self) -> Option<Tile<'_>> {
        let (mut id, mut handle) = (0, ptr::null_mut());
        // SAFETY: the handle is valid; there is room for the one number that is asked for; the new
        // handle is written before it is read.
        let got = unsafe {
            if ffi::heif_image_handle_get_list_of_thumbnail_IDs(self.handle, &mut id, 1) < 1 {
                return None;
            }
            ffi::heif_image_handle_get_thumbnail(self.handle, id, &mut handle)
        };
        checked(got).ok().filter(|()| !handle.is_null()).map(|()| Tile { handle, of: PhantomData })
    }

    /// As coded: before it is turned and cropped.
    pub fn coded(&self) -> Result<Dimensions, CodecError> {
        coded(self.handle)
    }

    /// As shown: turned and cropped as the file says.
    pub fn dimensions(&self) -> Result<Dimensions, CodecError> {
        // SAFETY: the handle is valid.
        let (width, height) = unsafe {
            (
                ffi::heif_image_handle_get_width(self.handle),
                ffi::heif_image_handle_get_height(self.handle),
            )
        };
        sides(width, height)
    }

    /// Whether any pixel may be transparent.
    pub fn has_alpha(&self) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::heif_image_handle_has_alpha_channel(self.handle) != 0 }
    }

    /// Whether EXIF or XMP is attached.
    pub fn has_metadata(&self) -> bool {
        // SAFETY: the handle is valid; no filter.
        unsafe {
            ffi::heif_image_handle_get_number_of_metadata_blocks(self.handle, ptr::null()) > 0
        }
    }

    /// Bits of a luma sample; 8 where the file does not say.
    pub fn bits(&self) -> c_int {
        // SAFETY: the handle is valid.
        let bits = unsafe { ffi::heif_image_handle_get_luma_bits_per_pixel(self.handle) };
        if bits < 1 { 8 } else { bits }
    }

    /// What its colours mean.
    pub fn color(&self) -> ForeignColor {
        // SAFETY: the handle is valid; the buffer has the size that was asked for; the nclx
        // profile is freed by the function made for it.
        unsafe {
            let size = ffi::heif_image_handle_get_raw_color_profile_size(self.handle);
            if (1..=MAX_ICC).contains(&size) {
                let mut icc = vec![0u8; size];
                let got = ffi::heif_image_handle_get_raw_color_profile(
                    self.handle,
                    icc.as_mut_ptr().cast(),
                );
                if got.code == 0 {
                    return ForeignColor::Icc(icc);
                }
            }
            let mut nclx = ptr::null_mut();
            let got = ffi::heif_image_handle_get_nclx_color_profile(self.handle, &mut nclx);
            if got.code == 0 && !nclx.is_null() {
                let primaries = (*nclx).color_primaries;
                ffi::heif_nclx_color_profile_free(nclx);
                if primaries == PRIMARIES_P3 {
                    return ForeignColor::DisplayP3;
                }
            }
        }
        ForeignColor::Srgb
    }

    /// All pixels, 8 bits a channel.
    pub fn decode(&self, limits: &DecodeLimits) -> Result<ForeignPixels, CodecError> {
        let alpha = self.has_alpha();
        let chroma = if alpha { ffi::CHROMA_RGBA } else { ffi::CHROMA_RGB };
        let image = Image::decode(self.handle, chroma)?;
        let (dimensions, mut pixels) = image.rows(if alpha { 4 } else { 3 }, limits)?;
        // SAFETY: the handle is valid.
        if alpha && unsafe { ffi::heif_image_handle_is_premultiplied_alpha(self.handle) } != 0 {
            straighten(&mut pixels);
        }
        Ok(ForeignPixels { dimensions, alpha, pixels, color: self.color() })
    }
}

/// An image beside the primary one: a tile of it, a thumbnail.
pub(super) struct Tile<'a> {
    handle: *mut ffi::Handle,
    of: PhantomData<&'a Heif<'a>>,
}

impl Drop for Tile<'_> {
    fn drop(&mut self) {
        // SAFETY: came from the library and is released once.
        unsafe { ffi::heif_image_handle_release(self.handle) }
    }
}

impl Tile<'_> {
    /// Its size.
    pub fn coded(&self) -> Result<Dimensions, CodecError> {
        coded(self.handle)
    }

    /// Its pixels, RGB; their meaning is that of the grid.
    pub fn decode(&self, limits: &DecodeLimits) -> Result<ForeignPixels, CodecError> {
        let image = Image::decode(self.handle, ffi::CHROMA_RGB)?;
        let (dimensions, pixels) = image.rows(3, limits)?;
        Ok(ForeignPixels { dimensions, alpha: false, pixels, color: ForeignColor::Srgb })
    }
}

fn coded(handle: *const ffi::Handle) -> Result<Dimensions, CodecError> {
    // SAFETY: the caller's handle is valid.
    let (width, height) = unsafe {
        (
            ffi::heif_image_handle_get_ispe_width(handle),
            ffi::heif_image_handle_get_ispe_height(handle),
        )
    };
    sides(width, height)
}

fn sides(width: c_int, height: c_int) -> Result<Dimensions, CodecError> {
    let side = |n: c_int| u32::try_from(n).unwrap_or(0);
    Dimensions::new(side(width), side(height)).ok_or_else(|| CodecError::Malformed {
        format: "HEIF",
        detail: "an image without pixels".into(),
    })
}

/// Divides colour by its alpha.
fn straighten(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]).max(1);
        for channel in &mut pixel[..3] {
            *channel = (u32::from(*channel) * 255 / alpha).min(255) as u8;
        }
    }
}

struct Image(*mut ffi::Image);

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: came from the library, released once.
        unsafe { ffi::heif_image_release(self.0) }
    }
}

impl Image {
    fn decode(handle: *const ffi::Handle, chroma: c_int) -> Result<Self, CodecError> {
        let mut image = ptr::null_mut();
        // SAFETY: the handle is valid; without options the library turns and crops as the file
        // says; the image is written before it is read.
        checked(unsafe {
            ffi::heif_decode_image(handle, &mut image, ffi::COLORSPACE_RGB, chroma, ptr::null())
        })?;
        if image.is_null() {
            return Err(CodecError::Internal("libheif decoded to nothing".into()));
        }
        Ok(Self(image))
    }

    /// The rows without their padding.
    fn rows(
        &self,
        channels: usize,
        limits: &DecodeLimits,
    ) -> Result<(Dimensions, Vec<u8>), CodecError> {
        let broken = || CodecError::Internal("libheif's image has no plane".into());
        let mut stride: c_int = 0;
        // SAFETY: the image is valid and interleaved.
        let (width, height, plane) = unsafe {
            (
                ffi::heif_image_get_width(self.0, ffi::CHANNEL_INTERLEAVED),
                ffi::heif_image_get_height(self.0, ffi::CHANNEL_INTERLEAVED),
                ffi::heif_image_get_plane_readonly(self.0, ffi::CHANNEL_INTERLEAVED, &mut stride),
            )
        };
        let side = |n: c_int| u32::try_from(n).unwrap_or(0);
        let dimensions = Dimensions::new(side(width), side(height)).ok_or_else(broken)?;
        // What was decoded may be larger than what the header said.
        if dimensions.pixels() > limits.max_pixels {
            let (found, limit) = (dimensions.pixels(), limits.max_pixels);
            return Err(CodecError::Limit { what: "pixels", found, limit });
        }
        let row = dimensions.width() as usize * channels;
        let stride = usize::try_from(stride).unwrap_or(0);
        if plane.is_null() || stride < row {
            return Err(broken());
        }
        let mut pixels = Vec::with_capacity(row * dimensions.height() as usize);
        for y in 0..dimensions.height() as usize {
            // SAFETY: the plane has `height` rows of `stride` bytes, of which `row` are pixels.
            pixels.extend_from_slice(unsafe {
                std::slice::from_raw_parts(plane.add(y * stride), row)
            });
        }
        Ok((dimensions, pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{heif::boxes, need};

    /// A copy of less is the same image, whether the library would have needed it or not.
    #[test]
    fn a_reduced_file_shows_the_same() {
        crate::heif::warm();
        for (name, bytes) in need::corpus::<Vec<u8>>("image") {
            let Ok(whole) = Heif::parse(Cow::Borrowed(&bytes)) else { continue };
            let reduced = Survey::of(&bytes).and_then(|survey| survey.reduced()).expect(&name);
            let reduced = Heif::parse(Cow::Owned(reduced)).expect(&name);
            println!("{name}: {} images in sequence", boxes::sequence(&bytes));
            assert_eq!(reduced.has_metadata(), whole.has_metadata(), "{name}");
            let limits = DecodeLimits::default();
            let same = reduced.decode(&limits).expect(&name) == whole.decode(&limits).expect(&name);
            assert!(same, "{name}");
        }
    }
}
