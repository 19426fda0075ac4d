//! More calls than can be served, sent whether or not the earlier ones were answered.
//! `cargo test --test measured overload:: -- --nocapture` prints the figures.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    model::Bytes,
    samples::{self, photo as scene},
    service::Service,
};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};
use tonic::{Code, Request, transport::Channel};

use crate::support::{
    percentile,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu},
    server::Running,
};

/// How long calls are sent at each rate.
const TIME: Duration = Duration::from_secs(4);
/// What a caller gives a call.
const PATIENCE: Duration = Duration::from_secs(10);

fn request(message: Vec<u8>) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(Buffer::from(message))),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(100_000),
            max_image_width: Some(1024),
            max_image_height: Some(768),
            replace: false,
        }),
        ..Default::default()
    }
}

/// What became of the calls of one rate.
#[derive(Default)]
struct Seen {
    sent: usize,
    /// Milliseconds of those that were answered, and of those that were refused.
    answered: Vec<f64>,
    refused: Vec<f64>,
    /// Died of their deadline, or failed in any other way.
    died: usize,
    seconds: f64,
}

impl Seen {
    fn note(&mut self, (outcome, time): (Result<(), Code>, Duration)) {
        let milliseconds = time.as_secs_f64() * 1e3;
        match outcome {
            Ok(()) => self.answered.push(milliseconds),
            Err(Code::ResourceExhausted) => self.refused.push(milliseconds),
            Err(_) => self.died += 1,
        }
    }

    fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.seconds
    }

    fn print(&self, what: &str) {
        let at = |values: &[f64], share| percentile(values, share).unwrap_or(f64::NAN);
        println!(
            "{what}: {} sent, {} answered ({:.1}/s, median {:.0} ms, p99 {:.0} ms), {} refused (median {:.1} ms, \
             p99 {:.1} ms), {} died",
            self.sent,
            self.answered.len(),
            self.rate(),
            at(&self.answered, 0.5),
            at(&self.answered, 0.99),
            self.refused.len(),
            at(&self.refused, 0.5),
            at(&self.refused, 0.99),
            self.died
        );
    }
}

async fn call(
    mut client: AdaptationServiceClient<Channel>,
    message: v1::AdaptRequest,
) -> (Result<(), Code>, Duration) {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    let start = Instant::now();
    let outcome = client.adapt(request).await.map(|_| ()).map_err(|status| status.code());
    (outcome, start.elapsed())
}

/// Calls one after the other from `clients` callers.
async fn closed(clients: &[AdaptationServiceClient<Channel>], message: &v1::AdaptRequest) -> Seen {
    let (start, mut callers) = (Instant::now(), JoinSet::new());
    for client in clients {
        let (client, message) = (client.clone(), message.clone());
        callers.spawn(async move {
            let mut outcomes = Vec::new();
            while start.elapsed() < TIME {
                outcomes.push(call(client.clone(), message.clone()).await);
            }
            outcomes
        });
    }
    let mut seen = Seen::default();
    let all = callers.join_all().await;
    seen.seconds = start.elapsed().as_secs_f64();
    for outcome in all.into_iter().flatten() {
        seen.sent += 1;
        seen.note(outcome);
    }
    seen
}

/// Calls at a rate, whatever becomes of them.
async fn open(
    clients: &[AdaptationServiceClient<Channel>],
    message: &v1::AdaptRequest,
    rate: f64,
) -> Seen {
    let (start, mut calls) = (Instant::now(), JoinSet::new());
    let mut seen = Seen::default();
    while start.elapsed() < TIME {
        let due = start + Duration::from_secs_f64(seen.sent as f64 / rate);
        sleep_until(due.into()).await;
        let client = clients[seen.sent % clients.len()].clone();
        calls.spawn(call(client, message.clone()));
        seen.sent += 1;
    }
    calls.join_all().await.into_iter().for_each(|outcome| seen.note(outcome));
    // Those that still waited at the end were worked on, too.
    seen.seconds = start.elapsed().as_secs_f64();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_served_is_refused_and_the_rest_is_served_as_ever() {
    let _alone = crate::alone().await;
    let config = Config { threads: 2, cache_bytes: Bytes::ZERO, ..Config::default() };
    let server = Running::start(Service::new(config)).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(AdaptationServiceClient::new(server.channel().await));
    }
    let photo = samples::jpeg(&scene::photo(2048, 1536, 7), None).expect("it encodes");
    let image = request(pdu(&[(IMAGE_JPEG, "a.jpg", &photo[..])]));
    let text = request(pdu(&[(TEXT_PLAIN, "t.txt", b"hello")]));

    let unloaded = closed(&clients[..1], &image).await;
    unloaded.print("one after the other");
    let full = closed(&clients[..3], &image).await;
    full.print("three callers");
    let capacity = full.rate().max(unloaded.rate());
    for times in [3.0, 10.0] {
        let texts = {
            let (client, text) = (clients[3].clone(), text.clone());
            tokio::spawn(async move {
                let (start, mut seen) = (Instant::now(), Seen::default());
                while start.elapsed() < TIME {
                    seen.sent += 1;
                    seen.note(call(client.clone(), text.clone()).await);
                    sleep(Duration::from_millis(20)).await;
                }
                seen.seconds = start.elapsed().as_secs_f64();
                seen
            })
        };
        let seen = open(&clients[..3], &image, capacity * times).await;
        seen.print(&format!("{times} times what can be served ({capacity:.1}/s)"));
        texts.await.expect("no panic").print("texts meanwhile");
        let start = Instant::now();
        let (outcome, time) = call(clients[0].clone(), image.clone()).await;
        println!("goodput {:.2}; afterwards {outcome:?} in {time:?}", seen.rate() / capacity);
        assert_eq!(outcome, Ok(()), "it serves on");
        assert!(start.elapsed() < Duration::from_secs(2), "the queue is short");
        assert_eq!(seen.died, 0, "none that is accepted dies of its deadline");
        assert!(!seen.refused.is_empty() && seen.rate() > capacity / 4.0);
    }
    server.shut_down().await.expect("no panic").expect("it ends well");
}
