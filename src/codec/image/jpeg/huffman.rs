//! Huffman tables that are optimal for counted symbols (T.81 annex K.2, C).

/// A table as it is written: how many codes of each length, and the symbols in order of length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Codes of length 1…16.
    pub lengths: [u8; 16],
    pub symbols: Vec<u8>,
    /// Code and length of each symbol; length 0 for those that do not occur.
    codes: Box<[(u16, u8); 256]>,
}

impl Table {
    /// The optimal table for `counts` occurrences of each symbol, no code longer than 16 bits.
    pub fn optimal(counts: &[u32; 256]) -> Self {
        let sizes = limited(code_sizes(counts));
        let mut lengths = [0u8; 16];
        lengths.copy_from_slice(&sizes.lengths[1..17]);
        Self::from_lengths(lengths, sizes.symbols)
    }

    fn from_lengths(lengths: [u8; 16], symbols: Vec<u8>) -> Self {
        let mut codes = Box::new([(0u16, 0u8); 256]);
        let mut code = 0u32;
        let mut next = symbols.iter();
        for (bits, count) in (1u8..).zip(lengths) {
            for symbol in next.by_ref().take(usize::from(count)) {
                codes[usize::from(*symbol)] = (code as u16, bits);
                code += 1;
            }
            code <<= 1;
        }
        Self { lengths, symbols, codes }
    }

    /// Code and its length in bits; length 0 if the symbol has no code.
    pub fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }

    /// Bits of all codes for `counts` symbols.
    pub fn bits(&self, counts: &[u32; 256]) -> u64 {
        counts.iter().zip(self.codes.iter()).map(|(n, (_, l))| u64::from(*n) * u64::from(*l)).sum()
    }

    /// Bytes in a DHT segment: class and index, 16 counts, the symbols.
    pub fn segment_len(&self) -> u64 {
        17 + self.symbols.len() as u64
    }
}

struct Sizes {
    /// `lengths[n]`: symbols with codes of `n` bits.
    lengths: [u8; 64],
    symbols: Vec<u8>,
}

/// Huffman's algorithm with one reserved symbol, so that no code is all ones (K.2, figure K.1).
fn code_sizes(counts: &[u32; 256]) -> Sizes {
    const RESERVED: usize = 256;
    let mut freq = [0u64; 257];
    for (slot, n) in freq.iter_mut().zip(counts) {
        *slot = u64::from(*n);
    }
    freq[RESERVED] = 1;
    let mut size = [0u8; 257];
    let mut other: [Option<usize>; 257] = [None; 257];
    loop {
        // The two least frequent; between equals the one with the larger value (as in K.2).
        let least = |skip: Option<usize>, freq: &[u64; 257]| {
            (0..257)
                .filter(|i| freq[*i] > 0 && Some(*i) != skip)
                .min_by(|a, b| freq[*a].cmp(&freq[*b]).then(b.cmp(a)))
        };
        let Some(first) = least(None, &freq) else { break };
        let Some(second) = least(Some(first), &freq) else { break };
        freq[first] += freq[second];
        freq[second] = 0;
        let lengthen = |mut at: usize, size: &mut [u8; 257], other: &[Option<usize>; 257]| {
            size[at] += 1;
            while let Some(next) = other[at] {
                at = next;
                size[at] += 1;
            }
            at
        };
        let end = lengthen(first, &mut size, &other);
        other[end] = Some(second);
        lengthen(second, &mut size, &other);
    }
    let mut lengths = [0u8; 64];
    for s in size {
        // Counts are below 2^32, so that no code is longer than 47 bits (Fibonacci).
        lengths[usize::from(s.min(63))] = lengths[usize::from(s.min(63))].saturating_add(1);
    }
    lengths[0] = 0;
    let mut symbols: Vec<u8> = (0..=255u8).filter(|s| size[usize::from(*s)] > 0).collect();
    symbols.sort_by_key(|s| (size[usize::from(*s)], *s));
    Sizes { lengths, symbols }
}

/// No code longer than 16 bits (K.2, figure K.3), and the reserved code taken away.
fn limited(mut sizes: Sizes) -> Sizes {
    for long in (17..64).rev() {
        while sizes.lengths[long] > 0 {
            let Some(short) = (1..long - 1).rev().find(|j| sizes.lengths[*j] > 0) else { break };
            sizes.lengths[long] -= 2;
            sizes.lengths[long - 1] += 1;
            sizes.lengths[short + 1] += 2;
            sizes.lengths[short] -= 1;
        }
    }
    if let Some(longest) = (1..17).rev().find(|i| sizes.lengths[*i] > 0) {
        sizes.lengths[longest] -= 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_prefix_free_short_and_never_all_ones() {
        let fibonacci = {
            let mut counts = [0u32; 256];
            let (mut a, mut b) = (1u32, 1u32);
            for slot in counts.iter_mut().take(40) {
                *slot = a;
                (a, b) = (b, a.saturating_add(b));
            }
            counts
        };
        let flat = [7u32; 256];
        let mut single = [0u32; 256];
        single[9] = 5;
        for counts in [fibonacci, flat, single] {
            let table = Table::optimal(&counts);
            let used: Vec<(u16, u8)> =
                (0..=255).map(|s| table.code(s)).filter(|(_, l)| *l > 0).collect();
            assert_eq!(used.len(), counts.iter().filter(|n| **n > 0).count());
            let total: u32 = table.lengths.iter().map(|n| u32::from(*n)).sum();
            assert_eq!(total as usize, table.symbols.len());
            for (i, (code, len)) in used.iter().enumerate() {
                assert!(*len <= 16);
                assert_ne!(u32::from(*code), (1u32 << len) - 1, "all ones");
                for (other, longer) in used.iter().skip(i + 1) {
                    let (short, long) = if len <= longer { (len, longer) } else { (longer, len) };
                    let (a, b) = if len <= longer { (code, other) } else { (other, code) };
                    assert_ne!(*b >> (long - short), *a, "prefix");
                }
            }
        }
    }
}
