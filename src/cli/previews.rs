//! The media bytes before and after, paired by part, for the page.

use bytes::Bytes as Buffer;

use crate::{
    message::{Message, ParseLimits},
    model::{Action, Report},
    service::request::Content,
};

/// The bytes of a part before and after, where available.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Before.
    pub before: Option<Buffer>,
    /// After.
    pub after: Option<Buffer>,
}

/// A pair for each part of the report.
pub fn pairs(
    before: &Content,
    after: &Content,
    report: &Report,
    limits: &ParseLimits,
) -> Vec<Pair> {
    let before = leaves(before, limits);
    let mut after = leaves(after, limits).into_iter();
    report
        .parts
        .iter()
        .map(|part| Pair {
            before: before.get(part.id.index()).cloned(),
            after: if part.action == Action::Drop { None } else { after.next() },
        })
        .collect()
}

/// The media of a message in order; none if it cannot be read, then the page goes without.
fn leaves(content: &Content, limits: &ParseLimits) -> Vec<Buffer> {
    let parsed = match content {
        Content::Parts { parts, .. } => {
            return parts.iter().map(|part| part.data.clone()).collect();
        }
        Content::Bare { data, .. } => return vec![data.clone()],
        Content::MmsPdu(data) => Message::parse_pdu(data.clone(), limits),
        Content::Mime(data) => Message::parse_mime(data.clone(), limits),
    };
    parsed.map_or_else(
        |_| Vec::new(),
        |message| message.parts().iter().map(|part| part.data.clone()).collect(),
    )
}

#[cfg(test)]
mod tests {
    use crate::message::PartData;

    use super::*;

    #[test]
    fn dropped_parts_leave_a_gap() {
        let content = |all: &[&'static [u8]]| Content::Parts {
            headers: Vec::new(),
            parts: all
                .iter()
                .map(|data| PartData { data: Buffer::from_static(data), ..PartData::default() })
                .collect(),
        };
        let mut report = crate::cli::report::tests::sample();
        report.parts[1].action = Action::Drop;
        report.parts[2].action = Action::Keep;
        let pairs = pairs(
            &content(&[b"a", b"b", b"c"]),
            &content(&[b"A", b"C"]),
            &report,
            &ParseLimits::default(),
        );
        let after: Vec<_> = pairs.iter().map(|p| p.after.as_deref()).collect();
        assert_eq!(after, [Some(&b"A"[..]), None, Some(&b"C"[..])]);
    }
}
