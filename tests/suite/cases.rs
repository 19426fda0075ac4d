//! Small inputs of public bug reports, beside the checkout, each with the outcome that is right;
//! what they have in common with others is tested where the mending is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes as Buffer;
use serde_json::Value;

use crate::support::{has_program, need, with_workers};

/// The folder of a case; `None` and a word about it where it is absent.
#[track_caller]
fn case(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let named = |path: &PathBuf| {
        path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name))
    };
    let entries = fs::read_dir(&root).into_iter().flatten().flatten();
    let found = entries.map(|entry| entry.path()).find(named);
    if found.is_none() {
        need::missing("corpus", format_args!("case {name} is not in {}", root.display()));
    }
    // The command looks for its worker beside itself.
    with_workers(mmsfit::config::Config::default())?;
    found.filter(|_| has_program("ffmpeg", "ffprobe"))
}

/// What the command made of a file: its report, and the file.
struct Done {
    report: Value,
    data: Buffer,
    out: tempfile::NamedTempFile,
}

impl Done {
    fn reasons(&self) -> String {
        self.report["report"]["parts"][0]["reasons"].to_string()
    }

    /// `stream=` fields of a kind of stream, as ffprobe tells them, `name=value`.
    fn stream(&self, kind: &str, fields: &str) -> String {
        self.probe(&["-select_streams", kind, "-show_entries", &format!("stream={fields}")])
    }

