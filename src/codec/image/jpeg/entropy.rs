//! Entropy coding of the one interleaved scan (T.81 F.1.2): counting, then writing.

use super::{bits::BitWriter, huffman::Table, quantise::Quantised};

/// Symbols of one class of components.
struct Counts {
    dc: [u32; 256],
    ac: [u32; 256],
    /// Magnitude bits that follow the symbols.
    extra_bits: u64,
}

/// The tables that are optimal for a picture, and what it takes with them.
pub struct Plan {
    /// Luma first; a second entry for chroma unless the picture is gray.
    pub(super) classes: Vec<(Table, Table)>,
    bits: u64,
}

/// Table class of a component: luma has its own, the two of chroma share one.
fn class(component: usize) -> usize {
    component.min(1)
}

/// Bits of the magnitude (T.81 tables F.1 and F.2).
fn category(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

/// The magnitude bits themselves: negative values count down from all ones.
fn magnitude(value: i32, category: u32) -> u32 {
    let raw = if value < 0 { value - 1 } else { value };
    (raw as u32) & ((1u32 << category) - 1)
}

/// Walks the symbols of one block: `(is_dc, symbol, value, magnitude bits)`.
fn symbols(block: &[i16; 64], previous_dc: i32, mut each: impl FnMut(bool, u8, i32, u32)) {
    let difference = i32::from(block[0]) - previous_dc;
    let bits = category(difference);
    each(true, bits as u8, difference, bits);
    let mut run = 0u32;
    for coefficient in &block[1..] {
        if *coefficient == 0 {
            run += 1;
            continue;
        }
        while run >= 16 {
            each(false, 0xF0, 0, 0);
            run -= 16;
        }
        let value = i32::from(*coefficient);
        let bits = category(value);
        each(false, (run << 4 | bits) as u8, value, bits);
        run = 0;
    }
    if run > 0 {
        each(false, 0, 0, 0);
    }
}

impl Plan {
    /// Counts the symbols of a picture and makes its tables.
    pub fn of(quantised: &Quantised) -> Self {
        let classes = if quantised.components.len() == 1 { 1 } else { 2 };
        let mut counts: Vec<Counts> =
            (0..classes).map(|_| Counts { dc: [0; 256], ac: [0; 256], extra_bits: 0 }).collect();
        let mut previous = [0i32; 3];
        quantised.scan(|component, block| {
            let counts = &mut counts[class(component)];
            symbols(block, previous[component], |is_dc, symbol, _, bits| {
                let table = if is_dc { &mut counts.dc } else { &mut counts.ac };
                table[usize::from(symbol)] += 1;
                counts.extra_bits += u64::from(bits);
            });
            previous[component] = i32::from(block[0]);
        });
        let mut bits = 0;
        let classes = counts
            .iter()
            .map(|c| {
                let (dc, ac) = (Table::optimal(&c.dc), Table::optimal(&c.ac));
                bits += dc.bits(&c.dc) + ac.bits(&c.ac) + c.extra_bits;
                (dc, ac)
            })
            .collect();
        Self { classes, bits }
    }

    /// Bits of the scan, without stuffing.
    pub fn bits(&self) -> u64 {
        self.bits
    }
}

/// Appends the scan's entropy-coded data.
pub fn write_scan(quantised: &Quantised, plan: &Plan, out: &mut Vec<u8>) {
    let mut writer = BitWriter::new(out);
    let mut previous = [0i32; 3];
    quantised.scan(|component, block| {
        let (dc, ac) = &plan.classes[class(component)];
        symbols(block, previous[component], |is_dc, symbol, value, bits| {
            let (code, length) = if is_dc { dc.code(symbol) } else { ac.code(symbol) };
            // At most 16 bits of code and 11 of magnitude.
            let joined = u32::from(code) << bits | magnitude(value, bits);
            writer.put(joined, u32::from(length) + bits);
        });
        previous[component] = i32::from(block[0]);
    });
    writer.finish();
}
