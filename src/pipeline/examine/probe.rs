//! What each part is, by its bytes.

use bytes::Bytes as Buffer;

use crate::{
    codec::{Codec, CodecError, sniff},
    message::Part,
    model::{Bytes, Category, Fault, MediaInfo, MediaKind, MediaType, PartId},
    pipeline::{context::Context, job::PipelineError},
    plan::{Makes, PartFacts, Problem},
    text,
};

/// Facts of every part, in order.
///
/// # Errors
/// Stopped, or no worker is available to read a part.
pub(super) fn all(context: &Context<'_>) -> Result<Vec<PartFacts>, PipelineError> {
    let bare = context.job.is_bare();
    let facts = (0..).zip(context.job.message.parts()).map(|(i, part)| {
        let id = PartId(i);
        match context.cache {
            Some(cache) => cache.facts(id, || one(context, id, part)),
            None => one(context, id, part),
        }
    });
    facts
        .map(|facts| {
            let mut facts = facts?;
            // A bare file declares nothing, so that nothing about it can be declared wrong.
            if bare {
                facts.declared = facts.info.media_type.clone();
                facts.spelling.clear();
            }
            Ok(facts)
        })
        .collect()
}

fn one(context: &Context<'_>, id: PartId, part: &Part) -> Result<PartFacts, PipelineError> {
    let size = Bytes::of(&part.data);
    let declared = part.declared.clone();
    let opaque = |declared: MediaType| PartFacts {
        id,
        info: MediaInfo::opaque(declared.clone(), size),
        declared,
        spelling: part.spelling.clone(),
        problem: None,
        makes: Makes::NOTHING,
        text: None,
        strippable: false,
        spare: Bytes::ZERO,
        layout: None,
        alternative: part.alternative.map(|a| (a.group, a.version)),
        opaque: part.opaque,
    };
    if let Some(signature) = context.job.infection(id) {
        return Ok(PartFacts { problem: Some(Problem::infected(signature)), ..opaque(declared) });
    }
    // Text and presentation are not handed to a media codec: a text that begins like an image is
    // still text, unless its bytes cannot be.
    let is_medium = || declared.kind() == MediaKind::Text && is_binary(&part.data);
    let never_media =
        matches!(declared.kind(), MediaKind::Text | MediaKind::Presentation | MediaKind::Drm);
    if part.opaque || (never_media && !is_medium()) {
        return Ok(opaque(declared));
    }
    Ok(match context.codecs.find(&part.data) {
        Some((codec, media_type)) => match known_or_probed(context, codec, &part.data) {
            Ok(info) => {
                let makes = makes(context, &part.data);
                PartFacts { makes, info, ..opaque(declared) }
            }
            Err(error) => PartFacts {
                info: MediaInfo::opaque(media_type, size),
                problem: Some(problem(&PipelineError::unless_of_part(error)?)),
                ..opaque(declared)
            },
        },
        None if declared.kind() == MediaKind::Image => {
            let error = unrecognised(&declared, &part.data);
            PartFacts { problem: Some(problem(&error)), ..opaque(declared) }
        }
        // Declared audio or video, but no bytes at all, or none that anything here knows.
        None if matches!(declared.kind(), MediaKind::Audio | MediaKind::Video)
            && sniff(&part.data).is_none() =>
        {
            let problem = match part.data.is_empty() {
                true => {
                    problem(&CodecError::Malformed { format: "medium", detail: "no bytes".into() })
                }
                false => Problem {
                    category: Category::Unsupported,
                    reason: "MEDIA_UNKNOWN",
                    detail: format!("the bytes are no {declared} that is known here"),
                },
            };
            PartFacts { problem: Some(problem), ..opaque(declared) }
        }
        // An empty or wrong type: judge by the bytes.
        None if matches!(declared.kind(), MediaKind::Other | MediaKind::Text) => {
            let found = sniff(&part.data).unwrap_or_else(|| declared.clone());
            PartFacts { info: MediaInfo::opaque(found, size), ..opaque(declared) }
        }
        None => opaque(declared),
    })
}

/// What a codec says of bytes, now or when they were here before. A codec that answers at once is asked
/// each time.
fn known_or_probed(
    context: &Context<'_>,
    codec: &dyn Codec,
    data: &Buffer,
) -> Result<MediaInfo, CodecError> {
    let limits = context.limits;
    let probe = || codec.probe(data, limits, context.stop);
    match context.probes.filter(|_| codec.probes_elsewhere()) {
        Some(probes) => probes.known_or(data, limits, &probe),
        None => probe(),
    }
}

/// Bytes that no text in UTF-8 has, and are not UTF-16, whose mark begins like MPEG audio.
fn is_binary(data: &[u8]) -> bool {
    let utf8 = !data.contains(&0) && std::str::from_utf8(data).is_ok();
    !utf8 && text::read(data, None).charset.name() != "utf-16"
}

/// What the codecs can make of the bytes.
fn makes(context: &Context<'_>, data: &[u8]) -> Makes {
    let able = |kind| context.codecs.find_writer(data, kind).is_some();
    Makes {
        image: able(MediaKind::Image),
        audio: able(MediaKind::Audio),
        video: able(MediaKind::Video),
    }
}

/// Declared an image, but no codec knows its bytes.
fn unrecognised(declared: &MediaType, data: &[u8]) -> CodecError {
    let known = [
        MediaType::JPEG,
        MediaType::PNG,
        MediaType::GIF,
        MediaType::WEBP,
        MediaType::BMP,
        MediaType::TIFF,
        MediaType::WBMP,
        MediaType::HEIC,
        MediaType::AVIF,
    ];
    if data.is_empty() {
        CodecError::Malformed { format: "image", detail: "no bytes".into() }
    } else if known.contains(declared) {
        CodecError::Malformed { format: "image", detail: format!("the bytes are no {declared}") }
    } else {
        CodecError::Unsupported { format: "image", detail: format!("no decoder for {declared}") }
    }
}

fn problem(error: &CodecError) -> Problem {
    Problem { category: error.category(), reason: error.reason(), detail: error.to_string() }
}
