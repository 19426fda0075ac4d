//! Headers that a message gets when it is done: what depends on the whole.

use super::{Doc, Message, mime::SIGNATURES};
use crate::model::ContentClass;

impl Message {
    /// Headers that sign the whole of a mail, by their names as they are spelt: they do not outlive
    /// a change.
    pub fn signatures(&self) -> Vec<String> {
        let Doc::Mime(entity) = &self.doc else { return Vec::new() };
        let signs = |name: &String| SIGNATURES.contains(&name.to_ascii_lowercase().as_str());
        entity.headers().into_iter().map(|(name, _)| name).filter(signs).collect()
    }

    /// Came at this time, in seconds since 1970: the date of a PDU that is made of a mail or an
    /// MM7 request that tells none.
    #[must_use]
    pub fn received(mut self, seconds: u64) -> Self {
        self.date = matches!(self.doc, Doc::Mime(_)).then_some(seconds);
        self
    }

    /// With X-Mms-Message-Size in the fewest octets, where a PDU was rewritten: its drafts
    /// take four, so that their size does not depend on the number.
    #[must_use]
    pub fn settled(self) -> Self {
        match (&self.doc, &self.input) {
            (Doc::Pdu(pdu), None) => Self::new(Doc::Pdu(pdu.settled()), None),
            _ => self,
        }
    }

    /// With this class in X-Mms-Content-Class, where the message has that header; else as it is.
    #[must_use]
    pub fn with_content_class(&self, class: ContentClass) -> Self {
        const NAME: &str = "x-mms-content-class";
        let doc = match &self.doc {
            Doc::Pdu(pdu) => pdu.classed(class).map(Doc::Pdu),
            Doc::Mime(entity) => entity.with_header(NAME, class.name()).map(Doc::Mime),
            Doc::Parts { headers, leaves } => {
                let mut headers = headers.clone();
                let mut found = false;
                for (_, value) in headers.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case(NAME)) {
                    *value = class.name().to_owned();
                    found = true;
                }
                found.then(|| Doc::Parts { headers, leaves: leaves.clone() })
            }
            Doc::Bare(_) => None,
        };
        let fresh = doc.map(|doc| Self { date: self.date, ..Self::new(doc, None) });
        fresh.unwrap_or_else(|| self.clone())
    }
}
