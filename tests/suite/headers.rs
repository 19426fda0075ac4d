//! Every header of the encapsulation, of MM4 and of MM7, from each form to the others: the right
//! one, once, with its value; or not at all where the other form has no place for it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use mmsfit::message::{Form, Message, ParseLimits, PartData};

use crate::support::need;

/// Headers that the encapsulation and MIME both have, with a value as both write it
/// (OMA-MMS-ENC-V1.3 §7.3).
const BOTH: &[(&str, &str)] = &[
    ("Bcc", "+15550101/TYPE=PLMN"),
    ("Cc", "+15550102/TYPE=PLMN"),
    ("Date", "Thu, 26 Nov 2026 10:00:00 +0000"),
    ("From", "+15550103/TYPE=PLMN"),
    ("Message-ID", "m-1@mmsc.example"),
    ("Subject", "Grüße & <mehr>"),
    ("To", "+15550104/TYPE=PLMN, a@b.example"),
    ("X-Mms-Adaptation-Allowed", "Yes"),
    ("X-Mms-Applic-ID", "app"),
    ("X-Mms-Aux-Applic-Info", "aux"),
    ("X-Mms-Cancel-ID", "c-1"),
    ("X-Mms-Cancel-Status", "Cancel-Request-Corrupted"),
    ("X-Mms-Content-Class", "image-rich"),
    ("X-Mms-Content-Location", "http://mmsc.example/1"),
    ("X-Mms-DRM-Content", "No"),
    ("X-Mms-Delivery-Report", "Yes"),
    ("X-Mms-Delivery-Time", "Fri, 27 Nov 2026 10:00:00 +0000"),
    ("X-Mms-Distribution-Indicator", "No"),
    ("X-Mms-Expiry", "86400"),
    ("X-Mms-MM-State", "New"),
    ("X-Mms-MMS-Version", "1.3"),
    ("X-Mms-Message-Class", "Informational"),
    ("X-Mms-Message-Type", "m-retrieve-conf"),
    ("X-Mms-Previously-Sent-By", "1, +15550105/TYPE=PLMN"),
    ("X-Mms-Previously-Sent-Date", "1, Wed, 25 Nov 2026 10:00:00 +0000"),
    ("X-Mms-Priority", "High"),
    ("X-Mms-Read-Report", "Yes"),
    ("X-Mms-Read-Status", "Read"),
    ("X-Mms-Recommended-Retrieval-Mode", "Manual"),
    ("X-Mms-Recommended-Retrieval-Mode-Text", "bitte"),
    ("X-Mms-Replace-ID", "r-1"),
    ("X-Mms-Reply-Applic-ID", "reply"),
    ("X-Mms-Reply-Charging", "Requested"),
    ("X-Mms-Reply-Charging-Deadline", "3600"),
    ("X-Mms-Reply-Charging-ID", "rc-1"),
    ("X-Mms-Reply-Charging-Size", "100000"),
    ("X-Mms-Report-Allowed", "No"),
    ("X-Mms-Response-Status", "Error-permanent-content-not-accepted"),
    ("X-Mms-Response-Text", "nein"),
    ("X-Mms-Retrieve-Status", "Error-transient-network-problem"),
    ("X-Mms-Retrieve-Text", "später"),
    ("X-Mms-Sender-Visibility", "Hide"),
    ("X-Mms-Status", "Deferred"),
    ("X-Mms-Status-Text", "wartet"),
    ("X-Mms-Store", "Yes"),
    ("X-Mms-Store-Status", "Error-permanent-mmbox-full"),
    ("X-Mms-Store-Status-Text", "voll"),
    ("X-Mms-Transaction-ID", "t-1"),
];

/// Of MM4 (3GPP TS 23.140 §8.4.4), with what they are called in a PDU; none has a place there.
const MM4: &[(&str, &str, Option<&str>)] = &[
    ("X-Mms-3GPP-MMS-Version", "6.3.0", None),
    ("X-Mms-Ack-Request", "Yes", None),
    ("X-Mms-Forward-Counter", "1", None),
    ("X-Mms-Originator-System", "system@mmsc.example", None),
    ("X-Mms-Read-Reply", "Yes", Some("X-Mms-Read-Report")),
    ("X-Mms-Message-ID", "4-1@mmsc.example", Some("Message-ID")),
    ("X-Mms-MM-Status-Code", "Retrieved", Some("X-Mms-Status")),
];

