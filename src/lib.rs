//! mmsfit: content adaptation for multimedia messages.
//!
//! A message, what is known of the handset, and a limit in; a message that fits out, with a report
//! of what was done to each part and why. Fitted to 30 000 bytes for a handset that is known by
//! name:
//!
//! ```
//! use mmsfit::{config::Config, model::{Bytes, Stop}};
//! use mmsfit::service::{Service, ServiceError, request::{AdaptRequest, Content}};
//!
//! # fn main() -> Result<(), ServiceError> {
//! # let mut png = std::io::Cursor::new(Vec::new());
//! # let grain = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) as u8;
//! # let image = image::RgbImage::from_fn(400, 300, |x, y| image::Rgb([grain(x, y) / 4, x as u8, y as u8]));
//! # image.write_to(&mut png, image::ImageFormat::Png).unwrap();
//! # let image = png.into_inner();
//! let service = Service::new(Config::default());
//! let content = Content::Bare { data: image.into(), name: "holiday.png".into() };
//! let mut request = AdaptRequest::new(content);
//! request.device.device_id = Some("nokia-6230".into());
//! request.limits.max_message_bytes = Some(Bytes::new(30_000));
//!
//! let answer = service.adapt(request, &Stop::never())?;
//! assert!(answer.report.wire_bytes_after <= Bytes::new(30_000));
//! let Content::Bare { data, .. } = answer.content else { panic!("a file goes where one came") };
//! assert!(data.starts_with(&[0xff, 0xd8]), "a JPEG");
//! # Ok(())
//! # }
//! ```
//!
//! A whole message goes the same way: [`Content::MmsPdu`](service::request::Content::MmsPdu) for
//! the bytes that a handset or MMSC sends, [`Content::Mime`](service::request::Content::Mime) for
//! what travels between operators. [`ServiceError`](service::ServiceError) says whose fault a
//! refusal is, and what size could have been reached. Built alone, without the features below, the
//! library has neither tonic nor tokio nor clap; it does no IO but for files that
//! [`Config`](config::Config) is told to load and for the worker processes that decode audio and
//! video where `mmsfit-worker` lies beside the program.
//!
//! | feature | adds |
//! |---|---|
//! | `server` | the service over gRPC, and the door to it from async code |
//! | `batch` | folders in, folders out |
//! | `cli` | the command `mmsfit`, with the two above |
//!
//! Data flows one way: bytes + profile → model → plan → fit → bytes + report. The rooms and the
//! direction of imports are drawn in `ARCHITECTURE.md` and kept by `tests/tidy`.

// pure: values in, values out
pub(crate) mod fit;
pub mod message;
pub mod model;
pub(crate) mod plan;
pub mod policy;
pub mod profile;
pub(crate) mod quality;
pub mod text;
// media: heavy, still bytes in, bytes out
pub mod codec;
// engine
pub(crate) mod pipeline;
pub mod worker;
// service
pub mod config;
pub mod service;
// shells
#[cfg(feature = "batch")]
pub mod batch;
#[cfg(feature = "server")]
pub mod capacity;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "server")]
pub mod fetch;
#[cfg(feature = "server")]
pub mod grpc;
#[cfg(feature = "server")]
pub mod offload;
#[cfg(feature = "server")]
pub mod samples;
#[cfg(feature = "server")]
pub mod scan;
#[cfg(feature = "server")]
pub mod telemetry;

// What the tests of both packages share names this one as they do.
#[cfg(test)]
extern crate self as mmsfit;

#[cfg(test)]
#[path = "../tests/support/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "../tests/support/cost.rs"]
mod cost;
#[cfg(test)]
#[path = "../tests/support/need.rs"]
mod need;
