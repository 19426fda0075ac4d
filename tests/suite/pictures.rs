//! Every image at every limit and within all bounds: never over, never enlarged, never wrongly
//! turned, and each valid to another decoder than ours.

mod summary;

use std::{fmt::Write as _, process::Command, time::Instant};

use crate::support;
use crate::support::look::{self, Look};
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    model::{Category, Dimensions, MediaType, PartReport, ReasonCode, Report, Stop},
    service::{Service, ServiceError},
};
use summary::{Kind, fills, summary};

const LIMITS: [u64; 5] = [10_000, 30_000, 100_000, 300_000, 600_000];
const BOXES: [(u32, u32); 3] = [(160, 120), (640, 480), (1600, 1200)];
const ALL: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/vnd.wap.wbmp"];

/// Formats that this build knows but does not decode, and what is no image to it.
const NOT_DECODED: [&str; 5] = [".heic", ".heif", ".avif", ".avifs", ".svg"];
/// Not to be judged by luma as dots: the one is made to look one way averaged as stored and
/// another in linear light, as we do; the other is damaged, and gray all over.
const NOT_AS_DOTS: [&str; 2] =
    ["sharp__gamma_dalai_lama_gray.jpg", "exif-samples__67-0_length_string.jpg"];
/// Uncompressed YCbCr, which is refused by type.
const NOT_DECODED_FILE: &str = "image__ycbcr_jpeg_8bit.tif";

fn service() -> Service {
    Service::new(Config { threads: 1, ..Config::default() })
}

/// One image at one point.
struct Case {
    file: String,
    limit: u64,
    bounds: (u32, u32),
    seconds: f64,
    result: Result<Done, ServiceError>,
    /// What is wrong with it.
    faults: Vec<String>,
}

struct Done {
    data: Buffer,
    report: Report,
    shown: (u32, u32),
}

impl Done {
    fn part(&self) -> &PartReport {
        &self.report.parts[0]
    }

    /// Whether it is as good as the policy wants it.
    fn is_at_ceiling(&self) -> bool {
        self.part().reasons.iter().any(|reason| reason.code == ReasonCode::AtCeiling)
    }

    /// Whether the limit, and not the bounds or the best quality there is, decided.
    fn limit_binds(&self, limit: u64, bounds: (u32, u32)) -> bool {
        if self.part().encodes == 0 || self.report.wire_bytes_before.get() <= limit {
            return false;
        }
        let d = |(w, h)| Dimensions::at_least_one(w, h);
        let source = self.part().before.dimensions.unwrap();
        let full = source.shrunk_into(d(bounds).turned_to(source));
        let shrunk = d(self.shown) != full;
        match self.data.get(..2) {
            Some([0xff, 0xd8]) => shrunk || !self.is_at_ceiling(),
            // Colours may be fewer for the format's sake, frames for being alike.
            _ => shrunk,
        }
    }
}

/// Adapts and looks at what came out.
fn try_one(
    service: &Service,
    (name, data, truth): (&str, &Buffer, Option<&Look>),
    (limit, bounds): (u64, (u32, u32)),
    accept: &[&str],
) -> Case {
    let start = Instant::now();
    let request = support::bare(name, data, support::device(limit, bounds, accept));
    let result = service.adapt(request, &Stop::never());
    let seconds = start.elapsed().as_secs_f64();
    let mut faults = Vec::new();
    let result = result.map(|response| {
        let data = support::bytes_of(&response.content);
        Done { data, report: response.report, shown: (0, 0) }
    });
    let result = match result {
        Ok(mut done) => {
            check(&mut done, truth, (limit, bounds), accept, &mut faults);
            Ok(done)
        }
        Err(error) => {
            check_refusal(name, &error, truth.is_some(), &mut faults);
            Err(error)
        }
    };
    Case { file: name.to_owned(), limit, bounds, seconds, result, faults }
}

fn check_refusal(name: &str, error: &ServiceError, valid: bool, faults: &mut Vec<String>) {
    let not_decoded = NOT_DECODED.iter().any(|end| name.to_lowercase().ends_with(end))
        || name == NOT_DECODED_FILE;
    let typed =
        matches!(error.category, Category::Input | Category::Unsupported | Category::TooLarge);
    // Without a decoder the original is all there is: it may be over.
    let typed = typed || (not_decoded && error.category == Category::CannotFit);
    if !typed || (valid && !not_decoded) {
        faults.push(format!("refused: {:?} {} {error}", error.category, error.reason));
    }
}

