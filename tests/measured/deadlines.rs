//! Deadlines and cancellation reach the work: images as cameras make them, the real engine.

use std::time::{Duration, Instant};

use bytes::Bytes as Buffer;
use cpu_time::ProcessTime;
use mmsfit::{
    config::Config,
    grpc::v1::{
        self, adapt_request::Content, adapt_response::Content as Answer,
        adaptation_service_client::AdaptationServiceClient,
    },
    model::Bytes,
    offload::Load,
    samples::{self, photo as scene},
    service::Service,
};
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::support::photos::{IMAGE_JPEG, pdu};
use crate::support::server::{Running, eventually};

const LIMIT: u32 = 100_000;
const IDLE: Load = Load { running: 0, queued: 0 };

type Answered = Result<Response<v1::AdaptResponse>, Status>;

/// One thread, so that the images of a message are worked on one after the other.
fn service() -> Service {
    Service::new(Config { threads: 1, cache_bytes: Bytes::ZERO, ..Config::default() })
}

/// A message with `count` photos of 12 MP, each with another byte behind its end: the same bytes would
/// be decoded once for all.
fn message(count: usize) -> Buffer {
    let photo = samples::jpeg(&scene::photo(4032, 3024, 7), None).expect("it encodes");
    let photos: Vec<Vec<u8>> = (0..count).map(|n| [&photo[..], &[n as u8]].concat()).collect();
    let parts: Vec<(u8, &str, &[u8])> =
        photos.iter().map(|photo| (IMAGE_JPEG, "photo.jpg", &photo[..])).collect();
    pdu(&parts).into()
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

/// What the whole work takes when it is not ended early.
#[derive(Clone, Copy, Debug)]
struct Whole {
    /// By the clock: the best of three runs. What else the machine does changes it.
    wall: Duration,
    /// The processor's time of this process, both ends of the call: that is what is judged by.
    cpu: Duration,
}

async fn undisturbed(server: &Running, request: &v1::AdaptRequest) -> Whole {
    let mut client = client(server).await;
    let mut best = Whole { wall: Duration::MAX, cpu: Duration::MAX };
    for _ in 0..3 {
        let (start, began) = (Instant::now(), ProcessTime::now());
        client.adapt(request.clone()).await.expect("it fits");
        best.wall = best.wall.min(start.elapsed());
        best.cpu = best.cpu.min(began.elapsed());
    }
    best
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_stops_its_work() {
    let _alone = crate::alone().await;
    let server = Running::start(service()).await;
    let asked = request(&message(4));
    let whole = undisturbed(&server, &asked).await;
    let mut left_over = Vec::new();
    for tenths in [1, 2, 4, 6] {
        let mut client = client(&server).await;
        let call = client.adapt(asked.clone());
        if timeout(whole.wall * tenths / 10, call).await.is_ok() {
            // The machine has less to do than it had: too quick to be left.
            continue;
        }
        let left = ProcessTime::now();
        eventually("the pool is idle", || server.offload.load() == IDLE).await;
        left_over.push(left.elapsed());
    }
    println!("undisturbed {whole:?}; after the caller had left: {left_over:?}");
    left_over.sort();
    let most = left_over.pop().expect("a call that was left");
    assert!(most < whole.cpu / 4, "{most:?} after the caller left; the whole takes {whole:?}");
    // The thread lives on.
    client(&server).await.adapt(asked).await.expect("it still works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_gives_what_there_is_or_a_typed_refusal() {
    let _alone = crate::alone().await;
    let server = Running::start(service()).await;
    let asked = request(&message(4));
    let whole = undisturbed(&server, &asked).await;
    for percent in [2, 20, 50, 80, 100, 2000] {
        let answer = within(&server, &asked, whole.wall * percent / 100, whole).await;
        println!("{percent} % of {whole:?}: {}", outcome(&answer));
        assert!(answer.is_ok() || percent <= 100, "there was time enough");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_the_deadline_ends_answers_with_its_best() {
    let _alone = crate::alone().await;
    let server = Running::start(service()).await;
    // Where only PNG is shown, every step of the search is an encode that takes a while.
    let mut asked = request(&message(1));
    asked.effort = v1::Effort::Best.into();
    asked.device = Some(v1::DeviceDescription {
        capabilities: Some(v1::InlineCapabilities {
            accept: vec!["image/png".into()],
            ..Default::default()
        }),
        ..Default::default()
    });
    let whole = undisturbed(&server, &asked).await;
    // Where in the search a deadline falls is not ours to choose: a little more where it fell
    // before the first that fits, a little less where it fell behind the last.
    let mut given = whole.wall * 8 / 10;
    for _ in 0..120 {
        let answer = within(&server, &asked, given, whole).await;
        println!("{given:?} of {whole:?}: {}", outcome(&answer));
        given = match answer {
            Ok(answer) if cut_short(answer.get_ref()) > 0 => return,
            Ok(_) => given.mul_f64(0.96),
            Err(_) => given.mul_f64(1.03),
        };
    }
    panic!("no deadline fell into the search");
}

/// What a call with so much time gives; always in order, and no more is worked than there is time
/// for, and a little.
async fn within(
    server: &Running,
    asked: &v1::AdaptRequest,
    given: Duration,
    whole: Whole,
) -> Answered {
    let mut client = client(server).await;
    let mut asked = Request::new(asked.clone());
    asked.set_timeout(given);
    let began = ProcessTime::now();
    let answer = client.adapt(asked).await;
    match &answer {
        Ok(answer) => fits(answer.get_ref()),
        Err(status) => match status.get_error_details().error_info() {
            Some(info) => {
                assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
                assert_eq!(
                    (info.domain.as_str(), info.reason.as_str()),
                    ("mmsfit", "DEADLINE_EXCEEDED")
                );
            }
            // tonic's client gave up by its own clock, before it could send the whole message
            // perhaps, and calls that CANCELLED.
            None => assert_eq!(status.message(), "Timeout expired", "{status:?}"),
        },
    }
    eventually("the pool is idle", || server.offload.load() == IDLE).await;
    // One thread works; sending and receiving are beside it.
    let spent = began.elapsed();
    assert!(spent < given + whole.cpu / 2, "{spent:?} of work in {given:?}; whole: {whole:?}");
    answer
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
    assert!(answer.report.as_ref().is_some_and(|report| !report.parts.is_empty()));
}
