//! The spans of a trace: which part, how, how many bytes. Never what is in a part, nor what it is called.
//!
//! A span tells when something began and ended; the clock is that of whoever collects it, and where
//! nobody does there is no span. Its parent is passed on: parts are worked on by many threads.

use tracing::{Span, field::Empty, info_span};

use super::context::Context;
use crate::model::{Bytes, ImageFormat, MediaKind, PartId, Recipe};

/// A part is opened.
pub(super) fn decode(context: &Context<'_>, part: PartId, kind: MediaKind) -> Span {
    info_span!(parent: context.span, "decode", mmsfit.part = i64::from(part.0), mmsfit.media = ?kind)
}

/// The search for the recipe of a part goes on.
pub(super) fn fit(context: &Context<'_>, part: PartId) -> Span {
    info_span!(parent: context.span, "fit", mmsfit.part = i64::from(part.0))
}

/// How a recipe is tried.
#[derive(Clone, Copy)]
pub(super) enum Try {
    /// Encoded.
    Encode,
    /// Only its size is asked for.
    Measure,
    /// Encoded and looked at.
    Judge,
}

/// A recipe is tried.
pub(super) fn encode(context: &Context<'_>, part: PartId, recipe: &Recipe, how: Try) -> Span {
    info_span!(
        parent: context.span,
        "encode",
        mmsfit.part = i64::from(part.0),
        mmsfit.mode = match how {
            Try::Encode => "encode",
            Try::Measure => "measure",
            Try::Judge => "judge",
        },
        mmsfit.recipe = family(recipe),
        mmsfit.bytes = Empty,
        mmsfit.over_cap = Empty,
    )
}

/// Several recipes are held against each other.
pub(super) fn compare(context: &Context<'_>, part: PartId) -> Span {
    info_span!(parent: context.span, "compare", mmsfit.part = i64::from(part.0))
}

/// The result of a part is decoded and checked.
pub(super) fn verify(context: &Context<'_>, part: PartId, bytes: Bytes) -> Span {
    info_span!(parent: context.span, "verify", mmsfit.part = i64::from(part.0), mmsfit.bytes = number(bytes))
}

/// Notes in the span at work what a try came to.
pub(super) fn came_to(size: Bytes) {
    Span::current().record("mmsfit.bytes", number(size));
}

/// Notes in the span at work that a try was given up, being larger than it may.
pub(super) fn over_cap() {
    Span::current().record("mmsfit.over_cap", true);
}

/// OpenTelemetry has signed numbers alone: others would become texts.
fn number(bytes: Bytes) -> i64 {
    i64::try_from(bytes.get()).unwrap_or(i64::MAX)
}

/// What a recipe yields.
fn family(recipe: &Recipe) -> &'static str {
    match recipe {
        Recipe::Image(image) => match image.coding.format() {
            ImageFormat::Jpeg => "jpeg",
            ImageFormat::Png => "png",
            ImageFormat::Gif => "gif",
            ImageFormat::Wbmp => "wbmp",
        },
        Recipe::Audio(audio) => audio.coding.codec.name(),
        Recipe::Video(video) => video.video.codec.name(),
        Recipe::Remux(_) => "remux",
    }
}
