//! Texts: what charset they are in, and the bytes of those that are written anew.

use bytes::Bytes as Buffer;

use super::Job;
use crate::{
    codec::text::{self, Charset},
    message::{Edit, Part},
    model::{Bytes, Capabilities, MediaInfo, MediaType, Reason, ReasonCode},
    plan::{PartPlan, Recode, TextFacts},
};

/// Facts of a plain text; `None` for all else. Other texts say their charset themselves, or are
/// cards and calendars, which are not touched.
pub(super) fn facts(part: &Part, capabilities: &Capabilities) -> Option<TextFacts> {
    if part.declared != MediaType::TEXT || part.opaque || part.data.is_empty() {
        return None;
    }
    let label = part.charset.as_deref();
    let found = text::read(&part.data, label);
    // What cannot be read cannot be written either.
    if found.damaged {
        return None;
    }
    let ascii = found.charset == Charset::US_ASCII;
    let said = label.and_then(Charset::for_label);
    let misnamed = said.filter(|said| !found.charset.reads_as(*said, ascii));
    let accepted: Vec<Charset> =
        capabilities.charsets.value.iter().filter_map(|name| Charset::for_label(name)).collect();
    // US-ASCII is always read, and UTF-8 where nothing is stated (CONF clause 10.2).
    let read = ascii
        || accepted.is_empty() && found.charset == Charset::UTF_8
        || accepted.iter().any(|charset| found.charset.reads_as(*charset, ascii));
    let preferred = accepted.iter().filter(|charset| **charset == Charset::UTF_8);
    let others = accepted.iter().filter(|charset| **charset != Charset::UTF_8);
    let mut order: Vec<Charset> = preferred.chain(others).copied().collect();
    if accepted.is_empty() {
        order.push(Charset::UTF_8);
    }
    let holding = order.iter().filter(|charset| charset.holds(&found.text));
    let lossless: Vec<String> = holding.map(|charset| charset.name().to_owned()).collect();
    let nearest = order.first().copied().unwrap_or(Charset::US_ASCII);
    Some(TextFacts {
        charset: found.charset.name().to_owned(),
        misnamed: misnamed.map(|said| said.name().to_owned()),
        read,
        nearest: lossless.is_empty().then(|| nearest.name().to_owned()),
        lossless,
    })
}

/// The edit of a text in another charset, or with another label.
pub(super) fn edit(job: &Job, part: &PartPlan, recode: &Recode) -> Edit {
    let origin = &job.message.parts()[part.id.index()];
    let content_type = format!("{}; charset={}", origin.declared, recode.charset);
    if recode.rewrite {
        let (data, _) = written(origin, recode);
        Edit::Replace { content_type, data }
    } else {
        Edit::Redeclare { content_type }
    }
}

/// The reasons of a part, with the characters that had to be written with others.
pub(super) fn reasons(job: &Job, part: &PartPlan) -> Vec<Reason> {
    let mut reasons = part.reasons.clone();
    let at = reasons.iter().position(|r| r.code == ReasonCode::Transliterated);
    if let (Some(at), Some(recode)) = (at, &part.recode) {
        let (_, lost) = written(&job.message.parts()[part.id.index()], recode);
        let list: Vec<String> = lost.iter().map(char::to_string).collect();
        reasons[at] = Reason::new(ReasonCode::Transliterated, list.join(" "));
    }
    reasons
}

/// What becomes of a text that is written anew.
pub(super) fn after(job: &Job, part: &PartPlan, before: &MediaInfo) -> Option<MediaInfo> {
    let recode = part.recode.as_ref()?;
    let (data, _) = written(&job.message.parts()[part.id.index()], recode);
    let bytes = if recode.rewrite { Bytes::of(&data) } else { before.bytes };
    Some(MediaInfo { bytes, ..before.clone() })
}

fn written(origin: &Part, recode: &Recode) -> (Buffer, Vec<char>) {
    let found = text::read(&origin.data, origin.charset.as_deref());
    let charset = Charset::for_label(&recode.charset).unwrap_or(Charset::UTF_8);
    let written = text::write(&found.text, charset);
    (written.data.into(), written.transliterated)
}