fn check(
    done: &mut Done,
    truth: Option<&Look>,
    (limit, bounds): (u64, (u32, u32)),
    accept: &[&str],
    faults: &mut Vec<String>,
) {
    let mut fault = |text: String| faults.push(text);
    let (bytes, report) = (&done.data, &done.report);
    if bytes.len() as u64 > limit {
        fault(format!("{} bytes", bytes.len()));
    }
    if report.wire_bytes_after.get() != bytes.len() as u64 {
        fault(format!("{} bytes, reported {}", bytes.len(), report.wire_bytes_after.get()));
    }
    let Some(after) = done.part().after.clone() else { return fault("dropped".into()) };
    let listed = accept.iter().any(|item| mmsfit::model::MediaType::fold(item) == after.media_type);
    if !listed {
        fault(format!("{} is not accepted", after.media_type));
    }
    let jpeg = bytes.starts_with(b"\xff\xd8");
    let seen = if jpeg && done.part().encodes > 0 {
        Look::of_jpeg(bytes)
    } else {
        Look::of(bytes).ok_or_else(|| "the image crate does not read it".to_owned())
    };
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return fault(format!("not decoded: {error}")),
    };
    let (w, h) = seen.size;
    done.shown = (w, h);
    let d = |(w, h)| Dimensions::at_least_one(w, h);
    if after.dimensions != Some(d((w, h))) {
        fault(format!("{w}x{h}, reported {:?}", after.dimensions));
    }
    let source = done.report.parts[0].before.dimensions.unwrap_or(d((w, h)));
    if !d((w, h)).within(d(bounds).turned_to(source)) {
        fault(format!("{w}x{h} is not within the bounds"));
    }
    let before = &done.report.parts[0].before;
    // Of a HEIF sequence the primary image alone is decoded, and the loss is told.
    let animated =
        before.animated() && ![MediaType::HEIC, MediaType::AVIF].contains(&before.media_type);
    if animated && accept.contains(&"image/gif") && limit >= 100_000 {
        let frames = if bytes.starts_with(b"GIF") { look::gif_frames(bytes) } else { None };
        // An APNG or GIF that fits as it is passes as it is.
        if done.part().encodes > 0 && frames.is_none_or(|n| n < 2) {
            fault(format!("no longer moves: {frames:?} frames of {}", after.media_type));
        }
    }
    let Some(truth) = truth else { return };
    let (sw, sh) = truth.size;
    if w > sw || h > sh {
        fault(format!("{w}x{h} out of {sw}x{sh}"));
    }
    let (fw, fh, fsw, fsh) = (f64::from(w), f64::from(h), f64::from(sw), f64::from(sh));
    let off_w = (fw - fh * fsw / fsh).abs();
    let off_h = (fh - fw * fsh / fsw).abs();
    if off_w > (0.02 * fw).max(1.01) && off_h > (0.02 * fh).max(1.01) {
        fault(format!("{w}x{h} out of {sw}x{sh}: aspect"));
    }
    // A dozen dots show no image.
    let dots = bytes.starts_with(&[0, 0]);
    if dots && w.min(h) < 24 {
        return;
    }
    // Dithering, lost half-transparency and small size cost likeness; a wrong turn costs all.
    let coarse = dots || bytes.starts_with(b"GIF") || w.min(h) < 16;
    let wanted = if coarse { 0.65 } else { 0.93 };
    let likeness = seen.likeness(truth);
    if likeness < wanted {
        fault(format!("does not look like the source: {likeness:.3}"));
    }
}

/// The points at which an image is tried, fewer for the large ones: a sample that begins elsewhere
/// for each image, so that all points are met by many.
fn points(name: &str, pixels: u64) -> Vec<(u64, (u32, u32))> {
    let all = LIMITS.iter().flat_map(|&limit| BOXES.map(|bounds| (limit, bounds)));
    // Without a divisor in common with the 3 bounds: all bounds and limits is met.
    let (step, sampled) = match pixels {
        0..4_000_000 => (1, 6),
        4_000_000..20_000_000 => (2, 10),
        _ => (7, 13),
    };
    if support::everything() {
        all.step_by(step).collect()
    } else {
        all.skip(support::offset(name, sampled)).step_by(sampled).collect()
    }
}

fn run(images: &[(String, Buffer)]) -> Vec<Case> {
    let service = service();
    let cases = support::parallel(images, |(name, data)| {
        let truth = Look::of(data);
        let pixels = truth.as_ref().map_or(0, |t| u64::from(t.size.0) * u64::from(t.size.1));
        let input = (name.as_str(), data, truth.as_ref());
        let tried = points(name, pixels).into_iter();
        tried.map(|point| try_one(&service, input, point, ALL)).collect::<Vec<_>>()
    });
    cases.into_iter().flatten().collect()
}

fn place(case: &Case) -> String {
    format!("{} {} {}x{}", case.file, case.limit, case.bounds.0, case.bounds.1)
}

fn assert_no_faults(cases: &[Case]) {
    let faults: Vec<String> = cases
        .iter()
        .filter(|case| !case.faults.is_empty())
        .map(|case| format!("{}: {}", place(case), case.faults.join("; ")))
        .collect();
    assert!(faults.is_empty(), "{} at fault\n{}", faults.len(), faults.join("\n"));
}

