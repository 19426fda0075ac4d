//! A buffer that refuses to grow past a cap: how an encoder learns early that it has lost.

use std::io::{self, Write};

use bytes::Bytes as Buffer;

use crate::codec::EncodeError;
use crate::model::Bytes;

/// Collects what an encoder writes and fails the write that would pass the cap.
#[derive(Debug)]
pub(super) struct CappedWriter {
    written: Vec<u8>,
    cap: Bytes,
    passed_at: Option<Bytes>,
}

impl CappedWriter {
    /// An empty buffer that may hold `cap` bytes.
    pub(super) fn new(cap: Bytes) -> Self {
        Self { written: Vec::new(), cap, passed_at: None }
    }

    /// The error that a failed encode stands for: [`EncodeError::OverCap`] if a write was
    /// refused, otherwise what `other` makes.
    pub(super) fn error(&self, other: impl FnOnce() -> EncodeError) -> EncodeError {
        match self.passed_at {
            Some(at_least) => EncodeError::OverCap { at_least },
            None => other(),
        }
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> Bytes {
        Bytes::of(&self.written)
    }

    /// What was written.
    pub(super) fn into_buffer(self) -> Buffer {
        Buffer::from(self.written)
    }
}

impl Write for CappedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let total = Bytes::of(&self.written) + Bytes::of(bytes);
        if total > self.cap || self.passed_at.is_some() {
            self.passed_at.get_or_insert(total);
            return Err(io::Error::other("over the cap"));
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_write_that_passes_the_cap_is_refused_and_counted() {
        let mut writer = CappedWriter::new(Bytes::new(4));
        writer.write_all(b"1234").expect("within the cap");
        assert!(writer.write_all(b"56").is_err());
        assert!(writer.write_all(b"5").is_err(), "it stays refused");
        let error = writer.error(|| panic!("a write was refused"));
        assert!(matches!(error, EncodeError::OverCap { at_least } if at_least.get() == 6));
    }
}
