//! One message against many routes and devices: what would become of it, without encoding.

use serde::Serialize;

use super::{Service, ServiceError, adapt};
use crate::{
    model::{Action, Bytes, Category, Outcome, ReasonCode, Stop},
    pipeline::Sessions,
    profile::DeviceDescription,
    service::request::{AdaptRequest, Content, PlanResponse},
};

/// What becomes of the message on one carrier's way to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// The device, by its name in the store.
    pub device: String,
    /// What becomes of it; none where it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'static str>,
    /// The limit that binds the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<Bytes>,
    /// Parts that would be re-encoded, replaced by another medium, left out.
    pub transcoded: usize,
    /// See above.
    pub replaced: usize,
    /// See above.
    pub dropped: usize,
    /// Why parts cannot stay as they are, each code once.
    pub reasons: Vec<ReasonCode>,
}

/// One carrier's cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The carrier's name.
    pub carrier: String,
    /// For people.
    pub title: String,
    /// One a device, in the order asked for.
    pub cells: Vec<Cell>,
}

impl Service {
    /// Plans the message of `request` for every one of `carriers` and `devices` (names of the
    /// store).
    ///
    /// # Errors
    /// An unknown carrier or device, a message that cannot be read, or the work was stopped. What
    /// is refused for one of them stands in its cell.
    pub fn matrix(
        &self,
        request: &AdaptRequest,
        carriers: &[String],
        devices: &[String],
        stop: &Stop,
    ) -> Result<Vec<Row>, ServiceError> {
        let known = self.carriers();
        let message = self.parse(request.content.clone())?;
        let engine = self.engine.sharing(Sessions::of(&message));
        let nothing = Content::Parts { headers: Vec::new(), parts: Vec::new() };
        let request = AdaptRequest { content: nothing, ..request.clone() };
        let mut rows = Vec::with_capacity(carriers.len());
        for carrier in carriers {
            let title = known.iter().find(|c| c.name == *carrier).map(|c| c.title.clone());
            let mut row = Row {
                carrier: carrier.clone(),
                title: title.unwrap_or_default(),
                cells: Vec::new(),
            };
            for device in devices {
                let mut own = request.clone();
                own.carrier = Some(carrier.clone());
                own.device = DeviceDescription {
                    device_id: Some(device.clone()),
                    ..DeviceDescription::default()
                };
                stop.check().map_err(ServiceError::stopped)?;
                let recipient = adapt::recipient(&self.config, &own)?;
                let terms = adapt::terms(&self.config, &message, recipient, &own);
                let resolved = terms.on(message.clone());
                let planned = self.plan_resolved(&engine, resolved, &own, stop);
                row.cells.push(cell(device, planned)?);
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

fn cell(device: &str, planned: Result<PlanResponse, ServiceError>) -> Result<Cell, ServiceError> {
    let mut cell = Cell {
        device: device.to_owned(),
        outcome: None,
        refusal: None,
        limit_bytes: None,
        transcoded: 0,
        replaced: 0,
        dropped: 0,
        reasons: Vec::new(),
    };
    match planned {
        Ok(plan) => {
            cell.outcome = Some(plan.report.outcome);
            cell.limit_bytes = plan.report.limit.map(|limit| limit.bytes);
            for part in &plan.report.parts {
                match part.action {
                    Action::Keep => continue,
                    Action::Transcode => cell.transcoded += 1,
                    Action::Replace => cell.replaced += 1,
                    Action::Drop => cell.dropped += 1,
                }
                for reason in &part.reasons {
                    if !cell.reasons.contains(&reason.code) {
                        cell.reasons.push(reason.code);
                    }
                }
            }
            Ok(cell)
        }
        Err(error) => match error.category {
            // What this route and device do not let through is what was asked.
            Category::CannotFit
            | Category::NotAllowed
            | Category::Input
            | Category::Unsupported
            | Category::TooLarge => {
                cell.refusal = Some(error.reason);
                cell.limit_bytes = error.limit;
                Ok(cell)
            }
            Category::Caller
            | Category::Busy
            | Category::Unavailable
            | Category::Deadline
            | Category::Cancelled
            | Category::Internal => Err(error),
        },
    }
}
