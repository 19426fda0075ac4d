//! The house rules that a compiler cannot check: which room may import which, what the pure rooms
//! must never touch, how long a file may be, that what is cited is there. (Licences are cargo-deny's.)
//!
//! The graph is a table, [`rules::ROOMS`]. A new edge is its own commit with a reason.

mod check;
mod circles;
mod citations;
mod library;
mod rules;
mod source;

use std::path::{Path, PathBuf};

use check::{Finding, check_file, check_length};
use source::Source;

/// The repository: as cargo says when it runs the test, so that a copied build checks its own tree.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// All Rust files under `folder`, sorted; none if there is no such folder.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

/// The files of a folder, parsed, named relative to the repository.
fn sources(folder: &str) -> Vec<Source> {
    let root = root();
    let mut sources: Vec<Source> = rust_files(folder)
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable file");
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy();
            Source::parse(&name.replace('\\', "/"), &text)
        })
        .collect();
    source::mark_test_files(&mut sources);
    sources
}

fn assert_none(findings: &[Finding], rule: &str) {
    let lines: String = findings.iter().map(|finding| format!("\n  {finding}")).collect();
    assert!(findings.is_empty(), "{rule}{lines}\n");
}

#[test]
fn rooms_import_only_what_the_graph_permits() {
    let sources = sources("src");
    assert!(sources.len() > 20, "the sources were not found");
    let findings: Vec<Finding> = sources.iter().flat_map(check_file).collect();
    assert_none(&findings, "house rules broken (tests/tidy/rules.rs says which hold and why):");
}

#[test]
fn every_room_has_a_row_in_the_graph() {
    for entry in std::fs::read_dir(root().join("src")).expect("src") {
        let path = entry.expect("a readable folder").path();
        let room = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let known = rules::room(&room).is_some() || matches!(room.as_str(), "lib" | "main");
        assert!(known, "src/{room} has no row in tests/tidy/rules.rs: which rooms may it import?");
    }
}

#[test]
fn the_graph_has_no_cycle() {
    // Every room only imports rooms that stand before it in the table.
    for (position, room) in rules::ROOMS.iter().enumerate() {
        for target in room.imports {
            let before = rules::ROOMS[..position].iter().any(|earlier| earlier.name == *target);
            assert!(before, "{} > {target}: not a downward edge", room.name);
        }
    }
}

#[test]
fn no_permission_is_unused() {
    let sources = sources("src");
    let unused: Vec<String> =
        rules::ROOMS.iter().flat_map(|room| check::unused(room, &sources)).collect();
    assert!(unused.is_empty(), "permitted in tests/tidy/rules.rs, but not used: {unused:#?}");
}

#[test]
fn no_room_has_a_circle_inside() {
    for package in ["src", "worker/src"] {
        let found = circles::circles(&sources(package));
        let lines: String = found.iter().map(|circle| format!("\n  {circle}")).collect();
        assert!(found.is_empty(), "modules of {package} that import each other:{lines}\n");
    }
}

#[test]
fn what_comments_cite_is_there() {
    let mut found = Vec::new();
    for folder in ["src", "worker", "resample", "tests", "benches", "examples"] {
        let own = "tests/tidy/citations.rs";
        for source in sources(folder).iter().filter(|source| source.name != own) {
            let comments = source.comments.iter();
            found.extend(comments.flat_map(|(line, text)| {
                let lost = citations::lost(&root(), text).into_iter();
                lost.map(|cited| format!("\n  {}:{line}: {cited}", source.name)).collect::<Vec<_>>()
            }));
        }
    }
    assert!(found.is_empty(), "cited, but not in the repository:{}\n", found.concat());
}

/// The second step of the walk in CONTRIBUTING.md: a reason leads to the line that sets it.
#[test]
fn every_reason_is_set_where_it_is_looked_for() {
    let all = sources("src");
    let reasons = all.iter().find(|source| source.name == "src/model/reason.rs").expect("reasons");
    let text = std::fs::read_to_string(root().join(&reasons.name)).expect("readable");
    let body = &text[text.find("pub enum ReasonCode").expect("the codes")..];
    let body = &body[..body.find("\n}").expect("their end")];
    let codes: Vec<&str> = body
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|code| code.chars().all(char::is_alphanumeric))
        .collect();
    assert!(codes.len() > 30, "only {} codes found", codes.len());
    let rooms = ["src/plan/", "src/pipeline/"];
    let setters: Vec<&Source> = all
        .iter()
        .filter(|source| !source.is_test && rooms.iter().any(|room| source.name.starts_with(room)))
        .collect();
    let lost: Vec<&&str> =
        codes.iter().filter(|code| !setters.iter().any(|source| source.has_word(code))).collect();
    assert!(lost.is_empty(), "in no room where one would look: {lost:?}");
}

#[test]
fn files_are_short_or_say_why_not() {
    let mut findings = Vec::new();
    for folder in ["src", "tests", "examples", "benches", "worker", "fuzz"] {
        findings.extend(sources(folder).iter().filter_map(check_length));
    }
    assert_none(&findings, "files too long:");

    let mut lengths: Vec<usize> = sources("src").iter().map(|source| source.lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < rules::MEDIAN_LINES, "the median file of src has {median} lines");
}

#[test]
fn a_module_with_children_is_a_folder() {
    for folder in ["src", "worker/src"] {
        for source in sources(folder) {
            let below = root().join(source.name.trim_end_matches(".rs"));
            assert!(!below.is_dir(), "{} has a folder: it is mod.rs there", source.name);
        }
    }
}

#[test]
fn entry_points_hold_no_logic() {
    let all = sources("src");
    let named = |name: &str| all.iter().find(|source| source.name == name).expect("an entry point");
    assert!(named("src/main.rs").lines < rules::MAIN_LINES, "src/main.rs: argv to exit code only");
    assert!(!named("src/lib.rs").has_word("fn"), "src/lib.rs is the map: no logic");
}
