//! An MMSC's side of the demonstration: sends messages over gRPC for an old and a new handset and
//! shows what came back. Run by `make demo`; a pattern for wiring mmsfit in, too.

mod page;
mod table;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Parser;
use mmsfit::grpc::v1::{
    AdaptRequest, AdaptResponse, DeviceDescription, DeviceSummary, ListDevicesRequest, Message,
    Part, Report, adapt_request, adapt_response,
    adaptation_service_client::AdaptationServiceClient,
    profile_service_client::ProfileServiceClient,
};
use tonic::{Code, Status, transport::Channel};

/// How long an MMSC waits for a message before it delivers something else.
const DEADLINE: Duration = Duration::from_secs(30);
/// Above the service's own cap, so that it is the service that refuses.
const MAX_MESSAGE: usize = 128 << 20;

/// Sends sample messages to a running mmsfit for two handsets.
#[derive(Parser)]
struct Args {
    /// Where the service listens, `http://127.0.0.1:50051`
    #[arg(long)]
    endpoint: String,
    /// The old handset, by its name in the store; by default the one with the tightest limit
    #[arg(long)]
    old: Option<String>,
    /// The new handset; by default the one with the widest limit
    #[arg(long)]
    new: Option<String>,
    /// Write a page with before beside after
    #[arg(long)]
    html: Option<PathBuf>,
    /// Write the adapted messages to this directory, one directory a handset
    #[arg(long)]
    out: Option<PathBuf>,
    /// MMS PDUs, MIME files and plain media
    samples: PathBuf,
}

/// A message to send.
struct Sample {
    name: String,
    bytes: Bytes,
    content: adapt_request::Content,
}

/// What came back for one sample and one handset.
struct Answer {
    took: Duration,
    result: Result<Fitted, Status>,
}

/// A message that fits.
struct Fitted {
    report: Report,
    content: adapt_response::Content,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every message came back fitted, or with a refusal that is no fault of the service.
async fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let samples = read_samples(&args.samples)?;
    let channel = Channel::from_shared(args.endpoint.clone())?.connect().await?;
    let handsets = choose_handsets(channel.clone(), args).await?;

    let mut client = AdaptationServiceClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let mut answers = Vec::new();
    for sample in &samples {
        let mut row = Vec::new();
        for handset in &handsets {
            row.push(send(&mut client, sample, handset).await);
        }
        answers.push(row);
    }

    print!("{}", table::render(&samples, &handsets, &answers));
    if let Some(folder) = &args.out {
        write_adapted(folder, &samples, &handsets, &answers)?;
    }
    if let Some(file) = &args.html {
        fs::write(file, page::render(&samples, &handsets, &answers))?;
    }
    Ok(answers.iter().flatten().all(Answer::is_valid))
}

/// One call: the message as it is held, the handset by name, a deadline.
async fn send(
    client: &mut AdaptationServiceClient<Channel>,
    sample: &Sample,
    handset: &DeviceSummary,
) -> Answer {
    let mut request = tonic::Request::new(AdaptRequest {
        request_id: format!("{} for {}", sample.name, handset.id),
        content: Some(sample.content.clone()),
        device: Some(DeviceDescription { device_id: handset.id.clone(), ..Default::default() }),
        ..Default::default()
    });
    request.set_timeout(DEADLINE);
    let start = Instant::now();
    let result = client.adapt(request).await.and_then(|response| unpack(response.into_inner()));
    Answer { took: start.elapsed(), result }
}

fn unpack(response: AdaptResponse) -> Result<Fitted, Status> {
    match (response.report, response.content) {
        (Some(report), Some(content)) => Ok(Fitted { report, content }),
        _ => Err(Status::internal("an answer without report or content")),
    }
}

impl Answer {
    /// Fitted and within the limit, or refused for a reason that lies in the message.
    fn is_valid(&self) -> bool {
        match &self.result {
            Ok(fitted) => {
                let report = &fitted.report;
                report.limit.as_ref().is_none_or(|limit| report.wire_bytes_after <= limit.bytes)
            }
            Err(status) => {
                matches!(status.code(), Code::FailedPrecondition | Code::InvalidArgument)
            }
        }
    }
}

/// The files of a folder in the order of their names.
fn read_samples(folder: &Path) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    if files.is_empty() {
        return Err(format!("no files in {}", folder.display()).into());
    }
    files.iter().map(|file| read_sample(file)).collect()
}

fn read_sample(file: &Path) -> Result<Sample, Box<dyn Error>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = Bytes::from(fs::read(file)?);
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let content = match extension {
        "mms" | "pdu" => adapt_request::Content::MmsPdu(bytes.clone()),
        "eml" | "mime" => adapt_request::Content::Mime(bytes.clone()),
        // A bare file: a message of one part; its type is judged by its content.
        _ => adapt_request::Content::Message(Message {
            headers: Vec::new(),
            parts: vec![Part { name: name.clone(), data: bytes.clone(), ..Default::default() }],
        }),
    };
    Ok(Sample { name, bytes, content })
}

/// The old and the new handset, from the service's own store.
async fn choose_handsets(
    channel: Channel,
    args: &Args,
) -> Result<Vec<DeviceSummary>, Box<dyn Error>> {
    let mut client = ProfileServiceClient::new(channel);
    let devices = client.list_devices(ListDevicesRequest {}).await?.into_inner().devices;
    let named = |name: &str| {
        let found = devices.iter().find(|device| device.id.eq_ignore_ascii_case(name));
        found.cloned().ok_or_else(|| format!("no device is called {name}"))
    };
    // Ties are broken by name, so that the choice is always the same.
    let limit = |device: &&DeviceSummary| (device.max_message_bytes, device.id.clone());
    let none = "the service knows no devices";
    let old = match &args.old {
        Some(name) => named(name)?,
        None => devices.iter().min_by_key(limit).cloned().ok_or(none)?,
    };
    let new = match &args.new {
        Some(name) => named(name)?,
        None => devices.iter().max_by_key(limit).cloned().ok_or(none)?,
    };
    Ok(vec![old, new])
}

fn write_adapted(
    folder: &Path,
    samples: &[Sample],
    handsets: &[DeviceSummary],
    answers: &[Vec<Answer>],
) -> Result<(), Box<dyn Error>> {
    for (position, handset) in handsets.iter().enumerate() {
        let folder = folder.join(&handset.id);
        fs::create_dir_all(&folder)?;
        for (sample, row) in samples.iter().zip(answers) {
            let Some(Answer { result: Ok(fitted), .. }) = row.get(position) else { continue };
            match &fitted.content {
                adapt_response::Content::MmsPdu(bytes) | adapt_response::Content::Mime(bytes) => {
                    fs::write(folder.join(&sample.name), bytes)?;
                }
                adapt_response::Content::Message(message) => {
                    for part in &message.parts {
                        fs::write(folder.join(file_name(&part.name, &sample.name)), &part.data)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// A part's name as a file name: never a path.
fn file_name<'a>(name: &'a str, fallback: &'a str) -> &'a str {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    if last.is_empty() || last.starts_with('.') { fallback } else { last }
}
