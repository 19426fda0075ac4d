//! Lines of a file one after the other, in constant memory.

use std::io::{self, BufRead, Read as _};

/// Longer lines are no rows.
const LONGEST: usize = 64 << 10;

/// Lines with their numbers, from 1.
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Without its end.
    Text(&'a [u8]),
    /// Longer than a row may be.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// From the beginning of a file.
    pub fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
    }

    /// The next line that is not empty, and its number.
    ///
    /// # Errors
    /// The system's.
    pub fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            let limit = LONGEST as u64 + 1;
            if (&mut self.reader).take(limit).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() > LONGEST {
                if !self.line.ends_with(b"\n") {
                    self.skip()?;
                }
                return Ok(Some((self.number, Line::TooLong)));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mark = if self.number == 1 { text.strip_prefix(b"\xef\xbb\xbf") } else { None };
        Ok(Some((self.number, Line::Text(mark.unwrap_or(text)))))
    }

    /// To behind the next line end.
    fn skip(&mut self) -> io::Result<()> {
        loop {
            let block = self.reader.fill_buf()?;
            let end = block.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(block.len(), |at| at + 1);
            self.reader.consume(length);
            if end.is_some() || length == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_and_line_ends_are_no_rows() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfa\r\n\n  \nb"[..]);
        assert_eq!(lines.next().unwrap(), Some((1, Line::Text(b"a"))));
        assert_eq!(lines.next().unwrap(), Some((4, Line::Text(b"b"))));
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_long_line_costs_no_other() {
        for extra in [0, 1, 2, 100_000] {
            let text = [b"a\n".to_vec(), vec![b'x'; LONGEST + extra], b"\nb\n".to_vec()].concat();
            let mut lines = Lines::new(text.as_slice());
            lines.next().unwrap();
            assert_eq!(lines.next().unwrap(), Some((2, Line::TooLong)), "{extra}");
            assert_eq!(lines.next().unwrap(), Some((3, Line::Text(b"b"))), "{extra}");
        }
    }
}
