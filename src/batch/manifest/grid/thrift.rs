//! A look at structures of the Thrift compact protocol before they are decoded: how long a page will be, and how many
//! columns there are, decides what decoding them would cost. (Apache Thrift, doc/specs: Thrift Compact Protocol.)

/// Structures in structures.
const DEEPEST: u32 = 16;

/// A field of the outermost structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A list of so many elements.
    List(u64),
    /// Anything else.
    Other,
}

/// Shows the fields of the structure at the start of `bytes`, with their numbers. Tells how long the structure is.
///
/// # Errors
/// In words: it is none, or does not end here; or that of `see`.
pub fn fields(
    bytes: &[u8],
    mut see: impl FnMut(i64, Value) -> Result<(), &'static str>,
) -> Result<usize, &'static str> {
    let mut walk = Walk { rest: bytes };
    let mut last = 0;
    while let Some((id, kind)) = walk.field(last)? {
        last = id;
        see(id, walk.value(kind, DEEPEST)?)?;
    }
    Ok(bytes.len() - walk.rest.len())
}

struct Walk<'a> {
    rest: &'a [u8],
}

const BROKEN: &str = "a structure is broken or too long";

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (first, rest) = self.rest.split_first().ok_or(BROKEN)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, length: u64) -> Result<(), &'static str> {
        let length = usize::try_from(length).map_err(|_| BROKEN)?;
        self.rest = self.rest.get(length..).ok_or(BROKEN)?;
        Ok(())
    }

    fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BROKEN)
    }

    /// Negative and positive numbers in turn.
    fn signed(&mut self) -> Result<i64, &'static str> {
        let number = self.number()?;
        let half = i64::try_from(number >> 1).map_err(|_| BROKEN)?;
        Ok(if number & 1 == 0 { half } else { -half - 1 })
    }

    /// Number and type of the next field; `None`: the structure ends.
    fn field(&mut self, last: i64) -> Result<Option<(i64, u8)>, &'static str> {
        let header = self.byte()?;
        let (step, kind) = (header >> 4, header & 0x0f);
        if kind == 0 {
            return Ok(None);
        }
        let id = if step == 0 { self.signed()? } else { last + i64::from(step) };
        // Readers keep numbers in 16 bits.
        i16::try_from(id).map_err(|_| BROKEN)?;
        Ok(Some((id, kind)))
    }

    fn value(&mut self, kind: u8, depth: u32) -> Result<Value, &'static str> {
        let depth = depth.checked_sub(1).ok_or(BROKEN)?;
        match kind {
            // True or false: in the type itself.
            1 | 2 => {}
            3 => self.skip(1)?,
            4..=6 => return Ok(Value::Number(self.signed()?)),
            7 => self.skip(8)?,
            8 => {
                let length = self.number()?;
                self.skip(length)?;
            }
            9 | 10 => {
                let header = self.byte()?;
                let (short, kind) = (header >> 4, header & 0x0f);
                let count = if short == 15 { self.number()? } else { u64::from(short) };
                for _ in 0..count {
                    // Elements of lists have their truth in a byte.
                    if matches!(kind, 1 | 2) { self.skip(1)? } else { self.element(kind, depth)? }
                }
                return Ok(Value::List(count));
            }
            12 => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    last = id;
                    self.value(kind, depth)?;
                }
            }
            // Maps are nowhere in Parquet.
            _ => return Err(BROKEN),
        }
        Ok(Value::Other)
    }

    /// An element takes a byte at least, so that a list ends where the bytes do.
    fn element(&mut self, kind: u8, depth: u32) -> Result<(), &'static str> {
        self.value(kind, depth).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = (Vec<(i64, Value)>, usize);

    fn seen(bytes: &[u8]) -> Result<Seen, &'static str> {
        let mut all = Vec::new();
        let length = fields(bytes, |id, value| {
            all.push((id, value));
            Ok(())
        })?;
        Ok((all, length))
    }

    #[test]
    fn fields_come_with_their_numbers() {
        // 1: i32 0, 2: i32 300, 5: a structure with a text, 3 in the long form: a list of two bytes; more behind it
        let bytes = b"\x15\x00\x15\xd8\x04\x3c\x18\x02ab\x00\x09\x06\x23\x01\x02\x00more";
        let (all, length) = seen(bytes).unwrap();
        assert_eq!(
            all,
            [
                (1, Value::Number(0)),
                (2, Value::Number(300)),
                (5, Value::Other),
                (3, Value::List(2))
            ]
        );
        assert_eq!(length, bytes.len() - 4);
        for cut in 0..length {
            assert!(seen(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_never_ends_is_broken() {
        assert!(seen(&[0x1c; 1000]).is_err(), "structures in structures");
        assert!(seen(b"\x19\xf1\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00").is_err(), "a long list");
        assert!(seen(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").is_err(), "a long text");
        assert!(seen(&[0xff; 100]).is_err());
    }
}
