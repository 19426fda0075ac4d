//! From encoded parts to a message that is within every limit.

use crate::{
    message::{Edit, Message},
    model::{Recipe, Report},
    pipeline::{
        draft,
        encode::Encoded,
        examine::Examined,
        job::{Job, PipelineError},
    },
};

/// The message with every part as decided.
///
/// # Errors
/// It could not be written: our bug.
pub(super) fn assemble(
    job: &Job,
    examined: &Examined,
    encoded: &Encoded,
) -> Result<Message, PipelineError> {
    let accept = &job.capabilities.accept;
    let pairs = encoded.parts.iter().zip(&encoded.outcomes);
    let edits: Vec<Edit> = pairs
        .map(|(part, outcome)| match outcome.encoded() {
            Some(result) => Edit::Replace {
                content_type: accept.spelling_of(&result.recipe.media_type()),
                data: result.data.clone(),
            },
            None => draft::edit(job, examined, part),
        })
        .collect();
    let recipes: Vec<Option<Recipe>> =
        encoded.outcomes.iter().map(|outcome| Some(outcome.encoded()?.recipe)).collect();
    let presentation = draft::presentation(&examined.facts, &encoded.parts, &recipes);
    Ok(job.message.rewrite_as(&edits, &presentation)?.settled())
}

/// The message with its new class in the header, where it has one. The draft had the longest name.
pub(super) fn classed(job: &Job, message: Message, report: &mut Report) -> Message {
    let Some(class) = report.content_class_after else { return message };
    let message = message.with_content_class(class);
    if let Some(limit) = report.limit {
        report.wire_bytes_after = message.wire_size(limit.counting, job.interface);
    }
    message
}

/// No message leaves over a limit: the last word, on the serialized length.
pub(super) fn verify_size(job: &Job, message: &Message) -> Result<(), PipelineError> {
    for limit in &job.limits.wire {
        let size = message.wire_size(limit.counting, job.interface);
        if size > limit.bytes {
            return Err(PipelineError::Check(format!(
                "{} wire bytes, the limit is {}",
                size.get(),
                limit.bytes.get()
            )));
        }
    }
    Ok(())
}
