//! A UAProf document to typed claims. Lenient by design: real documents are full of errors, and
//! a bad profile must never fail a message (uaprof.md §6).

use super::{
    accept,
    attributes::{Attribute, Stated},
    decode,
    error::ProfileError,
    number,
    repairs::{Repairs, is_malformation},
    tree::{self, Tree},
};
use crate::model::{Bytes, Dimensions, Repair, RepairCode};

/// What one document claims; nothing is filled in. Absent is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// MmsMaxMessageSize.
    pub max_message_bytes: Option<Bytes>,
    /// MmsMaxImageResolution.
    pub max_image: Option<Dimensions>,
    /// ScreenSize.
    pub screen: Option<Dimensions>,
    /// BitsPerPixel.
    pub bits_per_pixel: Option<u8>,
    /// OSName with OSVersion, else BrowserName: `Android 4.4.2`, `Android Browser`.
    pub platform: String,
    /// MmsCcppAccept, lower case.
    pub mms_accept: Vec<String>,
    /// CcppAccept, lower case: the browser's list, used where there is no other.
    pub browser_accept: Vec<String>,
    /// MmsCcppAcceptCharSet.
    pub mms_charsets: Vec<String>,
    /// CcppAccept-Charset: used where there is no other.
    pub browser_charsets: Vec<String>,
    /// MmsContentClass as two-letter codes.
    pub content_classes: Vec<String>,
    /// The highest MmsVersion, as `1.2`.
    pub mms_version: Option<String>,
    /// MmsSuppressContentAdaptation.
    pub suppress_adaptation: Option<bool>,
    /// ThreeGPAccept, StreamingAccept and PssAccept, with their parameters, lower case.
    pub streams: Vec<String>,
    /// VideoDecodingByteRate, bytes a second; `None` where it says nothing.
    pub video_byte_rate: Option<u32>,
    /// What was repaired.
    pub repairs: Vec<Repair>,
}

impl Profile {
    /// Whether it says anything that decides an adaptation.
    pub fn is_usable(&self) -> bool {
        self.max_message_bytes.is_some()
            || self.max_image.is_some()
            || !self.mms_accept.is_empty()
            || !self.browser_accept.is_empty()
            || !self.content_classes.is_empty()
            || self.screen.is_some()
    }

    /// Refuses what had to be repaired.
    ///
    /// # Errors
    /// The first malformation found.
    pub fn strict(self) -> Result<Self, ProfileError> {
        match self.repairs.iter().find(|repair| is_malformation(repair.code)) {
            None => Ok(self),
            Some(first) => Err(ProfileError::Malformed {
                code: first.code,
                attribute: first.attribute.clone(),
                raw: first.raw.clone(),
            }),
        }
    }
}

/// Reads a document, mending what is known to go wrong.
///
/// # Errors
/// The bytes are no profile at all: empty, binary, WBXML, HTML, or XML of another vocabulary.
pub fn parse(bytes: &[u8]) -> Result<Profile, ProfileError> {
    let mut repairs = Repairs::default();
    let text = decode::decode(bytes, &mut repairs)?;
    let tree = tree::scan(&text, &mut repairs);
    if is_html(&text, &tree) {
        return Err(ProfileError::NotAProfile("an HTML page".into()));
    }
    check_namespaces(&tree, &mut repairs);
    let stated = Stated::of(&tree, &mut repairs);
    if !stated.recognised {
        let root = tree.roots.first().and_then(|at| tree.nodes.get(*at));
        let root = root.map_or("nothing", |node| &node.name);
        let root: String = root.chars().take(40).collect();
        return Err(ProfileError::NotAProfile(format!("no UAProf vocabulary, root is `{root}`")));
    }
    let mut profile = read(&stated, &mut repairs);
    profile.repairs = repairs.into_vec();
    Ok(profile)
}

