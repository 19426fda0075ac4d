//! Whole messages through gRPC on the loopback: `cargo bench --bench grpc`; with `-- --traces 1` all
//! calls are traced, and sent to a collector that throws them away (0: as to an operator who samples
//! none of them).
//!
//! The client is another process (this program once more), so that the CPU time of this one is the
//! server's alone: transport, conversion, engine. So is the collector.

#![allow(missing_docs, reason = "a bench")]

mod support;

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes as Buffer;
use cpu_time::ProcessTime;
use mmsfit::{
    config::Config,
    grpc::{
        self,
        v1::{
            self, AdaptRequest, adapt_request::Content, adapt_response::Content as Answer,
            adaptation_service_client::AdaptationServiceClient,
        },
    },
    message::Form,
    offload::Offload,
    service::Service,
    telemetry::traces::Traces,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use support::message::{jpeg, message};
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server},
};
use tracing_subscriber::layer::SubscriberExt as _;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is sent.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    title: &'static str,
    /// Size and quality of the image.
    image: (u16, u16, u8),
    /// A name that no carrier has: the message is received, read and refused.
    carrier: &'static str,
    /// Calls measured, and calls before that.
    calls: u32,
    warm: u32,
}

const LOADS: [Load; 4] = [
    Load {
        name: "refused",
        title: "100 kB received and refused",
        image: (640, 480, 90),
        carrier: "no-such-carrier",
        calls: 4000,
        warm: 1000,
    },
    Load {
        name: "pass",
        title: "100 kB passed through",
        image: (640, 480, 90),
        carrier: "",
        calls: 4000,
        warm: 1000,
    },
    Load {
        name: "photo-1",
        title: "1 MP photo to 640x480, 100 kB",
        image: (1152, 864, 92),
        carrier: "",
        calls: 60,
        warm: 6,
    },
    Load {
        name: "photo-12",
        title: "12 MP photo to 640x480, 100 kB",
        image: (4032, 3024, 92),
        carrier: "",
        calls: 20,
        warm: 3,
    },
];

fn request(load: &Load) -> AdaptRequest {
    let (width, height, quality) = load.image;
    let pdu = message(jpeg(width, height, quality), Form::MmsPdu);
    let limits = v1::LimitOverrides {
        max_message_bytes: Some(if load.name.starts_with("photo") { 100_000 } else { 300_000 }),
        max_image_width: Some(640),
        max_image_height: Some(480),
        replace: false,
    };
    AdaptRequest {
        request_id: load.name.into(),
        content: Some(Content::MmsPdu(pdu)),
        carrier: load.carrier.into(),
        limits: Some(limits),
        ..Default::default()
    }
}

/// The length of the answered PDU; 0 where a refusal was meant to come.
async fn call(
    client: &mut AdaptationServiceClient<Channel>,
    request: AdaptRequest,
) -> Result<usize, Failure> {
    let refused = !request.carrier.is_empty();
    match client.adapt(request).await {
        Ok(answer) => match answer.into_inner().content {
            Some(Answer::MmsPdu(bytes)) => Ok(bytes.len()),
            other => Err(format!("a PDU was wanted: {other:?}").into()),
        },
        Err(status) if refused && status.code() == tonic::Code::InvalidArgument => Ok(0),
        Err(status) => Err(status.into()),
    }
}

/// `count` calls, `at_once` of them under way; how long each took, and the answer's bytes.
async fn calls(
    client: &AdaptationServiceClient<Channel>,
    request: &AdaptRequest,
    count: u32,
    at_once: u32,
) -> Result<(Vec<Duration>, usize), Failure> {
    let mut lanes = JoinSet::new();
    for lane in 0..at_once {
        let (mut client, request) = (client.clone(), request.clone());
        let share = count / at_once + u32::from(lane < count % at_once);
        lanes.spawn(async move {
            let mut took = Vec::with_capacity(share as usize);
            let mut bytes = 0;
            for _ in 0..share {
                let start = Instant::now();
                bytes = call(&mut client, request.clone()).await?;
                took.push(start.elapsed());
            }
            Ok::<_, Failure>((took, bytes))
        });
    }
    let (mut took, mut bytes) = (Vec::new(), 0);
    while let Some(lane) = lanes.join_next().await {
        let (some, length) = lane??;
        took.extend(some);
        bytes = length;
    }
    Ok((took, bytes))
}

