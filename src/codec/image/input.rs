//! A reader over bytes in memory that fails once it is asked to stop.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use crate::model::{Stop, StopCause};

/// Bytes handed out between two looks at the flag.
const STRIDE: usize = 4096;

/// Decoders read from this; their own loops need not know about stopping.
pub(super) struct StopReader<'a> {
    bytes: &'a [u8],
    at: usize,
    checked_at: usize,
    stop: &'a Stop,
}

impl<'a> StopReader<'a> {
    pub fn new(bytes: &'a [u8], stop: &'a Stop) -> Self {
        Self { bytes, at: 0, checked_at: 0, stop }
    }

    fn poll(&mut self) -> io::Result<()> {
        self.checked_at = self.at;
        self.stop.check().map_err(io::Error::other)
    }

    fn rest(&mut self) -> io::Result<&[u8]> {
        if self.at.abs_diff(self.checked_at) >= STRIDE || self.at == 0 {
            self.poll()?;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        Ok(&rest[..rest.len().min(STRIDE)])
    }
}

impl Read for StopReader<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = {
            let rest = self.rest()?;
            let n = rest.len().min(into.len());
            if n == 1 {
                into[0] = rest[0];
            } else {
                into[..n].copy_from_slice(&rest[..n]);
            }
            n
        };
        self.at += n;
        Ok(n)
    }
}

impl BufRead for StopReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.rest()
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount);
    }
}

impl Seek for StopReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(n) => i128::from(n),
            SeekFrom::Current(n) => self.at as i128 + i128::from(n),
            SeekFrom::End(n) => self.bytes.len() as i128 + i128::from(n),
        };
        self.at = usize::try_from(at)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "seek out of range"))?;
        self.poll()?;
        Ok(self.at as u64)
    }
}

/// The stop cause inside an error, if that is what it was.
pub(super) fn stop_cause(error: &(dyn std::error::Error + 'static)) -> Option<StopCause> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(cause) = error.downcast_ref::<StopCause>() {
            return Some(*cause);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_ends_once_stopped_and_the_cause_survives() {
        let stop = Stop::never();
        let bytes = vec![7; 20_000];
        let mut reader = StopReader::new(&bytes, &stop);
        let mut into = [0; 10_000];
        reader.read_exact(&mut into).unwrap();
        stop.set(StopCause::Deadline);
        let error = reader.read_exact(&mut into).unwrap_err();
        assert_eq!(stop_cause(&error), Some(StopCause::Deadline));
    }
}
