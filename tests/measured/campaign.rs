//! A campaign: one message to a thousand people with twenty kinds of phones.
//! `cargo test --test measured campaign:: -- --nocapture` prints the figures.

use bytes::Bytes as Buffer;
use cpu_time::ProcessTime;
use mmsfit::{
    config::Config,
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    samples::{self, photo as scene},
    service::Service,
};
use tokio::task::JoinSet;

use crate::support::{
    Dice,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu},
    server::Running,
};

const RECIPIENTS: usize = 1_000;
const CLASSES: usize = 20;
/// As many as threads: nobody has to wait, so none is refused and none gets less effort.
const CLIENTS: usize = 2;

/// The message to one of them; phones differ in how large an image they show.
fn request(number: usize, class: usize, photo: &[u8]) -> v1::AdaptRequest {
    limited(100_000, number, class, photo)
}

/// With bounds of no class, which replace those of the device, nothing has to change.
fn limited(bytes: u32, number: usize, class: usize, photo: &[u8]) -> v1::AdaptRequest {
    let free = class >= CLASSES;
    let mut message = pdu(&[(TEXT_PLAIN, "t.txt", b"Sale!"), (IMAGE_JPEG, "p.jpg", photo)]);
    let own = b"15550100";
    let at = message.windows(own.len()).position(|bytes| bytes == own).expect("it has a number");
    message[at..at + own.len()].copy_from_slice(format!("{number:08}").as_bytes());
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(Buffer::from(message))),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(bytes),
            max_image_width: Some(if free { 9_999 } else { 320 + 16 * class as u32 }),
            max_image_height: Some(if free { 9_999 } else { 480 }),
            replace: free,
        }),
        ..Default::default()
    }
}

/// CPU seconds of the process while all of `requests` are answered, and how many were encoded.
async fn spent(requests: Vec<v1::AdaptRequest>) -> (f64, u64) {
    let server = Running::start(Service::new(Config { threads: 2, ..Config::default() })).await;
    let mut shares: Vec<Vec<v1::AdaptRequest>> = vec![Vec::new(); CLIENTS];
    for (at, request) in requests.into_iter().enumerate() {
        shares[at % CLIENTS].push(request);
    }
    let began = ProcessTime::now();
    let mut clients = JoinSet::new();
    for share in shares {
        let mut client = AdaptationServiceClient::new(server.channel().await);
        clients.spawn(async move {
            for request in share {
                client.adapt(request).await.expect("it fits");
            }
        });
    }
    clients.join_all().await;
    let cpu = began.elapsed().as_secs_f64();
    let encoded = server.offload.cache_counts().expect("the cache is on").misses;
    server.shut_down().await.expect("no panic").expect("it ends well");
    (cpu, encoded)
}

/// What a phone of a class shows.
fn phone(class: usize) -> v1::DeviceDescription {
    let max_image = v1::Dimensions { width: 320 + 16 * class as u32, height: 480 };
    let capabilities = v1::InlineCapabilities {
        max_message_bytes: Some(100_000),
        max_image: Some(max_image),
        ..Default::default()
    };
    v1::DeviceDescription { capabilities: Some(capabilities), ..Default::default() }
}

/// CPU seconds of one call of AdaptMany for recipients of these classes, and how many answers it had.
async fn spent_at_once(classes: &[usize], photo: &[u8]) -> (f64, usize) {
    let server = Running::start(Service::new(Config { threads: 2, ..Config::default() })).await;
    let mut client = AdaptationServiceClient::new(server.channel().await);
    let recipient =
        |class: &usize| v1::Recipient { device: Some(phone(*class)), ..Default::default() };
    let request = v1::AdaptManyRequest {
        request: Some(v1::AdaptRequest { limits: None, ..request(0, 0, photo) }),
        recipients: classes.iter().map(recipient).collect(),
    };
    let began = ProcessTime::now();
    let mut answers = client.adapt_many(request).await.expect("it begins").into_inner();
    let (mut count, mut served) = (0, 0);
    while let Some(answer) = answers.message().await.expect("it goes on") {
        let fitted = matches!(answer.result, Some(v1::adapt_many_response::Result::Response(_)));
        assert!(fitted, "{:?}", answer.result);
        (count, served) = (count + 1, served + answer.recipient_indices.len());
    }
    let cpu = began.elapsed().as_secs_f64();
    assert_eq!(served, classes.len(), "each recipient has an answer");
    server.shut_down().await.expect("no panic").expect("it ends well");
    (cpu, count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_in_one_call_costs_what_its_kinds_of_phones_cost() {
    let _alone = crate::alone().await;
    let photo = samples::jpeg(&scene::photo(2048, 1536, 7), None).expect("it encodes");
    let mut dice = Dice(20_261_130);
    let all: Vec<usize> = (0..RECIPIENTS).map(|_| dice.below(CLASSES)).collect();
    let each = (0..CLASSES).map(|class| v1::AdaptRequest {
        device: Some(phone(class)),
        limits: None,
        ..request(class, 0, &photo)
    });
    let (alone, _) = spent(each.collect()).await;
    let (at_once, answers) = spent_at_once(&all, &photo).await;
    println!(
        "{RECIPIENTS} recipients, {CLASSES} kinds of phones, in one AdaptMany: CPU {at_once:.2} s, \
         the kinds alone, a call each, {alone:.2} s: {:.2} times that",
        at_once / alone
    );
    assert_eq!(answers, CLASSES, "an answer for each kind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_costs_what_its_kinds_of_phones_cost() {
    let _alone = crate::alone().await;
    let photo = samples::jpeg(&scene::photo(2048, 1536, 7), None).expect("it encodes");
    let mut dice = Dice(20_261_129);
    let all = (0..RECIPIENTS).map(|n| request(n, dice.below(CLASSES), &photo)).collect();
    let classes = (0..CLASSES).map(|class| request(class, class, &photo)).collect();
    // Bounds of no class: nothing has to change, so this is what carrying them costs.
    let carried = (0..RECIPIENTS).map(|n| limited(10_000_000, n, CLASSES, &photo)).collect();
    let (alone, _) = spent(classes).await;
    let (carried, planned) = spent(carried).await;
    let (campaign, encoded) = spent(all).await;
    let (bytes, hits) = (photo.len(), 1.0 - encoded as f64 / RECIPIENTS as f64);
    println!(
        "{RECIPIENTS} recipients, {CLASSES} kinds of phones, a photo of {bytes} bytes: {:.1} % from the \
         cache; CPU {campaign:.2} s, the kinds alone {alone:.2} s, carrying as many messages that stay \
         as they are {carried:.2} s: {:.2} times both",
        hits * 100.0,
        campaign / (alone + carried)
    );
    assert_eq!(encoded, CLASSES as u64, "each kind is encoded once");
    assert_eq!(planned, 0, "what is carried is not encoded");
}
