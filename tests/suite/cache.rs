//! Encoded parts are kept for calls that ask the same: once encoded, given to each in its own message.

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    message::{Message, ParseLimits},
    model::Bytes,
    offload::CacheCounts,
    service::Service,
};
use tokio::task::JoinSet;
use tonic::Request;

use crate::support::{
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu, photo},
    server::{Running, eventually},
    with_workers,
};

/// A message with one photo, to a number of eight digits.
pub fn to(number: u32, photo: &[u8]) -> Buffer {
    let mut message = pdu(&[(TEXT_PLAIN, "t.txt", b"hello"), (IMAGE_JPEG, "p.jpg", photo)]);
    let own = b"15550100";
    let at = message.windows(own.len()).position(|bytes| bytes == own).expect("it has a number");
    message[at..at + own.len()].copy_from_slice(format!("{number:08}").as_bytes());
    message.into()
}

fn request(message: Buffer, width: u32) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(message)),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(30_000),
            max_image_width: Some(width),
            max_image_height: Some(480),
            replace: false,
        }),
        ..Default::default()
    }
}

async fn serving(cache: u64) -> (Running, AdaptationServiceClient<tonic::transport::Channel>) {
    let cache_bytes = Bytes::new(cache);
    let config = Config { threads: 2, cache_bytes, ..Config::default() };
    let server = Running::start(Service::new(config)).await;
    let client = AdaptationServiceClient::new(server.channel().await);
    (server, client)
}

fn pdu_of(answer: &v1::AdaptResponse) -> Buffer {
    match &answer.content {
        Some(v1::adapt_response::Content::MmsPdu(pdu)) => pdu.clone(),
        other => panic!("not a PDU: {other:?}"),
    }
}

fn reused(answer: &v1::AdaptResponse) -> bool {
    answer.report.as_ref().and_then(|r| r.account.as_ref()).expect("an account").reused
}

