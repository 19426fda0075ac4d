//! The rules applied to a file.

use std::fmt;

use super::{
    rules::{self, Room},
    source::{NamedPath, Source, Token, after_attribute},
};

/// A rule broken, for people.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    place: String,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn finding(source: &Source, line: usize, message: impl Into<String>) -> Finding {
    Finding { place: format!("{}:{line}", source.name), message: message.into() }
}

/// All findings in a file of `src`, its length aside.
pub fn check_file(source: &Source) -> Vec<Finding> {
    let mut found = check_words(source);
    if let Some(room) = source.room().and_then(rules::room).filter(|_| !source.is_test) {
        for path in source.paths() {
            let broken = check_edge(room, &path)
                .or_else(|| check_crate(room, &path))
                .or_else(|| check_std(room, &path))
                .or_else(|| check_generated(room, &path));
            found.extend(broken.map(|message| finding(source, path.line, message)));
        }
        found.extend(check_console(source, room));
    }
    found
}

/// An import of another room.
fn check_edge(room: &Room, path: &NamedPath) -> Option<String> {
    let [root, target, ..] = path.segments.as_slice() else { return None };
    let other = root == "crate" && target != room.name && rules::room(target).is_some();
    let permitted = room.imports.contains(&target.as_str());
    (other && !permitted).then(|| {
        let allowed =
            if room.imports.is_empty() { "nothing".into() } else { room.imports.join(", ") };
        format!("new edge {} > {target}: `{}` may import {allowed}", room.name, room.name)
    })
}

/// A crate in a room that may not use it.
fn check_crate(room: &Room, path: &NamedPath) -> Option<String> {
    let name = path.segments.first().filter(|name| rules::is_crate(name))?.as_str();
    if let Some(permitted) = room.crates {
        return (!permitted.contains(&name)).then(|| {
            format!("crate {name} in `{}`, which may use {}", room.name, permitted.join(", "))
        });
    }
    let (_, homes) = rules::CRATE_HOMES.iter().find(|(crates, _)| crates.contains(&name))?;
    (!homes.contains(&room.name))
        .then(|| format!("crate {name} in `{}`: it belongs in {}", room.name, homes.join(", ")))
}

/// Files, network, environment, clock, threads.
fn check_std(room: &Room, path: &NamedPath) -> Option<String> {
    let starts = |with: &&[&str]| {
        path.segments.len() >= with.len() && path.segments.iter().zip(*with).all(|(a, b)| a == b)
    };
    if room.pure {
        let broken = rules::IMPURE.iter().find(|with| starts(with))?;
        return Some(format!(
            "{} in `{}`, which is pure: values in, values out",
            broken.join("::"),
            room.name
        ));
    }
    let [root, part, ..] = path.segments.as_slice() else { return None };
    let (_, homes) = rules::STD_HOMES.iter().find(|(name, _)| root == "std" && part == name)?;
    (!homes.contains(&room.name))
        .then(|| format!("std::{part} in `{}`: it belongs in {}", room.name, homes.join(", ")))
}

/// The generated proto types.
fn check_generated(room: &Room, path: &NamedPath) -> Option<String> {
    let (module, homes) = rules::GENERATED;
    let named = path.segments.len() >= module.len()
        && path.segments.iter().zip(module).all(|(a, b)| a == b);
    (named && !homes.contains(&room.name)).then(|| {
        format!("generated proto types in `{}`: they stay in {}", room.name, homes.join(", "))
    })
}

/// `println!` and its like.
fn check_console(source: &Source, room: &Room) -> Vec<Finding> {
    if rules::CONSOLE_HOMES.contains(&room.name) {
        return Vec::new();
    }
    macros(source)
        .filter(|token| rules::CONSOLE.contains(&token.text.as_str()))
        .map(|token| {
            finding(
                source,
                token.line,
                format!("{}! in `{}`: only shells talk", token.text, room.name),
            )
        })
        .collect()
}

fn macros(source: &Source) -> impl Iterator<Item = &Token> {
    source.tokens.windows(2).filter(|pair| pair[1].text == "!").map(|pair| &pair[0])
}

/// Words that are nowhere in the crate.
fn check_words(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for token in source.tokens.iter().filter(|token| token.text == "unsafe") {
        found.push(finding(source, token.line, "unsafe: forbidden in this crate"));
    }
    for token in macros(source) {
        if matches!(token.text.as_str(), "todo" | "unimplemented" | "dbg") {
            found.push(finding(source, token.line, format!("{}! is not for keeping", token.text)));
        }
    }
    for (line, comment) in &source.comments {
        if ["TODO", "FIXME", "XXX"].iter().any(|mark| comment.contains(mark)) {
            found.push(finding(source, *line, "a note to self: do it, or say what is so and why"));
        }
    }
    found.extend(check_allows(source));
    found
}

