//! The command as a person or a program meets it.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn mmsfit() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    for variable in ["MMSFIT_CONFIG", "MMSFIT_DEVICE", "MMSFIT_CARRIER", "MMSFIT_EFFORT"] {
        command.env_remove(variable);
    }
    command.env("COLUMNS", "100");
    command
}

fn run(args: &[&str]) -> Output {
    mmsfit().args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A photo-like JPEG of 1152 × 864, and a PNG.
fn samples(dir: &Path) {
    use mmsfit::samples::{self, photo};
    fs::write(dir.join("photo.jpg"), samples::jpeg(&photo::photo(1152, 864, 1), None).unwrap())
        .unwrap();
    fs::write(dir.join("screen.png"), samples::png(&photo::screenshot(400, 600, 1)).unwrap())
        .unwrap();
    fs::write(dir.join("hello.txt"), "grüße").unwrap();
}

#[test]
fn every_command_explains_itself() {
    let help = stdout(&run(&["--help"]));
    for command in [
        "adapt",
        "plan",
        "inspect",
        "serve",
        "devices",
        "carriers",
        "batch",
        "bench",
        "check-config",
        "config",
        "completions",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{command}\n{help}");
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let text = stdout(&output);
        assert!(text.contains("Usage: mmsfit"), "{command}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{command}\n{text}");
    }
    assert!(!help.contains("demo-samples"));
    assert!(help.contains("Exit codes:"));
    let help = stdout(&run(&["adapt", "--help"]));
    for wanted in ["Examples:", "Device:", "Carrier and limits:", "Output:", "MMSFIT_CARRIER"] {
        assert!(help.contains(wanted), "{wanted}\n{help}");
    }
    let help = stdout(&run(&["batch", "run", "--help"]));
    assert!(help.contains("journal.jsonl") && help.contains("a.png.jpg"), "{help}");
    for wanted in ["Which:", "Dry run:", "--manifest <FILE>", "a~1f2e3d4c.jpg", "--shard <I/N>"] {
        assert!(help.contains(wanted), "{wanted}\n{help}");
    }
}

#[test]
fn completions_are_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("check-config"), "{shell}");
    }
}

#[test]
fn usage_errors_are_2_and_bad_input_is_3() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("junk.bin"), b"\x00\x01\x02\x03").unwrap();
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("m.mms"), b"\x8c\x84\x98x\0\x8d\x92").unwrap();
    for (args, code) in [
        (vec!["adapt".to_owned()], 2),
        (vec!["frobnicate".into()], 2),
        (vec!["adapt".into(), path("photo.jpg"), "--max-bytes".into(), "many".into()], 2),
        (vec!["adapt".into(), "--bare".into(), path("photo.jpg"), path("screen.png")], 2),
        (vec!["adapt".into(), path("photo.jpg"), path("m.mms")], 2),
        (vec!["adapt".into(), "--bare".into(), path("hello.txt")], 3),
        (vec!["adapt".into(), "--bare".into(), path("m.mms")], 3),
        (vec!["adapt".into(), path("photo.jpg"), "-o".into(), path("photo.jpg")], 2),
        (vec!["bench".into(), "--seconds".into(), "0".into()], 2),
        (vec!["adapt".into(), path("not-there.jpg")], 3),
        (vec!["adapt".into(), path("junk.bin")], 3),
        (vec!["adapt".into(), path("empty")], 3),
        (vec!["inspect".into(), path("junk.bin")], 3),
        (vec!["batch".into(), "run".into(), path("nowhere"), path("out")], 3),
        (vec!["batch".into(), "run".into(), path("photo.jpg"), path("out")], 2),
        (vec!["batch".into(), "run".into(), path("."), path("out"), "--shard=2/2".into()], 2),
        (vec!["batch".into(), "run".into(), path("."), path("out"), "--include=a[".into()], 2),
        (vec!["batch".into(), "run".into(), path("."), path("out"), "--sample=5".into()], 2),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{args:?}");
    }
}

