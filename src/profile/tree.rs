//! Markup to a bounded tree of elements: event by event, own caps on depth and nodes, tags
//! matched by us, what is broken skipped and reported.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{entities::Entities, repairs::Repairs};
use crate::model::RepairCode;

/// Elements inside elements that are read; real profiles need 9.
const MAX_DEPTH: usize = 32;
/// Elements that are read.
const MAX_NODES: usize = 20_000;
/// Times the reader is set up anew behind markup that it cannot read.
const MAX_RESTARTS: usize = 32;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Local name as written.
    pub(super) name: String,
    /// Local name in lower case.
    pub(super) key: String,
    /// The part before the colon; empty if there is none.
    pub(super) prefix: String,
    /// XML attributes.
    pub(super) attributes: Vec<XmlAttribute>,
    /// The character data directly inside.
    pub(super) text: String,
    /// Elements directly inside.
    pub(super) children: Vec<usize>,
    /// Whether its end was seen (its own tag or that of an outer element).
    pub(super) closed: bool,
}

/// One XML attribute.
#[derive(Debug)]
pub(super) struct XmlAttribute {
    /// Local name in lower case.
    pub(super) key: String,
    /// The part before the colon; empty if there is none.
    pub(super) prefix: String,
    /// The value, entities expanded.
    pub(super) value: String,
}

impl Node {
    /// The value of an XML attribute by local name.
    pub(super) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.key == key && a.prefix != "xmlns").map(|a| &*a.value)
    }
}

/// All elements of a document, in document order.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The elements.
    pub(super) nodes: Vec<Node>,
    /// Those that lie in no other.
    pub(super) roots: Vec<usize>,
}

/// Reads `text`.
pub(super) fn scan(text: &str, repairs: &mut Repairs) -> Tree {
    let mut scan =
        Scan { tree: Tree::default(), open: Vec::new(), skipped: 0, entities: Entities::default() };
    let mut rest = text;
    for _ in 0..=MAX_RESTARTS {
        match scan.run(rest, repairs) {
            Stopped::End => break,
            Stopped::Error(at) => {
                let next = rest.get(at..).and_then(|t| t.get(1..)?.find('<').map(|n| at + 1 + n));
                match next.and_then(|n| rest.get(n..)) {
                    Some(behind) => {
                        repairs.add(RepairCode::BrokenMarkup, "", snippet(rest, at));
                        rest = behind;
                    }
                    None => {
                        repairs.add(RepairCode::Truncated, "", snippet(rest, at));
                        break;
                    }
                }
            }
        }
    }
    if let Some(&open) = scan.open.last() {
        let name = scan.tree.nodes.get(open).map(|n| n.name.clone()).unwrap_or_default();
        repairs.add(RepairCode::Truncated, "", &format!("{name} is not closed"));
    }
    scan.tree
}

enum Stopped {
    End,
    /// The reader cannot go on at this byte.
    Error(usize),
}

struct Scan {
    tree: Tree,
    /// Indices of open elements.
    open: Vec<usize>,
    /// Open elements below the depth cap, which are not read.
    skipped: usize,
    entities: Entities,
}

