//! General entities of the internal DTD subset, with hard caps. External ones are never looked
//! at, entities inside entities are never expanded.

use std::collections::HashMap;

use super::repairs::Repairs;
use crate::model::RepairCode;

/// Entities that are kept (uaprof.md §6 row 5).
const MAX_ENTITIES: usize = 64;
/// Bytes of all entity values together.
const MAX_VALUES: usize = 8 << 10;
/// Bytes that all expansions of one document may yield: real documents stay below 16 KiB.
const MAX_EXPANDED: usize = 256 << 10;

/// The entities of one document.
#[derive(Debug, Default)]
pub(super) struct Entities {
    values: HashMap<String, String>,
    value_bytes: usize,
    expanded: usize,
}

impl Entities {
    /// Reads what a DOCTYPE declares: `rdf:RDF [<!ENTITY a 'b'>]`.
    pub(super) fn read_doctype(&mut self, doctype: &str, repairs: &mut Repairs) {
        let (outer, subset) = doctype.split_once('[').unwrap_or((doctype, ""));
        if outer.contains('(') {
            repairs.add(RepairCode::LeadingJunk, "DOCTYPE", outer);
        } else if outer.contains("SYSTEM") || outer.contains("PUBLIC") {
            repairs.add(RepairCode::EntityRefused, "DOCTYPE", outer);
        }
        for (count, declaration) in subset.split("<!ENTITY").skip(1).enumerate() {
            let kept = count < MAX_ENTITIES && self.declare(declaration).is_some();
            if !kept {
                repairs.add(RepairCode::EntityRefused, "DOCTYPE", declaration);
            }
            if count > MAX_ENTITIES {
                break;
            }
        }
    }

    /// `name "value">`; `None` where it is external, a parameter entity, nested, or too much.
    fn declare(&mut self, declaration: &str) -> Option<()> {
        let (name, rest) = declaration.trim_start().split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = rest.get(1..)?;
        let value = value.get(..value.find(quote)?)?;
        if name == "%" || value.contains('&') || value.contains('<') {
            return None;
        }
        self.value_bytes = self.value_bytes.saturating_add(value.len());
        if self.value_bytes > MAX_VALUES {
            return None;
        }
        // XML 1.0 §4.2: the first declaration binds.
        self.values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        Some(())
    }

    /// Appends what `&name;` stands for; `name` may be `#xNN`. What is unknown or past the caps
    /// adds nothing.
    pub(super) fn push(&mut self, name: &str, out: &mut String, repairs: &mut Repairs) {
        let plain = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => name.strip_prefix('#').and_then(character),
        };
        if let Some(c) = plain {
            out.push(c);
            return;
        }
        match self.values.get(name) {
            Some(value) if self.expanded.saturating_add(value.len()) <= MAX_EXPANDED => {
                self.expanded += value.len();
                out.push_str(value);
                repairs.add(RepairCode::EntityExpanded, "", name);
            }
            _ => repairs.add(RepairCode::EntityRefused, "", name),
        }
    }

    /// An attribute value with its references expanded.
    pub(super) fn expand(&mut self, value: &str, repairs: &mut Repairs) -> String {
        let mut out = String::with_capacity(value.len().min(256));
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let name = after.split(';').next().unwrap_or("");
            let is_name = !name.is_empty()
                && name.len() < after.len()
                && name.len() <= 64
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '#' | '-' | '_' | '.'));
            if is_name {
                self.push(name, &mut out, repairs);
                rest = after.get(name.len() + 1..).unwrap_or("");
            } else {
                repairs.add(RepairCode::BrokenMarkup, "", "raw ampersand");
                out.push('&');
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }
}

/// `x41` or `65`.
fn character(reference: &str) -> Option<char> {
    let code = match reference.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => reference.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(repairs: Repairs) -> Vec<RepairCode> {
        repairs.into_vec().iter().map(|r| r.code).collect()
    }

    #[test]
    fn internal_entities_are_expanded_once_and_others_never() {
        let (mut entities, mut repairs) = (Entities::default(), Repairs::default());
        let doctype = r#"rdf:RDF [<!ENTITY a "one"> <!ENTITY b '&a;&a;'>
            <!ENTITY c SYSTEM "file:///etc/hostname"> <!ENTITY % d "x">]"#;
        entities.read_doctype(doctype, &mut repairs);
        assert_eq!(codes(repairs), [RepairCode::EntityRefused]);
        let mut repairs = Repairs::default();
        let text = entities.expand("[&a;&b;&c;&d;&#65;&#x42;&amp;& x;&", &mut repairs);
        assert_eq!(text, "[oneAB&& x;&");
        assert_eq!(
            codes(repairs),
            [RepairCode::EntityExpanded, RepairCode::EntityRefused, RepairCode::BrokenMarkup]
        );
    }

    #[test]
    fn expansion_is_bounded() {
        let (mut entities, mut repairs) = (Entities::default(), Repairs::default());
        let value = "x".repeat(8 << 10);
        entities.read_doctype(&format!("r [<!ENTITY a '{value}'><!ENTITY b 'y'>]"), &mut repairs);
        let text = entities.expand(&"&a;".repeat(10_000), &mut repairs);
        assert!(text.len() <= MAX_EXPANDED);
        assert_eq!(entities.expand("&b;", &mut repairs), "", "past the cap of all values");
        let many: String = (0..200).map(|n| format!("<!ENTITY e{n} 'v'>")).collect();
        let mut entities = Entities::default();
        entities.read_doctype(&format!("r [{many}]"), &mut repairs);
        assert_eq!(entities.values.len(), MAX_ENTITIES);
    }
}
