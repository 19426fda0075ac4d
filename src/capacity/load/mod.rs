//! Load on a running service. Calls are sent when they are due, whether or not earlier ones were
//! answered, and their time counts from then: what waits for a slow answer is not left out
//! ("coordinated omission": Tene, "How NOT to measure latency", 2013).

pub mod arrivals;
pub(super) mod call;
pub mod mix;
pub mod search;
pub mod seen;

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::{task::JoinSet, time::sleep_until};
use tonic::{
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

use self::{
    arrivals::{Arrivals, Times},
    call::Terms,
    mix::{MixError, Prepared},
    seen::{Calls, Outcome},
};
use crate::grpc::v1::{self, adaptation_service_client::AdaptationServiceClient};

/// Where to, what and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// `http://host:port`.
    pub target: String,
    /// At least one.
    pub kinds: Vec<Prepared>,
    /// How calls follow each other.
    pub arrivals: Arrivals,
    /// Connections that take turns, at least 1.
    pub connections: usize,
    /// What a caller gives a call.
    pub deadline: Duration,
    /// A token of a client of the service.
    pub token: Option<String>,
    /// Of what is chosen at random.
    pub seed: u64,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No address.
    #[error("{0} is no address of a service: http://host:port")]
    Address(String),
    /// It does not answer.
    #[error("cannot reach {target}: {error}")]
    Unreachable {
        /// Whom.
        target: String,
        /// The transport's words.
        error: tonic::transport::Error,
    },
    /// A token that cannot be sent.
    #[error("the token has letters that a header cannot have")]
    Token,
    /// The mix.
    #[error(transparent)]
    Mix(#[from] MixError),
}

/// A client, or many.
#[derive(Debug)]
pub struct Generator {
    clients: Vec<AdaptationServiceClient<Channel>>,
    kinds: Vec<Prepared>,
    terms: Terms,
    arrivals: Arrivals,
    seed: u64,
    /// Calls sent so far: no two messages that are to differ have the same number.
    sent: u64,
}

/// What became of the calls at one rate.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Calls a second that were due; `None`: as many as so many callers make.
    pub offered: Option<f64>,
    /// From the first call to the last answer.
    pub seconds: f64,
    /// By kind of message, in the order of the mix.
    pub kinds: Vec<Calls>,
    /// How much later than due calls were sent, in microseconds: what the generator itself cost.
    pub late: Histogram<u64>,
}

impl Seen {
    fn of(kinds: usize, offered: Option<f64>) -> Self {
        let kinds = vec![Calls::default(); kinds];
        Self { offered, seconds: 0.0, kinds, late: seen::histogram() }
    }

    /// All kinds together.
    pub fn all(&self) -> Calls {
        let mut all = Calls::default();
        self.kinds.iter().for_each(|kind| all.add(kind));
        all
    }
}

/// A call that was made: its kind, what became of it, when it was due, and how long it took.
type Made = (usize, Outcome, Duration, Duration);

impl Generator {
    /// Connects.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(options: Options) -> Result<Self, LoadError> {
        let endpoint = Endpoint::from_shared(options.target.clone())
            .map_err(|_| LoadError::Address(options.target.clone()))?
            .connect_timeout(Duration::from_secs(5));
        let mut clients = Vec::new();
        for _ in 0..options.connections.max(1) {
            let channel = endpoint.connect().await.map_err(|error| LoadError::Unreachable {
                target: options.target.clone(),
                error,
            })?;
            let client = AdaptationServiceClient::new(channel);
            clients.push(client.max_decoding_message_size(usize::MAX));
        }
        let bearer = |token: String| {
            AsciiMetadataValue::try_from(format!("Bearer {token}")).map_err(|_| LoadError::Token)
        };
        let authorization = options.token.map(bearer).transpose()?;
        let terms = Terms { deadline: options.deadline, authorization };
        let Options { kinds, arrivals, seed, .. } = options;
        Ok(Self { clients, kinds, terms, arrivals, seed, sent: 0 })
    }

    /// The kinds of messages, in their order.
    pub fn kinds(&self) -> &[Prepared] {
        &self.kinds
    }

    /// A call of its own: kind and message by chance.
    fn next(
        &mut self,
        random: &mut fastrand::Rng,
    ) -> (usize, AdaptationServiceClient<Channel>, v1::AdaptRequest) {
        let all: f64 = self.kinds.iter().map(|kind| kind.share).sum();
        let mut left = random.f64() * all;
        let chosen = self.kinds.iter().position(|kind| {
            left -= kind.share;
            left < 0.0
        });
        let at = chosen.unwrap_or(self.kinds.len() - 1);
        let number = self.sent;
        self.sent += 1;
        let client = self.clients[number as usize % self.clients.len()].clone();
        // Another seed, other messages: a cache knows none of them.
        let number = (self.seed << 40).wrapping_add(number);
        (at, client, call::request(&self.kinds[at], number, random.usize(..)))
    }

    /// Sends calls at `rate` a second for so long, whatever becomes of them, and waits for all
    /// answers.
    pub async fn open(&mut self, rate: f64, time: Duration) -> Seen {
        let mut seen = Seen::of(self.kinds.len(), Some(rate));
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (start, mut calls) = (Instant::now(), JoinSet::<Made>::new());
        for due in Times::new(self.arrivals, rate, self.seed).take_while(|due| *due < time) {
            let (kind, client, request) = self.next(&mut random);
            if start.elapsed() < due {
                sleep_until((start + due).into()).await;
            }
            seen::note(&mut seen.late, start.elapsed().saturating_sub(due));
            let terms = self.terms.clone();
            calls.spawn(async move {
                let (outcome, took) = call::send(client, &terms, request).await;
                (kind, outcome, start.elapsed().saturating_sub(due), took)
            });
            while let Some(Ok((kind, outcome, since_due, took))) = calls.try_join_next() {
                seen.kinds[kind].note(outcome, since_due, took);
            }
        }
        while let Some(made) = calls.join_next().await {
            if let Ok((kind, outcome, since_due, took)) = made {
                seen.kinds[kind].note(outcome, since_due, took);
            }
        }
        seen.seconds = start.elapsed().as_secs_f64();
        seen
    }

    /// `callers` who each call again when they are answered, for so long, and once at least.
    pub async fn closed(&mut self, callers: usize, time: Duration) -> Seen {
        let mut seen = Seen::of(self.kinds.len(), None);
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (start, mut calls, mut made) = (Instant::now(), JoinSet::<Made>::new(), 0);
        loop {
            while calls.len() < callers.max(1) && (made < callers || start.elapsed() < time) {
                made += 1;
                let (kind, client, request) = self.next(&mut random);
                let terms = self.terms.clone();
                calls.spawn(async move {
                    let (outcome, took) = call::send(client, &terms, request).await;
                    (kind, outcome, took, took)
                });
            }
            match calls.join_next().await {
                None => break,
                Some(Err(_)) => {}
                Some(Ok((kind, outcome, since_due, took))) => {
                    seen.kinds[kind].note(outcome, since_due, took);
                }
            }
        }
        seen.seconds = start.elapsed().as_secs_f64();
        seen
    }
}
