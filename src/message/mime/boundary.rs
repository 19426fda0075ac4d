//! Boundaries that do not occur in what they part.

use bytes::Bytes as Buffer;

use super::{Body, Entity, Wire, edit::retype, header};

impl Entity {
    /// A boundary that occurs in a body rewritten is replaced by another of its length.
    pub(super) fn settle_boundaries(&mut self) {
        let Body::Multi(multi) = &mut self.body else { return };
        multi.children.iter_mut().for_each(Self::settle_boundaries);
        if multi.is_mail() {
            return;
        }
        let clash = |entity: &Self, mark: &[u8]| {
            let mut found = false;
            entity.visit(&mut |body| {
                if let (Wire::Raw(raw), true) = (&body.wire, body.anew) {
                    found |= contains(raw, mark);
                }
            });
            found
        };
        let old = format!("--{}", multi.boundary);
        if !multi.children.iter().any(|child| clash(child, old.as_bytes())) {
            return;
        }
        let mut inside = Vec::new();
        multi.children.iter().for_each(|child| child.put(&mut inside));
        let fresh = unused_boundary(&inside, multi.boundary.len());
        let swap = |lead: &Buffer| replace_once(lead, multi.boundary.as_bytes(), fresh.as_bytes());
        multi.leads = multi.leads.iter().map(swap).collect();
        multi.close = replace_once(&multi.close, multi.boundary.as_bytes(), fresh.as_bytes());
        self.head = rebound(&self.head, &multi.boundary, &fresh);
        multi.boundary = fresh;
    }
}

/// A boundary of `length` characters (or more, if none of that length is free) that does not
/// occur in `bytes`. The same bytes give the same boundary.
pub(super) fn unused_boundary(bytes: &[u8], length: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut length = length.max(1);
    loop {
        for seed in 0..1296u32 {
            let mut state = u64::from(seed) + 1;
            let candidate: String = (0..length)
                .map(|at| {
                    // SplitMix64's multiplier: any fixed scrambling will do.
                    state = state.wrapping_mul(0xBF58_476D_1CE4_E5B9).wrapping_add(at as u64 + 1);
                    char::from(DIGITS[(state >> 40) as usize % DIGITS.len()])
                })
                .collect();
            if !contains(bytes, format!("--{candidate}").as_bytes()) {
                return candidate;
            }
        }
        length += 1;
    }
}

/// Whether `needle` occurs in `bytes`.
pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

/// The header block with its boundary parameter changed in place: no other byte moves.
fn rebound(head: &Buffer, old: &str, fresh: &str) -> Buffer {
    let field = header::fields(head).into_iter().find(|field| field.name == "content-type");
    if let Some(range) = field.map(|field| field.range) {
        let raw = &head[range.clone()];
        let lower = raw.to_ascii_lowercase();
        let after = lower.windows(9).position(|w| w == b"boundary=").map(|at| at + 9);
        if let Some(after) = after {
            let end = raw.len().min(after + 1 + old.len());
            let value = replace_once(
                &head.slice(range.start + after..range.start + end),
                old.as_bytes(),
                fresh.as_bytes(),
            );
            if value[..] != raw[after..end] {
                let (start, end) = (range.start + after, range.start + end);
                return [&head[..start], &value, &head[end..]].concat().into();
            }
        }
    }
    retype(head, |_, params| {
        params.retain(|(name, _)| name != "boundary");
        params.push(("boundary".into(), fresh.to_owned()));
    })
}

fn replace_once(line: &Buffer, old: &[u8], new: &[u8]) -> Buffer {
    match line.windows(old.len().max(1)).position(|window| window == old) {
        Some(at) => [&line[..at], new, &line[at + old.len()..]].concat().into(),
        None => line.clone(),
    }
}
