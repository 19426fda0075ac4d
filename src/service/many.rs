//! One message for many devices: devices that are given the same are one class, and what one
//! class needed decoded is there for the next.

use super::{Service, ServiceError, adapt, resolve};
use crate::{
    model::{Stop, StopCause},
    pipeline::{Job, Sessions},
    profile::DeviceDescription,
    service::request::{AdaptRequest, AdaptResponse, Content},
};

/// One of many.
#[derive(Clone, Debug, Default)]
pub struct Recipient {
    /// Echoed with its answer; may be empty.
    pub id: String,
    /// The device.
    pub device: DeviceDescription,
    /// A carrier's name or `MCC-MNC`; `None`: that of the request.
    pub carrier: Option<String>,
}

/// What some of them get.
#[derive(Clone, Debug)]
pub struct ManyAnswer {
    /// Who they are, by their place among the recipients, ascending.
    pub recipients: Vec<usize>,
    /// The same message for all of them, or why there is none.
    pub result: Result<AdaptResponse, ServiceError>,
}

/// Recipients of one request at the most.
pub const MAX_RECIPIENTS: usize = 10_000;

impl Service {
    /// Adapts one message for many recipients. Those whose devices and limits come to the same
    /// are one class: the work is done once for each, the largest pictures first, and each part
    /// is decoded once for all. `answer` is called as classes are done; where it returns false,
    /// the work ends. A recipient who cannot be served costs nobody else.
    ///
    /// What a device gets may differ in bytes from what [`Service::adapt`] gives it alone: its
    /// picture was decoded for the largest of the boxes. For the same recipients it is the same.
    ///
    /// # Errors
    /// The message cannot be read, or the work was stopped.
    pub fn adapt_many(
        &self,
        request: AdaptRequest,
        recipients: &[Recipient],
        stop: &Stop,
        answer: &mut dyn FnMut(ManyAnswer) -> bool,
    ) -> Result<(), ServiceError> {
        let mut request = request;
        let nothing = Content::Parts { headers: Vec::new(), parts: Vec::new() };
        let content = std::mem::replace(&mut request.content, nothing);
        let message = resolve::message(content, &self.config.parse)?;
        let mut classes: Vec<(String, adapt::Resolved, Vec<usize>)> = Vec::new();
        for (index, recipient) in recipients.iter().enumerate() {
            stop.check().map_err(ServiceError::stopped)?;
            let mut own = request.clone();
            own.device = recipient.device.clone();
            own.carrier = recipient.carrier.clone().or(own.carrier);
            match adapt::resolved_for(&self.config, message.clone(), &own) {
                Ok(resolved) => {
                    let key = class(&resolved.job);
                    match classes.iter_mut().find(|(known, ..)| *known == key) {
                        Some((.., members)) => members.push(index),
                        None => classes.push((key, resolved, vec![index])),
                    }
                }
                Err(error) => {
                    if !answer(ManyAnswer { recipients: vec![index], result: Err(error) }) {
                        return Ok(());
                    }
                }
            }
        }
        let bounds = |resolved: &adapt::Resolved| {
            resolved.job.limits.image.map_or(u64::MAX, |limit| limit.bounds.pixels())
        };
        classes.sort_by_key(|(_, resolved, members)| {
            (std::cmp::Reverse(bounds(resolved)), members.first().copied())
        });
        let engine = self.engine.sharing(Sessions::default());
        for (_, resolved, members) in classes {
            let result = self.adapt_resolved(&engine, resolved, &request, stop);
            if let Err(error) = &result
                && stop.check() == Err(StopCause::Cancelled)
            {
                return Err(error.clone());
            }
            if !answer(ManyAnswer { recipients: members, result }) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// All that the answer depends on, the message and the effort apart.
fn class(job: &Job) -> String {
    let c = &job.capabilities;
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        c.accept.value,
        c.charsets.value,
        c.jpeg_full_chroma.value,
        c.jpeg_progressive.value,
        c.video.value,
        c.audio.value,
        job.limits,
        job.policy,
        job.interface,
    )
}
