//! Which items a run takes, shards of one output, and what cannot be made to fit.

use super::*;

const TREE: &[(&str, &[u8])] = &[
    ("a.jpg", JPEG),
    ("a.png", PNG),
    ("b.png", PNG),
    ("sub/c.jpg", JPEG),
    ("sub/m.mms", PDU),
    ("thumbs/c.jpg", JPEG),
];

#[test]
fn patterns_and_limit_take_a_part_and_change_no_name() {
    let mut bench = Bench::new(TREE);
    bench.options.select.include = vec!["*.png".parse().unwrap(), "sub/*".parse().unwrap()];
    bench.options.select.exclude = vec!["**/*.mms".parse().unwrap()];
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.files, summary.done), (3, 3));
    let names = |bench: &Bench| -> Vec<String> {
        bench.results().keys().map(|path| path.to_str().unwrap().to_owned()).collect()
    };
    // `a.png.jpg`: in the tree there is an `a.jpg`, though it was not taken.
    assert_eq!(names(&bench), ["a.png.jpg", "b.jpg", "sub/c.jpg"]);

    let mut bench = Bench::new(TREE);
    bench.options.select.limit = Some(2);
    assert_eq!(bench.run(&Halver::default()).files, 2);
    assert_eq!(names(&bench), ["a.jpg", "a.png.jpg"]);
    bench.options.select.limit = Some(0);
    assert_eq!(bench.run(&Halver::default()).files, 0);
}

#[test]
fn shards_at_once_on_one_output_are_the_whole() {
    let whole = Bench::new(TREE);
    whole.run(&Halver::default());
    let shared = Bench::new(TREE);
    let count = 3;
    let done: usize = std::thread::scope(|scope| {
        let shards: Vec<_> = (0..count)
            .map(|index| {
                let mut options = shared.options.clone();
                options.select.shard = Shard::new(index, count);
                scope.spawn(move || run(&Halver { slow: true, ..Halver::default() }, &options))
            })
            .collect();
        shards.into_iter().map(|shard| shard.join().unwrap().unwrap().done).sum()
    });
    assert_eq!(done, TREE.len());
    assert_eq!(shared.results(), whole.results());
    let state = shared.options.output.join(STATE_DIR);
    let rows: usize = (0..count)
        .map(|index| fs::read_to_string(state.join(format!("shard-{index}-of-3/report.jsonl"))))
        .map(|text| text.unwrap().lines().count())
        .sum();
    assert_eq!(rows, TREE.len());

    // A second run of one shard finds what it did, and a whole run waits for all shards.
    let mut again = shared.options.clone();
    again.select.shard = Shard::new(0, count);
    let summary = run(&Halver::default(), &again).unwrap();
    assert_eq!(summary.skipped, summary.files);
    let held = State::open(&shared.options.output, Shard::new(1, count)).unwrap();
    assert!(run(&Halver::default(), &again).is_ok());
    again.select.shard = None;
    assert!(matches!(run(&Halver::default(), &again), Err(BatchError::Busy(_))));
    again.select.shard = Shard::new(1, count);
    assert!(matches!(run(&Halver::default(), &again), Err(BatchError::Busy(_))));
    drop(held);
    assert!(run(&Halver::default(), &again).is_ok());
}

#[test]
fn what_cannot_fit_fails_stays_or_is_left_out() {
    let mut bench = Bench::new(&[("a.jpg", JPEG), ("nofit.jpg", JPEG), ("nofit.png", PNG)]);
    bench.options.on_cannot_fit = OnCannotFit::Drop;
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.done, summary.dropped, summary.refused), (1, 2, 0));
    assert!(summary.is_whole());
    assert_eq!(bench.rows()["nofit.jpg"]["status"], "dropped");
    assert_eq!(bench.results().len(), 1);

    bench.options.on_cannot_fit = OnCannotFit::Keep;
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.skipped, summary.kept), (1, 2));
    assert!(summary.is_whole());
    let row = &bench.rows()["nofit.png"];
    assert_eq!((&row["status"], &row["reason"]), (&"kept".into(), &"MESSAGE_CANNOT_FIT".into()));
    assert_eq!(row["output"]["path"], "nofit.png");
    assert!(bench.results()[Path::new("nofit.png")].starts_with(PNG));
    assert_eq!(bench.run(&Halver::default()).skipped, 3);

    bench.options.on_cannot_fit = OnCannotFit::Fail;
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.skipped, summary.refused), (1, 2));
    assert!(!summary.is_whole());
}

#[test]
fn other_failures_stay_failures() {
    let mut bench = Bench::new(&[("bad.jpg", JPEG), ("huge.jpg", JPEG)]);
    bench.options.on_cannot_fit = OnCannotFit::Keep;
    let summary = bench.run(&Halver::default());
    assert_eq!((summary.failed, summary.kept), (2, 0));
    assert!(bench.results().is_empty());
}
