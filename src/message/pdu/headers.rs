//! Message headers of the MMS encapsulation (OMA-MMS-ENC §7.3; mms-pdu.md §3): codes, names and
//! values, both ways.
//!
//! Long because of the table of fields, which is one with the code that reads and writes them.

use super::status;
use crate::message::{
    date,
    wsp::{self, Reader},
};

/// X-Mms-Message-Type.
pub(super) const MESSAGE_TYPE: u8 = 0x8C;
/// Content-Type, always last.
pub(super) const CONTENT_TYPE: u8 = 0x84;
/// X-Mms-Message-Size.
pub(super) const MESSAGE_SIZE: u8 = 0x8E;
/// X-Mms-Content-Class.
pub(super) const CONTENT_CLASS: u8 = 0xBA;
/// X-Mms-Adaptation-Allowed.
pub(super) const ADAPTATION_ALLOWED: u8 = 0xBC;

/// How a field's value is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Encoded,
    Date,
    Number,
    Period,
    From,
    Version,
    /// One octet from 0x80 on, or text.
    Choice(&'static [&'static str]),
    /// One octet of a table.
    Status(status::Words),
    /// Who sent it on, counted: a number and an address, or a number and a date.
    CountedAddress,
    CountedDate,
    Other,
}

const YES_NO: Kind = Kind::Choice(&["Yes", "No"]);

/// Message types by their octet less 0x80 (OMA-MMS-ENC §7.3.30).
const MESSAGE_TYPES: [&str; 24] = [
    "m-send-req",
    "m-send-conf",
    "m-notification-ind",
    "m-notifyresp-ind",
    "m-retrieve-conf",
    "m-acknowledge-ind",
    "m-delivery-ind",
    "m-read-rec-ind",
    "m-read-orig-ind",
    "m-forward-req",
    "m-forward-conf",
    "m-mbox-store-req",
    "m-mbox-store-conf",
    "m-mbox-view-req",
    "m-mbox-view-conf",
    "m-mbox-upload-req",
    "m-mbox-upload-conf",
    "m-mbox-delete-req",
    "m-mbox-delete-conf",
    "m-mbox-descr",
    "m-delete-req",
    "m-delete-conf",
    "m-cancel-req",
    "m-cancel-conf",
];

