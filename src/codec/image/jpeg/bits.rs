//! Bits to bytes, with a zero stuffed after each 0xFF (T.81 F.1.2.3).

/// Writes bits, most significant first.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    buffer: u64,
    filled: u32,
}

impl<'a> BitWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, buffer: 0, filled: 0 }
    }

    /// Appends the low `count` bits of `bits`; `count` ≤ 32.
    pub fn put(&mut self, bits: u32, count: u32) {
        self.buffer = (self.buffer << count) | u64::from(bits);
        self.filled += count;
        while self.filled >= 8 {
            self.filled -= 8;
            self.byte((self.buffer >> self.filled) as u8);
        }
        self.buffer &= (1u64 << self.filled) - 1;
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xFF {
            self.out.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub fn finish(mut self) {
        let missing = (8 - self.filled % 8) % 8;
        self.put((1u32 << missing) - 1, missing);
    }
}
