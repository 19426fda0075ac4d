//! Several numbers at a time, for transforms.
//!
//! Additions, differences and products alone, each rounded by itself: the same bits on every
//! machine, whatever its vectors. That is why nothing here multiplies and adds in one step.

use std::ops::{Add, Mul, Sub};

/// Tells eight numbers at a time from four where a transform is written for both.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<f32, Output = Self> {}

impl<V: Copy + Add<Output = V> + Sub<Output = V> + Mul<f32, Output = V>> Lanes for V {}

/// What is added to a number of less than 22 bits moves its point to the end of its digits.
pub const SHIFT: f32 = 12_582_912.0;

/// To the nearest whole number, of less than 22 bits. An addition where a conversion, which must
/// mind what is no number, would be expensive.
#[inline(always)]
pub fn nearest(value: f32) -> i32 {
    ((value + SHIFT).to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32)
}