/// `#[allow(...)]` and `#[expect(...)]` say why: `reason = "..."`, or a comment above or beside.
fn check_allows(source: &Source) -> Vec<Finding> {
    let tokens = &source.tokens;
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        // `#![...]` and `#[...]` alike.
        let inner = usize::from(tokens.get(at + 1).is_some_and(|token| token.text == "!"));
        let mut outer = vec![tokens[at].clone()];
        outer.extend(tokens.iter().skip(at + 1 + inner).take(63).cloned());
        let Some(end) = after_attribute(&outer, 0) else { continue };
        let words: Vec<&str> = outer[..end].iter().map(|token| token.text.as_str()).collect();
        let silences = matches!(words.get(2), Some(&"allow" | &"expect"));
        let line = tokens[at].line;
        let commented = source.comments.iter().any(|(at, text)| {
            (*at == line || *at + 1 == line) && !text.starts_with("///") && !text.starts_with("//!")
        });
        if silences && !words.contains(&"reason") && !commented {
            found.push(finding(source, line, "a lint silenced without a reason"));
        }
    }
    found
}

/// Permissions of a room that none of its files makes use of: rooms, and crates.
pub fn unused(room: &Room, sources: &[Source]) -> Vec<String> {
    let own = sources.iter().filter(|source| source.room() == Some(room.name) && !source.is_test);
    let paths: Vec<NamedPath> = own.flat_map(Source::paths).collect();
    let names = |at: usize, name: &str| {
        paths.iter().any(|path| {
            let inside = path.segments.first().is_some_and(|first| first == "crate");
            inside == (at == 1) && path.segments.get(at).is_some_and(|segment| segment == name)
        })
    };
    let rooms = room.imports.iter().filter(|name| !names(1, name));
    let crates = room.crates.unwrap_or(&[]).iter().filter(|name| !names(0, name));
    rooms.chain(crates).map(|name| format!("{} > {name}", room.name)).collect()
}

