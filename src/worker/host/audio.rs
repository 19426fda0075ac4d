//! Audio that this process decodes: its job gets samples, and never a sender's bytes.

use bytes::Bytes as Buffer;

use super::remote::{FRAMING, RemoteCodec, RemoteSession, unasked};
use crate::{
    codec::{CodecError, ContentFacts, DecodeLimits, EncodeError, OpenHint, Session, audio},
    model::{Bytes, MediaInfo, Recipe, Stop},
    worker::protocol::{Reply, Request},
};

/// An audio file whose job is started when it is needed: with samples for what is encoded, and with
/// the sender's bytes for what only moves into another file, or cannot be decoded here after all.
pub(super) struct AudioSession {
    codec: RemoteCodec,
    input: Buffer,
    hint: OpenHint,
    limits: DecodeLimits,
    info: MediaInfo,
    /// The flag given at opening: facts have none of their own.
    stop: Stop,
    decoded: Option<RemoteSession>,
    original: Option<RemoteSession>,
}

impl AudioSession {
    /// Of an audio file that this process decodes; `None` where the worker has to.
    pub fn open(
        codec: &RemoteCodec,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Option<Self> {
        let info = audio::probe(input, limits).ok()?;
        Some(Self {
            codec: codec.clone(),
            input: input.clone(),
            hint,
            limits: *limits,
            info,
            stop: stop.clone(),
            decoded: None,
            original: None,
        })
    }

    /// The job that has the samples.
    fn decoded(&mut self, stop: &Stop) -> Result<&mut RemoteSession, CodecError> {
        let session = match self.decoded.take() {
            Some(session) => session,
            None => match self.hand_over(stop) {
                Err(ends @ (CodecError::Stopped(_) | CodecError::Unavailable(_))) => {
                    return Err(ends);
                }
                Ok(session) => session,
                // Damaged, too long, or a job that could not take it: all of it is the worker's.
                Err(_) => return self.original(stop),
            },
        };
        Ok(self.decoded.insert(session))
    }

    fn hand_over(&self, stop: &Stop) -> Result<RemoteSession, CodecError> {
        if self.original.is_some() {
            return Err(CodecError::Internal("the job has the whole file already".into()));
        }
        let audio = audio::decode(&self.input, &self.limits, stop)?;
        let request = Request::OpenAudio {
            info: Box::new(self.info.clone()),
            rate: audio.rate,
            channels: audio.channels,
            samples: audio.samples,
            hint: self.hint,
            limits: self.limits,
        };
        match self.codec.ask(&request, FRAMING, stop)? {
            // What it says of the audio is what it was told.
            (job, Reply::Info(_)) => {
                Ok(RemoteSession::new(&self.codec, request, job, self.info.clone(), stop))
            }
            (mut job, _) => Err(unasked(&mut job)),
        }
    }

    /// The job that has the sender's bytes.
    fn original(&mut self, stop: &Stop) -> Result<&mut RemoteSession, CodecError> {
        let session = match self.original.take() {
            Some(session) => session,
            None => self.codec.open_whole(&self.input, self.hint, &self.limits, stop)?,
        };
        Ok(self.original.insert(session))
    }
}

impl Session for AudioSession {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        // As with any job: one that fails here will report it when it encodes.
        let stop = self.stop.clone();
        self.decoded(&stop).map_or_else(|_| ContentFacts::default(), RemoteSession::facts)
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        let session = match recipe {
            Recipe::Remux(_) => self.original(stop)?,
            _ => self.decoded(stop)?,
        };
        session.encode(recipe, cap, stop)
    }
}
