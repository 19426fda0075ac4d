//! The attributes that matter, found in the tree by local name wherever they stand.

use super::{
    components::{self, Component},
    repairs::Repairs,
    tree::{Node, Tree},
};
use crate::model::RepairCode;

/// Attributes that decide something (uaprof.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Vendor,
    Model,
    ScreenSize,
    BitsPerPixel,
    OsName,
    OsVersion,
    BrowserName,
    CcppAccept,
    CcppAcceptCharset,
    MaxMessageSize,
    MaxImageResolution,
    MmsAccept,
    MmsAcceptCharset,
    MmsVersion,
    ContentClass,
    Suppress,
    ThreeGpAccept,
    StreamingAccept,
    PssAccept,
    VideoByteRate,
}

/// Attribute, name as the schema spells it, its component, whether it is a list.
const ATTRIBUTES: [(Attribute, &str, Component, bool); 20] = [
    (Attribute::Vendor, "Vendor", Component::Hardware, false),
    (Attribute::Model, "Model", Component::Hardware, false),
    (Attribute::ScreenSize, "ScreenSize", Component::Hardware, false),
    (Attribute::BitsPerPixel, "BitsPerPixel", Component::Hardware, false),
    (Attribute::OsName, "OSName", Component::Software, false),
    (Attribute::OsVersion, "OSVersion", Component::Software, false),
    (Attribute::BrowserName, "BrowserName", Component::Browser, false),
    (Attribute::CcppAccept, "CcppAccept", Component::Software, true),
    (Attribute::CcppAcceptCharset, "CcppAccept-Charset", Component::Software, true),
    (Attribute::MaxMessageSize, "MmsMaxMessageSize", Component::Mms, false),
    (Attribute::MaxImageResolution, "MmsMaxImageResolution", Component::Mms, false),
    (Attribute::MmsAccept, "MmsCcppAccept", Component::Mms, true),
    (Attribute::MmsAcceptCharset, "MmsCcppAcceptCharSet", Component::Mms, true),
    (Attribute::MmsVersion, "MmsVersion", Component::Mms, true),
    (Attribute::ContentClass, "MmsContentClass", Component::Mms, true),
    (Attribute::Suppress, "MmsSuppressContentAdaptation", Component::Mms, false),
    (Attribute::ThreeGpAccept, "ThreeGPAccept", Component::Streaming, true),
    (Attribute::StreamingAccept, "StreamingAccept", Component::Streaming, true),
    (Attribute::PssAccept, "PssAccept", Component::Streaming, true),
    (Attribute::VideoByteRate, "VideoDecodingByteRate", Component::Streaming, false),
];

impl Attribute {
    fn row(self) -> &'static (Attribute, &'static str, Component, bool) {
        // The table has a row for each variant (tested), the first is never the answer by chance.
        ATTRIBUTES.iter().find(|row| row.0 == self).unwrap_or(&ATTRIBUTES[0])
    }

    /// As the schema spells it.
    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    fn home(self) -> Component {
        self.row().2
    }

    fn is_list(self) -> bool {
        self.row().3
    }

    /// Whether the name alone tells that this is UAProf; other vocabularies have models, too.
    fn is_distinctive(self) -> bool {
        !matches!(
            self,
            Self::Vendor | Self::Model | Self::OsName | Self::OsVersion | Self::BrowserName
        )
    }

    fn by_key(key: &str) -> Option<Self> {
        ATTRIBUTES.iter().find(|row| row.1.eq_ignore_ascii_case(key)).map(|row| row.0)
    }
}

/// One place where a document states an attribute.
#[derive(Clone, Debug)]
struct Occurrence {
    attribute: Attribute,
    component: Option<Component>,
    /// In a `prf:Defaults` block, which explicit values override.
    default: bool,
    items: Vec<String>,
}

/// All that a document states, as text.
#[derive(Debug, Default)]
pub(super) struct Stated {
    occurrences: Vec<Occurrence>,
    /// Whether anything of the vocabulary was seen: an attribute, a component, the RDF root.
    pub(super) recognised: bool,
}

impl Stated {
    /// Finds all attributes of a tree.
    pub(super) fn of(tree: &Tree, repairs: &mut Repairs) -> Self {
        let mut stated = Self::default();
        for root in &tree.roots {
            stated.walk(tree, *root, None, false, repairs);
        }
        stated
    }

    /// Depth is bounded by the tree's own cap.
    fn walk(
        &mut self,
        tree: &Tree,
        at: usize,
        outer: Option<Component>,
        default: bool,
        repairs: &mut Repairs,
    ) {
        let Some(node) = tree.nodes.get(at) else { return };
        let here = components::of(tree, node, repairs);
        let default = default || node.key == "defaults";
        let vocabulary = || node.attributes.iter().any(|a| a.value.contains("ccppschema"));
        self.recognised |= here.is_some() || (node.key == "rdf" && vocabulary());
        if node.key == "component" && node.name != "component" {
            repairs.add(RepairCode::Component, "", &node.name);
        }
        let component = here.or(outer);
        if let Some(attribute) = Attribute::by_key(&node.key) {
            self.recognised |= attribute.is_distinctive();
            if node.closed {
                let items = items(tree, node, attribute, repairs);
                self.occurrences.push(Occurrence { attribute, component, default, items });
            } else {
                // Half a number or half a list is worse than none.
                repairs.add(RepairCode::Truncated, attribute.name(), &node.text);
            }
        }
        // RDF's abbreviated syntax: properties as XML attributes.
        for xml in node.attributes.iter().filter(|xml| xml.prefix != "xmlns") {
            let Some(attribute) = Attribute::by_key(&xml.key) else { continue };
            self.recognised |= attribute.is_distinctive();
            let code =
                if attribute.is_list() { RepairCode::ListShape } else { RepairCode::Component };
            repairs.add(code, attribute.name(), "abbreviated syntax");
            let items = vec![xml.value.clone()];
            self.occurrences.push(Occurrence { attribute, component, default, items });
        }
        for child in &node.children {
            self.walk(tree, *child, component, default, repairs);
        }
    }

