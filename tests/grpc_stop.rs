//! Deadlines and cancellation reach the work: pictures as cameras make them, the real engine.

mod common;
#[path = "common/photo.rs"]
mod photo;

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use mmsfit::{
    capacity::{photo as scene, samples},
    config::Config,
    grpc::v1::{
        self, adapt_request::Content, adapt_response::Content as Answer,
        adaptation_service_client::AdaptationServiceClient,
    },
    service::{Load, Service},
};
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use common::{Running, eventually};
use photo::{IMAGE_JPEG, pdu};

const LIMIT: u32 = 100_000;
const IDLE: Load = Load { running: 0, queued: 0 };

type Answered = Result<Response<v1::AdaptResponse>, Status>;

/// One thread, so that the pictures of a message are worked on one after the other.
fn service() -> Service {
    Service::new(Config { threads: 1, ..Config::default() })
}

/// A message with `count` photos of 12 MP.
fn message(count: usize) -> Buffer {
    let photo = samples::jpeg(&scene::photo(4032, 3024, 7), None).expect("it encodes");
    pdu(&vec![(IMAGE_JPEG, "photo.jpg", &photo[..]); count]).into()
}

fn request(message: &Buffer) -> v1::AdaptRequest {
    v1::AdaptRequest {
        content: Some(Content::MmsPdu(message.clone())),
        limits: Some(v1::LimitOverrides {
            max_message_bytes: Some(LIMIT),
            max_image_width: Some(640),
            max_image_height: Some(480),
            replace: false,
        }),
        ..Default::default()
    }
}

async fn client(server: &Running) -> AdaptationServiceClient<Channel> {
    AdaptationServiceClient::new(server.channel().await)
}

/// How long the whole work takes when nobody disturbs it; the second of two runs.
async fn undisturbed(server: &Running, message: &Buffer) -> Duration {
    let mut client = client(server).await;
    client.adapt(request(message)).await.expect("it fits");
    let start = Instant::now();
    client.adapt(request(message)).await.expect("it fits");
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_stops_its_work() {
    let server = Running::start(service()).await;
    let message = message(4);
    let whole = undisturbed(&server, &message).await;
    let mut slowest = Duration::ZERO;
    for tenths in [1, 3, 5, 7] {
        let mut client = client(&server).await;
        let call = client.adapt(request(&message));
        assert!(timeout(whole * tenths / 10, call).await.is_err(), "{tenths}/10 of {whole:?}");
        let left = Instant::now();
        eventually("the pool is idle", || server.service.pool().load() == IDLE).await;
        slowest = slowest.max(left.elapsed());
    }
    println!("undisturbed {whole:?}, at rest {slowest:?} after the caller had left");
    assert!(slowest < whole / 4, "{slowest:?} after the caller left; the whole takes {whole:?}");
    // The thread lives on.
    client(&server).await.adapt(request(&message)).await.expect("it still works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_gives_the_best_so_far_or_a_typed_refusal() {
    let server = Running::start(service()).await;
    let message = message(4);
    let whole = undisturbed(&server, &message).await;
    for percent in [2, 20, 50, 70, 80, 90, 95, 100, 300] {
        let given = whole * percent / 100;
        let mut asked = Request::new(request(&message));
        asked.set_timeout(given);
        let start = Instant::now();
        let answer = client(&server).await.adapt(asked).await;
        let took = start.elapsed();
        println!("{percent} % of {whole:?}: {} after {took:?}", outcome(&answer));
        assert!(took < given + Duration::from_millis(250), "{took:?} of {given:?}");
        match answer {
            Ok(answer) => fits(&answer.into_inner()),
            Err(status) => {
                match status.get_error_details().error_info() {
                    Some(info) => {
                        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
                        assert_eq!(
                            (info.domain.as_str(), info.reason.as_str()),
                            ("mmsfit", "DEADLINE_EXCEEDED")
                        );
                    }
                    // tonic's client gave up by its own clock, before it could send the whole
                    // message perhaps, and calls that CANCELLED.
                    None => assert_eq!(status.message(), "Timeout expired", "{status:?}"),
                }
                assert!(percent <= 100, "there was time enough");
            }
        }
        eventually("the pool is idle", || server.service.pool().load() == IDLE).await;
    }
}

/// What came, in a word.
fn outcome(answer: &Answered) -> String {
    match answer {
        Ok(answer) if cut_short(answer.get_ref()) > 0 => {
            format!("best so far of {} parts", cut_short(answer.get_ref()))
        }
        Ok(_) => "whole answer".into(),
        Err(status) => format!("{:?} ({})", status.code(), status.message()),
    }
}

/// Parts whose search the deadline ended.
fn cut_short(answer: &v1::AdaptResponse) -> usize {
    let best_so_far = |part: &&v1::PartReport| {
        part.reasons.iter().any(|r| r.code() == v1::ReasonCode::DeadlineBestSoFar)
    };
    answer.report.iter().flat_map(|report| &report.parts).filter(best_so_far).count()
}

fn fits(answer: &v1::AdaptResponse) {
    let Some(Answer::MmsPdu(bytes)) = &answer.content else { panic!("a PDU goes where one came") };
    assert!(bytes.len() <= LIMIT as usize, "{} bytes", bytes.len());
    assert_eq!(answer.report.as_ref().map(|r| r.parts.len()), Some(4));
}