fn read(stated: &Stated, repairs: &mut Repairs) -> Profile {
    let text = |attribute, repairs: &mut Repairs| {
        let raw = stated.scalars(attribute, repairs).into_iter().next().unwrap_or("");
        let words: Vec<&str> = raw.split_whitespace().collect();
        words.join(" ").chars().take(100).collect::<String>()
    };
    let (vendor, model) = (text(Attribute::Vendor, repairs), text(Attribute::Model, repairs));
    // Hints: their spelling does not matter.
    let hint = |attribute| text(attribute, &mut Repairs::default());
    let (system, browser) = (hint(Attribute::OsName), hint(Attribute::BrowserName));
    let platform = if system.is_empty() {
        browser
    } else {
        format!("{system} {}", hint(Attribute::OsVersion)).trim_end().to_owned()
    };
    let types = |attribute: Attribute, repairs: &mut Repairs| {
        accept::types(&stated.list(attribute, repairs), attribute.name(), repairs)
    };
    let mms_accept = types(Attribute::MmsAccept, repairs);
    let browser_accept = types(Attribute::CcppAccept, repairs);
    let charsets = |attribute: Attribute, repairs: &mut Repairs| {
        accept::charsets(&stated.list(attribute, repairs), attribute.name(), repairs)
    };
    Profile {
        vendor,
        model,
        platform,
        max_message_bytes: max_message(stated, repairs),
        max_image: smallest_bounds(stated, Attribute::MaxImageResolution, repairs),
        screen: smallest_bounds(stated, Attribute::ScreenSize, repairs),
        bits_per_pixel: stated
            .scalars(Attribute::BitsPerPixel, repairs)
            .into_iter()
            .find_map(|raw| number::count(raw, 48, Attribute::BitsPerPixel.name(), repairs)),
        mms_accept,
        browser_accept,
        mms_charsets: charsets(Attribute::MmsAcceptCharset, repairs),
        browser_charsets: charsets(Attribute::CcppAcceptCharset, repairs),
        content_classes: content_classes(stated, repairs),
        mms_version: mms_version(stated, repairs),
        suppress_adaptation: boolean(stated, Attribute::Suppress, repairs),
        streams: streams(stated),
        video_byte_rate: stated
            .scalars(Attribute::VideoByteRate, &mut Repairs::default())
            .into_iter()
            .find_map(|raw| raw.trim().parse().ok())
            .filter(|rate| *rate > 0),
        repairs: Vec::new(),
    }
}

/// Items of the player's lists beyond this are not looked at.
const MAX_STREAMS: usize = 200;

/// Hints, read as they are: their spelling does not matter, so no repair is noted.
fn streams(stated: &Stated) -> Vec<String> {
    [Attribute::ThreeGpAccept, Attribute::StreamingAccept, Attribute::PssAccept]
        .into_iter()
        .flat_map(|attribute| {
            let items = stated.list(attribute, &mut Repairs::default());
            items.into_iter().map(|item| item.trim().to_ascii_lowercase()).collect::<Vec<_>>()
        })
        .take(MAX_STREAMS)
        .collect()
}

/// Of several that differ the smaller: what fits it fits the other (uaprof.md §6 row 15).
fn max_message(stated: &Stated, repairs: &mut Repairs) -> Option<Bytes> {
    let name = Attribute::MaxMessageSize.name();
    let raw = stated.scalars(Attribute::MaxMessageSize, repairs);
    raw.into_iter().filter_map(|raw| number::size(raw, name, repairs)).min()
}

fn smallest_bounds(
    stated: &Stated,
    attribute: Attribute,
    repairs: &mut Repairs,
) -> Option<Dimensions> {
    let raw = stated.scalars(attribute, repairs);
    raw.into_iter()
        .filter_map(|raw| number::dimensions(raw, attribute.name(), repairs))
        .min_by_key(|bounds| bounds.pixels())
}

fn boolean(stated: &Stated, attribute: Attribute, repairs: &mut Repairs) -> Option<bool> {
    let raw = stated.scalars(attribute, repairs).into_iter().find(|raw| !raw.trim().is_empty())?;
    match raw.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => {
            repairs.add(RepairCode::UnknownValue, attribute.name(), raw);
            None
        }
    }
}

