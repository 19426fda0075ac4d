//! Huffman tables made for one image (T.81 Annex K.2) and the bits that they make.

/// Codes of one table, and how the file declares them.
pub struct Table {
    /// Code and its length, by symbol; length 0 where the symbol does not occur.
    codes: [(u16, u8); 256],
    /// How many codes there are of each length 1…16 (BITS).
    pub counts: [u8; 16],
    /// The symbols in order of their codes (HUFFVAL).
    pub symbols: Vec<u8>,
}

impl Table {
    /// The best table for symbols that occur `frequencies` times.
    pub fn new(frequencies: &[u32; 256]) -> Self {
        let lengths = code_lengths(frequencies);
        let mut symbols: Vec<u8> = (0..=255).filter(|s| lengths[usize::from(*s)] > 0).collect();
        symbols.sort_by_key(|s| (lengths[usize::from(*s)], *s));
        let (mut codes, mut counts) = ([(0, 0); 256], [0; 16]);
        let (mut code, mut length) = (0_u16, 1);
        // Figures C.1 and C.2: codes of one length are consecutive.
        for &symbol in &symbols {
            let own = lengths[usize::from(symbol)];
            code <<= own - length;
            length = own;
            codes[usize::from(symbol)] = (code, own);
            counts[usize::from(own) - 1] += 1;
            code = code.wrapping_add(1);
        }
        Self { codes, counts, symbols }
    }

    /// Bits that symbols occurring `frequencies` times take, their extra bits not counted.
    pub fn bits(&self, frequencies: &[u32; 256]) -> u64 {
        frequencies.iter().zip(&self.codes).map(|(n, code)| u64::from(*n) * u64::from(code.1)).sum()
    }

    /// The code of a symbol and its length.
    #[inline(always)]
    pub fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }
}

/// Code lengths of at most 16 bits, the code of all ones left free (figures K.1 to K.4).
fn code_lengths(frequencies: &[u32; 256]) -> [u8; 256] {
    let size = tree_depths(frequencies);
    let mut counts = [0_u32; 258];
    for n in size.iter().filter(|n| **n > 0) {
        counts[*n as usize] += 1;
    }
    // Codes longer than 16 bits go up, in pairs (figure K.3).
    for length in (17..258).rev() {
        while counts[length] > 0 {
            let Some(from) = (1..length - 1).rev().find(|n| counts[*n] > 0) else { break };
            counts[length] -= 2;
            counts[length - 1] += 1;
            counts[from + 1] += 2;
            counts[from] -= 1;
        }
    }
    // The reserved code is among the longest.
    if let Some(longest) = (1..=16).rev().find(|n| counts[*n] > 0) {
        counts[longest] -= 1;
    }
    // Hand the lengths out, the most frequent symbol first.
    let mut order: Vec<usize> = (0..256).filter(|s| frequencies[*s] > 0).collect();
    order.sort_by_key(|s| (size[*s], *s));
    let mut lengths = [0; 256];
    let all = (1..=16_u8).flat_map(|n| std::iter::repeat_n(n, counts[usize::from(n)] as usize));
    for (symbol, length) in order.into_iter().zip(all) {
        lengths[symbol] = length;
    }
    lengths
}

/// Depths in a Huffman tree, by symbol; the last is of a symbol that occurs once, to keep the code
/// of all ones free. Leaves and nodes are made in order of weight, so that the two lightest are
/// always at the front of one of two queues.
fn tree_depths(frequencies: &[u32; 256]) -> [u32; 257] {
    let weight = |symbol: usize| frequencies.get(symbol).map_or(1, |n| u64::from(*n));
    // Of the same weight, the higher symbol first (K.2).
    let mut leaves: Vec<usize> = (0..257).filter(|symbol| weight(*symbol) > 0).collect();
    leaves.sort_by_key(|symbol| (weight(*symbol), usize::MAX - symbol));
    let mut nodes: Vec<(u64, [usize; 2])> = Vec::with_capacity(leaves.len());
    let (mut leaf, mut node) = (0, 0);
    while leaves.len() - leaf + nodes.len() - node > 1 {
        let mut least = || {
            let from_leaves = leaves.get(leaf).map(|symbol| weight(*symbol));
            let from_nodes = nodes.get(node).map(|(weight, _)| *weight);
            match (from_leaves, from_nodes) {
                (Some(a), b) if b.is_none_or(|b| a <= b) => {
                    leaf += 1;
                    (a, leaves[leaf - 1])
                }
                (_, b) => {
                    node += 1;
                    // Nodes are numbered behind the symbols.
                    (b.unwrap_or(0), 257 + node - 1)
                }
            }
        };
        let ((a, first), (b, second)) = (least(), least());
        nodes.push((a + b, [first, second]));
    }
    let mut depths = vec![0_u32; 257 + nodes.len()];
    for (at, (_, children)) in nodes.iter().enumerate().rev() {
        for child in children {
            depths[*child] = depths[257 + at] + 1;
        }
    }
    std::array::from_fn(|symbol| depths[symbol])
}

/// Packs bits, first bit highest, with a zero after each byte 0xFF (T.81 F.1.2.3).
pub struct BitWriter {
    /// Whole bytes so far.
    pub out: Vec<u8>,
    bits: u64,
    count: u32,
}

impl BitWriter {
    /// Goes on where `out` ends.
    pub fn new(out: Vec<u8>) -> Self {
        Self { out, bits: 0, count: 0 }
    }

    /// Appends the low `count` bits (at most 32) of `bits`.
    #[inline(always)]
    pub fn put(&mut self, bits: u32, count: u32) {
        self.bits = self.bits << count | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            let word = (self.bits >> self.count) as u32;
            // No 0xFF among the four: all at once.
            if (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                self.out.extend_from_slice(&word.to_be_bytes());
            } else {
                word.to_be_bytes().into_iter().for_each(|byte| self.byte(byte));
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xFF {
            self.out.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub fn finish(mut self) -> Vec<u8> {
        let fill = (8 - self.count % 8) % 8;
        self.bits = self.bits << fill | ((1 << fill) - 1);
        self.count += fill;
        while self.count > 0 {
            self.count -= 8;
            self.byte((self.bits >> self.count) as u8);
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_prefix_free_short_enough_and_leave_all_ones_free() {
        // Fibonacci weights make the deepest tree that there is.
        let mut deep = [0; 256];
        let (mut a, mut b) = (1_u32, 1_u32);
        for n in deep.iter_mut().take(40) {
            *n = a;
            (a, b) = (b, a + b);
        }
        let mut single = [0; 256];
        single[7] = 1000;
        let all: [u32; 256] = std::array::from_fn(|i| i as u32 + 1);
        for frequencies in [deep, single, all] {
            let table = Table::new(&frequencies);
            let wanted = frequencies.iter().filter(|n| **n > 0).count();
            assert_eq!(table.symbols.len(), wanted);
            let mut kraft = 0_u32;
            for symbol in &table.symbols {
                let (code, length) = table.code(*symbol);
                assert!((1..=16).contains(&length));
                assert_ne!(u32::from(code), (1 << length) - 1, "all ones");
                kraft += 1 << (16 - length);
            }
            assert!(kraft < 1 << 16);
        }
    }
}