/// The other process: warms up, says so, waits for a line, calls, tells what it saw.
async fn client(addr: &str, load: &Load, at_once: u32) -> Result<(), Failure> {
    let channel = Endpoint::from_shared(format!("http://{addr}"))?.connect().await?;
    let client = AdaptationServiceClient::new(channel).max_decoding_message_size(64 << 20);
    let request = request(load);
    calls(&client, &request, load.warm, at_once).await?;
    say("warm")?;
    io::stdin().lock().read_line(&mut String::new())?;
    let start = Instant::now();
    let (mut took, bytes) = calls(&client, &request, load.calls, at_once).await?;
    let whole = start.elapsed();
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    say(&format!(
        "{:>9.3} {:>9.3} {:>9.0} {bytes:>10}",
        ms(at(50)),
        ms(at(99)),
        f64::from(load.calls) / whole.as_secs_f64()
    ))
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// One line of the table: the server's CPU, and what the client saw.
fn measure(addr: &str, load: &Load, at_once: u32) -> Result<String, Failure> {
    let mut child = Ended(
        Command::new(std::env::current_exe()?)
            .args(["--client", addr, load.name, &at_once.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut output = BufReader::new(child.0.stdout.take().ok_or("no output")?);
    let mut input = child.0.stdin.take().ok_or("no input")?;
    let mut line = String::new();
    output.read_line(&mut line)?;
    if line.trim() != "warm" {
        return Err("the client failed".into());
    }
    let cpu = ProcessTime::now();
    input.write_all(b"\n")?;
    line.clear();
    output.read_line(&mut line)?;
    let per_call = cpu.elapsed().as_secs_f64() * 1e3 / f64::from(load.calls);
    if line.is_empty() {
        return Err("the client failed".into());
    }
    Ok(format!("{:<34} {at_once:>7} {per_call:>9.4} {}", load.title, line.trim_end()))
}

/// Takes spans, and keeps none.
struct Sink;

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The process of the collector: says where it listens.
async fn collector() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    say(&format!("http://{}", listener.local_addr()?))?;
    let incoming = TcpListenerStream::new(listener);
    let server = Server::builder().add_service(TraceServiceServer::new(Sink));
    Ok(server.serve_with_incoming(incoming).await?)
}

/// Traces of this process, to a collector in another.
fn traces(ratio: f64) -> Result<(Ended, Traces), Failure> {
    let command = Command::new(std::env::current_exe()?)
        .arg("--collector")
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()?;
    let mut child = Ended(command);
    let mut endpoint = String::new();
    BufReader::new(child.0.stdout.take().ok_or("no output")?).read_line(&mut endpoint)?;
    let traces = Traces::start(endpoint.trim(), ratio, "bench")?;
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::set_global_default(subscriber)?;
    Ok((child, traces))
}

/// A child that does not outlive its measurement.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same message through the engine alone.
fn engine_alone(service: &Service, pdu: &Buffer) -> Result<f64, Failure> {
    use mmsfit::{
        model::{Bytes, Stop},
        service::request::{AdaptRequest, Content},
    };
    let mut request = AdaptRequest::new(Content::MmsPdu(pdu.clone()));
    request.limits.max_message_bytes = Some(Bytes::new(300_000));
    request.limits.max_image_width = Some(640);
    request.limits.max_image_height = Some(480);
    let rounds = 2000;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let cpu = ProcessTime::now();
        for _ in 0..rounds {
            service.adapt(request.clone(), &Stop::never())?;
        }
        best = best.min(cpu.elapsed().as_secs_f64() * 1e3 / f64::from(rounds));
    }
    Ok(best)
}

fn server(ratio: Option<f64>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _within = runtime.enter();
    let collected = ratio.map(traces).transpose()?;
    let service = Service::new(Config::default());
    let listener = runtime.block_on(grpc::bind(([127, 0, 0, 1], 0).into()))?;
    let addr = listener.addr().to_string();
    runtime.spawn(grpc::serve(Offload::new(service.clone()), listener, std::future::pending()));

    let pass = &LOADS[1];
    let (width, height, quality) = pass.image;
    let pdu = message(jpeg(width, height, quality), Form::MmsPdu);
    println!("pass-through PDU of {} bytes", pdu.len());
    println!("engine alone: {:.4} ms of CPU a message\n", engine_alone(&service, &pdu)?);
    println!(
        "{:<34} {:>7} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "message", "at once", "CPU ms", "p50 ms", "p99 ms", "calls/s", "PDU bytes"
    );
    for load in &LOADS {
        for at_once in [1, 8] {
            println!("{}", measure(&addr, load, at_once)?);
        }
    }
    if let Some((_, traces)) = &collected {
        println!("\nspans: {:?}", traces.counter().counts());
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == "--client");
    match at.map(|at| &arguments[at + 1..]) {
        Some([addr, name, at_once, ..]) => {
            let load = LOADS.iter().find(|load| load.name == name).ok_or("no such load")?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(client(addr, load, at_once.parse()?))
        }
        Some(_) => Err("--client takes an address, a load and a number".into()),
        None if arguments.iter().any(|argument| argument == "--collector") => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(collector())
        }
        None => {
            let at = arguments.iter().position(|argument| argument == "--traces");
            let ratio = at.and_then(|at| arguments.get(at + 1)).map(|ratio| ratio.parse());
            server(ratio.transpose()?)
        }
    }
}
