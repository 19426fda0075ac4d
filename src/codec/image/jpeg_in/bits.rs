//! Bits of an entropy-coded segment (T.81 F.2.2.5) and the codes in them.

/// Bits that a table looks at in one step: nearly all codes of photos, and short ones with the
/// value behind them.
const LOOK: u32 = 10;

/// Reads bits from the most significant end; stuffed zeros are taken out on the way.
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the top.
    next: u64,
    have: u32,
    /// Of those, zeros that are not in the file.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, next: 0, have: 0, padding: 0 }
    }

    /// Enough bits for a code of 16 and a number of 15; behind a marker or the end they are zeros.
    #[inline(always)]
    fn need(&mut self) {
        if self.have < 32 {
            self.refill();
        }
    }

    /// At least 56 bits.
    #[inline]
    fn refill(&mut self) {
        if let Some(word) = self.data.get(self.at..self.at + 8)
            && let Ok(word) = word.try_into()
        {
            let word = u64::from_be_bytes(word);
            // No 0xFF among the eight: whole bytes at once. What does not fit is read again.
            let turned = !word;
            let zeros = turned.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080;
            if zeros == 0 && self.padding == 0 {
                self.next |= word >> self.have;
                self.at += ((63 - self.have) >> 3) as usize;
                self.have |= 56;
                return;
            }
        }
        while self.have <= 56 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (None, _) | (Some(0xFF), _) => {
                    self.padding += 8;
                    0
                }
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.next |= u64::from(byte) << (56 - self.have);
            self.have += 8;
        }
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.next <<= count;
        self.have -= count;
    }

    /// A number of `size` bits as T.81 table F.1 means it; `size` is at most 15.
    #[inline(always)]
    fn number(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let raw = (self.next >> (64 - size)) as i32;
        self.skip(size);
        if raw < 1 << (size - 1) { raw - (1 << size) + 1 } else { raw }
    }

    /// Whether zeros were read that are not in the file.
    pub fn is_over(&self) -> bool {
        self.padding > self.have
    }

    /// Goes on behind the restart marker of this number; `None` where that does not stand here.
    pub fn restart(&mut self, number: u8) -> Option<()> {
        self.refill();
        let left = self.have.checked_sub(self.padding)?;
        let marker = self.data.get(self.at..self.at + 2)?;
        (left < 8 && marker == [0xFF, 0xD0 + number % 8]).then_some(())?;
        *self = Self { at: self.at + 2, ..Self::new(self.data) };
        Some(())
    }
}

/// A Huffman table for reading.
pub struct Codes {
    /// By the next bits: length of the code and symbol; length 0 where it is longer.
    short: Box<[(u8, u8); 1 << LOOK]>,
    /// By the next bits: value, zeros before it and bits in all; 0 bits where they are more.
    whole: Box<[(i16, u8, u8); 1 << LOOK]>,
    /// By the next bits: what is passed over in one step.
    leaps: Box<[Leap; 1 << LOOK]>,
    /// By length: the first code behind those of this length, moved to 16 bits; and what leads
    /// from a code to its symbol.
    ends: [(u32, i32); 17],
    symbols: Vec<u8>,
}

impl Codes {
    /// From BITS and HUFFVAL (T.81 B.2.4.2); `None` where they make no code.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut short = Box::new([(0, 0); 1 << LOOK]);
        let mut ends = [(0, 0); 17];
        let (mut code, mut at) = (0u32, 0usize);
        for (length, count) in (1u32..).zip(counts) {
            ends[length as usize].1 = at as i32 - code as i32;
            for _ in 0..*count {
                let symbol = *symbols.get(at)?;
                if code >> length != 0 {
                    return None;
                }
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    short[first..first + (1 << (LOOK - length))].fill((length as u8, symbol));
                }
                (code, at) = (code + 1, at + 1);
            }
            ends[length as usize].0 = code << (16 - length);
            code <<= 1;
        }
        let whole = Box::new(std::array::from_fn(|next| with_value(next as u32, short[next])));
        let leaps = Box::new(std::array::from_fn(|next| Leap::over(next, &short)));
        Some(Self { short, whole, leaps, ends, symbols: symbols.to_vec() })
    }

    #[inline(always)]
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let (length, symbol) = self.short[(bits.next >> (64 - LOOK)) as usize];
        if length > 0 {
            bits.skip(length.into());
            return Some(symbol);
        }
        let next = (bits.next >> 48) as u32;
        let length = (LOOK + 1..=16).find(|length| next < self.ends[*length as usize].0)?;
        let code = (next >> (16 - length)) as i32;
        bits.skip(length);
        self.symbols.get(usize::try_from(code + self.ends[length as usize].1).ok()?).copied()
    }
}

