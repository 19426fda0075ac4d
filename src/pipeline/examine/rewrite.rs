//! Parts whose new bytes are known before anything is planned: texts in another charset, images
//! without their metadata, vCards without the photo inside. Made once: plans and drafts ask for
//! them again and again.

use bytes::Bytes as Buffer;

use crate::{
    message::Part,
    model::{Bytes, Capabilities, Dimensions, MediaKind, MediaType},
    pipeline::{
        context::Context,
        job::{Job, PipelineError},
    },
    plan::{PartFacts, TextFacts},
    policy::Sanitize,
    text::{self, Charset},
};

/// Bytes that a part may get without being encoded.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct Rewrite {
    pub data: Buffer,
    /// Characters that had to be written with others.
    pub transliterated: Vec<char>,
}

impl Rewrite {
    fn of(data: impl Into<Buffer>) -> Self {
        Self { data: data.into(), transliterated: Vec::new() }
    }
}

impl From<text::Written> for Rewrite {
    fn from(written: text::Written) -> Self {
        Self { data: written.data.into(), transliterated: written.transliterated }
    }
}

/// Charsets of a device that are tried: real ones list ten at most.
const MAX_CHARSETS: usize = 32;

/// The facts of a part, completed with what it could become without being encoded.
///
/// # Errors
/// Stopped, or no worker is available.
pub(super) fn of(
    context: &Context<'_>,
    part: &Part,
    facts: PartFacts,
) -> Result<(PartFacts, Option<Rewrite>), PipelineError> {
    let job = context.job;
    if part.opaque || facts.infection().is_some() || job.policy.forbids_all() {
        return Ok((facts, None));
    }
    if let Some(rewrite) = without_metadata(context, part, &facts)? {
        return Ok((PartFacts { strippable: true, ..facts }, Some(rewrite)));
    }
    if facts.info.media_type.as_str() == "text/x-vcard" {
        return Ok(match text::without_media(&part.data) {
            Some(data) => {
                let rewrite = Rewrite::of(data);
                let spare = Bytes::of(&part.data).saturating_sub(Bytes::of(&rewrite.data));
                (PartFacts { spare, ..facts }, Some(rewrite))
            }
            None => (facts, None),
        });
    }
    if facts.info.kind == MediaKind::Presentation {
        let layout: Option<Dimensions> = job.message.layout_size(facts.id);
        return Ok((PartFacts { layout, ..facts }, None));
    }
    Ok(match as_text(part, job) {
        Some((text, rewrite)) => (PartFacts { text: Some(text), ..facts }, rewrite),
        None => (facts, None),
    })
}

/// The image without its metadata, where the policy wants it so.
fn without_metadata(
    context: &Context<'_>,
    part: &Part,
    facts: &PartFacts,
) -> Result<Option<Rewrite>, PipelineError> {
    let wanted = context.job.policy.sanitize == Sanitize::Strip && facts.info.has_metadata;
    let image = facts.info.kind == MediaKind::Image && facts.problem.is_none();
    if !(wanted && image) {
        return Ok(None);
    }
    let Some((codec, _)) = context.codecs.find(&part.data) else { return Ok(None) };
    match codec.strip_metadata(&part.data, context.stop) {
        Ok(stripped) => Ok(stripped.map(Rewrite::of)),
        // Whatever else went wrong, it is re-encoded instead.
        Err(error) => PipelineError::unless_of_part(error).map(|_| None),
    }
}

/// What is known of a text, and the bytes that it could be written in; `None` for what is no text
/// that may be changed.
fn as_text(part: &Part, job: &Job) -> Option<(TextFacts, Option<Rewrite>)> {
    if part.declared.as_str() == HTML && !job.capabilities.accept.accepts(&part.declared) {
        return plain_text(part, job);
    }
    // Other texts say their charset themselves, or are vCards and calendars: they are not touched.
    if part.declared != MediaType::TEXT || part.data.is_empty() {
        return None;
    }
    let found = text::read(&part.data, part.charset.as_deref());
    // A text that cannot be read cannot be rewritten either.
    (!found.damaged).then(|| read(&found, part.charset.as_deref(), &job.capabilities))
}

const HTML: &str = "text/html";

/// The text of HTML that the device does not show.
fn plain_text(part: &Part, job: &Job) -> Option<(TextFacts, Option<Rewrite>)> {
    let found = text::read(&part.data, part.charset.as_deref());
    if found.damaged {
        return None;
    }
    let plain = text::html::plain(&found.text);
    let best = text::best(&plain, &accepted(&job.capabilities));
    let written = text::write(&plain, best);
    let facts = TextFacts {
        charset: found.charset.name().to_owned(),
        misnamed: None,
        read: false,
        into: Some(best.name().to_owned()),
        lossless: written.transliterated.is_empty(),
        html: true,
    };
    Some((facts, Some(written.into())))
}

/// Charsets that a text may be written in: UTF-8 where nothing is stated.
fn accepted(capabilities: &Capabilities) -> Vec<Charset> {
    let listed = capabilities.charsets.value.iter().filter_map(|name| Charset::for_label(name));
    let listed: Vec<Charset> = listed.take(MAX_CHARSETS).collect();
    if listed.is_empty() { vec![Charset::UTF_8] } else { listed }
}

/// Whether the device reads a text, and what it could be given where it does not.
fn read(
    found: &text::Found,
    label: Option<&str>,
    capabilities: &Capabilities,
) -> (TextFacts, Option<Rewrite>) {
    let ascii = found.charset == Charset::US_ASCII;
    let said = label.and_then(Charset::for_label);
    let misnamed = said.filter(|said| !found.charset.reads_as(*said, ascii));
    let accepted = accepted(capabilities);
    // US-ASCII is always read (CONF clause 10.2).
    let read = ascii || accepted.iter().any(|charset| found.charset.reads_as(*charset, ascii));
    let misnamed = match (label, said) {
        // "Any charset" (0 in a PDU) is not a charset, and neither are unknown names.
        (_, None) if !ascii && (read || label.is_some()) => {
            Some(label.unwrap_or("none").to_owned())
        }
        _ => misnamed.map(|said| said.name().to_owned()),
    };
    let mut facts = TextFacts {
        charset: found.charset.name().to_owned(),
        misnamed,
        read,
        into: None,
        lossless: true,
        html: false,
    };
    if read {
        return (facts, None);
    }
    let best = text::best(&found.text, &accepted);
    let written = text::write(&found.text, best);
    facts.into = Some(best.name().to_owned());
    facts.lossless = written.transliterated.is_empty();
    (facts, Some(written.into()))
}
