//! What the load generator costs, and how far it keeps its times: `cargo bench --bench generator`.
//!
//! The service is a stub in another process (this program once more) that gives every message back
//! as it came, so that the CPU time of this one is the generator's alone. Small texts at rates that
//! double: calls for each second of CPU time, how late the sender was, and what the median call took.

#![allow(missing_docs, reason = "a bench")]

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use cpu_time::ProcessTime;
use mmsfit::{
    capacity::load::{Generator, Options, Security, mix::Mix},
    grpc::v1::{
        self, AdaptRequest, AdaptResponse, Report, adapt_request, adapt_response,
        adaptation_service_server::{AdaptationService, AdaptationServiceServer},
    },
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MIX: &str = "[[messages]]\nsample = \"text\"\nshare = 1\nmax_bytes = \"300k\"\n";
const RATES: [f64; 5] = [1_000.0, 5_000.0, 10_000.0, 20_000.0, 30_000.0];
const SECONDS: u64 = 3;

struct Stub;

#[tonic::async_trait]
impl AdaptationService for Stub {
    async fn adapt(
        &self,
        request: Request<AdaptRequest>,
    ) -> Result<Response<AdaptResponse>, Status> {
        let Some(adapt_request::Content::MmsPdu(message)) = request.into_inner().content else {
            return Err(Status::invalid_argument("no PDU"));
        };
        let wire_bytes_after = u32::try_from(message.len()).unwrap_or(u32::MAX);
        Ok(Response::new(AdaptResponse {
            content: Some(adapt_response::Content::MmsPdu(message)),
            report: Some(Report { wire_bytes_after, ..Default::default() }),
            ..Default::default()
        }))
    }

    async fn plan(
        &self,
        _: Request<v1::PlanRequest>,
    ) -> Result<Response<v1::PlanResponse>, Status> {
        Err(Status::unimplemented("plan"))
    }

    type AdaptStreamStream = ReceiverStream<Result<v1::AdaptStreamResponse, Status>>;

    async fn adapt_stream(
        &self,
        _: Request<tonic::Streaming<v1::AdaptStreamRequest>>,
    ) -> Result<Response<Self::AdaptStreamStream>, Status> {
        Err(Status::unimplemented("stream"))
    }

    type AdaptManyStream = ReceiverStream<Result<v1::AdaptManyResponse, Status>>;

    async fn adapt_many(
        &self,
        _: Request<v1::AdaptManyRequest>,
    ) -> Result<Response<Self::AdaptManyStream>, Status> {
        Err(Status::unimplemented("many"))
    }
}

/// Serves until its standard input ends.
async fn stub() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    let gone = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
    let served = Server::builder()
        .add_service(AdaptationServiceServer::new(Stub))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::select! {
        served = served => served?,
        _ = gone => {}
    }
    Ok(())
}

fn start() -> Result<(Child, String), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--stub")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut addr = String::new();
    BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut addr)?;
    Ok((child, format!("http://{}", addr.trim())))
}

async fn measure(target: String) -> Result<(), Failure> {
    let mix: Mix = toml::from_str(MIX)?;
    let mut generator = Generator::connect(Options {
        target,
        security: Security::default(),
        kinds: mix.prepare(Path::new("."))?,
        arrivals: "poisson".parse()?,
        connections: 4,
        deadline: Duration::from_secs(10),
        token: None,
        seed: 1,
    })
    .await?;
    println!("   rate     sent  answered/s  calls per CPU second   p50 ms   p99 ms  late p99 ms");
    for rate in RATES {
        let began = ProcessTime::now();
        let seen = generator.open(rate, Duration::from_secs(SECONDS)).await;
        let cpu = began.elapsed().as_secs_f64();
        let figures = seen.all().figures(seen.seconds);
        println!(
            "{rate:7.0} {:8} {:11.0} {:21.0} {:8.2} {:8.2} {:12.2}",
            figures.counts.sent,
            figures.answered_per_second,
            figures.counts.sent as f64 / cpu,
            figures.latency_ms.p50.unwrap_or(f64::NAN),
            figures.latency_ms.p99.unwrap_or(f64::NAN),
            seen.late.value_at_quantile(0.99) as f64 / 1e3,
        );
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let asked = |word: &str| std::env::args().any(|arg| arg == word);
    if asked("--stub") {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(stub());
    }
    let runtime = if asked("--many-threads") {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    };
    let (mut child, target) = start()?;
    let measured = runtime.block_on(measure(target));
    drop(child.stdin.take());
    child.wait()?;
    measured
}