impl Scan {
    fn run(&mut self, text: &str, repairs: &mut Repairs) -> Stopped {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag)) => {
                    if !self.start(&tag, repairs) {
                        return Stopped::End;
                    }
                }
                Ok(Event::Empty(tag)) => {
                    if !self.start(&tag, repairs) {
                        return Stopped::End;
                    }
                    self.close_one();
                }
                Ok(Event::End(tag)) => self.end(tag.local_name().as_ref(), repairs),
                Ok(Event::Text(data)) => {
                    if data.contains('&') {
                        repairs.add(RepairCode::BrokenMarkup, "", "raw ampersand");
                    }
                    self.text(&data, repairs);
                }
                Ok(Event::CData(data)) => self.text(&data, repairs),
                Ok(Event::GeneralRef(name)) => {
                    if self.skipped == 0
                        && let Some(node) =
                            self.open.last().and_then(|at| self.tree.nodes.get_mut(*at))
                    {
                        self.entities.push(&name, &mut node.text, repairs);
                    }
                }
                Ok(Event::DocType(doctype)) => self.entities.read_doctype(&doctype, repairs),
                Ok(Event::Eof) => return Stopped::End,
                Ok(_) => {}
                Err(_) => {
                    return Stopped::Error(
                        usize::try_from(reader.error_position()).unwrap_or(text.len()),
                    );
                }
            }
        }
    }

    /// Opens an element; `false` once the cap on nodes is reached.
    fn start(&mut self, tag: &BytesStart<'_>, repairs: &mut Repairs) -> bool {
        // Items never lie in items: the one before was not closed, as in HTML.
        let top = self.open.last().and_then(|at| self.tree.nodes.get(*at));
        if self.skipped == 0
            && top.is_some_and(|node| node.key == "li")
            && split(tag.name().0).0.eq_ignore_ascii_case("li")
        {
            repairs.add(RepairCode::BrokenMarkup, "", "an item that is not closed");
            self.close_one();
        }
        if self.skipped > 0 || self.open.len() >= MAX_DEPTH {
            repairs.add(RepairCode::CapReached, "", &format!("deeper than {MAX_DEPTH}"));
            self.skipped += 1;
            return true;
        }
        if self.tree.nodes.len() >= MAX_NODES {
            repairs.add(RepairCode::CapReached, "", &format!("more than {MAX_NODES} elements"));
            return false;
        }
        let (name, prefix) = split(tag.name().0);
        let mut node = Node {
            name: name.to_owned(),
            key: name.to_ascii_lowercase(),
            prefix: prefix.to_owned(),
            ..Node::default()
        };
        for attribute in tag.html_attributes().with_checks(false) {
            match attribute {
                Ok(attribute) => {
                    let (name, prefix) = split(attribute.key.0);
                    node.attributes.push(XmlAttribute {
                        key: name.to_ascii_lowercase(),
                        prefix: prefix.to_owned(),
                        value: self.entities.expand(&attribute.value, repairs),
                    });
                }
                Err(_) => repairs.add(RepairCode::BrokenMarkup, "", tag),
            }
        }
        let index = self.tree.nodes.len();
        match self.open.last().and_then(|at| self.tree.nodes.get_mut(*at)) {
            Some(parent) => parent.children.push(index),
            None => {
                if !self.tree.roots.is_empty() {
                    repairs.add(RepairCode::BrokenMarkup, "", "elements behind the root");
                }
                self.tree.roots.push(index);
            }
        }
        self.tree.nodes.push(node);
        self.open.push(index);
        true
    }

    /// An end tag: closes the nearest element of that name and all inside it; one that matches
    /// nothing is ignored.
    fn end(&mut self, name: &str, repairs: &mut Repairs) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let matching = self.open.iter().rposition(|at| {
            self.tree.nodes.get(*at).is_some_and(|node| node.name.eq_ignore_ascii_case(name))
        });
        let Some(position) = matching else {
            repairs.add(RepairCode::BrokenMarkup, "", &format!("</{name}> without a start"));
            return;
        };
        if position + 1 < self.open.len() {
            repairs.add(RepairCode::BrokenMarkup, "", &format!("</{name}> closes others"));
        }
        while self.open.len() > position {
            self.close_one();
        }
    }

    fn close_one(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(node) = self.open.pop().and_then(|at| self.tree.nodes.get_mut(at)) {
            node.closed = true;
        }
    }

    fn text(&mut self, text: &str, repairs: &mut Repairs) {
        if self.skipped > 0 {
            return;
        }
        match self.open.last().and_then(|at| self.tree.nodes.get_mut(*at)) {
            Some(node) => {
                // In these, text has no meaning: the tree markers of a browser's source view.
                let structural = matches!(
                    node.key.as_str(),
                    "rdf" | "description" | "component" | "bag" | "seq" | "alt"
                );
                if structural && !text.trim().is_empty() {
                    repairs.add(RepairCode::LeadingJunk, &node.name, text);
                }
                node.text.push_str(text);
            }
            None if !text.trim().is_empty() => {
                let code = if self.tree.roots.is_empty() {
                    RepairCode::LeadingJunk
                } else {
                    RepairCode::BrokenMarkup
                };
                repairs.add(code, "", text);
            }
            None => {}
        }
    }
}

/// Local name and prefix.
fn split(name: &str) -> (&str, &str) {
    match name.split_once(':') {
        Some((prefix, local)) => (local, prefix),
        None => (name, ""),
    }
}

fn snippet(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest.char_indices().nth(60).map_or(rest.len(), |(n, _)| n);
    rest.get(..end).unwrap_or("")
}
