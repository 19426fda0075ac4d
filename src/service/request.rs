//! Requests and answers as shells see them, before any resolution.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes as Buffer;

use crate::{
    message::{Form, PartData},
    model::{
        Bytes, Counting, Day, Dimensions, Effort, ImageLimit, Interface, Limits, PartId, Report,
        SenderType, WireLimit,
    },
    profile::DeviceDescription,
};

/// A message in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An MMS PDU.
    MmsPdu(Buffer),
    /// A MIME entity with headers.
    Mime(Buffer),
    /// Structured parts with message headers.
    Parts {
        /// Message headers by name.
        headers: Vec<(String, String)>,
        /// The parts.
        parts: Vec<PartData>,
    },
    /// One media file alone; the limit holds for it.
    Bare {
        /// The media bytes.
        data: Buffer,
        /// Its file name; may be empty.
        name: String,
    },
}

impl Content {
    /// Bytes of the message, or of the data of its parts.
    pub fn bytes(&self) -> Bytes {
        let bytes = match self {
            Self::MmsPdu(data) | Self::Mime(data) | Self::Bare { data, .. } => data.len(),
            Self::Parts { parts, .. } => parts.iter().map(|part| part.data.len()).sum(),
        };
        Bytes::new(bytes as u64)
    }
}

/// Limits that the request states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// Bound on the message, in wire bytes of the request's interface.
    pub max_message_bytes: Option<Bytes>,
    /// Bound on the width of images, as shown.
    pub max_image_width: Option<u32>,
    /// Bound on the height of images, as shown.
    pub max_image_height: Option<u32>,
    /// The two are bounds that turn with the image, as those of devices do.
    pub image_turns: bool,
    /// The values replace those of device and carrier instead of only tightening them.
    pub replace: bool,
    /// What the operator lets this client have at most, in wire bytes. Nothing replaces it.
    pub client_max_bytes: Option<Bytes>,
}

/// How much the report tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportLevel {
    /// Everything but the capabilities. The default.
    #[default]
    Standard,
    /// With the capabilities used and their provenance.
    Full,
}

/// What a virus scanner said of the parts, where one was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Parts in which it found something, and the name of what it found.
    pub infected: Vec<(PartId, String)>,
    /// Why parts go on without; for people.
    pub not_scanned: Option<String>,
}

/// One message for one device.
#[derive(Clone, Debug)]
pub struct AdaptRequest {
    /// Echoed in answers and logs; may be empty.
    pub request_id: String,
    /// Who asks, by the name that the operator gave them; empty where nobody was asked. For logs.
    pub client: String,
    /// The message.
    pub content: Content,
    /// The device.
    pub device: DeviceDescription,
    /// A carrier's name or `MCC-MNC`.
    pub carrier: Option<String>,
    /// What the message was sent from; decides the carrier's row.
    pub sender: Option<SenderType>,
    /// How wire bytes are counted; by default what the form suggests.
    pub interface: Option<Interface>,
    /// Limits of the request.
    pub limits: LimitOverrides,
    /// How much work to spend.
    pub effort: Effort,
    /// How much to report.
    pub report_level: ReportLevel,
    /// The form wanted back; by default the form it came in.
    pub output_form: Option<Form>,
    /// The effort that was asked for, where the service has no time for it now.
    pub reduced_from: Option<Effort>,
    /// How long it has waited in the queue.
    pub queued: Duration,
    /// What a virus scanner said of its parts.
    pub scanned: Scanned,
}

impl AdaptRequest {
    /// The same with one effort less, if there is one: for a service under pressure.
    #[must_use]
    pub fn with_less_effort(self) -> Self {
        let effort = match self.effort {
            Effort::Best => Effort::Balanced,
            Effort::Balanced => Effort::Fast,
            Effort::Fast => return self,
        };
        Self { effort, reduced_from: Some(self.effort), ..self }
    }

    /// A request with all options at their defaults.
    pub fn new(content: Content) -> Self {
        Self {
            request_id: String::new(),
            client: String::new(),
            content,
            device: DeviceDescription::default(),
            carrier: None,
            sender: None,
            interface: None,
            limits: LimitOverrides::default(),
            effort: Effort::default(),
            report_level: ReportLevel::default(),
            output_form: None,
            reduced_from: None,
            queued: Duration::ZERO,
            scanned: Scanned::default(),
        }
    }
}

/// The adapted message and what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptResponse {
    /// As in the request.
    pub request_id: String,
    /// The message in the form asked for.
    pub content: Content,
    /// What was done and why.
    pub report: Report,
    /// The limits that applied.
    pub limits: Limits,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanResponse {
    /// As in the request.
    pub request_id: String,
    /// The report as far as it can be told without encoding: actions, reasons, budgets;
    /// `wire_bytes_after` is the upper bound that the budgets allow.
    pub report: Report,
    /// All limits that apply.
    pub limits: Limits,
    /// Estimated cost, in milliseconds of one core. Measured constants: `benches/`.
    pub cost_cpu_ms: f64,
    /// Memory that the work may hold at once.
    pub cost_memory: Bytes,
}

/// A device description to resolve.
#[derive(Clone, Debug, Default)]
pub struct ResolveRequest {
    /// The device.
    pub device: DeviceDescription,
    /// The carrier whose default class applies, by name or `MCC-MNC`.
    pub carrier: Option<String>,
}

/// One device of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSummary {
    /// Its name in the store.
    pub id: String,
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// The largest message.
    pub max_message_bytes: Bytes,
    /// The maximum image dimensions.
    pub max_image: Dimensions,
    /// Whether it is built in or comes from a directory of the operator.
    pub embedded: bool,
}

/// Which route's limits to look up.
#[derive(Clone, Debug, Default)]
pub struct LimitsRequest {
    /// A carrier's name or `MCC-MNC`.
    pub carrier: String,
    /// The kind of sender; `None`: a person on MM1, the strictest of all elsewhere.
    pub sender: Option<SenderType>,
    /// The interface; `None`: all.
    pub interface: Option<Interface>,
}

/// One limit of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLimit {
    /// The interface it holds for.
    pub interface: Interface,
    /// The sender type of the row; `None`: any.
    pub sender: Option<SenderType>,
    /// The bound.
    pub limit: WireLimit,
    /// What is counted.
    pub counting: Counting,
    /// Whether it is the one of its interface that lets the fewest bytes of media through.
    pub binds: bool,
    /// The source of the limit.
    pub source: String,
    /// When.
    pub date: String,
    /// The first day on which it holds; `None`: it always did.
    pub from: Option<Day>,
    /// The last day on which it holds; `None`: until further notice.
    pub until: Option<Day>,
}

/// The limits of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsResponse {
    /// The carrier's stable name.
    pub carrier: String,
    /// Its title.
    pub title: String,
    /// The limits.
    pub limits: Vec<RouteLimit>,
    /// The image bounds, if the carrier sets them.
    pub image: Option<ImageLimit>,
    /// What the carrier's policy states, by key, as its file writes it.
    pub policy: BTreeMap<String, String>,
}
