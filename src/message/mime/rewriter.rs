//! A header block with some of its fields rewritten.

use bytes::Bytes as Buffer;

use super::header::{Field, fields};
use crate::message::octets::lossy;

/// A header block with some fields replaced (`Some`) or left out (`None`), all else as it was.
#[derive(Debug)]
pub(super) struct Rewriter {
    head: Buffer,
    fields: Vec<Field>,
    changes: Vec<(usize, Option<String>)>,
    added: Vec<String>,
}

impl Rewriter {
    pub fn new(head: &Buffer) -> Self {
        Self { head: head.clone(), fields: fields(head), changes: Vec::new(), added: Vec::new() }
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    /// Gives every field `name` (there should be one) a new value; adds it where it is missing.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut first = true;
        for at in 0..self.fields.len() {
            if self.fields[at].name == name.to_ascii_lowercase() {
                let raw = &self.head[self.fields[at].range.clone()];
                let colon = raw.iter().position(|&b| b == b':').unwrap_or(0);
                let spelt = lossy(&raw[..colon]);
                let line = first.then(|| format!("{}: {value}", spelt.trim_end()));
                self.changes.push((at, line));
                first = false;
            }
        }
        if first {
            self.added.push(format!("{name}: {value}"));
        }
    }

    /// Leaves the field out.
    pub fn drop(&mut self, name: &str) {
        for at in 0..self.fields.len() {
            if self.fields[at].name == name {
                self.changes.push((at, None));
            }
        }
    }

    pub fn finish(self) -> Buffer {
        if self.changes.is_empty() && self.added.is_empty() {
            return self.head;
        }
        let crlf = !self.head.contains(&b'\n') || self.head.windows(2).any(|two| two == b"\r\n");
        let eol = if crlf { "\r\n" } else { "\n" };
        let mut out = Vec::with_capacity(self.head.len() + 64);
        let mut at = 0;
        let body = &self.head;
        for (index, field) in self.fields.iter().enumerate() {
            let Some((_, line)) = self.changes.iter().rev().find(|(i, _)| *i == index) else {
                continue;
            };
            out.extend(&body[at..field.range.start]);
            if let Some(line) = line {
                out.extend(line.bytes());
                out.extend(eol.bytes());
            }
            at = field.range.end;
        }
        // New fields go before the blank line; a block without one gets one.
        let blank = match body {
            _ if body.ends_with(b"\n\r\n") || body[..] == b"\r\n"[..] => 2,
            _ if body.ends_with(b"\n\n") || body[..] == b"\n"[..] => 1,
            _ => 0,
        };
        let end = (body.len() - blank).max(at);
        out.extend(&body[at..end]);
        if blank == 0 && !out.is_empty() && !out.ends_with(b"\n") {
            out.extend(eol.bytes());
        }
        for line in &self.added {
            out.extend(line.bytes());
            out.extend(eol.bytes());
        }
        if blank == 0 {
            out.extend(eol.bytes())
        } else {
            out.extend(&body[end..])
        }
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_changes_only_where_told() {
        let head = Buffer::from_static(b"A: 1\r\nContent-Type: x;\r\n y\r\nB:2\r\n\r\n");
        let mut rewriter = Rewriter::new(&head);
        assert_eq!(rewriter.value("content-type"), Some("x; y"));
        rewriter.set("content-type", "z");
        rewriter.drop("a");
        rewriter.set("C", "3");
        assert_eq!(rewriter.finish(), &b"Content-Type: z\r\nB:2\r\nC: 3\r\n\r\n"[..]);
        assert_eq!(Rewriter::new(&head).finish(), head);
        let mut empty = Rewriter::new(&Buffer::from_static(b"\n"));
        empty.set("C", "3");
        assert_eq!(empty.finish(), &b"C: 3\n\n"[..]);
    }
}