const FIELDS: [(u8, &str, Kind); 50] = [
    (0x81, "Bcc", Kind::Encoded),
    (0x82, "Cc", Kind::Encoded),
    (0x83, "X-Mms-Content-Location", Kind::Text),
    (0x85, "Date", Kind::Date),
    (0x86, "X-Mms-Delivery-Report", YES_NO),
    (0x87, "X-Mms-Delivery-Time", Kind::Period),
    (0x88, "X-Mms-Expiry", Kind::Period),
    (0x89, "From", Kind::From),
    (
        0x8A,
        "X-Mms-Message-Class",
        Kind::Choice(&["Personal", "Advertisement", "Informational", "Auto"]),
    ),
    (0x8B, "Message-ID", Kind::Text),
    (0x8C, "X-Mms-Message-Type", Kind::Choice(&MESSAGE_TYPES)),
    (0x8D, "X-Mms-MMS-Version", Kind::Version),
    (0x8E, "X-Mms-Message-Size", Kind::Number),
    (0x8F, "X-Mms-Priority", Kind::Choice(&["Low", "Normal", "High"])),
    (0x90, "X-Mms-Read-Report", YES_NO),
    (0x91, "X-Mms-Report-Allowed", YES_NO),
    (0x92, "X-Mms-Response-Status", Kind::Status(status::RESPONSE)),
    (0x93, "X-Mms-Response-Text", Kind::Encoded),
    (0x94, "X-Mms-Sender-Visibility", Kind::Choice(&["Hide", "Show"])),
    (
        0x95,
        "X-Mms-Status",
        Kind::Choice(&[
            "Expired",
            "Retrieved",
            "Rejected",
            "Deferred",
            "Unrecognised",
            "Indeterminate",
            "Forwarded",
            "Unreachable",
        ]),
    ),
    (0x96, "Subject", Kind::Encoded),
    (0x97, "To", Kind::Encoded),
    (0x98, "X-Mms-Transaction-ID", Kind::Text),
    (0x99, "X-Mms-Retrieve-Status", Kind::Status(status::RETRIEVE)),
    (0x9A, "X-Mms-Retrieve-Text", Kind::Encoded),
    (0x9B, "X-Mms-Read-Status", Kind::Choice(&["Read", "Deleted"])),
    (
        0x9C,
        "X-Mms-Reply-Charging",
        Kind::Choice(&["Requested", "Requested-Text-Only", "Accepted", "Accepted-Text-Only"]),
    ),
    (0x9D, "X-Mms-Reply-Charging-Deadline", Kind::Period),
    (0x9E, "X-Mms-Reply-Charging-ID", Kind::Text),
    (0x9F, "X-Mms-Reply-Charging-Size", Kind::Number),
    (0xA0, "X-Mms-Previously-Sent-By", Kind::CountedAddress),
    (0xA1, "X-Mms-Previously-Sent-Date", Kind::CountedDate),
    (0xA2, "X-Mms-Store", YES_NO),
    (0xA3, "X-Mms-MM-State", Kind::Choice(&["Draft", "Sent", "New", "Retrieved", "Forwarded"])),
    (0xA4, "X-Mms-MM-Flags", Kind::Other),
    (0xA5, "X-Mms-Store-Status", Kind::Status(status::STORE)),
    (0xA6, "X-Mms-Store-Status-Text", Kind::Encoded),
    (0xB1, "X-Mms-Distribution-Indicator", YES_NO),
    (0xB4, "X-Mms-Recommended-Retrieval-Mode", Kind::Choice(&["Manual"])),
    (0xB5, "X-Mms-Recommended-Retrieval-Mode-Text", Kind::Encoded),
    (0xB6, "X-Mms-Status-Text", Kind::Encoded),
    (0xB7, "X-Mms-Applic-ID", Kind::Text),
    (0xB8, "X-Mms-Reply-Applic-ID", Kind::Text),
    (0xB9, "X-Mms-Aux-Applic-Info", Kind::Text),
    (
        0xBA,
        "X-Mms-Content-Class",
        Kind::Choice(&[
            "text",
            "image-basic",
            "image-rich",
            "video-basic",
            "video-rich",
            "megapixel",
            "content-basic",
            "content-rich",
        ]),
    ),
    (0xBB, "X-Mms-DRM-Content", YES_NO),
    (0xBC, "X-Mms-Adaptation-Allowed", YES_NO),
    (0xBD, "X-Mms-Replace-ID", Kind::Text),
    (0xBE, "X-Mms-Cancel-ID", Kind::Text),
    (0xBF, "X-Mms-Cancel-Status", Kind::Status(status::CANCEL)),
];

fn field(code: u8) -> Option<(&'static str, Kind)> {
    FIELDS.iter().find(|(known, _, _)| *known == code).map(|&(_, name, kind)| (name, kind))
}

/// Whether the field's value is text whatever its first octet.
pub(super) fn is_textual(code: u8) -> bool {
    matches!(field(code), Some((_, Kind::Text | Kind::Encoded)))
}

/// The name of a PDU type.
pub(super) fn type_name(octet: u8) -> String {
    let at = usize::from(octet.wrapping_sub(0x80));
    MESSAGE_TYPES.get(at).map_or_else(|| format!("type-{octet:02x}"), |name| (*name).to_owned())
}

/// Name and value for people.
pub(super) fn describe(code: u8, value: &[u8]) -> (String, String) {
    let Some((name, kind)) = field(code) else {
        return (format!("x-code-{code:02x}"), hex(value));
    };
    let text = match kind {
        Kind::Text | Kind::Encoded => Some(wsp::encoded_string(value)),
        Kind::Date => number(value).map(date::format),
        Kind::Number => number(value).map(|number| number.to_string()),
        Kind::Period => period(value),
        Kind::From => from(value),
        Kind::Version => Some(match value {
            [octet @ 0x80..=0xFF, ..] if octet & 0x0F == 0x0F => format!("{}", octet >> 4 & 7),
            [octet @ 0x80..=0xFF, ..] => format!("{}.{}", octet >> 4 & 7, octet & 0x0F),
            _ => wsp::encoded_string(value),
        }),
        Kind::Choice(words) => match value {
            [octet @ 0x80..=0xFF, ..] => {
                words.get(usize::from(octet - 0x80)).map(|word| (*word).to_owned())
            }
            [32..=0xFF, ..] => Some(wsp::encoded_string(value)),
            _ => None,
        },
        Kind::Status(words) => match value {
            [octet, ..] => status::word(words, *octet).map(str::to_owned),
            [] => None,
        },
        Kind::CountedAddress => counted(value)
            .map(|(count, address)| format!("{count}, {}", wsp::encoded_string(address))),
        Kind::CountedDate => counted(value)
            .and_then(|(count, seconds)| Some((count, number(seconds)?)))
            .map(|(count, seconds)| format!("{count}, {}", date::format(seconds))),
        Kind::Other => None,
    };
    (name.to_owned(), text.unwrap_or_else(|| hex(value)))
}

