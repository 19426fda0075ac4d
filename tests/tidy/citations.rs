//! Every page that a comment cites is in the repository, and has the section.

use std::{fs, path::Path};

use regex::Regex;

/// Citations in `text` that lead nowhere: `page.md`, or `page.md §4` where it has no heading `4.`.
pub fn lost(root: &Path, text: &str) -> Vec<String> {
    let citation = Regex::new(r"\b([A-Za-z][A-Za-z-]*\.md)(?: §([0-9]+))?").expect("a pattern");
    let mut lost = Vec::new();
    for found in citation.captures_iter(text) {
        let places = ["", "docs", "src/fit"].map(|folder| root.join(folder).join(&found[1]));
        let page = places.iter().find_map(|place| fs::read_to_string(place).ok());
        let there = page.is_some_and(|page| {
            found.get(2).is_none_or(|section| {
                let heading = format!("## {}. ", section.as_str());
                page.lines().any(|line| line.starts_with(&heading))
            })
        });
        if !there {
            lost.push(found[0].to_owned());
        }
    }
    lost
}

#[test]
fn lost_citations_are_found() {
    let root = super::root();
    let of = |text: &str| lost(&root, text);
    assert_eq!(of("as uaprof.md §6 has it; see ARCHITECTURE.md"), Vec::<String>::new());
    assert_eq!(of("uaprof.md §66 and nowhere.md"), ["uaprof.md §66", "nowhere.md"]);
}
