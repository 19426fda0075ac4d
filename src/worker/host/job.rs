//! One job: one process, one socket, one call at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{Span, field::Empty, info_span};

use super::{
    CPU,
    counts::{Lost, Restart},
    deadline,
    line::{Line, LineError, Watch},
    settings::Settings,
    zygote::{Ended, Ending, Zygote},
};
use crate::{
    codec::CodecError,
    model::{Stop, StopCause},
    worker::protocol::{Answer, Exit, JobId, Message, Reply, Request},
};

/// A call that takes longer than this makes the host ask the zygote for a sign of life, and one
/// that gives none in as long again is replaced.
const SUSPICION: Duration = Duration::from_secs(2);
/// How long the end of a job that hung up is waited for, to tell how it ended.
const EXIT_GRACE: Duration = Duration::from_secs(1);

/// A running job. Dropping it ends the process.
pub(super) struct Job {
    id: JobId,
    line: Line,
    zygote: Arc<Zygote>,
    ending: Arc<Ending>,
    settings: Settings,
    broken: Option<CodecError>,
    /// CPU time that the process said it had used when it answered last.
    used: Duration,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// The job's own fault, or it was asked to stop.
    Codec(CodecError),
    /// The process died, which says nothing about its input: another job may try ([`Losses`]).
    Lost(Loss),
}

/// How a job was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Killed alone: by the kernel, short of memory, or by hand.
    Alone,
    /// With all others, or before it began.
    WithAll,
}

/// Losses of one input after which no other job tries. A zygote takes a tenth of a second to start:
/// whoever kills one a second gets a message of some seconds done all the same.
const MOST_LOSSES: u8 = 5;

/// What was lost while one input was worked on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    count: u8,
    last: Option<Loss>,
}

impl Losses {
    /// One more. Killed alone twice in a row is no accident: the input is the cause.
    ///
    /// # Errors
    /// No other job is to try.
    pub fn add(&mut self, loss: Loss) -> Result<(), CodecError> {
        let before = self.last.replace(loss);
        self.count = self.count.saturating_add(1);
        if (before, loss) == (Some(Loss::Alone), Loss::Alone) {
            let why = "two workers in a row were killed while processing it";
            return Err(CodecError::Poison(why.into()));
        }
        if self.count >= MOST_LOSSES {
            let why = format!("the worker processes were lost, {} times", self.count);
            return Err(CodecError::Unavailable(why));
        }
        Ok(())
    }
}

impl From<CodecError> for CallError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl Job {
    pub fn new(
        id: JobId,
        line: Line,
        zygote: Arc<Zygote>,
        ending: Arc<Ending>,
        settings: Settings,
    ) -> Self {
        Self { id, line, zygote, ending, settings, broken: None, used: Duration::ZERO }
    }

