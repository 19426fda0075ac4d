//! Several numbers at a time, for transforms.
//!
//! Plain `f32` arithmetic, which the compiler turns into the machine's vectors without changing a
//! bit: the same results on every machine.

use std::ops::{Add, Mul, Sub};

/// Numbers that go the same way: eight, or four for small transforms.
#[derive(Clone, Copy)]
pub struct Lanes<const N: usize = 8>(pub [f32; N]);

impl<const N: usize> Lanes<N> {
    /// All the same.
    pub const fn all(value: f32) -> Self {
        Self([value; N])
    }
}

impl<const N: usize> Add for Lanes<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl<const N: usize> Sub for Lanes<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl<const N: usize> Mul<f32> for Lanes<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|v| v * factor))
    }
}

/// Columns for rows.
#[inline(always)]
pub fn transpose<const N: usize>(rows: [Lanes<N>; N]) -> [Lanes<N>; N] {
    std::array::from_fn(|i| Lanes(std::array::from_fn(|j| rows[j].0[i])))
}

/// To the nearest whole number, of less than 22 bits. What is added moves the point of the float
/// to the end of its digits: that is an addition where a conversion, which must mind what is no
/// number, would be dear.
#[inline(always)]
pub fn nearest(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    ((value + SHIFT).to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32)
}
