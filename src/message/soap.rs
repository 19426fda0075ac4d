//! What is read of an MM7 SOAP envelope (3GPP TS 23.140 §8.7.8): it is never written.

use super::{date, smil::unescape};

/// Whether the bytes are a SOAP envelope.
pub(super) fn is_envelope(data: &[u8]) -> bool {
    let head = crate::message::octets::lossy(&data[..data.len().min(4096)]);
    head.trim_start_matches('\u{feff}').trim_start().starts_with('<')
        && (head.contains(":Envelope") || head.contains("<Envelope"))
        && head.contains("schemas.xmlsoap.org/soap/envelope")
}

/// The values of attribute `name`, entities left as they are.
pub(crate) fn attributes<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    text.match_indices(name).filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back()?;
        if !before.is_whitespace() && before != ':' {
            return None;
        }
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = &rest[1..];
        Some(value[..value.find(quote)?].to_owned())
    })
}

/// The texts of all elements with this local name, nested markup cut out.
pub(super) fn elements(text: &str, local: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut opened = 0;
    for (at, _) in text.match_indices(local).take(4096) {
        let opens = text[..at].rfind('<').is_some_and(|lt| {
            let prefix = &text[lt + 1..at];
            prefix.is_empty()
                || prefix.ends_with(':')
                    && prefix.len() <= 64
                    && !prefix.starts_with('/')
                    && !prefix.contains(char::is_whitespace)
        });
        let rest = &text[at + local.len()..];
        if !opens || !rest.starts_with(['>', ' ', '\t', '\r', '\n']) {
            continue;
        }
        opened += 1;
        if opened > 64 {
            break;
        }
        let Some(gt) = rest.find('>') else { continue };
        if rest[..gt].ends_with('/') {
            continue;
        }
        let body = &rest[gt + 1..];
        let end = body.match_indices("</").find(|(end, _)| {
            let name = &body[end + 2..];
            let name = name[..name.find('>').unwrap_or(name.len())].trim();
            name.rsplit(':').next() == Some(local)
        });
        if let Some((end, _)) = end {
            found.push(body[..end].to_owned());
        }
    }
    found
}

/// Message headers as the envelope states them, under their MIME names.
pub(super) fn headers(text: &str) -> Vec<(String, String)> {
    let mut end = text.len().min(64 << 10);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut list = Vec::new();
    for (tag, name) in [("To", "To"), ("Cc", "Cc"), ("Bcc", "Bcc"), ("SenderAddress", "From")] {
        for block in elements(text, tag) {
            for kind in ["Number", "ShortCode", "RFC2822Address"] {
                for address in elements(&block, kind) {
                    let suffix = if kind == "RFC2822Address" { "" } else { "/TYPE=PLMN" };
                    list.push((name.to_owned(), format!("{}{suffix}", address.trim())));
                }
            }
        }
    }
    for (tag, name) in [
        ("Subject", "Subject"),
        ("TransactionID", "X-Mms-Transaction-ID"),
        ("MessageClass", "X-Mms-Message-Class"),
        ("Priority", "X-Mms-Priority"),
        ("DeliveryReport", "X-Mms-Delivery-Report"),
        ("ReadReply", "X-Mms-Read-Report"),
        ("DistributionIndicator", "X-Mms-Distribution-Indicator"),
        ("ApplicID", "X-Mms-Applic-ID"),
        ("ReplyApplicID", "X-Mms-Reply-Applic-ID"),
        ("AuxApplicInfo", "X-Mms-Aux-Applic-Info"),
        ("ContentClass", "X-Mms-Content-Class"),
        ("DRMContent", "X-Mms-DRM-Content"),
    ] {
        if let Some(value) = elements(text, tag).first() {
            let value = match value.trim() {
                "true" | "1" => "Yes",
                "false" | "0" => "No",
                other => other,
            };
            list.push((name.to_owned(), unescape(value).into_owned()));
        }
    }
    for (tag, name) in [
        ("TimeStamp", "Date"),
        ("EarliestDeliveryTime", "X-Mms-Delivery-Time"),
        ("ExpiryDate", "X-Mms-Expiry"),
    ] {
        // Periods (`P7D`) are left out: what they count from is not in the message.
        let moment = elements(text, tag).first().and_then(|text| date::parse_iso(text));
        list.extend(moment.map(|seconds| (name.to_owned(), date::format(seconds))));
    }
    list
}

/// `allowAdaptations="false"`.
pub(super) fn forbids_adaptation(text: &str) -> bool {
    ["allowAdaptations", "allowadaptations"]
        .into_iter()
        .flat_map(|name| attributes(text, name).collect::<Vec<_>>())
        .any(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "false" | "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read() {
        let xml = "<?xml version='1.0'?><e:Envelope xmlns:e=\
            'http://schemas.xmlsoap.org/soap/envelope/'><e:Body><SubmitReq><Recipients><To>\
            <Number>123</Number></To></Recipients><Subject>A &amp; &#x42; &gt; &#67;</Subject><m:DeliveryReport>\
            true</m:DeliveryReport><TimeStamp>2002-01-21T09:30:45+01:00</TimeStamp><Content href=\"cid:x\" allowAdaptations = 'false'/>";
        assert!(is_envelope(xml.as_bytes()));
        assert!(forbids_adaptation(xml));
        assert_eq!(attributes(xml, "href").collect::<Vec<_>>(), ["cid:x"]);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            headers(xml),
            [
                pair("To", "123/TYPE=PLMN"),
                pair("Subject", "A & B > C"),
                pair("X-Mms-Delivery-Report", "Yes"),
                pair("Date", "Mon, 21 Jan 2002 08:30:45 +0000"),
            ]
        );
    }
}
