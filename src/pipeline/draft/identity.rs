//! What makes two messages the same to an encoder, though they go to other people.

use std::io::{self, Write};

use super::Prepared;
use crate::{message::Part, pipeline::job::Job};

/// All that the encoding of a prepared job depends on: the bytes and labels of the parts, what the
/// device takes, limits, policy and effort, the plan, and how many bytes surround the media. Of the
/// message's headers their lengths alone: whom it goes to changes no picture.
pub(in crate::pipeline) fn identity(
    job: &Job,
    prepared: &Prepared,
    sink: &mut impl Write,
) -> io::Result<()> {
    // Spelt out, so that a field that is added cannot be forgotten here. What derives Debug names
    // all of its fields.
    let Job { message, interface, capabilities, limits, policy, effort, infected } = job;
    writeln!(sink, "{interface:?} {effort:?} {:?} {limits:?} {policy:?}", message.form())?;
    writeln!(sink, "{capabilities:?} {infected:?}")?;
    for (name, value) in message.headers() {
        writeln!(sink, "{name:?} {}", value.len())?;
    }
    for part in message.parts() {
        let Part {
            declared,
            spelling,
            charset,
            content_id,
            content_location,
            name,
            alternative,
            opaque,
            data,
        } = part;
        let labels = (declared, spelling, charset, content_id, content_location, name);
        writeln!(sink, "{labels:?} {alternative:?} {opaque} {}", data.len())?;
        sink.write_all(data)?;
    }
    let Prepared { examined, plan } = prepared;
    writeln!(sink, "{:?} {:?}", message.presentation(), examined.facts)?;
    writeln!(sink, "{plan:?}")
}