/// The length of a file.
pub fn check_length(source: &Source) -> Option<Finding> {
    if source.lines <= rules::LONG_LINES {
        return None;
    }
    let reason = source
        .comments
        .iter()
        .take(30)
        .find_map(|(_, text)| text.strip_prefix("//! Long because "));
    let message = match reason {
        None => format!(
            "{} lines; past {} a file says `//! Long because ...` at its top",
            source.lines,
            rules::LONG_LINES
        ),
        Some(reason)
            if source.lines > rules::VERY_LONG_LINES
                && !(reason.contains("table") || reason.contains("tests")) =>
        {
            format!("{} lines; past {} only tables and tests", source.lines, rules::VERY_LONG_LINES)
        }
        Some(_) => return None,
    };
    Some(finding(source, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings for `text` as the file `name`, one a line, without places.
    #[track_caller]
    fn check(name: &str, text: &str, expect: &[&str]) {
        let found = check_file(&Source::parse(name, text));
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (finding, words) in found.iter().zip(expect) {
            assert!(finding.to_string().contains(words), "{finding} should say {words}");
        }
    }

    #[test]
    fn a_new_edge_is_caught_however_it_is_written() {
        let edge: &[&str] = &["new edge plan > codec"];
        check("src/plan/mod.rs", "use crate::codec::Codec;", edge);
        check(
            "src/plan/mod.rs",
            "use crate::{model::{Bytes, Reason}, codec::{self, Codec as C}};",
            &[edge[0], edge[0]],
        );
        check("src/plan/share.rs", "fn f() { super::super::codec::f() }", edge);
        check("src/plan/mod.rs", "fn f() -> crate::codec::Codec { todo() }", edge);
        check("src/plan.rs", "use super::codec;", edge);
        check("src/model/mod.rs", "use crate::plan::Plan;", &["may import nothing"]);
        check("src/grpc/mod.rs", "use crate::cli::run;", &["new edge grpc > cli"]);
        check("src/pipeline/mod.rs", "use crate::worker::host;", &["new edge pipeline > worker"]);
    }

    #[test]
    fn permitted_edges_and_own_modules_pass() {
        check(
            "src/plan/mod.rs",
            "use crate::{model::Bytes, plan::share};\nuse super::plan::x;",
            &[],
        );
        check("src/plan/share.rs", "use super::Plan;\nuse super::super::model::Bytes;", &[]);
        check("src/cli/mod.rs", "use crate::{grpc::serve, batch::run};", &[]);
    }

    #[test]
    fn pure_rooms_touch_nothing_outside() {
        check("src/fit/mod.rs", "use std::{fmt, fs::File};", &["std::fs in `fit`"]);
        check(
            "src/codec/mod.rs",
            "fn f() { let t = std::time::Instant::now(); }",
            &["std::time::Instant"],
        );
        check("src/profile/mod.rs", "use std::time::{Duration, SystemTime};", &["SystemTime"]);
        check("src/message/mod.rs", "fn f() { std::thread::spawn(|| ()); }", &["std::thread"]);
        check("src/model/mod.rs", "use std::time::Duration;", &[]);
        check("src/plan/mod.rs", "fn f() { println!(\"x\"); }", &["println! in `plan`"]);
    }

    #[test]
    fn crates_stay_in_their_homes() {
        check("src/pipeline/mod.rs", "use tokio::sync::mpsc;", &["crate tokio in `pipeline`"]);
        check("src/codec/mod.rs", "use rayon::prelude::*;", &["crate rayon in `codec`"]);
        check("src/plan/mod.rs", "fn f() { image::open(x) }", &["crate image in `plan`"]);
        check("src/service/mod.rs", "use image::RgbImage;", &["belongs in codec"]);
        check("src/plan/mod.rs", "use sha2::Digest;", &["crate sha2 in `plan`"]);
        check("src/batch/mod.rs", "use crate::grpc::v1::Report;", &["new edge batch > grpc"]);
        check(
            "src/cli/mod.rs",
            "use crate::grpc::v1::Report;",
            &["generated proto types in `cli`"],
        );
        check(
            "src/codec/mod.rs",
            "pub mod image;\nfn f() { image::ImageCodec; ::image::load(x); }",
            &[],
        );
    }

    #[test]
    fn standard_library_parts_stay_in_their_homes() {
        check("src/service/mod.rs", "use std::fs;", &["std::fs in `service`"]);
        check("src/batch/mod.rs", "use std::{fs, thread};", &[]);
    }

    #[test]
    fn words_that_are_not_for_keeping_are_caught() {
        check("src/cli/mod.rs", "fn f() { unsafe { g() } }", &["unsafe"]);
        check("src/cli/mod.rs", "fn f() { todo!() }", &["todo!"]);
        check("src/cli/mod.rs", "fn f() { dbg!(1); }", &["dbg!"]);
        check("src/cli/mod.rs", "// TODO: later", &["note to self"]);
        check("src/cli/mod.rs", "#[allow(dead_code)]\nfn f() {}", &["without a reason"]);
        check("src/cli/mod.rs", "#![allow(dead_code)]", &["without a reason"]);
        check("src/cli/mod.rs", "/// Docs.\n#[allow(dead_code)]\nfn f() {}", &["without a reason"]);
        check("src/cli/mod.rs", "// read by the derive\n#[allow(dead_code)]\nfn f() {}", &[]);
        check(
            "src/cli/mod.rs",
            "#[expect(dead_code, reason = \"read by the derive\")]\nfn f() {}",
            &[],
        );
    }

    #[test]
    fn comments_literals_and_tests_are_not_code() {
        check(
            "src/plan/mod.rs",
            "// use crate::codec::Codec; unsafe\n/* std::fs /* nested */ */",
            &[],
        );
        check("src/plan/mod.rs", "const S: &str = \"crate::codec::X unsafe \\\" todo!()\";", &[]);
        check(
            "src/plan/mod.rs",
            "const S: &str = r#\"std::fs::read \" unsafe\"#; const C: char = '\"';",
            &[],
        );
        check("src/plan/mod.rs", "fn f<'a>(x: &'a str) {}\nuse crate::codec::X;", &["new edge"]);
        check("src/plan/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; fn f() {} }\n", &[]);
        check("src/plan/mod.rs", "#[cfg(test)]\nmod tests { }\nuse std::fs;\n", &["std::fs"]);
        check("src/plan/mod.rs", "#[cfg(not(test))]\nuse std::fs;\n", &["std::fs"]);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_test_code() {
        let mut sources = vec![
            Source::parse("src/plan/mod.rs", "#[cfg(test)]\nmod tests;\n"),
            Source::parse("src/plan/tests.rs", "use std::fs;"),
            Source::parse("src/plan/other.rs", "use std::fs;"),
        ];
        super::super::source::mark_test_files(&mut sources);
        let found: Vec<Finding> = sources.iter().flat_map(check_file).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].place.starts_with("src/plan/other.rs"));
    }

    #[test]
    fn a_long_file_gives_its_reason() {
        let length = |head: &str, lines: usize| {
            check_length(&Source::parse("src/cli/x.rs", &format!("{head}\n{}", "\n".repeat(lines))))
                .is_some()
        };
        assert!(!length("//! Short.", 300));
        assert!(length("//! Long.", 401));
        assert!(!length("//! Long because the states belong together", 401));
        assert!(length("//! Long because the states belong together", 900));
        assert!(!length("//! Long because it is a table of well-known headers", 900));
    }
}