/// A photo takes at most four encodes but for one in five hundred, which takes five; a drawing, of
/// which several palettes are looked at and then perhaps a JPEG, eight. Where the limit binds it is
/// used up.
fn assert_thrifty(cases: &[Case]) {
    let done = cases.iter().filter_map(|c| Some((c, c.result.as_ref().ok()?)));
    let all = done.clone().count();
    let photo = |d: &Done| d.part().before.media_type == MediaType::JPEG;
    let stills = || done.clone().filter(|(_, d)| !d.part().before.animated());
    let most = |photos: bool| {
        let some = stills().filter(|(_, d)| photo(d) == photos);
        some.map(|(_, d)| d.part().encodes).max().unwrap_or(0)
    };
    println!("at most {} encodes of a photo, {} of a drawing", most(true), most(false));
    assert!(most(true) <= 5 && most(false) <= 8);
    let greedy: Vec<String> = done
        .filter(|(_, d)| photo(d) && d.part().encodes > 4)
        .map(|(c, d)| format!("{}: {} encodes", place(c), d.part().encodes))
        .collect();
    assert!(greedy.len() * 500 <= all, "{} over four\n{}", greedy.len(), greedy.join("\n"));
    let fill =
        support::percentile(&fills(cases, Kind::Photo), 0.5).expect("the limit binds somewhere");
    assert!(fill >= 0.95, "median fill {fill}");
}

/// A sample of what came out through ffmpeg and, for WBMP, netpbm, where they are installed.
fn assert_others_read_them(cases: &[Case], wanted: usize) {
    let encoded: Vec<(&Case, &Done)> = cases
        .iter()
        .filter_map(|c| Some((c, c.result.as_ref().ok()?)))
        .filter(|(_, d)| d.part().encodes > 0)
        .collect();
    let sample: Vec<_> = encoded.iter().step_by((encoded.len() / wanted).max(1)).collect();
    let dir = tempfile::tempdir().unwrap();
    let ffmpeg = support::has_program("ffmpeg", "ffmpeg");
    let netpbm = support::has_program("netpbm", "wbmptopbm");
    let tried = support::parallel(&sample, |(case, done)| {
        let is_wbmp = done.data.starts_with(&[0, 0]);
        if !(if is_wbmp { netpbm } else { ffmpeg }) {
            return Ok(());
        }
        let path = dir.path().join(format!("{:p}", done.data.as_ptr()));
        std::fs::write(&path, &done.data).unwrap();
        let mut command = Command::new(if is_wbmp { "wbmptopbm" } else { "ffmpeg" });
        if is_wbmp {
            command.arg(&path);
        } else {
            // One thread: what is decoded is small, and the test has all cores at work.
            command.args(["-v", "error", "-threads", "1", "-i"]).arg(&path).args([
                "-fps_mode",
                "passthrough",
                "-f",
                "null",
                "-",
            ]);
        }
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        // The null muxer counts frames in a rate that it guesses; what it says of its own
        // timestamps is not about the file.
        let complaints: String = String::from_utf8_lossy(&output.stderr)
            .lines()
            .filter(|line| !line.starts_with("[null @"))
            .collect();
        if output.status.success() && (is_wbmp || complaints.trim().is_empty()) {
            Ok(())
        } else {
            Err(format!("{}: {complaints}", place(case)))
        }
    });
    let complaints: Vec<String> = tried.into_iter().filter_map(Result::err).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn own_images_within_every_limit_and_bounds() {
    let cases = run(&support::own_images());
    println!("{}", summary(&cases));
    assert!(cases.iter().all(|case| case.result.is_ok()), "all of them are valid");
    assert_no_faults(&cases);
    assert_others_read_them(&cases, 12);
    assert_thrifty(&cases);
}

#[test]
fn real_images_within_every_limit_and_bounds() {
    let images = support::corpus("image");
    if images.is_empty() {
        return;
    }
    let cases = run(&images);
    println!("{}", summary(&cases));
    assert_no_faults(&cases);
    assert_others_read_them(&cases, 48);
    assert_thrifty(&cases);
}

/// Devices that take one format alone, or only by an old spelling.
#[test]
fn devices_with_one_format_get_that_one() {
    let mut images = support::own_images();
    images.truncate(6);
    images.extend(support::corpus("image").into_iter().filter(|(name, data)| {
        data.len() < 250_000 && !NOT_DECODED.iter().any(|end| name.to_lowercase().ends_with(end))
    }));
    let service = service();
    let mixes: [(&[&str], u64, (u32, u32)); 5] = [
        (&["image/gif"], 30_000, (320, 240)),
        (&["image/vnd.wap.wbmp"], 10_000, (160, 120)),
        (&["image/png"], 60_000, (320, 240)),
        (&["image/jpg"], 20_000, (640, 480)),
        (&["image/jpeg", "image/gif"], 15_000, (128, 160)),
    ];
    let step = (images.len() / 40).max(1);
    let sample: Vec<_> = images.iter().step_by(step).collect();
    let cases: Vec<Case> = support::parallel(&sample, |(name, data)| {
        let truth = Look::of(data).filter(|_| !NOT_AS_DOTS.contains(&name.as_str()));
        let input = (name.as_str(), data, truth.as_ref());
        mixes.map(|(accept, limit, bounds)| {
            let mut case = try_one(&service, input, (limit, bounds), accept);
            for fault in &mut case.faults {
                let _ = write!(fault, " (for {})", accept.join(", "));
            }
            case
        })
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{}", summary(&cases));
    assert_no_faults(&cases);
    assert_others_read_them(&cases, 16);
}
