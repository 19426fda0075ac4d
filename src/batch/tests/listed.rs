//! Runs over the rows of a list.

use std::os::unix::fs::symlink;

use super::*;

fn listed(files: &[(&str, &[u8])], name: &str, text: &str) -> Bench {
    let mut bench = Bench::new(files);
    let list = bench.dir.path().join(name);
    fs::write(&list, text).unwrap();
    bench.options.manifest = Some(list);
    bench
}

fn rows(bench: &Bench) -> Vec<Value> {
    let text = fs::read_to_string(bench.options.output.join(".mmsfit/report.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_come_out_in_their_order_and_bad_ones_stop_nothing() {
    let text = "path,max_bytes,sender\nb.jpg,,\n../x.jpg,,\nmissing.jpg,,\nout-link.jpg,,\nsub,,\n\
        a.jpg,lots,\na.jpg,300k,me\nbroken\nnotes.txt,,\na.jpg,,\nin-link.jpg,,\n";
    let files: &[(&str, &[u8])] =
        &[("a.jpg", JPEG), ("b.jpg", JPEG), ("sub/c.jpg", JPEG), ("notes.txt", b"hello")];
    let bench = listed(files, "list.csv", text);
    fs::write(bench.dir.path().join("x.jpg"), JPEG).unwrap();
    symlink("../x.jpg", bench.options.input.join("out-link.jpg")).unwrap();
    symlink("b.jpg", bench.options.input.join("in-link.jpg")).unwrap();
    let summary = bench.run(&Halver::default());
    let rows = rows(&bench);
    for (row, (line, path, status, reason)) in rows.iter().zip([
        (2, "b.jpg", "done", None),
        (3, "../x.jpg", "failed", Some("MANIFEST_ROW")),
        (4, "missing.jpg", "failed", Some("INPUT_UNREADABLE")),
        (5, "out-link.jpg", "failed", Some("MANIFEST_ROW")),
        (6, "sub", "unsupported", Some("NOT_A_FILE")),
        (7, "a.jpg", "failed", Some("MANIFEST_ROW")),
        (8, "a.jpg", "failed", Some("MANIFEST_ROW")),
        (9, "", "failed", Some("MANIFEST_ROW")),
        (10, "notes.txt", "unsupported", Some("NOT_MESSAGE_OR_MEDIUM")),
        (11, "a.jpg", "done", None),
        (12, "in-link.jpg", "done", None),
    ]) {
        assert_eq!((&row["line"], &row["path"]), (&line.into(), &path.into()), "{row}");
        assert_eq!((&row["status"], row["reason"].as_str()), (&status.into(), reason), "{row}");
    }
    assert_eq!((summary.files, rows.len(), summary.done, summary.failed), (11, 11, 3, 6));
    assert_eq!(rows[5]["asked"]["maxBytes"], "lots");
    let names: Vec<PathBuf> = bench.results().into_keys().collect();
    assert_eq!(names, ["a.jpg", "b.jpg", "in-link.jpg"].map(PathBuf::from));
}

#[test]
fn one_path_for_two_devices_has_two_results() {
    let text = "{\"path\":\"a.png\",\"device\":\"one\"}\n{\"path\":\"a.png\",\"device\":\"two\"}\n\
        {\"path\":\"b.png\",\"device\":\"one\"}\n";
    let mut bench = listed(&[("a.png", PNG), ("b.png", PNG)], "list.jsonl", text);
    let engine = Halver::default();
    assert_eq!(bench.run(&engine).done, 3);
    let names: Vec<String> =
        bench.results().keys().map(|path| path.to_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 3);
    assert!(names[0].starts_with("a~") && names[1].starts_with("a~"), "{names:?}");
    assert!(names[0].ends_with(".jpg") && names[2] == "b.jpg", "{names:?}");
    assert_eq!(bench.run(&engine).skipped, 3);

    // What a row asks for is part of what the journal knows it by.
    let list = bench.options.manifest.clone().unwrap();
    fs::write(&list, text.replace("two", "three")).unwrap();
    let summary = bench.run(&engine);
    assert_eq!((summary.skipped, summary.done), (2, 1));

    // As are the run's own options, where a row says nothing.
    bench.options.request.limits.max_message_bytes = Some(Bytes::new(1));
    assert_eq!(bench.run(&engine).done, 3);
}

#[test]
fn shards_of_a_list_are_the_whole() {
    let files: Vec<String> = (0..20).map(|n| format!("{n}.jpg")).collect();
    let text: String = files.iter().map(|name| format!("{{\"path\":\"{name}\"}}\n")).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|name| (name.as_str(), JPEG)).collect();
    let mut bench = listed(&files, "list.ndjson", &text);
    let done: usize = (0..4)
        .map(|index| {
            bench.options.select.shard = Shard::new(index, 4);
            bench.run(&Halver::default()).done
        })
        .sum();
    assert_eq!((done, bench.results().len()), (20, 20));
}

#[test]
fn an_unknown_column_stops_the_run_before_it_begins() {
    let bench =
        listed(&[("a.jpg", JPEG)], "list.jsonl", "{\"path\":\"a.jpg\",\"devices\":\"x\"}\n");
    let error = run(&Halver::default(), &bench.options).unwrap_err();
    assert!(matches!(error, BatchError::Manifest { line: 1, .. }), "{error}");
    assert!(bench.results().is_empty());
}
