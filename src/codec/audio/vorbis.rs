//! How large the tables of a Vorbis decoder become: a header of a few bytes may ask for gigabytes.

use super::left;
use crate::codec::CodecError;

/// Numbers in all codebooks together: libvorbis' have some 100,000.
const MAX_NUMBERS: u64 = 1 << 20;
/// Bytes of the identification header, which comes first (Vorbis I clause 4.2.2).
const IDENTIFICATION: usize = 30;

/// Adds up what the codebooks of both headers, one behind the other, hold.
pub(super) fn check_tables(headers: &[u8]) -> Result<(), CodecError> {
    let setup = headers.get(IDENTIFICATION..).and_then(|rest| rest.strip_prefix(b"\x05vorbis"));
    let numbers = setup.and_then(|setup| numbers(&mut Bits { bytes: setup, at: 0 }));
    match numbers {
        Some(count) if count <= MAX_NUMBERS => Ok(()),
        Some(_) => Err(left("its codebooks are too large")),
        None => Err(left("its codebooks cannot be read")),
    }
}

/// Clause 4.2.4: a count, and that many codebooks.
fn numbers(bits: &mut Bits<'_>) -> Option<u64> {
    let count = bits.take(8)? + 1;
    let mut sum = 0u64;
    for _ in 0..count {
        sum += codebook(bits)?;
        if sum > MAX_NUMBERS {
            break;
        }
    }
    Some(sum)
}

/// Clause 3.2.1: the entries of a codebook and the numbers that they stand for.
fn codebook(bits: &mut Bits<'_>) -> Option<u64> {
    if bits.take(24)? != 0x56_4342 {
        return None;
    }
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    if u64::from(entries) > MAX_NUMBERS {
        return Some(u64::from(entries));
    }
    let ordered = bits.take(1)? == 1;
    if ordered {
        bits.take(5)?;
        let mut entry = 0;
        while entry < entries {
            entry += bits.take(u32::BITS - (entries - entry).leading_zeros())?;
        }
    } else {
        let sparse = bits.take(1)? == 1;
        for _ in 0..entries {
            if !sparse || bits.take(1)? == 1 {
                bits.take(5)?;
            }
        }
    }
    let lookup = bits.take(4)?;
    if lookup == 0 {
        return Some(entries.into());
    }
    let numbers = u64::from(entries) * u64::from(dimensions.max(1));
    if numbers > MAX_NUMBERS {
        return Some(numbers);
    }
    bits.take(32)?;
    bits.take(32)?;
    let width = bits.take(4)? + 1;
    bits.take(1)?;
    let values = match lookup {
        1 => lattice(entries, dimensions),
        2 => numbers,
        _ => return None,
    };
    for _ in 0..values {
        bits.take(width)?;
    }
    Some(numbers)
}

/// The greatest number whose power by the dimensions is no more than the entries (clause 9.2.3).
fn lattice(entries: u32, dimensions: u32) -> u64 {
    let fits =
        |n: u64| n.checked_pow(dimensions.max(1)).is_some_and(|power| power <= u64::from(entries));
    (1..).take_while(|n| fits(*n)).last().unwrap_or(0)
}

/// From the lowest bit up (clause 2.1.4).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for n in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << n;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values with their widths, from the lowest bit up.
    fn packed(fields: &[(u32, u32)]) -> Vec<u8> {
        let bits: Vec<u32> = fields
            .iter()
            .flat_map(|(value, width)| (0..*width).map(move |n| value >> n & 1))
            .collect();
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |n, bit| n << 1 | *bit as u8)).collect()
    }

    fn headers(fields: &[(u32, u32)]) -> Vec<u8> {
        [&[0; IDENTIFICATION][..], b"\x05vorbis", &packed(fields)].concat()
    }

    #[test]
    fn large_tables_are_refused_before_they_are_made() {
        // One codebook: 2 dimensions, 4 entries of length 2, a lattice of two values.
        let small = [
            (0, 8),
            (0x56_4342, 24),
            (2, 16),
            (4, 24),
            (0, 1),
            (0, 1),
            (1, 5),
            (1, 5),
            (1, 5),
            (1, 5),
            (1, 4),
            (0, 32),
            (0, 32),
            (3, 4),
            (0, 1),
            (1, 4),
            (2, 4),
        ];
        assert!(check_tables(&headers(&small)).is_ok());
        assert!(check_tables(&headers(&small[..12])).is_err(), "cut off");
        // 131,072 entries of length 17 in order, of 32 dimensions: a dozen bytes for 16 MiB.
        let large = [
            (0, 8),
            (0x56_4342, 24),
            (32, 16),
            (131_072, 24),
            (1, 1),
            (16, 5),
            (131_072, 18),
            (1, 4),
        ];
        assert!(check_tables(&headers(&large)).is_err());
        assert!(check_tables(b"").is_err());
    }

    #[test]
    fn lattices_are_roots() {
        assert_eq!(lattice(81, 4), 3);
        assert_eq!(lattice(80, 4), 2);
        assert_eq!(lattice(100, 1), 100);
        assert_eq!(lattice(0, 1), 0);
    }
}
