//! What is shipped for Prometheus and Grafana: all that is asked for there is told, and the rules do
//! what their tests say.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mmsfit::telemetry::table::ALL;

use crate::support::need;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether there is a promtool; says so where there is none.
#[track_caller]
fn promtool() -> bool {
    let tried = Command::new("promtool").arg("--version").stdin(Stdio::null()).output();
    if let Err(error) = &tried {
        need::missing("promtool", error);
    }
    tried.is_ok()
}

pub fn promtool_takes(text: &str) {
    if !promtool() {
        return;
    }
    let mut checked = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    checked.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let checked = checked.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success(), "{said}\n{text}");
    assert_eq!(said, "", "{text}");
}

#[test]
fn the_rules_are_sound_and_do_what_their_tests_say() {
    if !promtool() {
        return;
    }
    for arguments in [["check", "rules", "rules.yml"], ["test", "rules", "rules.test.yml"]] {
        let said = Command::new("promtool")
            .args(arguments)
            .current_dir(repository("deploy/prometheus"))
            .stdin(Stdio::null())
            .output()
            .expect("promtool starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(said.status.success(), "{}{}", text(&said.stdout), text(&said.stderr));
    }
}

/// The metrics that a text names, without what samples of histograms add.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !word(c));
    let ours = words.filter(|w| w.starts_with("mmsfit_") || w.starts_with("process_"));
    let bare = |name: &str| {
        let suffixes = ["_bucket", "_sum", "_count"];
        suffixes.iter().find_map(|s| name.strip_suffix(s)).unwrap_or(name).to_owned()
    };
    ours.map(bare).collect()
}

#[test]
fn rules_and_dashboard_ask_only_for_what_is_told() {
    let known: BTreeSet<String> = ALL.iter().map(|row| row.name.to_owned()).collect();
    let read = |path: &str| std::fs::read_to_string(repository(path)).expect("it is shipped");
    let rules = named(&read("deploy/prometheus/rules.yml"));
    assert!(rules.len() > 8 && rules.is_subset(&known), "{:?}", rules.difference(&known));
    let board: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana/mmsfit.json")).expect("JSON");
    let mut asked = BTreeSet::new();
    for panel in board["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            asked.extend(named(target["expr"].as_str().expect("an expression")));
        }
    }
    assert!(asked.len() > 20 && asked.is_subset(&known), "{:?}", asked.difference(&known));
}
