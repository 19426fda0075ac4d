//! A leaf of any form: the public view and what conversions and edits need beside it.

use bytes::Bytes as Buffer;

use super::Part;
use crate::model::{MediaKind, MediaType};

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// What callers see.
    pub part: Part,
    /// The content type as text with its parameters, as it is spelt; may be empty.
    pub content_type: String,
    /// The `name` parameter.
    pub name: Option<String>,
    /// The `filename` parameter.
    pub filename: Option<String>,
    /// Whether its data was replaced: conversions then write it as media, whatever its type.
    pub fresh: bool,
    /// Whether it is the MM7 SOAP envelope.
    pub envelope: bool,
}

/// The handles of a leaf as its headers give them.
#[derive(Clone, Debug, Default)]
pub(super) struct Handles {
    pub content_type: String,
    pub charset: Option<String>,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    pub name: Option<String>,
    pub filename: Option<String>,
    pub encoded: bool,
}

impl Leaf {
    pub fn new(handles: Handles, data: Buffer) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let declared = MediaType::fold(&handles.content_type);
        // A type that cannot be parsed is text (RFC 2045 clause 5.2), where the bytes are.
        let text = || !data.contains(&0) && std::str::from_utf8(&data).is_ok();
        let declared = match declared.as_str() {
            said if said.contains('/') => declared,
            "" => MediaType::OCTETS,
            _ if text() => MediaType::TEXT,
            _ => MediaType::OCTETS,
        };
        let content_location = filled(handles.content_location);
        let name = filled(handles.name);
        let filename = filled(handles.filename);
        let shown = name.as_ref().or(filename.as_ref()).or(content_location.as_ref()).cloned();
        let essence = handles.content_type.split(';').next().unwrap_or_default();
        let part = Part {
            alternative: None,
            spelling: essence.trim().to_ascii_lowercase(),
            opaque: handles.encoded || is_opaque(&declared),
            declared,
            charset: filled(handles.charset).map(|charset| charset.to_ascii_lowercase()),
            content_id: filled(handles.content_id.map(|id| bare_id(&id).to_owned())),
            content_location,
            name: shown,
            data,
        };
        let content_type = handles.content_type;
        Self { part, content_type, name, filename, fresh: false, envelope: false }
    }

    /// Every name by which a presentation may call it, Content-ID apart.
    pub fn labels(&self) -> impl Iterator<Item = &String> {
        [&self.part.content_location, &self.name, &self.filename, &self.part.name]
            .into_iter()
            .flatten()
    }

    /// Whether it is SMIL, by type or by content.
    pub fn is_presentation(&self) -> bool {
        if self.envelope || self.part.opaque {
            return false;
        }
        match self.part.declared.kind() {
            MediaKind::Presentation => true,
            MediaKind::Text | MediaKind::Other => !self.fresh && looks_like_smil(&self.part.data),
            _ => false,
        }
    }
}

/// A Content-ID without whitespace, quotes and angle brackets.
pub(super) fn bare_id(id: &str) -> &str {
    let id = id.trim().trim_matches('"').trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    id.strip_suffix('>').unwrap_or(id)
}

/// Containers that lose their meaning when a byte of them changes (RFC 1847, RFC 2046 §5.2).
pub(super) fn is_opaque(declared: &MediaType) -> bool {
    let name = declared.as_str();
    name.starts_with("message/")
        || declared.is_multipart()
        || matches!(
            name,
            "application/pkcs7-mime"
                | "application/x-pkcs7-mime"
                | "application/pkcs7-signature"
                | "application/x-pkcs7-signature"
                | "application/pgp-encrypted"
                | "application/pgp-signature"
        )
}

/// The first kilobyte holds `<smil`, in any one- or two-byte encoding, with or without prefix.
fn looks_like_smil(data: &[u8]) -> bool {
    let head: Vec<u8> =
        data.iter().take(2048).filter(|&&b| b != 0).map(u8::to_ascii_lowercase).collect();
    head.windows(5).any(|window| window == b"<smil")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_folded_and_stripped() {
        let leaf = Leaf::new(
            Handles {
                content_type: "IMAGE/JPG; name=a.jpg".into(),
                content_id: Some("\"<x@y>".into()),
                filename: Some("b.jpg".into()),
                ..Handles::default()
            },
            Buffer::new(),
        );
        assert_eq!(leaf.part.declared, MediaType::JPEG);
        assert_eq!(leaf.part.content_id.as_deref(), Some("x@y"));
        assert_eq!(leaf.part.name.as_deref(), Some("b.jpg"));
        assert!(!leaf.part.opaque);
        let none = Leaf::new(Handles::default(), Buffer::from_static(b"\0<\0S\0m\0i\0l\0>"));
        assert_eq!(none.part.declared, MediaType::OCTETS);
        assert!(none.is_presentation());
    }
}
