//! The few functions of libheif 1.15 and later that are called (`libheif/heif.h`).

#![allow(unsafe_code, reason = "calls libheif")]

use std::ffi::{c_char, c_int, c_void};

/// `heif_error`; its message is static or belongs to the context.
#[repr(C)]
pub(super) struct Error {
    pub code: c_int,
    pub subcode: c_int,
    pub message: *const c_char,
}

/// The start of `heif_color_profile_nclx`: versions only append.
#[repr(C)]
pub(super) struct Nclx {
    pub version: u8,
    pub color_primaries: c_int,
    pub transfer_characteristics: c_int,
    pub matrix_coefficients: c_int,
    pub full_range_flag: u8,
}

macro_rules! opaque {
    ($($name:ident)+) => {$(
        #[repr(C)]
        pub(super) struct $name {
            _private: [u8; 0],
        }
    )+};
}
opaque! { Context Handle Image }

/// `heif_colorspace_RGB`.
pub(super) const COLORSPACE_RGB: c_int = 1;
/// `heif_chroma_interleaved_RGB`.
pub(super) const CHROMA_RGB: c_int = 10;
/// `heif_chroma_interleaved_RGBA`.
pub(super) const CHROMA_RGBA: c_int = 11;
/// `heif_channel_interleaved`.
pub(super) const CHANNEL_INTERLEAVED: c_int = 10;

unsafe extern "C" {
    pub(super) fn heif_init(parameters: *mut c_void) -> Error;
    pub(super) fn heif_get_version() -> *const c_char;
    pub(super) fn heif_context_alloc() -> *mut Context;
    pub(super) fn heif_context_free(context: *mut Context);
    pub(super) fn heif_context_set_max_decoding_threads(context: *mut Context, threads: c_int);
    pub(super) fn heif_context_set_maximum_image_size_limit(context: *mut Context, side: c_int);
    pub(super) fn heif_context_read_from_memory_without_copy(
        context: *mut Context,
        memory: *const c_void,
        size: usize,
        options: *const c_void,
    ) -> Error;
    pub(super) fn heif_context_get_primary_image_handle(
        context: *mut Context,
        handle: *mut *mut Handle,
    ) -> Error;
    pub(super) fn heif_context_get_image_handle(
        context: *mut Context,
        id: u32,
        handle: *mut *mut Handle,
    ) -> Error;
    pub(super) fn heif_image_handle_get_list_of_thumbnail_IDs(
        handle: *const Handle,
        ids: *mut u32,
        count: c_int,
    ) -> c_int;
    pub(super) fn heif_image_handle_get_thumbnail(
        handle: *const Handle,
        id: u32,
        thumbnail: *mut *mut Handle,
    ) -> Error;
    pub(super) fn heif_image_handle_get_ispe_width(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_get_ispe_height(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_release(handle: *const Handle);
    pub(super) fn heif_image_handle_get_width(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_get_height(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_has_alpha_channel(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_is_premultiplied_alpha(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_get_luma_bits_per_pixel(handle: *const Handle) -> c_int;
    pub(super) fn heif_image_handle_get_number_of_metadata_blocks(
        handle: *const Handle,
        filter: *const c_char,
    ) -> c_int;
    pub(super) fn heif_image_handle_get_raw_color_profile_size(handle: *const Handle) -> usize;
    pub(super) fn heif_image_handle_get_raw_color_profile(
        handle: *const Handle,
        data: *mut c_void,
    ) -> Error;
    pub(super) fn heif_image_handle_get_nclx_color_profile(
        handle: *const Handle,
        profile: *mut *mut Nclx,
    ) -> Error;
    pub(super) fn heif_nclx_color_profile_free(profile: *mut Nclx);
    pub(super) fn heif_decode_image(
        handle: *const Handle,
        image: *mut *mut Image,
        colorspace: c_int,
        chroma: c_int,
        options: *const c_void,
    ) -> Error;
    pub(super) fn heif_image_release(image: *const Image);
    pub(super) fn heif_image_get_width(image: *const Image, channel: c_int) -> c_int;
    pub(super) fn heif_image_get_height(image: *const Image, channel: c_int) -> c_int;
    pub(super) fn heif_image_get_plane_readonly(
        image: *const Image,
        channel: c_int,
        stride: *mut c_int,
    ) -> *const u8;
}
