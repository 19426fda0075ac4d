//! The symbols of a scan in the order in which they are written, each in a word of 32 bits.
//!
//! Kept instead of the quantised blocks, which take ten times the memory: made once, counted for
//! the Huffman tables, and written with them.

use archmage::prelude::*;

use super::{
    block::{Block, category},
    huffman::{BitWriter, Table},
};

/// Tables are numbered as T.81 does it: bit 0 is the destination, bit 1 the class (AC).
pub const TABLES: usize = 4;

/// Symbols with the bits that follow them, and how often each occurs in each table.
pub struct Tokens {
    /// Symbol (8 bits), table (2), number of extra bits (4), and those bits.
    list: Vec<u32>,
    counts: [[u32; 256]; TABLES],
    extra_bits: u64,
}

impl Tokens {
    /// With room for this many.
    pub fn new(room: usize) -> Self {
        Self { list: Vec::with_capacity(room), counts: [[0; 256]; TABLES], extra_bits: 0 }
    }

    #[inline(always)]
    fn push(&mut self, table: usize, symbol: u8, value: i32, extra: u8) {
        self.counts[table][usize::from(symbol)] += 1;
        self.extra_bits += u64::from(extra);
        // Negative values are written less one, in `extra` bits.
        let low = (value + (value >> 31)) as u32 & ((1 << extra) - 1);
        let word = u32::from(symbol) | (table as u32) << 8 | u32::from(extra) << 10 | low << 14;
        self.list.push(word);
    }

    /// A block of the component whose tables are at this destination; `previous` is the DC of the
    /// block before.
    #[inline(always)]
    pub fn block(&mut self, destination: usize, block: &Block, previous: &mut i32) {
        let dc = block.at(0);
        let difference = dc - *previous;
        *previous = dc;
        let bits = category(difference);
        self.push(destination, bits, difference, bits);
        block.for_each_ac(|symbol, value, extra| self.push(destination | 2, symbol, value, extra));
    }

    /// How often each symbol of a table occurs.
    pub fn counts(&self, table: usize) -> &[u32; 256] {
        &self.counts[table]
    }

    /// The best tables.
    pub fn tables(&self) -> [Table; TABLES] {
        self.counts.each_ref().map(Table::new)
    }

    /// Bits that all take with `tables`.
    pub fn bits(&self, tables: &[Table; TABLES]) -> u64 {
        let codes = tables.iter().zip(&self.counts).map(|(table, counts)| table.bits(counts));
        codes.sum::<u64>() + self.extra_bits
    }

    /// Appends all to `writer`.
    #[autoversion(v3)]
    pub fn write(&self, tables: &[Table; TABLES], writer: &mut BitWriter) {
        for word in &self.list {
            let (code, length) = tables[(word >> 8 & 3) as usize].code(*word as u8);
            let extra = word >> 10 & 15;
            writer.put(u32::from(code) << extra | word >> 14, u32::from(length) + extra);
        }
    }
}