#[test]
fn errors_are_one_line_or_one_object() {
    let output = run(&["adapt", "not-there.jpg"]);
    let text = stderr(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("mmsfit: not-there.jpg: no such file"), "{text}");
    assert!(text.contains("INPUT_UNREADABLE"), "{text}");

    let output = run(&["adapt", "not-there.jpg", "--json"]);
    assert!(output.stderr.is_empty());
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["error"]["code"], 3);
    let info = &value["error"]["details"][0];
    assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(info["domain"], "mmsfit");
    assert_eq!(info["reason"], "INPUT_UNREADABLE");
    assert_eq!(info["metadata"]["file"], "not-there.jpg");

    // With the message on stdout the object goes to stderr.
    let output = run(&["adapt", "not-there.jpg", "--json", "-o", "-"]);
    assert!(output.stdout.is_empty());
    assert!(serde_json::from_slice::<Value>(&output.stderr).is_ok());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = mmsfit().args(["completions", "bash"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn configuration_is_shown_and_a_missing_one_is_told() {
    let output = run(&["check-config"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("threads"));
    let value: Value = serde_json::from_slice(&run(&["check-config", "--json"]).stdout).unwrap();
    assert!(value["threads"].as_u64().unwrap() >= 1);
    let output = run(&["--config", "/no/such/file.toml", "check-config"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("/no/such/file.toml"), "{}", stderr(&output));
}

/// A carrier of the operator's own, with its policy, from its file to the message.
#[test]
fn a_carrier_file_is_checked_shown_and_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let row = "kind = 'gateway'\nbytes = '60k'\nsource = 's'\ndate = '2026-11'\n";
    let carrier = |policy: &str, more: &str| {
        format!("title = 'T'\ncountry = 'de'\nmcc_mnc = []\n{policy}\n[[limits]]\n{row}{more}")
    };
    let put = |text: String| fs::write(path("carriers/xx-own.toml"), text).unwrap();
    fs::create_dir(path("carriers")).unwrap();
    fs::write(path("mmsfit.toml"), format!("carriers_dirs = ['{}']", path("carriers"))).unwrap();
    let config = path("mmsfit.toml");
    let run = |args: &[&str]| run(&[&["--config", &config], args].concat());

    put(carrier("[policy.ladder]\nvidoe = ['drop']", ""));
    let said = stderr(&run(&["check-config"]));
    assert!(said.contains("line 5") && said.contains("did you mean `ladder.video`"), "{said}");

    put(carrier("", "until = '2020-01-01'"));
    let shown = stdout(&run(&["check-config"]));
    assert!(shown.contains("no limit holds today") && shown.contains("xx-own"), "{shown}");

    put(carrier("[policy]\nladder.other = ['notice']\nnotices.de = '[{name} fehlt]'", ""));
    let shown = stdout(&run(&["carriers", "xx-own"]));
    assert!(shown.contains("policy: ladder.other = notice"), "{shown}");
    fs::write(path("plan.pdf"), "%PDF-1.4").unwrap();
    fs::write(path("hello.txt"), "Hallo").unwrap();
    let (pdf, text, out) = (path("plan.pdf"), path("hello.txt"), path("out.mms"));
    let device = ["--device", "class-image-rich", "--carrier", "xx-own"];
    let output = run(&[&["adapt", &pdf, &text, "-o", &out], &device[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let bytes = fs::read(&out).unwrap();
    let notice = "[plan.pdf fehlt]".as_bytes();
    assert!(bytes.windows(notice.len()).any(|window| window == notice));

    put(carrier("[policy]\nladder.other = []", ""));
    let output = run(&[&["adapt", &pdf, &text, "-o", &path("none.mms")], &device[..]].concat());
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("NO_STEP_ALLOWED") && said.contains("application/pdf"), "{said}");
    assert!(!Path::new(&path("none.mms")).exists());
}

#[test]
fn without_an_output_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let before = fs::read(dir.path().join("photo.jpg")).unwrap();
    let listing = |dir: &Path| fs::read_dir(dir).unwrap().count();
    let count = listing(dir.path());
    let photo = dir.path().join("photo.jpg");
    let output = run(&["adapt", "--bare", photo.to_str().unwrap(), "--max-bytes", "100k"]);
    assert_eq!(listing(dir.path()), count);
    assert_eq!(fs::read(&photo).unwrap(), before);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("nothing written"), "{}", stdout(&output));
}

#[test]
fn a_photo_comes_out_within_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let photo = dir.path().join("photo.jpg");
    let small = dir.path().join("new/small.jpg");
    let page = dir.path().join("report.html");
    let output = mmsfit()
        .args(["adapt", "--bare", "--max-bytes", "60k", "--max-image", "640x480", "--json"])
        .arg(&photo)
        .arg("-o")
        .arg(&small)
        .arg("--html")
        .arg(&page)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = fs::read(&small).unwrap();
    assert!(written.len() <= 60_000 && written.starts_with(b"\xff\xd8"), "{}", written.len());
    assert_eq!(fs::read_dir(small.parent().unwrap()).unwrap().count(), 1, "leftovers");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &value["report"];
    assert_eq!(value["output"], small.to_str().unwrap());
    assert_eq!(report["wireBytesAfter"], written.len());
    assert_eq!(report["limit"]["bytes"], 60_000);
    assert!(report["parts"][0]["action"].as_str().unwrap().ends_with("TRANSCODE"));
    assert_eq!(report["parts"][0]["after"]["bytes"], written.len());
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 2);
}

#[test]
fn media_become_a_message_and_messages_pass_through_pipes() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let file = |name: &str| dir.path().join(name);
    let output = mmsfit()
        .args(["adapt", "--max-bytes", "100k", "-o", "-"])
        .args([file("photo.jpg"), file("screen.png"), file("hello.txt")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout.first(), Some(&0x8c));
    assert!(output.stdout.len() <= 100_000);
    assert!(stderr(&output).contains("photo.jpg"), "{}", stderr(&output));

    let mut child = mmsfit()
        .args(["adapt", "-", "--max-bytes", "50k", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&output.stdout).unwrap();
    let again = child.wait_with_output().unwrap();
    assert!(again.status.success());
    assert!(again.stdout.len() <= 50_000 && again.stdout.first() == Some(&0x8c));

    let message = file("m.mms");
    fs::write(&message, &output.stdout).unwrap();
    let output = mmsfit().args(["inspect", "--json"]).arg(&message).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["parts"].as_array().unwrap().len(), 4, "{value}");
}

#[test]
fn what_cannot_fit_is_4_and_says_what_could() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    fs::write(dir.path().join("long.txt"), "never cut ".repeat(500)).unwrap();
    let output = mmsfit()
        .args(["adapt", "--max-bytes", "1k", "--json"])
        .arg(dir.path().join("long.txt"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["error"]["code"], 9);
    let metadata = &value["error"]["details"][0]["metadata"];
    assert!(metadata["smallestReachableBytes"].is_string(), "{value}");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let plain = run(&["check-config"]);
    assert!(!stdout(&plain).contains('\x1b'));
    let coloured = run(&["check-config", "--color", "always"]);
    assert!(stdout(&coloured).contains("\x1b["));
}

#[test]
fn a_message_is_planned_against_all_carriers_and_devices() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let page = dir.path().join("matrix.html");
    let output = mmsfit()
        .args(["plan", "--matrix", "--json", "--html"])
        .arg(&page)
        .arg(dir.path().join("photo.jpg"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (rows, devices) = (value["rows"].as_array().unwrap(), value["devices"].as_array().unwrap());
    assert!(rows.len() >= 60, "{} carriers", rows.len());
    for row in rows {
        let cells = row["cells"].as_array().unwrap();
        assert_eq!(cells.len(), devices.len(), "{row}");
        // The smallest class shows a smaller image, and says why.
        assert_eq!(cells[0]["outcome"], "OUTCOME_MINOR", "{row}");
        assert_eq!(cells[0]["reasons"][0], "REASON_CODE_OVER_IMAGE_LIMIT", "{row}");
    }
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("us-verizon") && text.contains("larger than the image size allowed"));
    assert!(!text.contains("<script") && text.contains("default-src 'none'"));
    // One row and one column of it.
    let output = mmsfit()
        .args(["plan", "--matrix", "--carrier", "fr-free", "--device", "nokia-6600"])
        .arg(dir.path().join("photo.jpg"))
        .output()
        .unwrap();
    let table = stdout(&output);
    assert!(table.contains("fr-free") && !table.contains("us-verizon"), "{table}");
}

#[test]
fn presentations_are_held_to_the_rules_on_request() {
    let dir = tempfile::tempdir().unwrap();
    samples(dir.path());
    let mime = "Content-Type: multipart/related; boundary=b; start=\"<s>\"\r\n\r\n\
                --b\r\nContent-Type: application/smil\r\nContent-ID: <s>\r\n\r\n\
                <smil><head><layout><region id=\"Top\"/></layout></head>\n<body><par>\
                <img src=\"gone.jpg\"/></par></body></smil>\r\n\
                --b\r\nContent-Type: text/plain\r\nContent-Location: t.txt\r\n\r\nHi\r\n--b--\r\n";
    let file = dir.path().join("message.eml");
    fs::write(&file, mime).unwrap();
    let output = mmsfit().args(["inspect", "--lint", "--json"]).arg(&file).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules: Vec<&str> = value["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["REGION_NAME", "DURATION", "DANGLING_REFERENCE", "NOT_SHOWN"], "{value}");
    let output = mmsfit().args(["inspect", "--lint"]).arg(&file).output().unwrap();
    let text = stdout(&output);
    assert!(text.contains("line 2: <img> shows `gone.jpg`, which is not there"), "{text}");
}
