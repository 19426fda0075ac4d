//! The codec whose work is done by jobs: to its callers it is one like any other.

use bytes::Bytes as Buffer;

use super::{
    Workers,
    job::{CallError, Job, Loss, Losses},
    recheck,
};
use crate::{
    codec::{
        CodecError, ContentFacts, DecodeLimits, EncodeError, OpenHint, Reference, Session, remote,
    },
    model::{Bytes, Dimensions, MediaInfo, MediaType, Recipe, Rgb, Stop},
    worker::protocol::{Reply, Request},
};

/// No output that fits a message is larger; searches ask without a cap to learn a size.
const MAX_OUTPUT: u64 = 256 << 20;
/// Bytes of a reply besides the medium in it.
pub(super) const FRAMING: usize = 64 << 10;

/// What only the worker reads.
#[derive(Clone)]
pub struct RemoteCodec(Workers);

impl RemoteCodec {
    pub(super) fn new(workers: Workers) -> Self {
        Self(workers)
    }

    pub(super) fn recognised(&self, bytes: &[u8]) -> Option<MediaType> {
        if self.0.settings().faults && bytes.starts_with(remote::FAULT) {
            return Some(MediaType::fold("video/mp4"));
        }
        remote::recognise(bytes)
    }

    /// One call to a job of its own.
    fn once(&self, request: &Request, cap: usize, stop: &Stop) -> Result<(Job, Reply), CallError> {
        let mut job = self.0.job()?;
        let reply = job.call(request, cap, stop)?;
        Ok((job, reply))
    }

    /// One call to a job of its own. One that was lost is made again, as often as [`Losses`] allows.
    pub(super) fn ask(
        &self,
        request: &Request,
        cap: usize,
        stop: &Stop,
    ) -> Result<(Job, Reply), CodecError> {
        self.again(&mut Losses::default(), request, cap, stop)
    }

    fn again(
        &self,
        losses: &mut Losses,
        request: &Request,
        cap: usize,
        stop: &Stop,
    ) -> Result<(Job, Reply), CodecError> {
        loop {
            match self.once(request, cap, stop) {
                Ok(answered) => return Ok(answered),
                Err(CallError::Codec(error)) => return Err(error),
                Err(CallError::Lost(loss)) => losses.add(loss)?,
            }
        }
    }

    /// A job that has all bytes of a medium.
    pub(super) fn open_whole(
        &self,
        input: &Buffer,
        hint: OpenHint,
        limits: &DecodeLimits,
        stop: &Stop,
    ) -> Result<RemoteSession, CodecError> {
        let request = Request::Open { input: input.clone(), hint, limits: *limits };
        let (mut job, reply) = self.ask(&request, FRAMING, stop)?;
        let Reply::Info(info) = reply else { return Err(unasked(&mut job)) };
        let info = self.checked(&mut job, info, input, limits)?;
        Ok(RemoteSession::new(self, request, job, info, stop))
    }

    pub(super) fn checked(
        &self,
        job: &mut Job,
        info: MediaInfo,
        input: &Buffer,
        limits: &DecodeLimits,
    ) -> Result<MediaInfo, CodecError> {
        let recognised = self.recognised(input).unwrap_or(MediaType::OCTETS);
        match recheck::info(&info, &recognised, Bytes::of(input), limits) {
            Ok(()) => Ok(info),
            Err(violation) => Err(job.kill_for_violation(violation)),
        }
    }
}

pub(super) fn unasked(job: &mut Job) -> CodecError {
    job.kill_for_violation("an answer to another question".into())
}

/// A session in a job, and what it takes to have the same in another job.
pub(super) struct RemoteSession {
    codec: RemoteCodec,
    opening: Request,
    job: Job,
    losses: Losses,
    info: MediaInfo,
    facts: Option<ContentFacts>,
    /// The flag given at opening: some calls have none of their own.
    stop: Stop,
}

impl RemoteSession {
    /// `opening` is what `job` was told to open.
    pub(super) fn new(
        codec: &RemoteCodec,
        opening: Request,
        job: Job,
        info: MediaInfo,
        stop: &Stop,
    ) -> Self {
        let (codec, stop) = (codec.clone(), stop.clone());
        Self { codec, opening, job, losses: Losses::default(), info, facts: None, stop }
    }

