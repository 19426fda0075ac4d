//! What a frame between host and worker costs, written and read: `cargo bench --bench frames`.
//! The floor is a copy of the same bytes, which no protocol over a socket is spared.

#![allow(missing_docs, reason = "a bench")]

mod support;

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{DecodeLimits, OpenHint},
    model::{Dimensions, Effort},
    worker::protocol::{Message as _, PREFIX, Request},
};
use support::{Case, run};

/// Payloads in bytes: a photo of a camera, a photo within an MMS, a thumbnail, none. The largest
/// first: what the allocator gives back to the system at once, and has to ask for again, follows
/// the largest that it has seen freed.
const PAYLOADS: [usize; 4] = [3_000_000, 300_000, 10_000, 0];
/// Bytes that a case moves at least before the clock is read again: one frame is too short for it.
const BYTES_A_ROUND: usize = 100_000_000;
/// Frames a round at most.
const MOST_REPEATS: usize = 100_000;

/// Writes a request as the host does, reads it as a worker does, and tells the payload's length.
fn there_and_back(request: &Request) -> Result<u64, String> {
    let frame = Buffer::from(request.to_frame());
    match Request::from_frame(frame.slice(PREFIX..)).map_err(|error| error.to_string())? {
        Request::Open { input, .. } => Ok(input.len() as u64),
        _ => Err("another request came back".into()),
    }
}

fn main() {
    for size in PAYLOADS {
        let input = Buffer::from(vec![7; size]);
        let hint = OpenHint {
            largest: Dimensions::at_least_one(640, 480),
            animation: false,
            effort: Effort::Balanced,
        };
        let limits = DecodeLimits::default();
        let request = Request::Open { input: input.clone(), hint, limits };
        let repeats = BYTES_A_ROUND.checked_div(size).unwrap_or(MOST_REPEATS).min(MOST_REPEATS);
        let cases = vec![
            Case::new("copy of the payload", || {
                Ok(std::hint::black_box(Buffer::copy_from_slice(&input)).len() as u64)
            }),
            Case::new("open: written and read", || there_and_back(&request)),
        ];
        let repeats = u32::try_from(repeats).unwrap_or(u32::MAX);
        let cases = cases.into_iter().map(|case| case.repeated(repeats)).collect();
        run(&format!("frames, {size} bytes"), "copy of the payload", 15, cases);
    }
}