fn hex(value: &[u8]) -> String {
    value.iter().take(64).map(|octet| format!("{octet:02x}")).collect()
}

fn number(value: &[u8]) -> Option<u64> {
    Reader::new(value).integer().ok()
}

fn period(value: &[u8]) -> Option<String> {
    let mut reader = Reader::new(value);
    reader.value_length().ok()?;
    let token = reader.octet().ok()?;
    let number = reader.integer().ok()?;
    match token {
        0x80 => Some(date::format(number)),
        0x81 => Some(number.to_string()),
        _ => None,
    }
}

/// A number, and what is counted by it.
fn counted(value: &[u8]) -> Option<(u64, &[u8])> {
    let mut reader = Reader::new(value);
    let length = reader.value_length().ok()?;
    let mut inner = Reader::new(reader.take(length).ok()?);
    let count = inner.integer().ok()?;
    let rest = inner.take(inner.remaining()).ok()?;
    Some((count, rest))
}

fn from(value: &[u8]) -> Option<String> {
    let mut reader = Reader::new(value);
    let length = reader.value_length().ok()?;
    let inner = reader.take(length).ok()?;
    match inner {
        [0x80, address @ ..] => Some(wsp::encoded_string(address)),
        [0x81, ..] => Some(String::new()),
        _ => None,
    }
}

/// Names of MM4 (3GPP TS 23.140 §8.4.4) that the encapsulation calls otherwise.
const ALIASES: [(&str, &str); 3] = [
    ("X-Mms-Read-Reply", "X-Mms-Read-Report"),
    ("X-Mms-Message-ID", "Message-ID"),
    ("X-Mms-MM-Status-Code", "X-Mms-Status"),
];

/// Appends the header `name: value`; what has no code, or no value that can be coded, is left
/// out (mms-pdu.md §7 #1).
pub(super) fn put(out: &mut Vec<u8>, name: &str, value: &str) {
    let name = ALIASES
        .iter()
        .find(|(alias, _)| name.eq_ignore_ascii_case(alias))
        .map_or(name, |(_, name)| *name);
    let Some(&(code, _, kind)) =
        FIELDS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name))
    else {
        return;
    };
    let value = value.trim();
    let mut coded = Vec::new();
    match kind {
        Kind::Text if !value.is_empty() => wsp::put_text(&mut coded, value),
        Kind::Encoded if matches!(code, 0x81 | 0x82 | 0x97) => {
            for address in addresses(value) {
                out.push(code);
                wsp::put_encoded_string(out, &address);
            }
            return;
        }
        Kind::Encoded if !value.is_empty() => wsp::put_encoded_string(&mut coded, value),
        Kind::Date => {
            if let Some(seconds) = date::parse(value) {
                wsp::put_long(&mut coded, seconds);
            }
        }
        Kind::Number => {
            if let Ok(number) = value.parse() {
                wsp::put_long(&mut coded, number);
            }
        }
        Kind::Period => {
            let mut inner = Vec::new();
            if let Ok(seconds) = value.parse() {
                inner.push(0x81);
                wsp::put_integer(&mut inner, seconds);
            } else if let Some(seconds) = date::parse(value) {
                inner.push(0x80);
                wsp::put_long(&mut inner, seconds);
            }
            if !inner.is_empty() {
                wsp::put_value_length(&mut coded, inner.len());
                coded.extend(inner);
            }
        }
        Kind::From => {
            let mut inner = Vec::new();
            match addresses(value).first() {
                Some(address) => {
                    inner.push(0x80);
                    wsp::put_encoded_string(&mut inner, address);
                }
                None => inner.push(0x81),
            }
            wsp::put_value_length(&mut coded, inner.len());
            coded.extend(inner);
        }
        Kind::Choice(words) => {
            if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case(value)) {
                coded.push(0x80 | at as u8);
            }
        }
        Kind::Status(words) => coded.extend(status::octet(words, value)),
        Kind::CountedAddress | Kind::CountedDate => {
            if let Some(inner) = count(kind, value) {
                wsp::put_value_length(&mut coded, inner.len());
                coded.extend(inner);
            }
        }
        Kind::Text | Kind::Encoded | Kind::Version | Kind::Other => {}
    }
    if !coded.is_empty() {
        out.push(code);
        out.extend(coded);
    }
}