    fn probe(&self, what: &[&str]) -> String {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-of", "default=nw=1"])
            .args(what)
            .arg(self.out.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn seconds(&self) -> f64 {
        let said = self.probe(&["-show_entries", "format=duration"]);
        said.trim().trim_start_matches("duration=").parse().unwrap()
    }
}

/// Runs `adapt` on a file: the report, and where the output lies.
fn run(file: &Path, arguments: &[&str]) -> (Value, tempfile::NamedTempFile) {
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    for variable in ["MMSFIT_CONFIG", "MMSFIT_DEVICE", "MMSFIT_CARRIER", "MMSFIT_EFFORT"] {
        command.env_remove(variable);
    }
    let output = command
        .args(["adapt", "--json"])
        .args(arguments)
        .arg("--output")
        .arg(out.path())
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", file.display());
    (serde_json::from_slice(&output.stdout).unwrap(), out)
}

/// Adapts one medium alone.
fn adapt(file: &Path, arguments: &[&str]) -> Done {
    let (report, out) = run(file, &[&["--bare"], arguments].concat());
    let data = Buffer::from(fs::read(out.path()).unwrap());
    Done { report, data, out }
}

/// Pixels of an image or of the first frame of a video, RGB.
fn pixels(file: &Path) -> image::RgbImage {
    image::ImageReader::open(file).unwrap().with_guessed_format().unwrap().decode().unwrap().into()
}

#[test]
fn heic_of_ios_18_is_a_photo() {
    let Some(case) = case("01") else { return };
    let done = adapt(&case.join("ios18_tmap.heic"), &S24_100K);
    assert!(done.data.starts_with(&[0xff, 0xd8]) && done.data.len() <= 100_000);
    assert_eq!(done.stream("v", "width,height"), "width=640\nheight=480\n");
}

const S24_100K: [&str; 4] = ["--device", "samsung-galaxy-s24", "--max-bytes", "100k"];

#[test]
fn a_codec_stated_without_a_level_is_as_good_as_the_phone() {
    let Some(case) = case("02") else { return };
    let device = case.join("galaxy-s6-SM-G920F.xml");
    let done = adapt(&case.join("clip.mp4"), &["--device", device.to_str().unwrap()]);
    let said = done.stream("v", "codec_name,width,height");
    let number = |name: &str| -> u32 {
        said.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    };
    assert!(said.contains("codec_name=h264"), "{said}");
    assert!(number("width=") >= 320 && number("height=") >= 180, "{said}");
}

#[test]
fn a_sticker_leaves_no_ghosts() {
    let Some(case) = case("04") else { return };
    let done = adapt(
        &case.join("sticker.webp"),
        &["--device", "samsung-galaxy-s24", "--max-bytes", "60k"],
    );
    assert!(done.data.starts_with(b"GIF8"), "{}", done.reasons());
    // What is covered in each frame: a disc that moves on, nothing of where it was.
    let said = done.probe(&["-count_frames", "-show_entries", "stream=nb_read_frames"]);
    assert_eq!(said, "nb_read_frames=4\n");
}

#[test]
fn what_an_edit_list_leaves_out_is_not_shown() {
    let Some(case) = case("05") else { return };
    let arguments = ["--device", "nokia-6600", "--max-bytes", "20k"];
    let done = adapt(&case.join("trimmed.mp4"), &arguments);
    assert!((done.seconds() - 3.1).abs() < 0.25, "{}", done.seconds());
    assert!(!done.stream("a", "codec_name").is_empty());
}

#[test]
fn audio_that_cannot_be_decoded_does_not_cost_the_video() {
    let Some(case) = case("08") else { return };
    for (file, audio) in [
        ("undecodable-first-sound.mp4", true),
        ("xhe-aac-sound.mp4", false),
        ("unsupported-secondary-audio.mov", true),
    ] {
        let arguments = ["--device", "samsung-galaxy-s24", "--max-bytes", "90k"];
        let done = adapt(&case.join(file), &arguments);
        assert!(!done.stream("v", "codec_name").is_empty(), "{file}: {}", done.reasons());
        assert_eq!(!done.stream("a", "codec_name").is_empty(), audio, "{file}");
        assert_eq!(done.reasons().contains("AUDIO_LOST"), !audio, "{file}");
    }
}

#[test]
fn gamma_is_that_of_the_file() {
    let Some(case) = case("12") else { return };
    let wanted = pixels(&case.join("as-it-should-look.png"));
    for file in ["gama-1.0.png", "gama-1.8-mac.png"] {
        let arguments = ["--device", "samsung-galaxy-s24", "--max-bytes", "20k"];
        let done = adapt(&case.join(file), &arguments);
        let shown = image::load_from_memory(&done.data).unwrap().to_rgb8();
        let shown = image::imageops::resize(
            &shown,
            wanted.width(),
            wanted.height(),
            image::imageops::FilterType::Triangle,
        );
        let pairs = shown.as_raw().iter().zip(wanted.as_raw());
        let mean = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>()
            / wanted.as_raw().len() as f64;
        assert!(mean < 6.0, "{file}: {mean}");
    }
}

#[test]
fn a_cover_is_no_film() {
    let Some(case) = case("13") else { return };
    let done = adapt(&case.join("cover-as-track.m4a"), &S24_100K);
    assert_eq!(done.stream("a", "codec_name"), "codec_name=aac\n");
    assert_eq!(done.stream("v", "codec_name"), "");
}

#[test]
fn small_interlaced_gifs_are_read() {
    let Some(case) = case("16") else { return };
    for file in ["041_31x55.gif", "110_11x59.gif"] {
        let arguments = ["--device", "nokia-6300", "--max-bytes", "20k", "--max-image", "40x40"];
        let done = adapt(&case.join(file), &arguments);
        assert!(!done.stream("v", "width").is_empty(), "{file}");
    }
}

#[test]
fn high_definition_without_tags_is_bt709() {
    let Some(case) = case("18") else { return };
    let arguments = ["--device", "samsung-galaxy-s24", "--max-bytes", "60k"];
    let done = adapt(&case.join("hd-untagged.mp4"), &arguments);
    let said = done.stream("v", "color_space,color_primaries,color_transfer");
    assert_eq!(said.matches("=bt709").count() + said.matches("=smpte170m").count(), 3, "{said}");
}

#[test]
fn stereo_in_opposite_phase_is_heard() {
    let Some(case) = case("21") else { return };
    let arguments = ["--device", "nokia-6600", "--max-bytes", "14k"];
    let done = adapt(&case.join("antiphase.m4a"), &arguments);
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-i"])
        .arg(done.out.path())
        .args(["-af", "volumedetect", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let loud = said.split("mean_volume: ").nth(1).and_then(|rest| rest.split(' ').next());
    let loud: f64 = loud.unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    assert!(loud > -40.0, "{loud} dB");
}

/// Adapts a whole message; the bytes that come out.
fn message(file: &Path, device: &str) -> (Value, Vec<u8>) {
    let (report, out) = run(file, &["--device", device]);
    (report, fs::read(out.path()).unwrap())
}

/// The types that parts have become.
fn types(report: &Value) -> Vec<String> {
    let parts = report["report"]["parts"].as_array().unwrap();
    let after = |part: &Value| part["after"]["mediaType"].as_str().unwrap_or("gone").to_owned();
    parts.iter().map(after).collect()
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_control_character_makes_no_other_script_of_a_text() {
    let Some(case) = case("06") else { return };
    let file = case.join("vertical-tab.mms");
    let (report, bytes) = message(&file, "nokia-6600");
    assert_eq!(types(&report), ["text/plain"]);
    assert_eq!(bytes, fs::read(&file).unwrap(), "not as it came");
}

#[test]
fn a_mailbox_line_stands_before_a_mail() {
    let Some(case) = case("10") else { return };
    let (report, bytes) = message(&case.join("mbox-one-message.mail"), "samsung-galaxy-s24");
    assert_eq!(types(&report), ["text/plain", "image/jpeg"]);
    assert!(!bytes.is_empty());
}

#[test]
fn a_core_audio_file_is_audio_at_the_door_too() {
    let Some(case) = case("11") else { return };
    let done = adapt(&case.join("note_amr.caf"), &["--device", "nokia-6600"]);
    assert_eq!(done.stream("a", "codec_name"), "codec_name=amr_nb\n");
}

#[test]
fn bytes_of_an_image_beat_the_label_of_a_text() {
    let Some(case) = case("14") else { return };
    let (report, bytes) = message(&case.join("jpeg-as-text.mms"), "samsung-galaxy-s24");
    assert_eq!(types(&report), ["image/jpeg"]);
    assert!(holds(&bytes, &[0xff, 0xd8, 0xff]));
}

#[test]
fn a_type_that_cannot_be_parsed_is_text_where_the_bytes_are() {
    let Some(case) = case("15") else { return };
    let (report, bytes) = message(&case.join("ct_only_type.eml"), "generic-android");
    assert_eq!(types(&report), ["text/plain", "image/jpeg"]);
    assert!(holds(&bytes, b"hi there"));
}

#[test]
fn an_image_leaves_under_the_name_that_the_device_lists() {
    let Some(case) = case("19") else { return };
    let (report, bytes) = message(&case.join("image-jpg.mms"), "nokia-6600");
    assert_eq!(types(&report), ["image/jpeg"]);
    assert!(!holds(&bytes, b"image/jpg"));
}

#[test]
fn any_charset_is_named() {
    let Some(case) = case("20") else { return };
    let (report, bytes) = message(&case.join("charset_any.mms"), "samsung-galaxy-s24");
    assert!(report.to_string().contains("DECLARED_TYPE_WRONG"), "{report}");
    // Charset, UTF-8 by its number (OMA-TS-MMS-ENC clause 7.2.9, IANA MIBenum 106).
    assert!(holds(&bytes, &[0x81, 0xea]));
}

#[test]
fn references_follow_their_part_however_they_are_spelt() {
    let Some(case) = case("47") else { return };
    let (_, bytes) = message(&case.join("s_prefix.mms"), "nokia-6600");
    assert!(holds(&bytes, b"src=\"p.jpg\"") || holds(&bytes, b"src=\"./p.jpg\""));
    assert!(!holds(&bytes, b"p.webp"));
}

/// Five images of two seconds each go on as all five, in a loop.
#[test]
fn a_slide_show_does_not_become_a_tiny_video() {
    let Some(case) = case("03") else { return };
    for limit in ["60k", "20k"] {
        let slides = case.join("slides.gif");
        let show = adapt(&slides, &["--device", "nokia-6300", "--max-bytes", limit]);
        assert!(show.data.starts_with(b"GIF89a"), "{limit}: {}", show.reasons());
        assert!(holds(&show.data, b"NETSCAPE2.0"), "{limit}: it goes on for ever");
        let frames = show.probe(&["-count_frames", "-show_entries", "stream=nb_read_frames"]);
        assert_eq!(frames.trim(), "nb_read_frames=5", "{limit}: {}", show.reasons());
        assert!((show.seconds() - 10.0).abs() < 0.2, "{limit}: {}", show.seconds());
    }
}
