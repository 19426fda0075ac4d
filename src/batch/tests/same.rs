//! The same content several times in a run.

use super::*;

#[test]
fn the_same_content_is_encoded_once() {
    let odd = Path::new(OsStr::from_bytes(b"odd\xff.png"));
    let bench = Bench::new(&[("a.png", PNG), ("b.png", PNG), ("c/d.png", PNG), ("e.jpg", JPEG)]);
    fs::write(bench.options.input.join(odd), PNG).unwrap();
    let engine = Halver { slow: true, ..Halver::default() };
    let summary = bench.run(&engine);
    assert_eq!((summary.done, summary.same, summary.failed), (5, 3, 0));
    assert_eq!(engine.adapted.load(Ordering::SeqCst), 2);
    let results = bench.results();
    assert_eq!(results[Path::new("c/d.jpg")], &PNG[..PNG.len() / 2]);
    assert_eq!(results[Path::new("a.jpg")], results[Path::new("b.jpg")]);
    assert_eq!(results.len(), 5);
    let rows = bench.rows();
    let others: Vec<&Value> = rows.values().filter(|row| row.get("sameAs").is_some()).collect();
    assert_eq!(others.len(), 3);
    for row in others {
        assert_eq!(row["cpuMs"], 0.0);
        assert!(row["report"].is_object() && row["sameAs"]["path"].is_string(), "{row}");
    }
    let summary = bench.run(&engine);
    assert_eq!((summary.skipped, summary.same), (5, 0));
}

#[test]
fn the_same_content_for_another_device_is_another() {
    let mut bench = Bench::new(&[("a.png", PNG)]);
    let list = bench.dir.path().join("list.csv");
    fs::write(&list, "path,device\na.png,one\na.png,two\n").unwrap();
    bench.options.manifest = Some(list);
    let engine = Halver::default();
    assert_eq!(bench.run(&engine).same, 0);
    assert_eq!(engine.adapted.load(Ordering::SeqCst), 2);
}

#[test]
fn a_refusal_is_nothing_to_share() {
    let mut bench =
        Bench::new(&[("nofit-1.jpg", JPEG), ("nofit-2.jpg", JPEG), ("panic.jpg", JPEG)]);
    bench.options.on_cannot_fit = OnCannotFit::Keep;
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.kept, summary.failed, summary.same), (2, 1, 0));
}
