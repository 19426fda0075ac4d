//! Quantised blocks and the symbols that they become.

use super::tables::{POSITION, TRANSPOSED};

/// One quantised block.
#[derive(Clone, Copy)]
pub struct Block {
    /// Transposed, as the transform leaves them; the first is DC.
    pub values: [i16; 64],
    /// In zig-zag order a bit for each that is not zero.
    pub mask: u64,
}

/// The largest magnitude of a coefficient in eight-bit baseline (T.81 F.1.2.2.1).
pub const MOST: i16 = 1023;

/// Sixteen zeros that are followed by something.
pub const SIXTEEN_ZEROS: u8 = 0xF0;

impl Block {
    /// From values as the transform leaves them.
    #[inline(always)]
    pub fn new(values: [i16; 64]) -> Self {
        let mut mask = 0;
        let (rows, _) = values.as_chunks::<8>();
        for (row, line) in rows.iter().enumerate() {
            // Most rows of most blocks are empty.
            if *line == [0; 8] {
                continue;
            }
            for (value, position) in line.iter().zip(&POSITION[row * 8..]) {
                mask |= u64::from(*value != 0) << position;
            }
        }
        Self { values, mask }
    }

    /// The value at a place in zig-zag order.
    #[inline(always)]
    pub fn at(&self, place: u32) -> i32 {
        i32::from(self.values[usize::from(TRANSPOSED[place as usize & 63])])
    }

    /// Calls `emit` with symbol, value and extra bits for each AC symbol (F.1.2.2).
    #[inline(always)]
    pub fn for_each_ac(&self, mut emit: impl FnMut(u8, i32, u8)) {
        let mut left = self.mask & !1;
        let mut last = 0;
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            let mut run = at - last - 1;
            while run > 15 {
                emit(SIXTEEN_ZEROS, 0, 0);
                run -= 16;
            }
            let value = self.at(at);
            let bits = category(value);
            emit((run as u8) << 4 | bits, value, bits);
            last = at;
        }
        if last != 63 {
            emit(0, 0, 0);
        }
    }
}

/// Bits that the magnitude needs: SSSS of tables F.1 and F.2.
#[inline(always)]
pub fn category(value: i32) -> u8 {
    (32 - value.unsigned_abs().leading_zeros()) as u8
}
