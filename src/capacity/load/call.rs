//! One call, and whether its answer is what it should be.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{BufMut as _, Bytes as Buffer, BytesMut};
use memchr::memmem;
use prost::Message as _;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::{
    LoadError, Security,
    mix::{self, Prepared},
    seen::Outcome,
    wire::{Address, Headers, Link, PREFIX, Pieces},
};
use crate::{
    grpc::v1::{self, adapt_request, adapt_response},
    model::Dimensions,
};

/// What is sent for a message of this kind.
pub fn request(kind: &Prepared, number: u64, pick: usize) -> v1::AdaptRequest {
    let side = |of: fn(Dimensions) -> u32| kind.max_image.map(of);
    let limits = v1::LimitOverrides {
        max_message_bytes: kind.max_bytes.and_then(|bytes| u32::try_from(bytes.get()).ok()),
        max_image_width: side(Dimensions::width),
        max_image_height: side(Dimensions::height),
        replace: false,
    };
    let device = v1::DeviceDescription { device_id: kind.device.clone(), ..Default::default() };
    v1::AdaptRequest {
        content: Some(adapt_request::Content::MmsPdu(kind.message(number, pick))),
        device: (!kind.device.is_empty()).then_some(device),
        carrier: kind.carrier.clone(),
        limits: Some(limits),
        ..Default::default()
    }
}

/// A message as it is sent: in the request of its kind, which is written once.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    bytes: Buffer,
    /// Where the digits are that make it a call's own.
    mark: Option<usize>,
}

/// Up to here a message of a call's own is copied whole: more frames cost more than the copy.
const COPIED: usize = 8 << 10;

impl Frame {
    /// All messages of a kind.
    pub(super) fn all(kind: &Prepared, effort: v1::Effort) -> Vec<Self> {
        let frame = |(pick, message): (usize, &Buffer)| {
            let mut request = request(kind, 0, pick);
            request.set_effort(effort);
            let length = request.encoded_len();
            let mut bytes = BytesMut::with_capacity(PREFIX + length);
            bytes.put_u8(0);
            bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
            // The buffer grows by itself: there is always room.
            let _ = request.encode(&mut bytes);
            // The message is in there as it is, but for its mark.
            let until = kind.mark().unwrap_or(message.len());
            let start = memmem::find(&bytes, &message[..until]);
            let mark = kind.mark().and_then(|mark| start.map(|start| start + mark));
            Self { bytes: bytes.freeze(), mark }
        };
        kind.messages().iter().enumerate().map(frame).collect()
    }

    /// What the call of this number sends.
    pub(super) fn pieces(&self, number: u64) -> Pieces {
        let none = Buffer::new;
        let Some(mark) = self.mark else { return [self.bytes.clone(), none(), none()] };
        let digits = mix::digits(number);
        if self.bytes.len() > COPIED {
            let (before, after) = (..mark, mark + digits.len()..);
            let own = Buffer::copy_from_slice(&digits);
            return [self.bytes.slice(before), own, self.bytes.slice(after)];
        }
        let mut own = BytesMut::from(&self.bytes[..]);
        own[mark..mark + digits.len()].copy_from_slice(&digits);
        [own.freeze(), none(), none()]
    }
}

/// How calls are made.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// What a caller gives a call.
    pub(super) deadline: Duration,
    /// The same for all.
    pub(super) headers: Headers,
}

/// One who calls, and has to be answered: what a generator sends, one after the other.
#[derive(Debug)]
pub struct Caller {
    link: Link,
    terms: Terms,
}