fn with_value(next: u32, (length, symbol): (u8, u8)) -> (i16, u8, u8) {
    let (length, size) = (u32::from(length), u32::from(symbol & 15));
    if length == 0 || size == 0 || length + size > LOOK {
        return (0, 0, 0);
    }
    let raw = (next >> (LOOK - length - size)) & ((1 << size) - 1);
    let value = if raw < 1 << (size - 1) { raw as i32 - (1 << size) + 1 } else { raw as i32 };
    (value as i16, symbol >> 4, (length + size) as u8)
}

/// Coefficients that nobody looks at, as many as the bits of one look show: two or three of a photo.
/// The bits of the last one's value may lie beyond, since they are not looked at either.
#[derive(Clone, Copy, Default)]
struct Leap {
    /// Bits in all, at most 10 and the 15 of a value; 0 where a look shows no whole code.
    bits: u8,
    /// Coefficients, with the zeros before them.
    places: u8,
    /// The end of the block comes behind them.
    ends: bool,
}

impl Leap {
    /// What these next bits show.
    fn over(next: usize, short: &[(u8, u8); 1 << LOOK]) -> Self {
        let mut leap = Self::default();
        while u32::from(leap.bits) < LOOK {
            let (length, symbol) = short[next << leap.bits & ((1 << LOOK) - 1)];
            let (zeros, size) = (symbol >> 4, symbol & 15);
            let shown = length > 0 && u32::from(leap.bits + length) <= LOOK;
            match size {
                _ if !shown => break,
                // Sixteen zeros are rare, and may lead behind the end.
                0 if zeros > 0 => break,
                0 => return Self { bits: leap.bits + length, ends: true, ..leap },
                _ => {
                    leap.bits += length + size;
                    leap.places += zeros + 1;
                }
            }
        }
        leap
    }
}

/// Where the coefficients stand in a block, in the order of the file (T.81 figure A.6), columns
/// for rows: the transform takes them so.
const TRANSPOSED: [u8; 64] = [
    0, 8, 1, 2, 9, 16, 24, 17, 10, 3, 4, 11, 18, 25, 32, 40, 33, 26, 19, 12, 5, 6, 13, 20, 27, 34,
    41, 48, 56, 49, 42, 35, 28, 21, 14, 7, 15, 22, 29, 36, 43, 50, 57, 58, 51, 44, 37, 30, 23, 31,
    38, 45, 52, 59, 60, 53, 46, 39, 47, 54, 61, 62, 55, 63,
];

/// Reads one block into `out`, which must be zeros: coefficients times their quantisers, the mean
/// after `before`; none behind the place `last`, which a transform to fewer samples does not look
/// at. Tells the last place that is not empty; `None` where the bits make no block.
#[inline(always)]
pub fn block(
    bits: &mut Bits<'_>,
    (mean, rest): (&Codes, &Codes),
    quantisers: &[u16; 64],
    before: &mut i32,
    last: usize,
    out: &mut [f32; 64],
) -> Option<usize> {
    // What no encoder makes is cut to what a transform can take.
    let times = |value: i32, q: u16| value.wrapping_mul(i32::from(q)).clamp(-32_768, 32_767) as f32;
    bits.need();
    let size = mean.symbol(bits)?;
    if size > 11 {
        return None;
    }
    *before = before.wrapping_add(bits.number(size.into()));
    out[0] = times(*before, quantisers[0]);
    let (mut at, mut farthest) = (1_usize, 0);
    while at < 64 {
        bits.need();
        if at > last {
            let leap = rest.leaps[(bits.next >> (64 - LOOK)) as usize];
            // Behind the last place the bits are those of another block.
            if leap.bits > 0 && at + usize::from(leap.places) < 64 {
                bits.skip(leap.bits.into());
                at += usize::from(leap.places);
                if leap.ends {
                    break;
                }
                continue;
            }
        }
        let (value, zeros, length) = rest.whole[(bits.next >> (64 - LOOK)) as usize];
        let (value, zeros) = if length > 0 {
            bits.skip(length.into());
            (i32::from(value), zeros)
        } else {
            let symbol = rest.symbol(bits)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            if size == 0 {
                if zeros < 15 {
                    break;
                }
                at += 16;
                continue;
            }
            (bits.number(size.into()), zeros)
        };
        at += usize::from(zeros);
        if at <= last {
            out[usize::from(TRANSPOSED[at & 63] & 63)] = times(value, quantisers[at & 63]);
            farthest = at;
        } else if at > 63 {
            return None;
        }
        at += 1;
    }
    Some(farthest)
}
