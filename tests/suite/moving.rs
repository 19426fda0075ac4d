//! All audio and video of the corpus, and the project's own, for four classes of device: nothing
//! over the limit, everything accepted by ffprobe with the right codecs, size and length, and the
//! two tracks in step. Skipped where the worker or ffprobe is absent.

use std::process::Command;

use crate::support;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Action, Bytes, Category, MediaKind, ReasonCode, Stop},
    profile::DeviceDescription,
    samples::av,
    service::Service,
};

/// A class of device: a document of the store, and what its video and audio may be.
struct Class {
    device: &'static str,
    limit: u64,
    video: &'static [&'static str],
    audio: &'static [&'static str],
    bounds: (u32, u32),
}

const CLASSES: [Class; 4] = [
    Class {
        device: "class-video-basic",
        limit: 102_400,
        video: &["h263"],
        audio: &["amr_nb"],
        bounds: (176, 144),
    },
    Class {
        device: "class-video-rich",
        limit: 307_200,
        video: &["mpeg4", "h263"],
        audio: &["amr_nb"],
        bounds: (176, 144),
    },
    Class {
        device: "nokia-c2-01",
        limit: 614_400,
        video: &["h264", "mpeg4", "h263"],
        audio: &["aac", "mp3", "amr_nb", "amr_wb"],
        bounds: (352, 288),
    },
    Class {
        device: "google-pixel-8",
        limit: 1_048_576,
        video: &["h264", "mpeg4", "h263"],
        audio: &["aac", "mp3", "amr_nb", "amr_wb"],
        bounds: (640, 480),
    },
];

/// What ffprobe says of one track.
#[derive(Debug, Default)]
struct Track {
    codec: String,
    size: (u32, u32),
    seconds: f64,
    start: f64,
}

/// The tracks and the length of the whole.
fn ffprobe(bytes: &[u8]) -> Result<Vec<Track>, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let entries = "stream=codec_name,width,height,start_time,duration,nb_read_packets:format=duration,format_name";
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-of", "json", "-show_entries", entries])
        .arg(file.path())
        .output()
        .map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() || !said.is_empty() {
        return Err(said.into_owned());
    }
    let value: serde_json::Value =
        serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())?;
    let number = |v: &serde_json::Value| v.as_str().and_then(|s| s.parse::<f64>().ok());
    let whole = number(&value["format"]["duration"]).unwrap_or(0.0);
    // An AMR file does not tell its length, and what ffprobe estimates from its rate is 3 % off:
    // its frames are counted, 20 ms each.
    let amr = value["format"]["format_name"] == "amr";
    let length = |t: &serde_json::Value| match amr {
        true => number(&t["nb_read_packets"]).map(|frames| frames * 0.02),
        false => number(&t["duration"]),
    };
    let tracks = value["streams"].as_array().cloned().unwrap_or_default();
    let side = |v: &serde_json::Value| v.as_u64().unwrap_or(0) as u32;
    Ok(tracks
        .iter()
        .map(|t| Track {
            codec: t["codec_name"].as_str().unwrap_or("").to_owned(),
            size: (side(&t["width"]), side(&t["height"])),
            seconds: length(t).unwrap_or(whole),
            start: number(&t["start_time"]).unwrap_or(0.0),
        })
        .collect())
}

fn check(class: &Class, name: &str, data: &Buffer, service: &Service) -> Vec<String> {
    let device = DeviceDescription { device_id: Some(class.device.into()), ..Default::default() };
    let answer = service.adapt(support::bare(name, data, device), &Stop::never());
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(format!("{}, {name}: {text}", class.device));
    let response = match answer {
        Ok(response) => response,
        // Audio files too long for the lowest useful rate, where the policy does not allow cutting.
        Err(error) if error.category == Category::CannotFit => return faults,
        Err(error) => {
            // Notes are no audio; a damaged file is told.
            let told = matches!(error.category, Category::Unsupported | Category::Input);
            if !told
                || !name.ends_with(".mid") && !name.ends_with(".imy") && !name.ends_with(".rtttl")
            {
                fault(format!("{:?} {} {error}", error.category, error.reason));
            }
            return faults;
        }
    };
    let out = support::bytes_of(&response.content);
    let part = &response.report.parts[0];
    if out.len() as u64 > class.limit {
        fault(format!("{} bytes", out.len()));
    }
    let Some(after) = part.after.clone().filter(|_| part.action == Action::Transcode) else {
        return faults;
    };
    let tracks = match ffprobe(&out) {
        Ok(tracks) => tracks,
        Err(error) => {
            fault(format!("ffprobe: {error}"));
            return faults;
        }
    };
    if after.kind == MediaKind::Image {
        if !part.reasons.iter().any(|r| r.code == ReasonCode::VideoLost) {
            fault("an image without its reason".into());
        }
        return faults;
    }
    let seconds = part.before.duration.seconds();
    for track in &tracks {
        let video = track.size.0 > 0;
        let known = if video { class.video } else { class.audio };
        if !known.contains(&track.codec.as_str()) {
            fault(format!("{} is not for it", track.codec));
        }
        let (w, h) = class.bounds;
        let (long, short) = (track.size.0.max(track.size.1), track.size.0.min(track.size.1));
        if video && (long > w || short > h) {
            fault(format!("{:?}", track.size));
        }
        if (track.seconds - seconds).abs() > 0.1 || track.start.abs() > 0.05 {
            fault(format!("{track:?} of {seconds} s"));
        }
    }
    if tracks.is_empty() {
        fault("no tracks".into());
    }
    if let [a, b] = &tracks[..]
        && (a.seconds - b.seconds).abs() > 0.1
    {
        fault(format!("out of step: {a:?} {b:?}"));
    }
    let told = part
        .reasons
        .iter()
        .any(|r| matches!(r.code, ReasonCode::EncodingChosen | ReasonCode::ContainerChanged));
    if !told {
        fault(format!("no step is told: {:?}", part.reasons));
    }
    faults
}