fn text() -> Vec<PartData> {
    vec![PartData {
        content_type: "text/plain; charset=utf-8".into(),
        content_location: "t.txt".into(),
        data: "hello".into(),
        ..PartData::default()
    }]
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn built(headers: &[(&str, &str)]) -> Message {
    Message::from_parts(owned(headers), text(), &ParseLimits::default()).expect("a message")
}

fn pdu(message: &Message) -> Message {
    let bytes = message.serialize(Form::MmsPdu).expect("a PDU");
    Message::parse_pdu(bytes, &ParseLimits::default()).expect("reads")
}

fn mime(message: &Message) -> Message {
    let bytes = message.serialize(Form::Mime).expect("MIME");
    Message::parse_mime(bytes, &ParseLimits::default()).expect("reads")
}

/// All values of a header.
fn values(message: &Message, name: &str) -> Vec<String> {
    let headers = message.headers().into_iter();
    headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[test]
fn what_both_forms_have_goes_both_ways() {
    for (name, value) in BOTH {
        let sent = built(&[(name, value)]);
        let wrapped = pdu(&sent);
        // Addresses of a list are a field each.
        assert_eq!(values(&wrapped, name).join(", "), *value, "{name} into a PDU");
        let mailed = mime(&wrapped);
        assert_eq!(values(&mailed, name), [*value], "{name} from a PDU into MIME");
        let back = pdu(&mailed);
        assert_eq!(values(&back, name).join(", "), *value, "{name} from MIME into a PDU");
    }
    // All at once, each once.
    let all = mime(&pdu(&built(BOTH)));
    for (name, value) in BOTH {
        assert_eq!(values(&all, name), [*value], "{name} among all");
    }
}

#[test]
fn what_mm4_calls_otherwise_is_renamed_and_what_only_mm4_has_stays_there() {
    for (name, value, renamed) in MM4 {
        let wrapped = pdu(&mime(&built(&[(name, value)])));
        match renamed {
            Some(renamed) => assert_eq!(values(&wrapped, renamed), [*value], "{name}"),
            None => {
                let all = wrapped.headers();
                assert!(!all.iter().any(|(_, known)| known == value), "{name}: {all:?}");
            }
        }
    }
    // The mail that carries it has an identifier of its own.
    let both = [("Message-ID", "<mail@smtp.example>"), ("X-Mms-Message-ID", "4-1@mmsc.example")];
    assert_eq!(values(&pdu(&mime(&built(&both))), "Message-ID"), ["4-1@mmsc.example"]);
}

#[test]
fn what_only_a_pdu_needs_stays_in_the_pdu() {
    let head =
        b"\x8c\x84\x98t\0\x8d\x92\x89\x01\x81\x8e\x02\x12\x34\x97+1/TYPE=PLMN\0\x97+2/TYPE=PLMN\0";
    let body = b"\x84\xa3\x01\x01\x05\x83hello";
    let bytes = [&head[..], &body[..]].concat();
    let read = Message::parse_pdu(bytes.into(), &ParseLimits::default()).expect("reads");
    assert_eq!(values(&read, "X-Mms-Message-Size"), ["4660"]);
    let mailed = mime(&read);
    assert!(values(&mailed, "X-Mms-Message-Size").is_empty());
    assert!(values(&mailed, "From").is_empty(), "the token to insert an address is no address");
    assert_eq!(values(&mailed, "To"), ["+1/TYPE=PLMN, +2/TYPE=PLMN"]);
}

#[test]
fn an_mm7_request_becomes_a_pdu_with_its_headers() {
    let envelope = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\
        \"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header><TransactionID>7-1</TransactionID>\
        </e:Header><e:Body><SubmitReq><MM7Version>6.8.0</MM7Version><SenderIdentification>\
        <SenderAddress><ShortCode>4711</ShortCode></SenderAddress></SenderIdentification>\
        <Recipients><To><Number>15550106</Number></To><Cc><RFC2822Address>a@b.example\
        </RFC2822Address></Cc></Recipients><MessageClass>Informational</MessageClass>\
        <TimeStamp>2026-11-26T11:00:00+01:00</TimeStamp>\
        <EarliestDeliveryTime>2026-11-27T10:00:00Z</EarliestDeliveryTime>\
        <ExpiryDate>2026-11-28T10:00:00Z</ExpiryDate><DeliveryReport>true</DeliveryReport>\
        <ReadReply>false</ReadReply><Priority>High</Priority>\
        <Subject>Eins &amp; zwei &gt; drei &#252;ber &#x41;</Subject>\
        <DistributionIndicator>true</DistributionIndicator>\
        <Content href=\"cid:c\"/></SubmitReq></e:Body></e:Envelope>";
    let request = |stamped: bool| {
        let (from, to) = (envelope.find("<TimeStamp>"), envelope.find("<EarliestDeliveryTime>"));
        let (from, to) = (from.expect("there"), to.expect("there"));
        let envelope = match stamped {
            true => envelope.to_owned(),
            false => format!("{}{}", &envelope[..from], &envelope[to..]),
        };
        let text = format!(
            "POST /mm7 HTTP/1.1\r\nContent-Type: multipart/related; boundary=b; type=text/xml; \
             start=\"<s>\"\r\nSOAPAction: \"\"\r\n\r\n--b\r\nContent-Type: text/xml\r\n\
             Content-ID: <s>\r\n\r\n{envelope}\r\n--b\r\nContent-Type: text/plain\r\n\
             Content-ID: <c>\r\n\r\nhello\r\n--b--\r\n"
        );
        Message::parse_mime(text.into(), &ParseLimits::default()).expect("reads")
    };
    let wrapped = pdu(&request(true));
    let read = others("pdu", &wrapped.serialize(Form::MmsPdu).expect("a PDU"));
    for (name, value) in [
        ("X-Mms-Transaction-ID", "7-1"),
        ("From", "4711/TYPE=PLMN"),
        ("To", "15550106/TYPE=PLMN"),
        ("Cc", "a@b.example"),
        ("X-Mms-Message-Class", "Informational"),
        ("Date", "Thu, 26 Nov 2026 10:00:00 +0000"),
        ("X-Mms-Delivery-Time", "Fri, 27 Nov 2026 10:00:00 +0000"),
        ("X-Mms-Expiry", "Sat, 28 Nov 2026 10:00:00 +0000"),
        ("X-Mms-Delivery-Report", "Yes"),
        ("X-Mms-Read-Report", "No"),
        ("X-Mms-Priority", "High"),
        ("Subject", "Eins & zwei > drei über A"),
        ("X-Mms-Distribution-Indicator", "Yes"),
    ] {
        assert_eq!(values(&wrapped, name), [value], "{name}");
        if let Some(read) = &read {
            assert_eq!(joined(read, name), value, "{name} by others");
        }
    }
    // Without a time of its own it has the time at which it came, and an own one wins.
    let came = |message: Message| values(&pdu(&message.received(1_795_687_200)), "Date");
    assert_eq!(came(request(false)), ["Thu, 26 Nov 2026 10:00:00 +0000"]);
    assert_eq!(came(request(true)), ["Thu, 26 Nov 2026 10:00:00 +0000"]);
    assert!(values(&pdu(&request(false)), "Date").is_empty());
}

#[test]
fn the_size_is_stated_in_the_fewest_octets() {
    use mmsfit::message::Edit;
    let head = b"\x8c\x84\x98t\0\x8d\x92\x8e\x04\x00\x01\x12\x34\x97+1/TYPE=PLMN\0";
    for length in [10usize, 100, 300, 70_000] {
        let body = b"\x84\xa3\x01\x01\x02\x83hi";
        let bytes = [&head[..], &body[..]].concat();
        let read = Message::parse_pdu(bytes.into(), &ParseLimits::default()).expect("reads");
        let edit =
            Edit::Replace { content_type: "text/plain".into(), data: "x".repeat(length).into() };
        let written = read.rewrite(&[edit]).expect("rewritten").settled();
        let bytes = written.serialize(Form::MmsPdu).expect("a PDU");
        let at = bytes.windows(2).position(|w| w == [0x8d, 0x92]).expect("the version") + 3;
        let octets = usize::from(bytes[at]);
        let stated = bytes[at + 1..at + 1 + octets].iter().fold(0, |n, b| n << 8 | usize::from(*b));
        assert_eq!(stated, bytes.len());
        assert_eq!(octets, (usize::BITS - bytes.len().leading_zeros()).div_ceil(8) as usize);
    }
}

/// What others read: a decoder of PDUs that shares nothing with ours, and Python's mail package.
/// `None` without Python.
fn others(kind: &str, bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/mms_headers.py");
    let mut command = Command::new("python3");
    command.args([script, kind]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            need::missing("python", error);
            return None;
        }
    };
    child.stdin.take().expect("a pipe").write_all(bytes).expect("it reads");
    let said = child.wait_with_output().expect("it ends");
    assert!(said.status.success(), "{kind}: the reader failed");
    Some(serde_json::from_slice(&said.stdout).expect("pairs"))
}

fn joined(headers: &[(String, String)], name: &str) -> String {
    let of = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    of.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
}

#[test]
fn others_read_every_header_of_a_pdu_and_of_a_mail() {
    let sent = built(BOTH);
    let wrapped = pdu(&sent);
    let mailed = mime(&wrapped);
    let forms = [
        ("pdu", &sent, Form::MmsPdu),
        ("mail", &wrapped, Form::Mime),
        ("pdu", &mailed, Form::MmsPdu),
        ("mail", &pdu(&mailed), Form::Mime),
    ];
    for (kind, message, form) in forms {
        let bytes = message.serialize(form).expect("writes");
        let Some(read) = others(kind, &bytes) else { return };
        for (name, value) in BOTH {
            let mut found = joined(&read, name);
            // The brackets of a mail's identifier are its own.
            if *name == "Message-ID" {
                found = found.trim_matches(['<', '>']).to_owned();
            }
            assert_eq!(found, *value, "{name} in a {kind}: {read:?}");
        }
    }
}

/// Fields that the dissector of tshark knows, and what it shows of the table above. Of texts it reads
/// the ASCII alone.
const TSHARK: &[(&str, &str)] = &[
    ("mmse.bcc", "+15550101/TYPE=PLMN"),
    ("mmse.cc", "+15550102/TYPE=PLMN"),
    ("mmse.content_location", "http://mmsc.example/1"),
    ("mmse.delivery_report", "0x80"),
    ("mmse.from", "+15550103/TYPE=PLMN"),
    ("mmse.message_class.id", "0x82"),
    ("mmse.message_id", "m-1@mmsc.example"),
    ("mmse.message_type", "0x84"),
    ("mmse.mms_version", "1.3"),
    ("mmse.previously_sent_by.address", "+15550105/TYPE=PLMN"),
    ("mmse.priority", "0x82"),
    ("mmse.read_report", "0x80"),
    ("mmse.read_status", "0x80"),
    ("mmse.reply_charging", "0x80"),
    ("mmse.reply_charging_id", "rc-1"),
    ("mmse.reply_charging_size", "100000"),
    ("mmse.report_allowed", "0x81"),
    ("mmse.response_status", "0xe5"),
    ("mmse.response_text", "nein"),
    ("mmse.retrieve_status", "0xc2"),
    ("mmse.sender_visibility", "0x80"),
    ("mmse.status", "0x83"),
    ("mmse.to", "+15550104/TYPE=PLMN,a@b.example"),
    ("mmse.transaction_id", "t-1"),
];

#[test]
fn tshark_reads_every_header_that_it_knows() {
    let pdu = built(BOTH).serialize(Form::MmsPdu).expect("a PDU");
    let file = tempfile::Builder::new().suffix(".mms").tempfile().expect("a file");
    std::fs::write(file.path(), &pdu).expect("writes");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/tshark-check.sh");
    let fields: Vec<&str> = TSHARK.iter().map(|(field, _)| *field).collect();
    let said = Command::new(script).arg(file.path()).env("FIELDS", fields.join(" ")).output();
    let said = said.expect("the script runs");
    if said.status.code() == Some(2) {
        return need::missing("tshark", String::from_utf8_lossy(&said.stderr));
    }
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let shown: Vec<&str> = text.lines().next().unwrap_or_default().split('\t').collect();
    assert_eq!(shown.len(), TSHARK.len(), "{text} {}", String::from_utf8_lossy(&said.stderr));
    for ((field, wanted), shown) in TSHARK.iter().zip(shown) {
        assert_eq!(shown, *wanted, "{field}: {text}");
    }
}
