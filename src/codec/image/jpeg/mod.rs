//! Our own baseline JPEG encoder (ITU-T T.81), because no crate measures before it writes.
//!
//! A picture is transformed once ([`Planes`]); for any quality its coefficients are then
//! quantised and their bits counted without writing a byte, so that a search costs a fraction of
//! an encode a step. The entropy tables are optimal for each picture, in one interleaved scan:
//! the form that every handset and every decoder reads. (jpeg-encoder 0.7.1 writes optimal
//! tables only as three separate scans, which zune-jpeg 0.5 decodes to garbage at 4:2:0 and old
//! handsets may not read; measured 2026-11-24.)
//!
//! All arithmetic is strict IEEE or integer: the same bytes on every machine.

mod bits;
mod dct;
mod entropy;
mod huffman;
mod markers;
mod planes;
mod quantise;

#[cfg(test)]
mod tests;

pub use planes::Planes;
pub use quantise::{Quantised, Tables};

use bytes::Bytes as Buffer;

use super::super::EncodeError;
use crate::model::{Bytes, Quality, Stop};

/// What a JPEG of `planes` at `quality` would take, in bytes, and the quantised picture for
/// [`write`]. Exact but for stuffed zero bytes, which are estimated (within 0.2 % in practice).
pub fn measure(planes: &Planes, quality: Quality) -> (Bytes, Quantised) {
    let quantised = Quantised::new(planes, &Tables::of(quality));
    let plan = entropy::Plan::of(&quantised);
    let header = markers::header_len(&quantised, &plan);
    // A byte of entropy-coded data is 0xFF once in some 230, and then followed by a zero.
    let data = plan.bits().div_ceil(8);
    (Bytes::new(header + data + data / 230 + 2), quantised)
}

/// Writes the file, giving up past `cap`.
///
/// # Errors
/// [`EncodeError::OverCap`], or stopped.
pub fn write(quantised: &Quantised, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
    let plan = entropy::Plan::of(quantised);
    let header = markers::header_len(quantised, &plan);
    let at_least = Bytes::new(header + plan.bits() / 8);
    if at_least > cap {
        return Err(EncodeError::OverCap { at_least });
    }
    stop.check()?;
    let mut out = Vec::with_capacity(at_least.as_usize() + at_least.as_usize() / 128 + 64);
    markers::write_header(quantised, &plan, &mut out);
    entropy::write_scan(quantised, &plan, &mut out);
    out.extend_from_slice(&[0xFF, 0xD9]);
    if Bytes::of(&out) > cap {
        return Err(EncodeError::OverCap { at_least: Bytes::of(&out) });
    }
    Ok(out.into())
}