    /// The occurrences that count: explicit before defaults, in the right component before others.
    fn candidates(&self, attribute: Attribute, repairs: &mut Repairs) -> Vec<&Occurrence> {
        let all: Vec<&Occurrence> =
            self.occurrences.iter().filter(|o| o.attribute == attribute).collect();
        let explicit: Vec<&Occurrence> = all.iter().copied().filter(|o| !o.default).collect();
        let pool = if explicit.is_empty() { all } else { explicit };
        let home: Vec<&Occurrence> =
            pool.iter().copied().filter(|o| o.component == Some(attribute.home())).collect();
        if !home.is_empty() || pool.is_empty() {
            return home;
        }
        match pool.first().and_then(|o| o.component) {
            Some(other) => repairs.add(RepairCode::Misplaced, attribute.name(), other.name()),
            None => repairs.add(RepairCode::Component, attribute.name(), "in no component"),
        }
        pool
    }

    /// The values of a scalar, the first stated first. More than one differing value is noted.
    pub(super) fn scalars(&self, attribute: Attribute, repairs: &mut Repairs) -> Vec<&str> {
        let candidates = self.candidates(attribute, repairs);
        if candidates.len() > 1 {
            let raw = candidates.get(1).and_then(|o| o.items.first()).map_or("", |s| s.as_str());
            repairs.add(RepairCode::Duplicate, attribute.name(), raw);
        }
        candidates.iter().flat_map(|o| o.items.iter().map(String::as_str)).collect()
    }

    /// The items of a list: those of the first occurrence that has any.
    pub(super) fn list(&self, attribute: Attribute, repairs: &mut Repairs) -> Vec<&str> {
        let candidates = self.candidates(attribute, repairs);
        if candidates.len() > 1 {
            let raw = candidates.get(1).and_then(|o| o.items.first()).map_or("", |s| s.as_str());
            repairs.add(RepairCode::Duplicate, attribute.name(), raw);
        }
        let first = candidates.iter().find(|o| o.items.iter().any(|item| !item.trim().is_empty()));
        first.map(|o| o.items.iter().map(String::as_str).collect()).unwrap_or_default()
    }
}

/// The items of an attribute's element: those of its Bag, Seq or Alt, or its own text.
fn items(tree: &Tree, node: &Node, attribute: Attribute, repairs: &mut Repairs) -> Vec<String> {
    let mut found = Found::default();
    found.descend(tree, node);
    let name = attribute.name();
    if let Some(container) = found.container {
        let wrong = if attribute.is_list() { container != "bag" } else { true };
        if wrong {
            repairs.add(RepairCode::ListShape, name, &container);
        }
        return found.items;
    }
    if !found.items.is_empty() {
        repairs.add(RepairCode::ListShape, name, "items without a container");
        return found.items;
    }
    let text = match node.attribute("resource") {
        Some(resource) if node.text.trim().is_empty() => resource,
        _ => &node.text,
    };
    if attribute.is_list() && !text.trim().is_empty() {
        repairs.add(RepairCode::ListShape, name, text);
    }
    vec![text.to_owned()]
}

#[derive(Default)]
struct Found {
    /// Name of the outermost container, in lower case.
    container: Option<String>,
    items: Vec<String>,
}

impl Found {
    /// Walks by name, not by position; other attributes inside are not this one's items.
    fn descend(&mut self, tree: &Tree, node: &Node) {
        for child in node.children.iter().filter_map(|at| tree.nodes.get(*at)) {
            match child.key.as_str() {
                "bag" | "seq" | "alt" => {
                    self.container.get_or_insert_with(|| child.key.clone());
                    self.descend(tree, child);
                }
                "li" | "value" => {
                    let text = match child.attribute("resource") {
                        Some(resource) if child.text.trim().is_empty() => resource,
                        _ => &child.text,
                    };
                    self.items.push(text.to_owned());
                    self.descend(tree, child);
                }
                // rdf:_1, rdf:_2 … are what rdf:li abbreviates.
                key if key.strip_prefix('_').is_some_and(|n| n.parse::<u32>().is_ok()) => {
                    self.items.push(child.text.clone());
                }
                "description" => self.descend(tree, child),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_its_row() {
        for row in &ATTRIBUTES {
            assert_eq!(row.0.row().1, row.1);
            assert_eq!(Attribute::by_key(&row.1.to_ascii_lowercase()), Some(row.0));
        }
        assert_eq!(Attribute::by_key("mmsmaxsize"), None);
    }
}