    /// Asks and waits for the answer, of at most `cap` bytes. After any error but the worker's own
    /// [`Reply::Failed`] the job is over.
    pub fn call(&mut self, request: &Request, cap: usize, stop: &Stop) -> Result<Reply, CallError> {
        if let Some(error) = &self.broken {
            return Err(CallError::Codec(error.clone()));
        }
        stop.check().map_err(|cause| CallError::Codec(CodecError::Stopped(cause)))?;
        let span = span(request, self.id).entered();
        let answered = self.exchange(request, cap, stop);
        drop(span);
        match answered {
            Ok(Reply::Failed(error)) => Err(CallError::Codec(honest(error))),
            Ok(reply) => Ok(reply),
            Err(error) => {
                let error = self.explain(error);
                if let CallError::Codec(error) = &error {
                    self.broken = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    /// Ends the job because of what it claimed.
    pub fn kill_for_violation(&mut self, what: String) -> CodecError {
        self.zygote.tally.lost(Lost::WrongAnswer);
        self.end_with(CodecError::Internal(format!("a worker answered wrongly: {what}")))
    }

    /// Ends the job: this is the answer to every further call.
    pub fn end_with(&mut self, error: CodecError) -> CodecError {
        self.zygote.kill_job(self.id);
        self.broken = Some(error.clone());
        error
    }

    fn exchange(&mut self, request: &Request, cap: usize, stop: &Stop) -> Result<Reply, LineError> {
        let began = Instant::now();
        let zygote = &self.zygote;
        let mut pongs = None;
        let mut tick = || match (began.elapsed(), pongs) {
            (elapsed, None) if elapsed >= SUSPICION => {
                pongs = Some(zygote.pongs());
                zygote.ping();
            }
            (elapsed, Some(before)) if elapsed >= 2 * SUSPICION && zygote.pongs() == before => {
                zygote.destroy(Restart::Silent);
            }
            _ => {}
        };
        let until = deadline(&self.settings);
        let mut watch = Watch { stop, until, tick: &mut tick };
        self.line.send(&request.to_frame(), &mut watch)?;
        let frame = self.line.receive(cap, &mut watch)?;
        let answer = Answer::from_frame(frame).map_err(|e| LineError::Garbled(e.to_string()))?;
        let used = Duration::from_micros(answer.cpu_us);
        // It has one thread: what it says it used is believed as far as time has passed.
        let more = used.saturating_sub(self.used).min(began.elapsed());
        self.used = used;
        CPU.set(CPU.get() + more);
        Span::current().record("mmsfit.cpu_us", more.as_micros() as i64);
        Ok(answer.reply)
    }

    /// What a broken conversation means, with the process dead in any case.
    fn explain(&mut self, error: LineError) -> CallError {
        self.zygote.kill_job(self.id);
        let tally = &self.zygote.tally;
        CallError::Codec(match error {
            LineError::Stopped(cause) => CodecError::Stopped(cause),
            LineError::TimedOut => {
                tally.lost(Lost::CallTime);
                CodecError::Limit {
                    what: "seconds of one call",
                    found: self.settings.call_time.as_secs().saturating_add(1),
                    limit: self.settings.call_time.as_secs(),
                }
            }
            LineError::Garbled(what) => {
                tally.lost(Lost::WrongAnswer);
                CodecError::Internal(what)
            }
            LineError::Closed => match self.ending.wait(EXIT_GRACE) {
                Some(Ended::Lost | Ended::Exit(Exit::NotStarted(_))) => {
                    tally.lost(Lost::Zygote);
                    return CallError::Lost(Loss::WithAll);
                }
                // A decoder never sends itself SIGKILL; a job that hung up and lived was killed
                // just now.
                Some(Ended::Exit(Exit::Signal(9))) | None => {
                    tally.lost(Lost::Killed);
                    return CallError::Lost(Loss::Alone);
                }
                Some(Ended::Exit(exit)) => {
                    tally.lost(cause(exit));
                    obituary(exit, &self.settings)
                }
            },
        })
    }
}

/// One call to a job: where a process of its own worked on somebody's bytes, and for how long.
fn span(request: &Request, job: JobId) -> Span {
    let call = match request {
        Request::Probe { .. } => "probe",
        Request::Open { .. } | Request::OpenAudio { .. } => "open",
        Request::Preview { .. } => "preview",
        Request::Facts => "facts",
        Request::Reference { .. } => "reference",
        Request::Moments { .. } => "moments",
        Request::Measure(_) => "measure",
        Request::Encode { .. } => "encode",
        Request::Verify { .. } => "verify",
        Request::Strip(_) => "strip",
    };
    info_span!("worker job", mmsfit.job = job as i64, mmsfit.call = call, mmsfit.cpu_us = Empty)
}

/// A worker is never asked to stop, and knows nothing of other workers: what it says of that is
/// made up.
fn honest(error: CodecError) -> CodecError {
    match error {
        CodecError::Stopped(StopCause::Cancelled | StopCause::Deadline) => {
            CodecError::Internal("a worker stopped unasked".into())
        }
        CodecError::Poison(what) | CodecError::Unavailable(what) => {
            CodecError::Internal(format!("a worker spoke for the host: {what}"))
        }
        error => error,
    }
}

/// How the end of a process is counted.
fn cause(exit: Exit) -> Lost {
    match exit {
        Exit::Signal(24) => Lost::CpuTime,
        Exit::Signal(31) => Lost::Sandbox,
        Exit::Signal(6) => Lost::Aborted,
        Exit::Signal(_) => Lost::Crashed,
        Exit::Status(_) => Lost::Ended,
        Exit::NotStarted(_) => Lost::Zygote,
    }
}

/// How the end of a process reads as an error. Signal numbers are those of Linux.
fn obituary(exit: Exit, settings: &Settings) -> CodecError {
    let dead = |detail: String| CodecError::Malformed { format: "media", detail };
    match exit {
        // SIGXCPU.
        Exit::Signal(24) => CodecError::Limit {
            what: "CPU seconds of one job",
            found: settings.limits.cpu_seconds.saturating_add(1),
            limit: settings.limits.cpu_seconds,
        },
        Exit::Signal(31) => dead("the decoder tried what its sandbox forbids".into()),
        // Rust and C++ abort when memory runs out, and so does glibc when its heap is spoilt.
        Exit::Signal(6) => dead("the decoder aborted, or ran out of memory".into()),
        Exit::Signal(signal) => dead(format!("the decoder crashed with signal {signal}")),
        Exit::Status(status) => CodecError::Internal(format!("a worker ended with {status}")),
        Exit::NotStarted(errno) => {
            let error = std::io::Error::from_raw_os_error(errno);
            CodecError::Internal(format!("no worker could be started: {error}"))
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // It would end by itself when its socket closes; one that has been taken over would not.
        self.zygote.kill_job(self.id);
    }
}