impl Caller {
    /// Connects to a service without TLS.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(target: &str, deadline: Duration) -> Result<Self, LoadError> {
        let address = Arc::new(Address::new(target, &Security::default())?);
        let terms = Terms { deadline, headers: Headers::new(deadline, None)? };
        Ok(Self { link: Link::new(address).await?, terms })
    }

    /// The messages of a kind at an effort, ready to be sent.
    pub fn prepare(kind: &Prepared, effort: v1::Effort) -> Frames {
        Frames(Frame::all(kind, effort))
    }

    /// Sends the message of this number.
    ///
    /// # Errors
    /// Whatever is no answer.
    pub async fn call(&self, frames: &Frames, number: u64) -> Result<v1::AdaptResponse, Status> {
        let at = (number % frames.0.len().max(1) as u64) as usize;
        let frame = frames.0.get(at).ok_or_else(|| Status::internal("no message"))?;
        let answer = self.link.unary(&self.terms.headers, frame.pieces(number));
        let answer = timeout(self.terms.deadline, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("the caller's")))?;
        v1::AdaptResponse::decode(answer).map_err(|error| Status::internal(error.to_string()))
    }
}

/// Messages of a kind, ready to be sent.
#[derive(Clone, Debug)]
pub struct Frames(Vec<Frame>);

/// Calls, and tells what became of it and how long it took.
pub(super) async fn send(
    link: &Link,
    terms: &Terms,
    pieces: Pieces,
    limit: Option<u32>,
) -> (Outcome, Duration) {
    let sent = Instant::now();
    let answer = timeout(terms.deadline, link.unary(&terms.headers, pieces)).await;
    let took = sent.elapsed();
    let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("the caller's")));
    let outcome = match answer.map(v1::AdaptResponse::decode) {
        Ok(Ok(answer)) => judge(&answer, limit),
        Ok(Err(_)) => Outcome::Wrong("no answer that can be read".to_owned()),
        Err(status) => refusal(&status),
    };
    (outcome, took)
}

fn refusal(status: &Status) -> Outcome {
    match status.code() {
        Code::ResourceExhausted => Outcome::Refused,
        Code::FailedPrecondition => Outcome::CannotFit,
        code => Outcome::Failed(format!("{code:?}")),
    }
}

/// Holds an answer against what was asked and against itself.
fn judge(answer: &v1::AdaptResponse, asked: Option<u32>) -> Outcome {
    let wrong = |what: &str| Outcome::Wrong(what.to_owned());
    let Some(adapt_response::Content::MmsPdu(message)) = &answer.content else {
        return wrong("not the form that was sent");
    };
    let Some(report) = &answer.report else { return wrong("no report") };
    let bytes = message.len() as u64;
    let in_force = report.limit.as_ref().map(|limit| limit.bytes);
    if asked.into_iter().chain(in_force).any(|limit| bytes > u64::from(limit)) {
        return wrong("over the limit");
    }
    if u64::from(report.wire_bytes_after) != bytes {
        return wrong("not as many bytes as the report says");
    }
    // X-Mms-Message-Type (OMA-TS-MMS_ENC §7.3.30) comes first.
    if message.first() != Some(&0x8c) {
        return wrong("no MMS PDU");
    }
    Outcome::Answered {
        reused: report.account.as_ref().is_some_and(|account| account.reused),
        unchanged: report.outcome() == v1::Outcome::Unchanged,
        reduced: report.warnings.iter().any(|warning| warning.code == "EFFORT_REDUCED"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::capacity::load::mix::Mix;

    #[test]
    fn frames_are_the_requests_that_a_client_would_send() {
        for (sample, contents) in [("text", 0), ("text", 2), ("photo-1mp", 0), ("voice", 1)] {
            let mix = format!(
                "[[messages]]\nsample = \"{sample}\"\nshare = 1\ncontents = {contents}\n\
                 max_bytes = \"300k\"\ndevice = \"nokia-6600\""
            );
            let mix: Mix = toml::from_str(&mix).unwrap();
            let kind = mix.prepare(Path::new(".")).unwrap().remove(0);
            let effort = v1::Effort::Unspecified;
            for (pick, frame) in Frame::all(&kind, effort).iter().enumerate() {
                for number in [1, 0xfedc_ba98_7654_3210] {
                    let sent = frame.pieces(number).concat();
                    let wanted = request(&kind, number, pick).encode_to_vec();
                    assert_eq!(sent[1..PREFIX], u32::try_from(wanted.len()).unwrap().to_be_bytes());
                    assert!(sent[PREFIX..] == wanted, "{sample}");
                }
            }
        }
    }
}
