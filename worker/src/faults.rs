//! Faults on request, for tests of the confinement: an input `#!MMSFIT-FAULT phase what` makes
//! the job do `what` in `phase` (`probe`, `strip`, `open`, `encode` or `verify`). Only in a worker that was started
//! with `--faults`, and behind the same lockdown as everything else.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use std::io::Write;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{
        Codec, CodecError, ContentFacts, DecodeLimits, EncodeError, OpenHint, Reference, Session,
        Verified, remote::FAULT,
    },
    model::{
        BitRate, Bytes, Dimensions, MediaInfo, MediaKind, MediaType, Millis, Recipe, Stop,
        VideoTrack,
    },
};

/// Does as its inputs say.
pub struct FaultCodec;

fn text(input: &[u8]) -> (String, String) {
    let line = String::from_utf8_lossy(&input[FAULT.len().min(input.len())..]).into_owned();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

fn info(input: &[u8], what: &str) -> MediaInfo {
    let mut info = MediaInfo::opaque(MediaType::fold("video/mp4"), Bytes::of(input));
    info.codec = "h264".into();
    info.dimensions = Dimensions::new(64, 48);
    info.duration = Millis::new(2000);
    info.frames = 20;
    info.video = Some(VideoTrack {
        codec: "h264".into(),
        profile: "High".into(),
        frame_rate: 10.0,
        bitrate: BitRate::new(50_000),
    });
    match what {
        "lie-bytes" => info.bytes = Bytes::new(1),
        "lie-kind" => info.media_type = MediaType::JPEG,
        "lie-pixels" => info.dimensions = Dimensions::new(1_000_000, 1_000_000),
        "lie-name" => info.codec = "\u{1b}[31mred".repeat(40),
        _ => {}
    }
    info
}

impl Codec for FaultCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        bytes.starts_with(FAULT).then(|| MediaType::fold("video/mp4"))
    }

    fn writes(&self, _: &MediaType, output: MediaKind) -> bool {
        output == MediaKind::Video
    }

    fn probe(&self, input: &Buffer, _: &DecodeLimits, _: &Stop) -> Result<MediaInfo, CodecError> {
        let (phase, what) = text(input);
        if phase == "probe" {
            mischief(&what);
        }
        Ok(info(input, if phase == "probe" { &what } else { "" }))
    }

    fn open(
        &self,
        input: &Buffer,
        _: OpenHint,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        let (phase, what) = text(input);
        if phase == "open" {
            mischief(&what);
        }
        Ok(Box::new(FaultSession { info: info(input, ""), what }))
    }

    fn strip_metadata(&self, input: &Buffer, _: &Stop) -> Result<Option<Buffer>, CodecError> {
        let (phase, what) = text(input);
        if phase == "strip" {
            mischief(&what);
        }
        Ok(None)
    }

    fn verify(
        &self,
        output: &Buffer,
        _: Option<&Reference>,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Verified, CodecError> {
        let (phase, what) = text(output);
        if phase == "verify" {
            mischief(&what);
        }
        Err(CodecError::Internal("no output of ours is such an input".into()))
    }
}

struct FaultSession {
    info: MediaInfo,
    what: String,
}

impl Session for FaultSession {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        ContentFacts::default()
    }

    fn encode(&mut self, _: &Recipe, cap: Bytes, _: &Stop) -> Result<Buffer, EncodeError> {
        match self.what.as_str() {
            "lie-size" => Ok(vec![0; cap.as_usize().min(1 << 20) + 1].into()),
            "lie-type" => Ok(Buffer::from_static(b"\x89PNG\r\n\x1a\n, said the worker")),
            what => {
                mischief(what);
                Err(CodecError::Internal(format!("survived {what}")).into())
            }
        }
    }
}

/// Tries what the lockdown must stop, or what the host must survive.
fn mischief(what: &str) {
    match what {
        // Refused with an error, not by the filter's kill: libraries ask in passing.
        "open" if std::fs::File::open("/etc/passwd").is_ok() => exit_escaped(),
        "write" if std::fs::write("/tmp/mmsfit-escaped", b"x").is_ok() => exit_escaped(),
        "connect" => {
            let _ = std::net::TcpStream::connect(("127.0.0.1", 9));
            exit_escaped();
        }
        "fork" => {
            // SAFETY: forbidden; if it were not, the child ends at once below.
            unsafe { libc::fork() };
            exit_escaped();
        }
        "exec" => {
            // SAFETY: the path and the lists end with null.
            unsafe {
                let args = [c"/bin/true".as_ptr(), std::ptr::null()];
                libc::execv(args[0], args.as_ptr());
            }
            exit_escaped();
        }
        "map" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1u8; 64 << 20]);
            }
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        },
        "panic" => panic!("as asked"),
        "segv" => {
            // SAFETY: none; that is the point.
            unsafe { std::ptr::write_volatile(8 as *mut u8, 1) };
        }
        "kill" => {
            half_a_frame();
            // A process cannot kill itself behind the filter; the host's test does it from
            // outside while this one waits.
            loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            }
        }
        "half-segv" => {
            half_a_frame();
            mischief("segv");
        }
        "flood" => loop {
            if raw_write(&[0xFF; 65536]) <= 0 {
                break;
            }
        },
        "huge-frame" => {
            raw_write(&u32::MAX.to_le_bytes());
            mischief("sleep");
        }
        "stop" => {
            // SAFETY: takes numbers alone. Forbidden: a job must not signal even itself so.
            unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
            exit_escaped();
        }
        "signal-parent" => {
            // SAFETY: takes numbers alone.
            unsafe { libc::syscall(libc::SYS_tgkill, 1, 1, libc::SIGABRT) };
            exit_escaped();
        }
        _ => {}
    }
}

/// Ends with a status that tests look for and must not find.
fn exit_escaped() {
    // SAFETY: ends the process.
    unsafe { libc::_exit(99) }
}

fn half_a_frame() {
    raw_write(&1000u32.to_le_bytes());
    raw_write(&[4; 100]);
}

/// Past all protocol, to the job's socket.
fn raw_write(bytes: &[u8]) -> isize {
    let _ = std::io::stdout().flush();
    // SAFETY: the slice lives through the call; 3 is the job's socket.
    unsafe { libc::write(3, bytes.as_ptr().cast(), bytes.len()) }
}