fn service() -> Option<Service> {
    let service = support::with_workers(Config { threads: 2, ..Config::default() })?;
    support::has_program("ffmpeg", "ffprobe").then_some(service)
}

/// Every video once as large as the device takes it, and again under limits of 70 % and 40 % of
/// that, which bind for certain.
#[test]
fn limits_that_bind_are_filled() {
    let Some(service) = service() else { return };
    let mut files = vec![("own-clip.avi".to_owned(), av::avi(320, 240, 6).expect("a video"))];
    files.extend(support::corpus("video"));
    let all = support::everything();
    // Half of the videos, each for one class; with MMSFIT_ALL=1 all for all.
    files.retain(|(name, _)| all || name.starts_with("own") || support::offset(name, 2) == 0);
    let (mut fills, mut tries, mut poor) = (Vec::new(), Vec::new(), Vec::new());
    for (n, (name, data)) in files.iter().enumerate() {
        for (k, class) in CLASSES.iter().enumerate() {
            // A minute of high definition is decoded in `sound_and_video_for_four_classes`.
            if name.contains("1080p") || !(all || n == 0 || (n + k) % 4 == 0) {
                continue;
            }
            let fit = |limit: Option<u64>| {
                let device = DeviceDescription {
                    device_id: Some(class.device.into()),
                    ..Default::default()
                };
                let mut request = support::bare(name, data, device);
                request.limits.max_message_bytes = limit.map(Bytes::new);
                let response = service.adapt(request, &Stop::never()).ok()?;
                let part = response.report.parts.into_iter().next()?;
                let kind = part.after.as_ref()?.kind;
                let fitted = part.action == Action::Transcode && kind == MediaKind::Video;
                fitted.then(|| (support::bytes_of(&response.content).len() as u64, part.encodes))
            };
            let Some((full, _)) = fit(None) else { continue };
            for share in [0.7, 0.4] {
                let limit = (full as f64 * share) as u64;
                let Some((size, encodes)) = fit(Some(limit)) else { continue };
                assert!(size <= limit, "{name} for {}: {size} of {limit}", class.device);
                let fill = size as f64 / limit as f64;
                fills.push(fill);
                tries.push(f64::from(encodes));
                if fill < 0.9 {
                    poor.push(format!("{name} for {}: {size} of {limit}", class.device));
                }
            }
        }
    }
    let at = |values: &[f64], share| support::percentile(values, share).unwrap_or(1.0);
    let (median, low) = (at(&fills, 0.5), at(&fills, 0.1));
    println!(
        "{} fits: fill {median:.3} at the median, {low:.3} at the 10th percentile",
        fills.len()
    );
    println!("encodes: {} at the median, {} at most", at(&tries, 0.5), at(&tries, 1.0));
    println!("below 0.9:\n{}", poor.join("\n"));
    assert!(median >= 0.93, "{median}");
    assert!(at(&tries, 0.9) <= 2.0, "{tries:?}");
}

#[test]
fn audio_and_video_for_four_classes() {
    let Some(service) = service() else { return };
    let mut files = vec![
        ("own-voice.wav".to_owned(), av::wav(9)),
        ("own-clip.avi".to_owned(), av::avi(320, 240, 6).expect("a video")),
    ];
    files.extend(support::corpus("audio"));
    files.extend(support::corpus("video"));
    let mut cases = Vec::new();
    for (n, (name, data)) in files.iter().enumerate() {
        for (k, class) in CLASSES.iter().enumerate() {
            // One of the four for two in three files of the corpus; with MMSFIT_ALL=1 all of them.
            let drawn = support::offset(name, 3 * CLASSES.len());
            if support::everything() || n < 2 || (k == drawn / 3 && !drawn.is_multiple_of(3)) {
                cases.push((class, name, data));
            }
        }
    }
    let tried = support::parallel(&cases, |(class, name, data)| {
        let began = std::time::Instant::now();
        let faults = check(class, name, data, &service);
        if began.elapsed().as_secs() > 5 {
            println!("slow: {name} for {}: {:?}", class.device, began.elapsed());
        }
        faults
    });
    println!("{} tried", tried.len());
    let faults: Vec<String> = tried.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