fn hits_and_misses(server: &Running) -> (u64, u64) {
    let CacheCounts { hits, misses, .. } = server.offload.cache_counts().expect("it is on");
    (hits, misses)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_recipient_gets_the_same_pictures_in_a_message_of_their_own() {
    let (server, mut client) = serving(64 << 20).await;
    let (_uncached, mut fresh) = serving(0).await;
    let photo = photo(1200, 900);
    let (first, second) = (to(1_111_111, &photo), to(2_222_222, &photo));
    let one = client.adapt(request(first, 640)).await.expect("it fits").into_inner();
    let two = client.adapt(request(second.clone(), 640)).await.expect("it fits").into_inner();
    let alone = fresh.adapt(request(second, 640)).await.expect("it fits").into_inner();
    assert_eq!((reused(&one), reused(&two), reused(&alone)), (false, true, false));
    assert_eq!(hits_and_misses(&server), (1, 1));
    // Byte for byte what it would be without a cache; and to whom it goes is its own.
    assert_eq!(pdu_of(&two), pdu_of(&alone));
    let headers = |answer: &v1::AdaptResponse| {
        let message = Message::parse_pdu(pdu_of(answer), &ParseLimits::default());
        format!("{:?}", message.expect("a PDU").headers())
    };
    assert!(headers(&two).contains("02222222") && !headers(&two).contains("01111111"));
    assert!(headers(&one).contains("01111111"));
    // Nobody pays twice: the photo costs the second call nothing.
    let cpu = |answer: &v1::AdaptResponse| {
        answer.report.as_ref().expect("a report").parts.iter().map(|part| part.cpu_ms).sum::<f64>()
    };
    assert!(cpu(&one) > 0.0 && cpu(&two) == 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_otherwise_is_encoded_for_itself() {
    let (server, mut client) = serving(64 << 20).await;
    let photo = photo(1200, 900);
    let message = to(1_111_111, &photo);
    let mut asked = vec![request(message.clone(), 640), request(message.clone(), 320)];
    asked.push(v1::AdaptRequest { effort: v1::Effort::Best.into(), ..asked[0].clone() });
    asked.push(v1::AdaptRequest {
        device: Some(v1::DeviceDescription {
            capabilities: Some(v1::InlineCapabilities {
                accept: vec!["image/png".into(), "text/plain".into()],
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..asked[0].clone()
    });
    // Another picture of the same length.
    let mut other = photo.clone();
    *other.last_mut().expect("bytes") ^= 1;
    asked.push(request(to(1_111_111, &other), 640));
    // A longer number leaves fewer bytes to the photo.
    let mut longer = message.to_vec();
    let at = longer.windows(8).position(|bytes| bytes == b"01111111").expect("a number");
    longer.insert(at, b'9');
    asked.push(request(longer.into(), 640));
    let all = asked.len() as u64;
    for request in &asked {
        client.adapt(request.clone()).await.expect("it fits");
    }
    assert_eq!(hits_and_misses(&server), (0, all));
    for request in asked {
        assert!(reused(client.adapt(request).await.expect("it fits").get_ref()));
    }
    assert_eq!(hits_and_misses(&server), (all, all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_ask_at_once_wait_for_one_encoding_and_outlive_who_began_it() {
    let (server, client) = serving(64 << 20).await;
    let photo = photo(3000, 2000);
    let mut calls = JoinSet::new();
    for number in 0..8 {
        let (mut client, message) = (client.clone(), to(number, &photo));
        calls.spawn(async move { client.adapt(request(message, 640)).await.expect("it fits") });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !reused(answer.get_ref())).count(), 1);
    assert_eq!(hits_and_misses(&server), (7, 1));

    // The one who began it leaves: another goes on.
    let (mut first, message) = (client.clone(), to(1, &photo));
    let leaving = tokio::spawn(async move { first.adapt(request(message, 500)).await });
    eventually("it is encoded", || server.offload.load().running == 1).await;
    let (mut second, message) = (client.clone(), to(2, &photo));
    let staying = tokio::spawn(async move { second.adapt(request(message, 500)).await });
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    leaving.abort();
    let answer = staying.await.expect("no panic").expect("it fits");
    assert!(answer.get_ref().report.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_deadline_cut_short_is_not_kept() {
    let (server, mut client) = serving(64 << 20).await;
    let photo = photo(4000, 3000);
    let ask = |milliseconds| {
        let mut asked = Request::new(request(to(1, &photo), 640));
        asked.get_mut().effort = v1::Effort::Best.into();
        asked.set_timeout(std::time::Duration::from_millis(milliseconds));
        asked
    };
    // Whether it answers with its best or not at all is the machine's speed.
    let cut = client.adapt(ask(60)).await;
    let whole = client.adapt(ask(60_000)).await.expect("it fits");
    let was_cut = cut.map_or(true, |answer| format!("{answer:?}").contains("DeadlineBestSoFar"));
    let kept = reused(whole.get_ref());
    println!("cut short: {was_cut}; kept: {kept}; {:?}", server.offload.cache_counts());
    assert!(!(was_cut && kept));
    assert!(reused(client.adapt(ask(60_000)).await.expect("it fits").get_ref()));
}

/// Silence in AMR-NB at 4.75 kbit/s: what a worker alone reads.
fn silence(frames: usize) -> Vec<u8> {
    let frame = [&[0x04][..], &[0; 12]].concat();
    [b"#!AMR\n".to_vec(), frame.repeat(frames)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_that_was_looked_at_is_known_when_it_comes_again() {
    let config = Config { threads: 2, ..Config::default() };
    let Some(service) = with_workers(config.clone()) else { return };
    let server = Running::start(service).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let uncached = Service::new(Config { cache_bytes: Bytes::ZERO, ..config });
    let uncached = Running::start(uncached).await;
    let mut fresh = AdaptationServiceClient::new(uncached.channel().await);
    let voice = silence(100);
    let ask = |voice: &[u8]| v1::AdaptRequest {
        content: Some(Content::Message(v1::Message {
            headers: Vec::new(),
            parts: vec![v1::Part {
                content_type: "audio/amr".into(),
                data: Buffer::copy_from_slice(voice),
                ..Default::default()
            }],
        })),
        ..Default::default()
    };
    let jobs =
        |server: &Running| server.offload.service().worker_counts().expect("it runs").jobs_started;
    let first = client.adapt(ask(&voice)).await.expect("it passes").into_inner();
    let before = jobs(&server);
    let again = client.adapt(ask(&voice)).await.expect("it passes").into_inner();
    assert_eq!(jobs(&server), before, "no process looked at it");
    assert_eq!(server.offload.probe_counts(), Some((1, 1)));
    // The same answer as without anything kept.
    let alone = fresh.adapt(ask(&voice)).await.expect("it passes").into_inner();
    assert_eq!(uncached.offload.probe_counts(), None);
    let facts = |answer: &v1::AdaptResponse| {
        format!("{:?}", answer.report.as_ref().expect("a report").parts)
    };
    let timeless = |answer: &v1::AdaptResponse| {
        let text = facts(answer);
        text.split("cpu_ms")
            .map(|rest| rest.split_once(',').map_or(rest, |(_, rest)| rest).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(timeless(&first), timeless(&again));
    assert_eq!(timeless(&alone), timeless(&again));
    // Other bytes are looked at, and so are the same by a worker that was started anew.
    client.adapt(ask(&silence(101))).await.expect("it passes");
    assert_eq!(server.offload.probe_counts(), Some((1, 2)));
    server.offload.renew_workers().expect("it starts").expect("one ran");
    client.adapt(ask(&voice)).await.expect("it passes");
    assert_eq!(server.offload.probe_counts(), Some((1, 3)));
}
