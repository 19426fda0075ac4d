//! What `mmsfit size` reckons, from costs that are given and from costs that it measures itself.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn size(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mmsfit"))
        .arg("size")
        .args(arguments)
        .env_remove("MMSFIT_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

fn told(arguments: &[&str]) -> Value {
    let output = size(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A photo of 30 ms, three of four calls, beside texts.
fn costs(folder: &Path) -> String {
    let kind = |name: &str, share: f64, work: &[f64]| {
        json!({
            "name": name, "share": share, "contents": 0, "calls": 100, "workMs": work,
            "reducedMs": work.iter().map(|ms| ms * 0.6).collect::<Vec<_>>(),
            "otherMs": 0.5, "senderMs": 0.4, "parallel": 1.0,
        })
    };
    let costs = json!({
        "version": "0.1.0", "threads": 2, "peakMemoryBytes": 120 << 20, "coreShare": 0.99,
        "kinds": [kind("photo", 3.0, &[20.0, 30.0, 40.0]), kind("text", 1.0, &[])],
    });
    let path = folder.join("costs.json");
    fs::write(&path, costs.to_string()).expect("it is written");
    path.to_str().expect("text").to_owned()
}

#[test]
fn instances_follow_from_costs_and_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let costs = costs(folder.path());
    let with = |more: &[&str]| told(&[&["--costs", &costs, "--json"], more].concat());
    let one = with(&["--rate", "1000", "--p99", "500", "--cost-per-core-hour", "0.05"]);
    let (answer, number) = (&one["answer"], |value: &Value| value.as_f64().expect("a number"));
    // 23 ms a call: 174 a second on four cores at most, and 70 % of what is carried is used.
    let knee = number(&answer["kneePerSecond"]);
    assert!((110.0..290.0).contains(&knee), "{answer}");
    let instances = number(&answer["instances"]);
    assert_eq!(instances, (1000.0 / (0.7 * knee)).ceil(), "{answer}");
    assert_eq!(number(&answer["cores"]), 4.0 * instances);
    let million = number(&answer["costPerMillion"]);
    let wanted = 4.0 * instances * 24.0 * 0.05 / (86_400.0 * 1000.0) * 1e6;
    assert!((million / wanted - 1.0).abs() < 1e-6, "{million} {wanted}");
    assert_eq!(with(&["--rate", "1000", "--p99", "500", "--cost-per-core-hour", "0.05"]), one);

    let hours: Vec<String> = (0..24).map(|hour| (50 * (1 + hour)).to_string()).collect();
    let day = folder.path().join("day.txt");
    fs::write(&day, hours.join("\n")).expect("it is written");
    let zones = with(&["--day", day.to_str().expect("text"), "--p99", "500", "--zones", "3"]);
    assert_eq!(number(&zones["answer"]["peakPerSecond"]), 1200.0);
    assert_eq!(number(&zones["answer"]["instances"]) % 3.0, 0.0);

    let fleet = with(&["--fleet", "30", "--used", "0.6"]);
    let p99 = |balance: &str| {
        let rows = fleet.as_array().expect("rows");
        let row = rows.iter().find(|row| row["balance"] == balance && row["trouble"] == "none");
        number(&row.expect("a row")["p99Ms"])
    };
    assert!(p99("roundRobin") > p99("leastOutstanding"), "{fleet}");
    let table = size(&["--costs", &costs, "--fleet", "10", "--used", "0.5"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("the better of two"));
}

#[test]
fn what_cannot_be_reckoned_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let costs = costs(folder.path());
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"version\":1}").expect("it is written");
    let broken = broken.to_str().expect("text");
    for (arguments, code, word) in [
        (vec!["--costs", &costs], 2, "--rate"),
        (vec!["--costs", &costs, "--rate", "-1"], 2, "rate"),
        (vec!["--costs", &costs, "--rate", "10", "--p99", "0.001"], 4, "no rate is so low"),
        (vec!["--costs", "there-is-none.json", "--rate", "10"], 3, "there-is-none.json"),
        (vec!["--costs", broken, "--rate", "10"], 2, "broken.json"),
        (vec!["--costs", &costs, "--fleet", "3", "--used", "1"], 2, "--used"),
    ] {
        let output = size(&arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(word), "{arguments:?}: {error}");
    }
}

#[test]
fn costs_are_measured_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mix = folder.path().join("mix.toml");
    let text = "[[messages]]\nsample = \"text\"\nshare = 1\n\n[[messages]]\nsample = \"photo-1mp\"\n\
                share = 1\ncontents = 2\nmax_bytes = \"60k\"\nmax_image = \"640x480\"\n";
    fs::write(&mix, text).expect("it is written");
    let kept = folder.path().join("costs.json");
    let (mix, kept) = (mix.to_str().expect("text"), kept.to_str().expect("text"));
    let first = told(&[
        "--mix",
        mix,
        "--seconds",
        "0.3",
        "--save-costs",
        kept,
        "--rate",
        "10",
        "--p99",
        "2000",
        "--json",
    ]);
    let [text, photo] = [0, 1].map(|at| &first["costs"]["kinds"][at]);
    assert_eq!(text["workMs"], json!([]), "a text is not encoded");
    let work: Vec<f64> = serde_json::from_value(photo["workMs"].clone()).expect("numbers");
    assert!(work.is_sorted() && work.first().is_some_and(|ms| *ms > 0.5), "{work:?}");
    assert_eq!((&photo["contents"], &photo["share"]), (&json!(2), &json!(1.0)));
    assert!(first["costs"]["peakMemoryBytes"].as_u64().is_some_and(|bytes| bytes > 10 << 20));
    // The photo is encoded twice in all: nearly every call for one is answered from the cache.
    assert!(first["answer"]["cacheHits"].as_f64().is_some_and(|share| share > 0.4), "{first}");
    let again = told(&["--costs", kept, "--rate", "10", "--p99", "2000", "--json"]);
    assert_eq!(again, first);
}
