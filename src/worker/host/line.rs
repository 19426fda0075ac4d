//! Frames over a socket, with deadlines and the stop flag observed.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    model::{Stop, StopCause},
    worker::protocol::{PREFIX, frame_length},
};

/// How often the flag is looked at while nothing comes: the most by which an answer may be late.
const TICK: Duration = Duration::from_millis(5);

/// How long a call waits, and what it does while it waits.
pub(super) struct Watch<'a> {
    /// Polled.
    pub stop: &'a Stop,
    /// The last moment.
    pub until: Instant,
    /// Called at every tick.
    pub tick: &'a mut dyn FnMut(),
}

/// Why no frame came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineError {
    /// The flag was set.
    Stopped(StopCause),
    /// The moment passed.
    TimedOut,
    /// The other side is gone.
    Closed,
    /// Its data are invalid.
    Garbled(String),
}

/// One end of a job's socket.
pub(super) struct Line(UnixStream);

impl Line {
    /// From a socket, which becomes non-blocking.
    pub fn new(stream: UnixStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(stream))
    }

    /// Sends a whole frame.
    pub fn send(&mut self, frame: &[u8], watch: &mut Watch<'_>) -> Result<(), LineError> {
        let mut rest = frame;
        while !rest.is_empty() {
            match self.0.write(rest) {
                Ok(0) => return Err(LineError::Closed),
                Ok(n) => rest = &rest[n..],
                Err(error) => self.wait(&error, PollFlags::OUT, watch)?,
            }
        }
        Ok(())
    }

    /// Receives a whole frame of at most `cap` bytes. Memory grows with what really comes.
    pub fn receive(&mut self, cap: usize, watch: &mut Watch<'_>) -> Result<Buffer, LineError> {
        let mut prefix = [0; PREFIX];
        let mut have = 0;
        while have < PREFIX {
            match self.0.read(&mut prefix[have..]) {
                Ok(0) => return Err(LineError::Closed),
                Ok(n) => have += n,
                Err(error) => self.wait(&error, PollFlags::IN, watch)?,
            }
        }
        let length = frame_length(prefix, cap).map_err(|e| LineError::Garbled(e.to_string()))?;
        let mut frame = Vec::new();
        while frame.len() < length {
            let want = (length - frame.len()).min(1 << 20) as u64;
            match (&self.0).take(want).read_to_end(&mut frame) {
                // `read_to_end` returns short of `want` only at the end of the stream.
                Ok(n) if (n as u64) < want => return Err(LineError::Closed),
                Ok(_) => {}
                Err(error) => self.wait(&error, PollFlags::IN, watch)?,
            }
        }
        Ok(frame.into())
    }

    fn wait(
        &self,
        error: &std::io::Error,
        flags: PollFlags,
        watch: &mut Watch<'_>,
    ) -> Result<(), LineError> {
        match error.kind() {
            ErrorKind::Interrupted => return Ok(()),
            ErrorKind::WouldBlock => {}
            _ => return Err(LineError::Closed),
        }
        loop {
            watch.stop.check().map_err(LineError::Stopped)?;
            if Instant::now() >= watch.until {
                return Err(LineError::TimedOut);
            }
            let mut fds = [PollFd::new(&self.0, flags)];
            let tick = Timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as _ };
            match poll(&mut fds, Some(&tick)) {
                Ok(0) => (watch.tick)(),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Err(LineError::Closed),
            }
        }
    }
}