/// UAProf's two-letter codes and the PDU's names for them (OMA-MMS-CONF).
const CLASSES: [(&str, &str); 8] = [
    ("TX", "TEXT"),
    ("IB", "IMAGE-BASIC"),
    ("IR", "IMAGE-RICH"),
    ("VB", "VIDEO-BASIC"),
    ("VR", "VIDEO-RICH"),
    ("MP", "MEGAPIXEL"),
    ("CB", "CONTENT-BASIC"),
    ("CR", "CONTENT-RICH"),
];

fn content_classes(stated: &Stated, repairs: &mut Repairs) -> Vec<String> {
    let name = Attribute::ContentClass.name();
    let mut list: Vec<String> = Vec::new();
    for item in stated.list(Attribute::ContentClass, repairs) {
        for token in item.split([',', ' ', '\n', '\r', '\t']).filter(|t| !t.is_empty()) {
            let upper = token.to_ascii_uppercase();
            match CLASSES.iter().find(|(code, long)| *code == upper || *long == upper) {
                Some((code, _)) if !list.iter().any(|known| known == code) => {
                    list.push((*code).to_owned());
                }
                Some(_) => {}
                None => repairs.add(RepairCode::UnknownValue, name, token),
            }
        }
    }
    list
}

fn mms_version(stated: &Stated, repairs: &mut Repairs) -> Option<String> {
    let name = Attribute::MmsVersion.name();
    let mut best: Option<(u8, u8)> = None;
    for item in stated.list(Attribute::MmsVersion, repairs) {
        for token in item.split([',', ' ', '\n', '\r', '\t', '/']).filter(|t| !t.is_empty()) {
            match version(token) {
                Some(version) => best = best.max(Some(version)),
                None => repairs.add(RepairCode::UnknownValue, name, token),
            }
        }
    }
    best.map(|(major, minor)| format!("{major}.{minor}"))
}

/// `1.2`, `1.2.0`, `MMS1.2`, `1`.
fn version(token: &str) -> Option<(u8, u8)> {
    let digits = token.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers = digits.split('.');
    let major = numbers.next()?.parse().ok().filter(|n| (1..=9).contains(n))?;
    let minor = numbers.next().map_or(Some(0), |n| n.parse().ok()).filter(|n| *n <= 9)?;
    Some((major, minor))
}

fn is_html(text: &str, tree: &Tree) -> bool {
    let head: String = text.chars().take(200).collect::<String>().to_ascii_lowercase();
    let root = tree.roots.first().and_then(|at| tree.nodes.get(*at));
    head.contains("<!doctype html")
        || root.is_some_and(|node| matches!(&*node.key, "html" | "head" | "body" | "script"))
}

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Namespaces are ignored when reading; what is wrong with them is still told.
fn check_namespaces(tree: &Tree, repairs: &mut Repairs) {
    let mut declared: Vec<&str> = vec!["xml", "xmlns"];
    for node in &tree.nodes {
        for xmlns in node.attributes.iter().filter(|a| a.prefix == "xmlns") {
            declared.push(&xmlns.key);
            let value = xmlns.value.trim();
            let wrong = if xmlns.key == "rdf" {
                value != RDF
            } else {
                value.contains("ccppschema")
                    && (!value.ends_with('#') || value.contains("/uaprof/"))
            };
            if wrong {
                repairs.add(RepairCode::Namespace, &format!("xmlns:{}", xmlns.key), value);
            }
        }
        let undeclared = |prefix: &str| {
            !prefix.is_empty() && !declared.iter().any(|known| known.eq_ignore_ascii_case(prefix))
        };
        if undeclared(&node.prefix) {
            repairs.add(RepairCode::Namespace, "", &format!("undeclared prefix {}", node.prefix));
        }
        declared.dedup();
        // A document that declares prefixes anew on every element must not cost its square.
        if declared.len() > 64 {
            declared.sort_unstable();
            declared.dedup();
            declared.truncate(64);
        }
    }
}
