//! Hostile messages among clean ones. `MMSFIT_ALL=1 cargo test --test measured poison:: -- --nocapture`
//! takes a minute for each run, one call in twenty hostile; without it, one in four for some seconds.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    grpc::v1::{self, adapt_request::Content, adaptation_service_client::AdaptationServiceClient},
    model::Bytes,
    samples::{self, av, photo as scene},
    service::Service,
};
use tokio::{task::JoinSet, time::sleep_until};
use tonic::{Code, Request, transport::Channel};

use crate::support::{
    need, percentile,
    photos::{IMAGE_JPEG, TEXT_PLAIN, pdu},
    server::Running,
};

/// What a caller gives a call.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long calls are sent, with hostile ones and without; and of how many one is hostile.
fn extent() -> (Duration, usize) {
    let all = std::env::var_os("MMSFIT_ALL").is_some();
    if all { (Duration::from_secs(60), 20) } else { (Duration::from_secs(6), 4) }
}
/// Any type, by its content.
const ANY: u8 = 0x00;

fn request(message: Vec<u8>) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(message.into())),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(100_000),
            max_image_width: Some(640),
            max_image_height: Some(480),
            replace: false,
        }),
        ..Default::default()
    }
}

fn clean() -> Vec<v1::AdaptRequest> {
    let photo = |seed| samples::jpeg(&scene::photo(1152, 864, seed), None).expect("it encodes");
    let screen = samples::png(&scene::screenshot(540, 960, 3)).expect("it encodes");
    let (one, two) = (photo(1), photo(2));
    [
        pdu(&[(TEXT_PLAIN, "t.txt", b"good morning")]),
        pdu(&[(TEXT_PLAIN, "t.txt", b"look"), (IMAGE_JPEG, "a.jpg", &one[..])]),
        pdu(&[(IMAGE_JPEG, "b.jpg", &two[..])]),
        pdu(&[(ANY, "screen.png", &screen[..])]),
        pdu(&[(ANY, "voice.wav", &av::wav(3)[..])]),
    ]
    .map(request)
    .into()
}

/// Files that attack what reads them: made here, and those of real life where they are.
fn hostile() -> Vec<v1::AdaptRequest> {
    let photo = samples::jpeg(&scene::photo(1152, 864, 9), None).expect("it encodes");
    let half = &photo[..photo.len() / 2];
    let mut huge = photo.to_vec();
    // The frame header (T.81 B.2.2) says 65,500 lines of 65,500 samples.
    let frame = photo.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("baseline");
    huge[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let noise: Vec<u8> =
        (0..40_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let boxes = [b"\0\0\0\x18ftypisom\0\0\0\0isom3gp4" as &[u8], &noise].concat();
    let clip = av::avi(320, 240, 1).expect("it encodes");
    let mut clip = clip.to_vec();
    let length = clip.len();
    clip[length / 3..length / 2].fill(0xff);
    let whole = pdu(&[(IMAGE_JPEG, "a.jpg", &photo[..])]);
    let mut made = vec![
        pdu(&[(IMAGE_JPEG, "half.jpg", half)]),
        pdu(&[(IMAGE_JPEG, "huge.jpg", &huge)]),
        pdu(&[(ANY, "boxes.mp4", &boxes)]),
        pdu(&[(ANY, "clip.avi", &clip)]),
        whole[..whole.len() / 3].to_vec(),
        noise,
    ];
    for (name, bytes) in need::corpus::<Vec<u8>>("hostile") {
        // Those that are messages go as they are.
        let is_message = name.ends_with(".mms");
        made.push(if is_message { bytes } else { pdu(&[(ANY, "x", &bytes)]) });
    }
    made.into_iter().filter(|message| message.len() < 8 << 20).map(request).collect()
}

type Client = AdaptationServiceClient<Channel>;

/// Asks until it is not refused for being busy, as callers do.
async fn ask(mut client: Client, message: v1::AdaptRequest) -> (Result<Buffer, Code>, Duration) {
    let start = Instant::now();
    loop {
        let mut request = Request::new(message.clone());
        request.set_timeout(PATIENCE);
        match client.adapt(request).await {
            Err(status)
                if status.code() == Code::ResourceExhausted && start.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            answer => {
                let wire = |answer: tonic::Response<v1::AdaptResponse>| match answer
                    .into_inner()
                    .content
                {
                    Some(v1::adapt_response::Content::MmsPdu(wire)) => wire,
                    other => panic!("another form: {other:?}"),
                };
                return (answer.map(wire).map_err(|status| status.code()), start.elapsed());
            }
        }
    }
}

/// Milliseconds of the clean calls, sent at `rate` whatever becomes of them; each right.
async fn clean_times(
    clients: &[Client],
    clean: &[(v1::AdaptRequest, Buffer)],
    hostile: &[v1::AdaptRequest],
    rate: f64,
) -> Vec<f64> {
    let (start, mut calls, mut attacks) = (Instant::now(), JoinSet::new(), JoinSet::new());
    let ((time, every), mut sent) = (extent(), 0);
    while start.elapsed() < time {
        sleep_until((start + Duration::from_secs_f64(sent as f64 / rate)).into()).await;
        let client = clients[sent % clients.len()].clone();
        if !hostile.is_empty() && sent % every == every / 2 {
            attacks.spawn(ask(client, hostile[sent / every % hostile.len()].clone()));
        } else {
            let (message, wanted) = clean[sent % clean.len()].clone();
            calls.spawn(async move {
                let (answer, time) = ask(client, message).await;
                assert!(answer == Ok(wanted), "a clean message is answered as it is alone");
                time.as_secs_f64() * 1e3
            });
        }
        sent += 1;
    }
    let times = calls.join_all().await;
    let mut ends = BTreeMap::new();
    for (answer, _) in attacks.join_all().await {
        *ends.entry(format!("{:?}", answer.map(|_| "answered"))).or_insert(0) += 1;
    }
    println!("{} clean, hostile: {ends:?}", times.len());
    for end in ends.keys() {
        let typed = ["answered", "InvalidArgument", "FailedPrecondition"];
        assert!(typed.iter().any(|word| end.contains(word)), "{ends:?}");
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_messages_do_not_harm_the_others() {
    let _alone = crate::alone().await;
    let mut config = Config { threads: 2, cache_bytes: Bytes::ZERO, ..Config::default() };
    // The same bytes whatever the queue.
    config.server.brown_out = false;
    let server = Running::start(Service::new(config)).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Client::new(server.channel().await).max_decoding_message_size(64 << 20));
    }
    let mut wanted = Vec::new();
    let start = Instant::now();
    for message in clean() {
        let (answer, _) = ask(clients[0].clone(), message.clone()).await;
        wanted.push((message, answer.expect("a clean message")));
    }
    // As many as are served one after the other: half of what both threads carry.
    let rate = wanted.len() as f64 / start.elapsed().as_secs_f64();
    let without = clean_times(&clients, &wanted, &[], rate).await;
    let with = clean_times(&clients, &wanted, &hostile(), rate).await;
    let p99 = |times: &[f64]| percentile(times, 0.99).expect("calls");
    let (without, with) = (p99(&without), p99(&with));
    println!(
        "{rate:.1}/s: p99 {without:.0} ms without, {with:.0} ms with one hostile in {}: {:.2} ×",
        extent().1,
        with / without
    );
    // The promise is 1.5: of a machine that does other things as well, an order of magnitude.
    assert!(with < 5.0 * without + 200.0);
    server.shut_down().await.expect("no panic").expect("it ends well");
}
