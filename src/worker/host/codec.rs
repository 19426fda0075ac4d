//! What jobs read and write, as a codec like any other.

use bytes::Bytes as Buffer;

use super::{
    audio::AudioSession,
    remote::{FRAMING, RemoteCodec, RemoteSession, unasked},
};
use crate::{
    codec::{
        Codec, CodecError, DecodeLimits, OpenHint, Reference, Session, Verified, audio, remote,
    },
    model::{MediaInfo, MediaKind, MediaType, Stop},
    worker::protocol::{Reply, Request},
};

impl Codec for RemoteCodec {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        self.recognised(bytes)
    }

    fn writes(&self, input: &MediaType, output: MediaKind) -> bool {
        remote::writes(input, output)
    }

    fn probes_elsewhere(&self) -> bool {
        true
    }

    fn probe(
        &self,
        input: &Buffer,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        // What this process reads as well needs no other.
        if let Ok(info) = audio::probe(input, limits) {
            return Ok(info);
        }
        let request = Request::Probe { input: input.clone(), limits: *limits };
        match self.ask(&request, FRAMING, stop)? {
            (mut job, Reply::Info(info)) => self.checked(&mut job, info, input, limits),
            (mut job, _) => Err(unasked(&mut job)),
        }
    }

    fn open(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        match AudioSession::open(self, input, hint, limits, stop) {
            Some(session) => Ok(Box::new(session)),
            None => Ok(Box::new(self.open_whole(input, hint, limits, stop)?)),
        }
    }

    fn preview(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Option<Box<dyn Session>>, CodecError> {
        let request = Request::Preview { input: input.clone(), hint, limits: *limits };
        let (mut job, reply) = match self.ask(&request, FRAMING, stop) {
            Ok(answered) => answered,
            Err(CodecError::Unsupported { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Reply::Info(info) = reply else { return Err(unasked(&mut job)) };
        let info = self.checked(&mut job, info, input, limits)?;
        Ok(Some(Box::new(RemoteSession::new(self, request, job, info, stop))))
    }

    fn strip_metadata(&self, input: &Buffer, stop: &Stop) -> Result<Option<Buffer>, CodecError> {
        let request = Request::Strip(input.clone());
        let (_, reply) = self.ask(&request, input.len() + FRAMING, stop)?;
        let Reply::Output(Some(output)) = reply else { return Ok(None) };
        let same = self.recognised(&output) == self.recognised(input);
        Ok((same && output.len() < input.len()).then_some(output))
    }

    fn verify(
        &self,
        output: &Buffer,
        reference: Option<&Reference>,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Verified, CodecError> {
        let request = Request::Verify {
            output: output.clone(),
            reference: reference.cloned(),
            limits: *limits,
        };
        match self.ask(&request, FRAMING, stop)? {
            (mut job, Reply::Verified(verified)) => {
                let info = self.checked(&mut job, verified.info, output, limits)?;
                // The scale of SSIMULACRA2 ends at 100; it has no lower end.
                let quality = verified.quality.filter(|q| q.is_finite() && *q <= 100.0);
                Ok(Verified { info, quality })
            }
            (mut job, _) => Err(unasked(&mut job)),
        }
    }
}
