//! Device descriptions in, capabilities out: UAProf, profile-diffs, Accept headers, User-Agent
//! rules, carrier policies.
//!
//! Architecture invariant: imports only `model`; reads no file, fetches no URL. Documents come
//! through [`ProfileStore`], which `config` implements.

mod accept;
mod attributes;
mod av;
pub mod carrier;
mod claims;
mod components;
mod decode;
mod diff;
mod entities;
mod error;
mod header;
mod number;
mod repairs;
mod resolve;
mod rules;
mod tree;
mod uaprof;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes as Buffer;

pub use self::{
    error::ProfileError,
    header::{comparable_url, profile_urls},
    resolve::resolve,
    rules::Defaults,
    uaprof::{Profile, parse},
};
use crate::model::{Bytes, Capabilities, Dimensions, Repair};

/// Values that a request states itself; they win over every document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InlineCapabilities {
    /// The largest message, in wire bytes.
    pub max_message_bytes: Option<Bytes>,
    /// The maximum image dimensions.
    pub max_image: Option<Dimensions>,
    /// The screen.
    pub screen: Option<Dimensions>,
    /// Bits per pixel of the screen.
    pub bits_per_pixel: Option<u8>,
    /// Media types; empty: not stated.
    pub accept: Vec<String>,
    /// Charsets; empty: not stated.
    pub charsets: Vec<String>,
    /// MmsSuppressContentAdaptation.
    pub suppress_adaptation: Option<bool>,
    /// Shows 4:4:4 JPEG.
    pub jpeg_full_chroma: Option<bool>,
    /// Shows progressive JPEG.
    pub jpeg_progressive: Option<bool>,
}

/// HTTP Accept headers as the device sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptHeaders {
    /// `Accept` values.
    pub accept: Vec<String>,
    /// `Accept-Charset` values.
    pub accept_charset: Vec<String>,
}

/// A document that the service fetched, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The URL, as [`profile_urls`] has it.
    pub url: String,
    /// The document, read; or why there is none, in a few words.
    pub document: Result<Arc<Profile>, String>,
}

/// All that a request says of the device. Order of precedence: DESIGN §7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceDescription {
    /// Values stated in the request.
    pub inline: Option<InlineCapabilities>,
    /// The UAProf document itself, in whatever encoding.
    pub uaprof_xml: Option<Buffer>,
    /// Profile-diff documents, in order.
    pub profile_diffs: Vec<Buffer>,
    /// Name of a document in the store.
    pub device_id: Option<String>,
    /// Where the document is published: a URL, or the value of an `x-wap-profile` header.
    pub uaprof_url: Option<String>,
    /// What came of fetching the documents of those URLs, where the service fetches.
    pub fetched: Vec<Fetched>,
    /// The User-Agent.
    pub user_agent: Option<String>,
    /// Accept headers.
    pub accept: AcceptHeaders,
    /// Refuse malformed documents instead of repairing them.
    pub strict: bool,
}

/// A document out of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    /// Its name in the store.
    pub id: String,
    /// The document.
    pub xml: Buffer,
}

/// Where documents come from.
pub trait ProfileStore {
    /// By name, ignoring case.
    fn by_id(&self, id: &str) -> Option<StoredProfile>;
    /// By the URL it is published at (local mirror only).
    fn by_url(&self, url: &str) -> Option<StoredProfile>;
    /// By User-Agent rule: the document and the rule that matched.
    fn by_user_agent(&self, user_agent: &str) -> Option<(StoredProfile, String)>;
    /// By rules that know the URL, or the model in it, without fetching: the document and the rule.
    fn by_known_url(&self, _url: &str) -> Option<(StoredProfile, String)> {
        None
    }
    /// Names near `id`, for the error text where there is none of that name.
    fn suggest(&self, _id: &str) -> Vec<String> {
        Vec::new()
    }
    /// The document of that name, parsed before; `None`: parse it.
    fn parsed(&self, _id: &str) -> Option<Arc<Profile>> {
        None
    }
    /// The defaults where nothing is stated.
    fn defaults(&self) -> Defaults {
        Defaults::default()
    }
}

/// What came out of resolving.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The capabilities, each with provenance.
    pub capabilities: Capabilities,
    /// What was repaired on the way.
    pub repairs: Vec<Repair>,
}
