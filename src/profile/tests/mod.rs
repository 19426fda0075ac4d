//! The whole room: one synthetic document for each malformation of uaprof.md §6, hostile ones,
//! the corpus, and the order of sources.

mod codecs;
mod malformed;
mod real;
mod resolving;
mod survey;

use std::collections::HashMap;

use bytes::Bytes as Buffer;

use super::{ProfileStore, StoredProfile};

/// A valid document around the content of its two components.
fn document(hardware: &str, mms: &str) -> String {
    const PRF: &str = "http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#";
    format!(
        r#"<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="{PRF}"
  xmlns:mms="http://www.openmobilealliance.org/tech/profiles/MMS/ccppschema-20050301-MMS1.2#">
 <rdf:Description rdf:ID="Test">
  <prf:component><rdf:Description rdf:ID="HardwarePlatform">
   <rdf:type rdf:resource="{PRF}HardwarePlatform"/>{hardware}
  </rdf:Description></prf:component>
  <prf:component><rdf:Description rdf:ID="MmsCharacteristics">
   <rdf:type rdf:resource="{PRF}MmsCharacteristics"/>{mms}
  </rdf:Description></prf:component>
 </rdf:Description>
</rdf:RDF>"#
    )
}

/// A list attribute.
fn bag(name: &str, items: &[&str]) -> String {
    let items: String = items.iter().map(|item| format!("<rdf:li>{item}</rdf:li>")).collect();
    format!("<mms:{name}><rdf:Bag>{items}</rdf:Bag></mms:{name}>")
}

/// What a valid device document says.
fn valid_mms() -> String {
    format!(
        "<mms:MmsMaxMessageSize>307200</mms:MmsMaxMessageSize>\
         <mms:MmsMaxImageResolution>640x480</mms:MmsMaxImageResolution>{}",
        bag("MmsCcppAccept", &["image/jpeg", "image/gif", "text/plain"])
    )
}

/// A store of documents by name; a User-Agent is matched by the name of a document in it.
#[derive(Default)]
struct Shelf(HashMap<String, String>);

impl Shelf {
    fn with(mut self, id: &str, xml: String) -> Self {
        self.0.insert(id.to_owned(), xml);
        self
    }

    fn get(&self, id: &str) -> Option<StoredProfile> {
        let xml = Buffer::from(self.0.get(id)?.clone());
        Some(StoredProfile { id: id.to_owned(), xml })
    }
}

impl ProfileStore for Shelf {
    fn by_id(&self, id: &str) -> Option<StoredProfile> {
        self.get(id)
    }

    fn by_url(&self, url: &str) -> Option<StoredProfile> {
        self.get(url)
    }

    fn by_user_agent(&self, user_agent: &str) -> Option<(StoredProfile, String)> {
        Some((self.get(user_agent)?, "exact".to_owned()))
    }
}
