//! One client that sends ten times its share beside one that sends less than its own.
//! `cargo test --test measured isolation:: -- --nocapture` prints the figures.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Bytes, Category},
    offload::{Offload, Priority},
    samples::{self, photo as scene},
    service::{
        Service,
        request::{AdaptRequest, Content},
    },
};
use tokio::{task::JoinSet, time::sleep_until};

use crate::support::{
    percentile,
    photos::{IMAGE_JPEG, pdu},
};

/// How long calls are sent.
const TIME: Duration = Duration::from_secs(5);

fn request(client: &str, message: &Buffer) -> AdaptRequest {
    let mut request = AdaptRequest::new(Content::MmsPdu(message.clone()));
    request.client = client.to_owned();
    request.limits.max_message_bytes = Some(Bytes::new(100_000));
    request.limits.max_image_width = Some(1024);
    request.limits.max_image_height = Some(768);
    request
}

/// What became of the calls of one client.
struct Seen {
    sent: usize,
    milliseconds: Vec<f64>,
}

impl Seen {
    fn share(&self) -> f64 {
        self.milliseconds.len() as f64 / self.sent as f64
    }
}

/// Calls at a rate, whatever becomes of them.
async fn open(offload: Offload, client: &'static str, message: Buffer, rate: f64) -> Seen {
    let (start, mut calls, mut sent) = (Instant::now(), JoinSet::new(), 0);
    while start.elapsed() < TIME {
        sleep_until((start + Duration::from_secs_f64(sent as f64 / rate)).into()).await;
        let (offload, request) = (offload.clone(), request(client, &message));
        calls.spawn(async move {
            let began = Instant::now();
            let deadline = Some(began + Duration::from_secs(10));
            let answer = offload.adapt(request, Priority::Interactive, deadline).await;
            answer.map(|_| began.elapsed().as_secs_f64() * 1e3).map_err(|error| error.category)
        });
        sent += 1;
    }
    let mut milliseconds = Vec::new();
    for answer in calls.join_all().await {
        match answer {
            Ok(time) => milliseconds.push(time),
            Err(category) => assert_eq!(category, Category::Busy, "{client}"),
        }
    }
    let at = |share| percentile(&milliseconds, share).unwrap_or(f64::NAN);
    let (median, p99, answered) = (at(0.5), at(0.99), milliseconds.len());
    println!("{client}: {sent} sent, {answered} answered, median {median:.0} ms, p99 {p99:.0} ms");
    Seen { sent, milliseconds }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_ten_times_their_share_costs_the_others_little() {
    let _alone = crate::alone().await;
    let config = Config { threads: 2, cache_bytes: Bytes::ZERO, ..Config::default() };
    let offload = Offload::new(Service::new(config));
    let photo = samples::jpeg(&scene::photo(2048, 1536, 7), None).expect("it encodes");
    let message = Buffer::from(pdu(&[(IMAGE_JPEG, "a.jpg", &photo[..])]));

    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < TIME / 2 {
        let pair =
            [0, 1].map(|_| offload.adapt(request("first", &message), Priority::Interactive, None));
        let [one, two] = pair;
        let (one, two) = tokio::join!(one, two);
        done += usize::from(one.is_ok()) + usize::from(two.is_ok());
    }
    let capacity = done as f64 / start.elapsed().as_secs_f64();
    println!("{capacity:.1} messages a second can be served");

    let own = 0.4 * capacity;
    let alone = open(offload.clone(), "modest alone", message.clone(), own).await;
    let modest = tokio::spawn(open(offload.clone(), "modest", message.clone(), own));
    let greedy = open(offload.clone(), "greedy", message.clone(), 5.0 * capacity).await;
    let modest = modest.await.expect("no panic");
    println!(
        "goodput of the modest: {:.2} alone, {:.2} beside the greedy, of whom {:.2} were answered",
        alone.share(),
        modest.share(),
        greedy.share()
    );
    assert!(modest.share() > 0.5 && modest.share() > 2.0 * greedy.share());
}
