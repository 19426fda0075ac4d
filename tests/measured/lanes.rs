//! What a text waits for while others send albums; what becomes of more calls than can be served.
//! `cargo test --test measured lanes:: -- --nocapture` prints the figures.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    model::Bytes,
    samples::{self, photo as scene},
    service::Service,
};
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{
    percentile,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu},
    server::Running,
};

/// How long albums are sent.
const TIME: Duration = Duration::from_secs(4);
const CLIENTS: usize = 6;

fn request(message: Vec<u8>) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(Buffer::from(message))),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(300_000),
            max_image_width: Some(640),
            max_image_height: Some(480),
            replace: false,
        }),
        ..Default::default()
    }
}

fn album() -> v1::AdaptRequest {
    let photo = samples::jpeg(&scene::photo(4032, 3024, 7), None).expect("it encodes");
    request(pdu(&[(IMAGE_JPEG, "a.jpg", &photo[..]), (IMAGE_JPEG, "b.jpg", &photo[..])]))
}

struct Seen {
    milliseconds: Vec<f64>,
    refused: usize,
}

fn told(what: &str, seen: &Seen) -> f64 {
    let at = |share| percentile(&seen.milliseconds, share).unwrap_or(f64::NAN);
    let (median, p99) = (at(0.5), at(0.99));
    let (served, refused) = (seen.milliseconds.len(), seen.refused);
    println!("{what}: {served} served, {refused} refused, median {median:.1} ms, p99 {p99:.1} ms");
    median
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_does_not_wait_for_albums() {
    let _alone = crate::alone().await;
    let server = Running::start(Service::new(Config {
        threads: 2,
        cache_bytes: Bytes::ZERO,
        ..Config::default()
    }))
    .await;
    let album = album();
    let text = request(pdu(&[(TEXT_PLAIN, "t.txt", b"hello")]));
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let start = Instant::now();
    client.adapt(album.clone()).await.expect("it fits");
    println!("an album alone: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);

    let until = Instant::now() + TIME;
    let mut senders = JoinSet::new();
    for _ in 0..CLIENTS {
        let (mut client, album) =
            (AdaptationServiceClient::new(server.channel().await), album.clone());
        senders.spawn(async move {
            let mut seen = Seen { milliseconds: Vec::new(), refused: 0 };
            while Instant::now() < until {
                let start = Instant::now();
                match client.adapt(album.clone()).await {
                    Ok(_) => seen.milliseconds.push(start.elapsed().as_secs_f64() * 1e3),
                    Err(status) => {
                        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
                        seen.refused += 1;
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
            seen
        });
    }
    let mut texts = Seen { milliseconds: Vec::new(), refused: 0 };
    while Instant::now() < until {
        let start = Instant::now();
        client.adapt(text.clone()).await.expect("a text is never refused");
        texts.milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut albums = Seen { milliseconds: Vec::new(), refused: 0 };
    for seen in senders.join_all().await {
        albums.milliseconds.extend(seen.milliseconds);
        albums.refused += seen.refused;
    }
    let (text, album) = (told("texts", &texts), told("albums", &albums));
    // In one queue both would wait alike.
    assert!(text * 4.0 < album, "a text takes {text:.1} ms, an album {album:.1} ms");
    server.shut_down().await.expect("no panic").expect("it ends well");
}
