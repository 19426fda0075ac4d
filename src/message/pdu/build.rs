//! Writing a message of another form as M-Retrieve.conf or M-Send.req (mms-pdu.md §5, §8).

use bytes::Bytes as Buffer;

use super::{Body, Entry, EntryBody, Multi, Pdu, entry, headers};
use crate::{
    message::{
        MessageError, ParseLimits,
        neutral::Neutral,
        wsp::{self, ContentType, Param},
    },
    model::MediaType,
};

/// A PDU around the leaves of `neutral`; M-Retrieve.conf unless its headers say M-Send.req.
pub(in crate::message) fn build(neutral: &Neutral) -> Pdu {
    let header = |name: &str| {
        neutral
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    // The identifier of the message system, not that of the mail that carries it on MM4.
    let mail = header("X-Mms-Message-ID").is_some();
    let request = header("X-Mms-Message-Type").is_some_and(|value| {
        matches!(value.trim().to_ascii_lowercase().as_str(), "m-send-req" | "m-send.req")
    });
    let kind = if request { 0x80 } else { 0x84 };
    let mut head = vec![headers::MESSAGE_TYPE, kind];
    let first = "X-Mms-Transaction-ID";
    if let Some(id) = header(first) {
        headers::put(&mut head, first, id);
    }
    let version = header("X-Mms-MMS-Version").and_then(headers::version).unwrap_or(0x92);
    head.extend([0x8D, version]);
    for (name, value) in &neutral.headers {
        let placed = [first, "X-Mms-MMS-Version", "X-Mms-Message-Type", "X-Mms-Message-Size"];
        let carrier = mail && name.eq_ignore_ascii_case("Message-ID");
        if !carrier && !placed.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            headers::put(&mut head, name, value);
        }
    }
    // OMA-MMS-ENC §6.3: M-Retrieve.conf has a date.
    if let (false, None, Some(seconds)) = (request, header("Date"), neutral.date) {
        headers::put(&mut head, "Date", &seconds.to_string());
    }
    // The fields are read back, not tracked: one place knows where they lie.
    let fields = super::parse(Buffer::copy_from_slice(&head), &ParseLimits::default())
        .map(|pdu| pdu.fields)
        .unwrap_or_default();
    head.push(headers::CONTENT_TYPE);
    let parsed = content_type(neutral);
    let mut raw = Vec::new();
    parsed.put(&mut raw);
    let mut count = Vec::new();
    wsp::put_uintvar(&mut count, neutral.leaves.len());
    let entries = neutral
        .leaves
        .iter()
        .enumerate()
        .map(|(at, leaf)| {
            let nameless = leaf.part.content_id.is_none() && leaf.labels().next().is_none();
            let invented = nameless.then(|| {
                let extension = leaf.part.declared.extension().unwrap_or("bin");
                format!("part-{}.{extension}", at + 1)
            });
            let location = leaf.part.content_location.as_deref().or(invented.as_deref());
            Entry {
                raw: None,
                header: entry::built(leaf, location).into(),
                body: EntryBody::Leaf(Box::new(leaf.clone()), leaf.part.data.clone()),
            }
        })
        .collect();
    Pdu {
        kind,
        head: head.into(),
        fields,
        content_type: Some(super::TypeValue { raw: raw.into(), parsed }),
        body: Body::Multi(Multi { count: count.into(), entries, tail: Buffer::new() }),
    }
}

fn content_type(neutral: &Neutral) -> ContentType {
    let media = match neutral.kind {
        "multipart/related" => "application/vnd.wap.multipart.related",
        "multipart/alternative" => "application/vnd.wap.multipart.alternative",
        _ => "application/vnd.wap.multipart.mixed",
    };
    let mut params = Vec::new();
    if let Some(root) = neutral.root() {
        let declared: &MediaType = &root.part.declared;
        params.push(Param { name: "type".into(), value: declared.as_str().into(), raw: None });
        if let Some(id) = &root.part.content_id {
            params.push(Param { name: "start".into(), value: format!("<{id}>"), raw: None });
        }
    }
    ContentType { media: media.into(), code: None, params }
}

/// Whether a PDU can state the lengths of all parts.
///
/// # Errors
/// A part over 32 bits.
pub(in crate::message) fn check(neutral: &Neutral) -> Result<(), MessageError> {
    if neutral.leaves.iter().all(|leaf| u32::try_from(leaf.part.data.len()).is_ok()) {
        return Ok(());
    }
    Err(MessageError::CannotHold {
        form: crate::message::Form::MmsPdu,
        detail: "a part over 4 GiB".into(),
    })
}
