//! Parts whose new bytes are known before anything is fitted: texts in another charset, pictures
//! without their metadata, cards without the picture inside. Made once, for plans and drafts ask
//! for them again and again.

use bytes::Bytes as Buffer;

use super::{Engine, Job, PipelineError, facts::of_the_part, overhead};
use crate::{
    codec::text::{self, Charset},
    message::{Edit, Part},
    model::{
        Action, Bytes, Capabilities, MediaInfo, MediaKind, MediaType, PartId, Reason, ReasonCode,
        Sanitize, Stop,
    },
    plan::{PartFacts, PartPlan, TextFacts},
};

/// What a message's drafts need to know of its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewrites {
    /// New bytes by part.
    fresh: Vec<Option<Rewrite>>,
    /// For how many milliseconds each plays.
    plays: Vec<Option<u32>>,
}

#[derive(Clone, Debug)]
struct Rewrite {
    data: Buffer,
    /// Characters that had to be written with others.
    lost: Vec<char>,
}

/// Charsets of a device that are tried: real ones list ten at the most.
const MAX_CHARSETS: usize = 32;

impl Rewrites {
    /// Completes the facts of all parts, in order, with what may be made of them.
    ///
    /// # Errors
    /// Stopped, or nobody is there to do it.
    pub fn of(
        job: &Job,
        engine: &Engine,
        facts: &mut [PartFacts],
        stop: &Stop,
    ) -> Result<Self, PipelineError> {
        let parts = job.message.parts().iter().zip(facts.iter_mut());
        let fresh = parts.map(|(part, facts)| match strip(part, job, engine, facts, stop)? {
            Some(rewrite) => Ok(Some(rewrite)),
            None => Ok(look(part, job, facts)),
        });
        let fresh = fresh.collect::<Result<_, PipelineError>>()?;
        Ok(Self { fresh, plays: facts.iter().map(overhead::play_time).collect() })
    }

    /// For how many milliseconds a part plays; `None`: it is shown as long as one likes.
    pub fn plays(&self, part: PartId) -> Option<u32> {
        *self.plays.get(part.index())?
    }

    fn get(&self, part: &PartPlan) -> Option<&Rewrite> {
        self.fresh.get(part.id.index())?.as_ref()
    }

    /// The edit of a part that is rewritten, or whose label alone is; `None` for all others.
    pub fn edit(&self, job: &Job, part: &PartPlan) -> Option<Edit> {
        let origin = &job.message.parts()[part.id.index()];
        if let Some(recode) = &part.recode {
            let media_type = if recode.plain { &MediaType::TEXT } else { &origin.declared };
            let content_type = format!("{media_type}; charset={}", recode.charset);
            return Some(match self.get(part).filter(|_| recode.rewrite) {
                Some(rewrite) => Edit::Replace { content_type, data: rewrite.data.clone() },
                None => Edit::Redeclare { content_type },
            });
        }
        let known = self.get(part).filter(|_| applies(part))?;
        let media_type = part.redeclare.as_ref().unwrap_or(&origin.declared);
        Some(Edit::Replace {
            content_type: job.capabilities.accept.spelling_of(media_type),
            data: known.data.clone(),
        })
    }

    /// The reasons of a part, with the characters that had to be written with others.
    pub fn reasons(&self, part: &PartPlan) -> Vec<Reason> {
        let mut reasons = part.reasons.clone();
        if let (Some(reason), Some(rewrite)) =
            (reasons.iter_mut().find(|r| r.code == ReasonCode::Transliterated), self.get(part))
        {
            let list: Vec<String> = rewrite.lost.iter().map(char::to_string).collect();
            reason.detail = list.join(" ");
        }
        reasons
    }

    /// What becomes of a part that is rewritten.
    pub fn after(&self, part: &PartPlan, before: &MediaInfo) -> Option<MediaInfo> {
        let recoded = part.recode.as_ref().is_some_and(|recode| recode.rewrite);
        let rewrite = self.get(part).filter(|_| recoded || applies(part))?;
        let has_metadata = before.has_metadata && !part.strip;
        let plain = part.recode.as_ref().is_some_and(|recode| recode.plain);
        let media_type = if plain { MediaType::TEXT } else { before.media_type.clone() };
        let bytes = Bytes::of(&rewrite.data);
        Some(MediaInfo { bytes, has_metadata, media_type, ..before.clone() })
    }
}

/// Whether a part that stays is not what it was.
fn applies(part: &PartPlan) -> bool {
    part.action == Action::Keep && (part.strip || part.pared)
}

/// The picture without its metadata, where the policy wants it so.
fn strip(
    part: &Part,
    job: &Job,
    engine: &Engine,
    facts: &mut PartFacts,
    stop: &Stop,
) -> Result<Option<Rewrite>, PipelineError> {
    let wanted = job.policy.sanitize == Sanitize::Strip && facts.info.has_metadata;
    let picture = facts.info.kind == MediaKind::Image && facts.problem.is_none();
    if !(wanted && picture) || part.opaque || job.policy.forbids_all() {
        return Ok(None);
    }
    let Some((codec, _)) = engine.codecs.find(&part.data) else { return Ok(None) };
    // Whatever else went wrong, it is encoded anew instead.
    let stripped = match codec.strip_metadata(&part.data, stop) {
        Ok(stripped) => stripped,
        Err(error) => of_the_part(error).map(|_| None)?,
    };
    facts.strippable = stripped.is_some();
    Ok(stripped.map(|data| Rewrite { data, lost: Vec::new() }))
}

fn look(part: &Part, job: &Job, facts: &mut PartFacts) -> Option<Rewrite> {
    if part.opaque || job.policy.forbids_all() {
        return None;
    }
    if facts.info.media_type.as_str() == "text/x-vcard" {
        let data = text::without_media(&part.data)?;
        facts.spare = Bytes::of(&part.data).saturating_sub(Bytes::new(data.len() as u64));
        return Some(Rewrite { data: data.into(), lost: Vec::new() });
    }
    if facts.info.kind == MediaKind::Presentation {
        facts.layout = job.message.layout_size(facts.id);
        return None;
    }
    if part.declared.as_str() == HTML && !job.capabilities.accept.accepts(&part.declared) {
        return plain_text(part, job, facts);
    }
    // Other texts say their charset themselves, or are cards and calendars: they are not touched.
    if part.declared != MediaType::TEXT || part.data.is_empty() {
        return None;
    }
    let found = text::read(&part.data, part.charset.as_deref());
    // What cannot be read cannot be written either.
    if found.damaged {
        return None;
    }
    let (known, rewrite) = read(&found, part.charset.as_deref(), &job.capabilities);
    facts.text = Some(known);
    rewrite
}

const HTML: &str = "text/html";

/// The text of HTML that the device does not show.
fn plain_text(part: &Part, job: &Job, facts: &mut PartFacts) -> Option<Rewrite> {
    let found = text::read(&part.data, part.charset.as_deref());
    if found.damaged {
        return None;
    }
    let plain = text::html::plain(&found.text);
    let best = text::best(&plain, &accepted(&job.capabilities));
    let written = text::write(&plain, best);
    facts.text = Some(TextFacts {
        charset: found.charset.name().to_owned(),
        misnamed: None,
        read: false,
        into: Some(best.name().to_owned()),
        lossless: written.transliterated.is_empty(),
        html: true,
    });
    Some(Rewrite { data: written.data.into(), lost: written.transliterated })
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
        // "Any charset" (0 in a PDU) is none, and neither is what nobody knows.
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
    (facts, Some(Rewrite { data: written.data.into(), lost: written.transliterated }))
}
