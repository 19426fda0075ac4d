//! No circle within a room: of the files and folders that lie side by side, none needs itself
//! through others.
//!
//! What a `mod.rs` declares may be used by all below it; what it takes from one of its children and
//! hands to another counts as an import of that child.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// Which of the modules side by side imports which: by their common parent.
type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The circles in a package's modules, for people; `sources` are all its files.
pub fn circles(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for (parent, edges) in graph(sources) {
        let reach = |from: &str| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
            while let Some(module) = open.pop() {
                for next in edges.get(&module).into_iter().flatten() {
                    if seen.insert(next.clone()) {
                        open.push(next.clone());
                    }
                }
            }
            seen
        };
        let circular: Vec<&str> = edges
            .keys()
            .filter(|module| reach(module).contains(*module))
            .map(String::as_str)
            .collect();
        for module in &circular {
            let back = edges[*module].iter().filter(|next| reach(next).contains(*module));
            let back: Vec<&str> = back.map(String::as_str).collect();
            found.push(format!("{parent}: {module} > {}", back.join(", ")));
        }
    }
    found
}

fn graph(sources: &[Source]) -> Graph {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(Source::module).collect();
    // What a module takes from its children: the child by the name.
    let mut handed: BTreeMap<Vec<String>, BTreeMap<String, String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        let own = source.module();
        for path in source.own_paths() {
            let below = path.segments[1..].strip_prefix(own.as_slice());
            if let Some([child, .., name]) = below {
                handed.entry(own.clone()).or_default().insert(name.clone(), child.clone());
            }
        }
    }
    let mut graph = Graph::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        let own = source.module();
        for path in source.own_paths() {
            let target = &path.segments[1..];
            let common = own.iter().zip(target).take_while(|(a, b)| a == b).count();
            let (Some(from), Some(name)) = (own.get(common), target.get(common)) else { continue };
            let parent = &own[..common];
            let sibling = [parent, std::slice::from_ref(name)].concat();
            let to = if modules.contains(&sibling) {
                Some(name)
            } else {
                handed.get(parent).and_then(|names| names.get(name))
            };
            if let Some(to) = to.filter(|to| *to != from) {
                let edges = graph.entry(parent.join("::")).or_default();
                edges.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(name, text)| Source::parse(name, text)).collect();
        circles(&sources)
    }

    #[test]
    fn a_circle_is_found_however_long_and_however_it_is_written() {
        let parent = ("src/plan/mod.rs", "mod a; mod b; mod c; pub use c::Third;");
        let b = ("src/plan/b.rs", "use super::{c::{self}};");
        let a = ("src/plan/a.rs", "use crate::plan::b::B;");
        let none = ("src/plan/c.rs", "use crate::model::Bytes;");
        assert_eq!(found(&[parent, a, b, none]), Vec::<String>::new());
        let back = ("src/plan/c.rs", "fn f() { super::a::g() }");
        let circle = ["plan: a > b", "plan: b > c", "plan: c > a"];
        assert_eq!(found(&[parent, a, b, back]), circle);
        // Through what the parent takes from a child.
        let handed = ("src/plan/b.rs", "use super::Third;");
        assert_eq!(found(&[parent, a, handed, back]), circle);
        // From the depth of a folder.
        let deep = ("src/plan/c/deep.rs", "use super::super::a::A;");
        let folder = ("src/plan/c/mod.rs", "mod deep;");
        assert_eq!(found(&[parent, a, b, folder, deep]), circle);
    }

    #[test]
    fn what_the_parent_declares_is_for_all_below() {
        let parent = ("src/fit/mod.rs", "mod a; mod b; pub struct Task; fn f() { a::g() }");
        let a = ("src/fit/a.rs", "use super::Task;");
        assert_eq!(found(&[parent, a, ("src/fit/b.rs", "use super::a;")]), Vec::<String>::new());
    }
}