    /// One call. Where the job is lost, the input is opened in another one and the call made again:
    /// what a session answers follows from its input and the call alone.
    fn ask(&mut self, request: &Request, cap: usize, stop: &Stop) -> Result<Reply, CodecError> {
        loop {
            match self.job.call(request, cap, stop) {
                Ok(reply) => return Ok(reply),
                Err(CallError::Codec(error)) => return Err(error),
                Err(CallError::Lost(loss)) => {
                    self.reopen(loss, stop).map_err(|error| self.job.end_with(error))?;
                }
            }
        }
    }

    fn reopen(&mut self, loss: Loss, stop: &Stop) -> Result<(), CodecError> {
        self.losses.add(loss)?;
        match self.codec.again(&mut self.losses, &self.opening, FRAMING, stop)? {
            (job, Reply::Info(_)) => self.job = job,
            (mut job, _) => return Err(unasked(&mut job)),
        }
        Ok(())
    }
}

impl Session for RemoteSession {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        if let Some(facts) = self.facts {
            return facts;
        }
        // A job that cannot tell will not be able to encode either, and says so then.
        let stop = self.stop.clone();
        let facts = match self.ask(&Request::Facts, FRAMING, &stop) {
            Ok(Reply::Facts(facts)) => facts,
            _ => ContentFacts::default(),
        };
        *self.facts.insert(facts)
    }

    fn reference(&mut self, largest: Dimensions, background: Rgb) -> Option<Reference> {
        let cap = usize::try_from(largest.pixels()).ok()?.checked_add(FRAMING)?;
        let request = Request::Reference { largest, background };
        let stop = self.stop.clone();
        let Ok(Reply::Reference(reference)) = self.ask(&request, cap, &stop) else {
            return None;
        };
        let reference = reference?;
        match recheck::reference(&reference, largest) {
            Ok(()) => Some(reference),
            Err(violation) => {
                self.job.kill_for_violation(violation);
                None
            }
        }
    }

    fn moments(
        &mut self,
        count: u8,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Option<Vec<Reference>>, CodecError> {
        let Some(shown) = self.info.dimensions else { return Ok(None) };
        let most = shown.pixels().saturating_mul(count.into()).min(MAX_OUTPUT);
        let cap = Bytes::new(most).as_usize() + FRAMING;
        // Planes of colour have whole samples: no side is of one pixel.
        let shown = Dimensions::at_least_one(shown.width().max(2), shown.height().max(2));
        match self.ask(&Request::Moments { count, background }, cap, stop)? {
            Reply::Moments(None) => Ok(None),
            Reply::Moments(Some(moments)) => {
                let checked = moments.iter().try_for_each(|m| recheck::reference(m, shown));
                match checked {
                    Ok(()) if moments.len() == usize::from(count) => Ok(Some(moments)),
                    Ok(()) => {
                        Err(self.job.kill_for_violation("not as many moments as asked for".into()))
                    }
                    Err(violation) => Err(self.job.kill_for_violation(violation)),
                }
            }
            _ => Err(unasked(&mut self.job)),
        }
    }

    fn measure(&mut self, recipe: &Recipe, stop: &Stop) -> Result<Option<Bytes>, CodecError> {
        match self.ask(&Request::Measure(*recipe), FRAMING, stop)? {
            Reply::Measured(size) => Ok(size),
            _ => Err(unasked(&mut self.job)),
        }
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        let most = cap.min(Bytes::new(MAX_OUTPUT));
        let request = Request::Encode { recipe: *recipe, cap: most };
        match self.ask(&request, most.as_usize() + FRAMING, stop)? {
            Reply::Output(Some(output)) => {
                let recognised = remote::recognise_output(&output);
                match recheck::output(&output, recognised.as_ref(), recipe, cap) {
                    Ok(()) => Ok(output),
                    Err(violation) => Err(self.job.kill_for_violation(violation).into()),
                }
            }
            Reply::OverCap(at_least) if at_least > cap => Err(EncodeError::OverCap { at_least }),
            // Past our own ceiling, and without a cap of the caller's: a lower bound all the same.
            Reply::OverCap(_) => Err(EncodeError::OverCap { at_least: most }),
            _ => Err(unasked(&mut self.job).into()),
        }
    }
}
