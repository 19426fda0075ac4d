//! Which UAProf component an element is: by `rdf:ID`, by `rdf:type`, or by its own name.

use super::{
    repairs::Repairs,
    tree::{Node, Tree},
};
use crate::model::RepairCode;

/// Components of the vocabularies (uaprof.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Component {
    Hardware,
    Software,
    Network,
    Browser,
    Wap,
    Push,
    Mms,
    /// The streaming player's (3GPP TS 26.234 annex F), under several names.
    Streaming,
    /// Vendors' own: nothing in them matters here.
    Other,
}

/// Spelling, lower-case key, component.
const COMPONENTS: [(&str, &str, Component); 13] = [
    ("HardwarePlatform", "hardwareplatform", Component::Hardware),
    ("SoftwarePlatform", "softwareplatform", Component::Software),
    ("NetworkCharacteristics", "networkcharacteristics", Component::Network),
    ("BrowserUA", "browserua", Component::Browser),
    ("WapCharacteristics", "wapcharacteristics", Component::Wap),
    ("PushCharacteristics", "pushcharacteristics", Component::Push),
    ("MmsCharacteristics", "mmscharacteristics", Component::Mms),
    ("Streaming", "streaming", Component::Streaming),
    ("PssCommon", "psscommon", Component::Streaming),
    ("PssSmil", "psssmil", Component::Streaming),
    ("ThreeGPFileFormat", "threegpfileformat", Component::Streaming),
    ("ExtendedStreaming", "extendedstreaming", Component::Streaming),
    ("SprintExtensions", "sprintextensions", Component::Other),
];

impl Component {
    /// As the schema spells it.
    pub(super) fn name(self) -> &'static str {
        COMPONENTS.iter().find(|(_, _, c)| *c == self).map_or("", |(name, _, _)| name)
    }
}

/// The component of a name, whatever its case; `Streaming_PSS5` is `Streaming`.
pub(super) fn by_name(name: &str) -> Option<(&'static str, Component)> {
    let key = name.to_ascii_lowercase();
    let key = key.split('_').next().unwrap_or("");
    COMPONENTS.iter().find(|(_, k, _)| *k == key).map(|(name, _, c)| (*name, *c))
}

/// The component that `node` is, if it is one. Mistakes in how it says so are noted.
pub(super) fn of(tree: &Tree, node: &Node, repairs: &mut Repairs) -> Option<Component> {
    if let Some((name, component)) = by_name(&node.key) {
        // A typed node: legal RDF, but not the form that UAProf asks for.
        repairs.add(RepairCode::Component, name, &node.name);
        return Some(component);
    }
    if node.key != "description" {
        return None;
    }
    let id = node.attributes.iter().find(|a| matches!(&*a.key, "id" | "about" | "nodeid"));
    let id_name = id.map(|a| last_segment(&a.value)).unwrap_or("");
    let type_name = type_of(tree, node).unwrap_or("");
    let (by_id, by_type) = (by_name(id_name), by_name(type_name));
    let (name, component) = by_id.or(by_type)?;
    if by_id.is_some() && id.is_some_and(|a| a.prefix.is_empty()) {
        repairs.add(RepairCode::Component, name, "id without the rdf prefix");
    } else if by_id.is_some() && !id_name.starts_with(name) {
        repairs.add(RepairCode::Component, name, id_name);
    } else if by_id.is_none() {
        repairs.add(
            RepairCode::Component,
            name,
            if id_name.is_empty() { "no id" } else { id_name },
        );
    } else if type_name.is_empty() {
        repairs.add(RepairCode::Component, name, "no type");
    } else if by_type.map(|(_, c)| c) != Some(component) || !type_name.starts_with(name) {
        repairs.add(RepairCode::Component, name, type_name);
    }
    Some(component)
}

fn type_of<'a>(tree: &'a Tree, node: &'a Node) -> Option<&'a str> {
    let child = node.children.iter().filter_map(|at| tree.nodes.get(*at)).find(|c| c.key == "type");
    let uri = child.and_then(|c| c.attribute("resource")).or_else(|| node.attribute("type"))?;
    Some(last_segment(uri))
}

/// What stands behind the last `#` or `/`.
fn last_segment(uri: &str) -> &str {
    uri.trim().rsplit(['#', '/']).next().unwrap_or("")
}
