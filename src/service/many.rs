//! One message for many devices: devices that get the same answer are one class, and what was
//! decoded for one class is kept for the next.

use super::{
    Service, ServiceError, account, adapt,
    class::{Class, Relevant},
    span,
};
use crate::{
    model::{Stop, StopCause},
    pipeline::Sessions,
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

/// The answer to some of them.
#[derive(Clone, Debug)]
pub struct ManyAnswer {
    /// Who they are, by their place among the recipients, ascending.
    pub recipients: Vec<usize>,
    /// The same message for all of them, or why there is none. Warnings, capabilities and account in
    /// the report are those of the first.
    pub result: Result<AdaptResponse, ServiceError>,
}

/// Recipients of one request at most.
pub const MAX_RECIPIENTS: usize = 10_000;

impl Service {
    /// Adapts one message for many recipients. Those whose devices and limits come to the same
    /// are one class: the work is done once for each, the largest images first, and each part
    /// is decoded once for all. `answer` is called as classes are done; where it returns false,
    /// the work ends. A recipient who cannot be served does not affect the others.
    ///
    /// What a device gets may differ in bytes from what [`Service::adapt`] gives it alone: its
    /// image was decoded for the largest of their bounds. For the same recipients it is the same.
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
        let message = self.parse(content)?;
        let terms = |recipient: &Recipient| {
            let mut own = request.clone();
            own.device = recipient.device.clone();
            own.carrier = recipient.carrier.clone().or(own.carrier);
            let who = adapt::recipient(&self.config, &own)?;
            Ok::<_, ServiceError>(adapt::terms(&self.config, &message, who, &own))
        };
        // EffectiveSettings are made again when a class has its turn: thousands of them are not kept.
        let relevant = Relevant::to(&message, &self.engine.codecs);
        let mut known: Vec<Class> = Vec::new();
        let mut classes: Vec<(u64, Vec<usize>)> = Vec::new();
        for (index, recipient) in recipients.iter().enumerate() {
            stop.check().map_err(ServiceError::stopped)?;
            match terms(recipient) {
                Ok(terms) => {
                    let class = Class::of(&terms, &relevant);
                    let place = known.iter().position(|other| *other == class);
                    let place = place.unwrap_or(known.len());
                    if place == known.len() {
                        known.push(class);
                        let bounds = terms.limits.image.map(|limit| limit.bounds.pixels());
                        classes.push((bounds.unwrap_or(u64::MAX), Vec::new()));
                    }
                    classes[place].1.push(index);
                }
                Err(error) => {
                    if !answer(ManyAnswer { recipients: vec![index], result: Err(error) }) {
                        return Ok(());
                    }
                }
            }
        }
        // Stable: of equal bounds the class of the first recipient comes first.
        classes.sort_by_key(|(bounds, _)| std::cmp::Reverse(*bounds));
        let engine = self.engine.sharing(Sessions::of(&message));
        for (_, members) in classes {
            let _at_work = span::message().entered();
            let result = terms(&recipients[members[0]]).and_then(|terms| {
                self.adapt_resolved(&engine, terms.on(message.clone()), &request, stop)
            });
            account::log("AdaptMany", &(&request).into(), &result);
            if stop.check() == Err(StopCause::Cancelled) {
                return Err(ServiceError::stopped(StopCause::Cancelled));
            }
            if !answer(ManyAnswer { recipients: members, result }) {
                return Ok(());
            }
        }
        Ok(())
    }
}