/// `1, +491701234/TYPE=PLMN` or `1, <date>`, coded.
fn count(kind: Kind, value: &str) -> Option<Vec<u8>> {
    let (count, rest) = value.split_once(',')?;
    let mut inner = Vec::new();
    wsp::put_integer(&mut inner, count.trim().parse().ok()?);
    if kind == Kind::CountedDate {
        wsp::put_long(&mut inner, date::parse(rest.trim())?);
    } else {
        wsp::put_encoded_string(&mut inner, addresses(rest).first()?);
    }
    Some(inner)
}

/// X-Mms-MMS-Version as an octet.
pub(super) fn version(text: &str) -> Option<u8> {
    let (major, minor) = text.trim().split_once('.')?;
    match (major.parse::<u8>(), minor.parse::<u8>()) {
        (Ok(major @ 1..=7), Ok(minor @ 0..=14)) => Some(0x80 | major << 4 | minor),
        _ => None,
    }
}

/// Addresses of a list, without the domain that MM4 adds to a number.
fn addresses(value: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let mut quoted = false;
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                list.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = list.last_mut() {
            last.push(c);
        }
    }
    list.into_iter()
        .map(|address| {
            let address = address.trim();
            match address.find("/TYPE=PLMN@") {
                Some(at) => address[..at + "/TYPE=PLMN".len()].trim_start_matches('<').to_owned(),
                None => address.to_owned(),
            }
        })
        .filter(|address| !address.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_both_ways() {
        for (name, value, octets) in [
            ("Subject", "Hi", &b"\x96Hi\0"[..]),
            ("Subject", "Gr\u{fc}n", b"\x96\x07\xeaGr\xc3\xbcn\0"),
            ("From", "+1/TYPE=PLMN", b"\x89\x0e\x80+1/TYPE=PLMN\0"),
            ("X-Mms-Priority", "High", b"\x8f\x82"),
            ("X-Mms-Delivery-Report", "No", b"\x86\x81"),
            ("X-Mms-Expiry", "3600", b"\x88\x04\x81\x02\x0e\x10"),
            ("Date", "Thu, 01 Jan 1970 00:01:00 +0000", b"\x85\x01\x3c"),
            ("X-Mms-Content-Class", "image-rich", b"\xba\x82"),
            ("X-Mms-Retrieve-Status", "Error-permanent-content-unsupported", b"\x99\xe3"),
            ("X-Mms-Response-Status", "Ok", b"\x92\x80"),
            ("X-Mms-Store-Status", "Success", b"\xa5\x80"),
            ("X-Mms-Previously-Sent-By", "2, +1/TYPE=PLMN", b"\xa0\x0e\x82+1/TYPE=PLMN\0"),
            (
                "X-Mms-Previously-Sent-Date",
                "1, Thu, 01 Jan 1970 00:01:00 +0000",
                b"\xa1\x03\x81\x01\x3c",
            ),
        ] {
            let mut out = Vec::new();
            put(&mut out, name, value);
            assert_eq!(out, octets, "{name}");
            assert_eq!(describe(octets[0], &octets[1..]), (name.into(), value.into()));
        }
        let mut many = Vec::new();
        put(&mut many, "to", "+1/TYPE=PLMN@mmsc.example, \"a,b\" <c@d>");
        assert_eq!(many, b"\x97+1/TYPE=PLMN\0\x97\"a,b\" <c@d>\0");
        let mut none = Vec::new();
        put(&mut none, "X-Unheard-Of", "1");
        put(&mut none, "Date", "yesterday");
        assert!(none.is_empty());
        assert_eq!(version("1.3"), Some(0x93));
        assert_eq!(describe(0x8D, &[0x92]).1, "1.2");
    }
}
