//! The message as a whole: texts in any charset, notices for what is left out, presentations that
//! follow their media, content classes.

use crate::support;
use bytes::Bytes as Buffer;
use mmsfit::{
    config::Config,
    message::{Form, Message, ParseLimits, PartData},
    model::{Action, Bytes, ContentClass, MediaKind, Outcome, ReasonCode, Stop},
    policy::{Language, LanguageChoice, LeaveOut, Notice, Sanitize, Trim},
    profile::{DeviceDescription, InlineCapabilities},
    samples::{self, av, photo},
    service::{
        Service,
        request::{AdaptRequest, AdaptResponse, Content},
    },
};

fn part(id: &str, name: &str, content_type: &str, data: impl Into<Buffer>) -> PartData {
    PartData {
        content_type: content_type.into(),
        content_id: id.into(),
        content_location: name.into(),
        data: data.into(),
        ..PartData::default()
    }
}

fn device(charsets: &[&str], accept: &[&str]) -> DeviceDescription {
    let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
    let inline = InlineCapabilities {
        max_message_bytes: Some(Bytes::new(102_400)),
        accept: owned(accept),
        charsets: owned(charsets),
        ..InlineCapabilities::default()
    };
    DeviceDescription { inline: Some(inline), ..DeviceDescription::default() }
}

const IMAGES: [&str; 4] = ["image/jpeg", "image/gif", "text/plain", "application/smil"];

fn send(
    service: &Service,
    headers: &[(&str, &str)],
    parts: Vec<PartData>,
    device: DeviceDescription,
) -> (AdaptResponse, Vec<PartData>, Vec<(String, String)>) {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let content = Content::Parts { headers: headers.iter().map(own).collect(), parts };
    let request = AdaptRequest { device, ..AdaptRequest::new(content) };
    let response = service.adapt(request, &Stop::never()).unwrap();
    let Content::Parts { headers, parts } = response.content.clone() else {
        panic!("parts come out as parts")
    };
    (response, parts, headers)
}

fn text_of(part: &PartData) -> String {
    let label = part.content_type.split("charset=").nth(1).unwrap_or("utf-8").trim_matches('"');
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    encoding.decode(&part.data).0.into_owned()
}

#[test]
fn texts_arrive_in_a_charset_that_the_device_reads() {
    let service = Service::new(Config::default());
    let encode = |label: &str, text: &str| {
        let (data, _, lost) =
            encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text);
        assert!(!lost);
        data.into_owned()
    };
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let russian = "Привет! До встречи завтра.\r\nПока";
    let japanese = "明日、古い橋で会いましょう。";
    let chinese = "明天晚上在老桥那里见面。";
    for (name, label, data, text) in [
        ("koi8", "koi8-r", encode("koi8-r", russian), russian),
        ("sjis", "shift_jis", encode("shift_jis", japanese), japanese),
        ("gb", "gb18030", encode("gb18030", chinese), chinese),
        ("wide, called UTF-8", "utf-8", wide(russian), russian),
        ("wide, called UCS-2", "iso-10646-ucs-2", wide("Grüße"), "Grüße"),
        ("sjis, called UTF-8", "utf-8", encode("shift_jis", japanese), japanese),
    ] {
        let message = vec![part("t", "t.txt", &format!("text/plain; charset={label}"), data)];
        let (response, parts, _) =
            send(&service, &[], message, device(&["utf-8", "us-ascii"], &IMAGES));
        assert_eq!(text_of(&parts[0]), text, "{name}: {}", parts[0].content_type);
        assert!(parts[0].content_type.ends_with("charset=utf-8"), "{}", parts[0].content_type);
        let report = &response.report.parts[0];
        assert_eq!(report.action, Action::Transcode, "{name}");
        assert!(report.reasons.iter().any(|r| r.code == ReasonCode::CharsetConverted), "{name}");
        assert_eq!(response.report.outcome, Outcome::Minor, "{name}");
    }
    // A device that reads it gets it as it came; one that reads neither gets it in other letters.
    let data = encode("koi8-r", russian);
    let koi8 = || vec![part("t", "t.txt", "text/plain; charset=koi8-r", data.clone())];
    let (response, parts, _) = send(&service, &[], koi8(), device(&["KOI8-R"], &IMAGES));
    assert_eq!((response.report.outcome, &parts[0].data[..]), (Outcome::Unchanged, &data[..]));
    let (response, parts, _) = send(&service, &[], koi8(), device(&["us-ascii"], &IMAGES));
    let text = text_of(&parts[0]);
    assert!(text.starts_with("Privet! Do vstr") && text.contains("\r\n"), "{text}");
    let lost = &response.report.parts[0].reasons;
    assert!(lost.iter().any(|r| r.code == ReasonCode::Transliterated && r.detail.contains('П')));
    // A label alone that is wrong is repaired, and not a byte of the text changes.
    let message = vec![part("t", "t.txt", "text/plain; charset=iso-8859-1", "Grüße")];
    let (response, parts, _) = send(&service, &[], message, device(&["utf-8"], &IMAGES));
    assert_eq!(parts[0].content_type, "text/plain; charset=utf-8");
    assert_eq!(&parts[0].data[..], "Grüße".as_bytes());
    assert!(
        response.report.parts[0].reasons.iter().any(|r| r.code == ReasonCode::DeclaredTypeWrong)
    );
}

const SMIL: &str = "<smil><head><layout><root-layout/><region id=\"Image\"/><region id=\"Text\"/>\
    </layout></head><body><par dur=\"5s\"><img src=\"photo.png\" region=\"Image\"/>\
    <text src=\"t.txt\" region=\"Text\"/></par>\
    <par dur=\"9000ms\"><video src=\"cid:clip\" region=\"Image\"></video></par></body></smil>";

fn slides(video: Buffer) -> Vec<PartData> {
    vec![
        part("s", "s.smil", "application/smil", SMIL),
        part("p", "photo.png", "image/png", samples::png(&photo::photo(300, 200, 1)).unwrap()),
        part("t", "t.txt", "text/plain; charset=utf-8", "Hallo"),
        part("clip", "clip.avi", "video/x-msvideo", video),
    ]
}

/// The tags that refer to something, as they stand in the presentation.
fn references(smil: &PartData) -> Vec<String> {
    let text = String::from_utf8(smil.data.to_vec()).unwrap();
    text.split('<').filter(|tag| tag.contains("src=")).map(str::to_owned).collect()
}

#[test]
fn a_notice_stands_for_what_is_left_out() {
    let mut config = Config::default();
    config.policy.notice = Some(Notice::Text);
    config.policy.language = Some(LanguageChoice::Fixed(Language::German));
    let service = Service::new(config);
    let mut message = slides(Buffer::from_static(b"%PDF-1.4 not a video at all"));
    message[3].content_type = "application/pdf".into();
    message[3].content_location = "plan.pdf".into();
    let (response, parts, _) = send(&service, &[], message, device(&["utf-8"], &IMAGES));
    assert_eq!(response.report.outcome, Outcome::Major);
    let report = &response.report.parts[3];
    assert_eq!(report.action, Action::Replace);
    assert_eq!(report.after.as_ref().map(|info| info.kind), Some(MediaKind::Text));
    assert_eq!(parts[3].content_type, "text/plain; charset=utf-8");
    assert_eq!(
        String::from_utf8_lossy(&parts[3].data),
        "[Datei (plan.pdf, 27 B) fehlt: dieses Telefon kann den Inhalt nicht zeigen.]"
    );
    assert_eq!(parts[3].content_location, "plan.pdf.txt");
    let references = references(&parts[0]);
    assert!(references[0].starts_with("img src=\"photo.jpg\""), "{references:?}");
    assert!(references[2].starts_with("text src=\"cid:clip\""), "{references:?}");

    // Where there is no room for it, it goes without a word.
    let mut tight = device(&["utf-8"], &IMAGES);
    let size = response.report.wire_bytes_after.get();
    let limit = Bytes::new(size - parts[1].data.len() as u64 - 60);
    tight.inline.as_mut().unwrap().max_message_bytes = Some(limit);
    let mut message = slides(Buffer::from_static(b"%PDF-1.4 not a video at all"));
    message[3].content_type = "application/pdf".into();
    message.remove(1);
    let (response, parts, _) = send(&service, &[], message, tight);
    assert_eq!(response.report.parts[2].action, Action::Drop);
    assert_eq!(parts.len(), 2);
}

#[test]
fn the_element_follows_a_video_that_becomes_an_image() {
    let Some(service) = support::with_workers(Config::default()) else { return };
    let message = slides(av::avi(320, 240, 3).unwrap());
    let (response, parts, _) = send(&service, &[], message, device(&["utf-8"], &IMAGES));
    let after = response.report.parts[3].after.as_ref().unwrap();
    assert_eq!(after.kind, MediaKind::Image);
    let references = references(&parts[0]);
    assert!(references[2].starts_with("img src=\"cid:clip\" region=\"Image\">"), "{references:?}");
    let text = String::from_utf8(parts[0].data.to_vec()).unwrap();
    assert!(text.contains("></img></par>") && text.contains("dur=\"9000ms\""), "{text}");
}

#[test]
fn the_content_class_is_told_and_written() {
    let service = Service::new(Config::default());
    let message = |size| {
        let photo = samples::jpeg(&photo::photo(size, size * 3 / 4, 1), None).unwrap();
        vec![part("p", "p.jpg", "image/jpeg", photo), part("t", "t.txt", "text/plain", "Hi")]
    };
    let header = [("X-Mms-Content-Class", "megapixel"), ("Subject", "x")];
    let mut small = device(&["utf-8"], &IMAGES);
    small.inline.as_mut().unwrap().max_image = "160x120".parse().ok();
    small.inline.as_mut().unwrap().max_message_bytes = Some(Bytes::new(30 * 1024));
    let (response, _, headers) = send(&service, &header, message(1600), small.clone());
    assert_eq!(response.report.content_class_after, Some(ContentClass::ImageBasic));
    assert_eq!(headers[0], ("X-Mms-Content-Class".into(), "image-basic".into()));
    // Nobody asked for one.
    let (response, _, headers) = send(&service, &header[1..], message(1600), small);
    assert_eq!(response.report.content_class_after, Some(ContentClass::ImageBasic));
    assert_eq!(headers.len(), 1);
}

#[test]
fn what_passes_is_sanitized_where_the_policy_says_so() {
    let turned = samples::jpeg(&photo::photo(320, 240, 3), Some(1)).unwrap();
    let message = || vec![part("p", "p.jpg", "image/jpeg", turned.clone())];
    let phone = || device(&["utf-8"], &IMAGES);
    let with = |sanitize| {
        let mut config = Config::default();
        config.policy.sanitize = Some(sanitize);
        Service::new(config)
    };
    let (response, parts, _) = send(&with(Sanitize::Off), &[], message(), phone());
    assert_eq!((response.report.outcome, &parts[0].data), (Outcome::Unchanged, &turned));
    let pixels = |data: &[u8]| image::load_from_memory(data).unwrap().to_rgb8().into_raw();
    let (response, parts, _) = send(&with(Sanitize::Strip), &[], message(), phone());
    assert_eq!(response.report.outcome, Outcome::Minor);
    assert!(parts[0].data.len() < turned.len() && !parts[0].data.windows(4).any(|w| w == b"Exif"));
    assert_eq!(pixels(&parts[0].data), pixels(&turned));
    let codes: Vec<ReasonCode> =
        response.report.parts[0].reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::Fits, ReasonCode::MetadataStripped]);
    let (response, parts, _) = send(&with(Sanitize::Always), &[], message(), phone());
    assert_eq!(response.report.parts[0].action, Action::Transcode);
    assert_eq!(response.report.parts[0].reasons[0].code, ReasonCode::Sanitized);
    assert!(parts[0].data.len() <= turned.len());
}

/// Where the policy lets an audio file be cut, it is, to the byte; where it does not, it is
/// refused.
#[test]
fn audio_too_long_is_cut_only_where_it_may_be() {
    let service = |trim| {
        let mut config = Config::default();
        config.policy.trim = Some(trim);
        support::with_workers(config)
    };
    let (Some(never), Some(allow)) = (service(Trim::Never), service(Trim::Allow)) else { return };
    let voice = av::wav(40);
    let phone = || support::device(20_000, (640, 480), &["image/jpeg", "audio/amr"]);
    let send = |service: &Service| {
        let request = support::bare("v.wav", &voice, phone());
        service.adapt(request, &Stop::never())
    };
    assert_eq!(send(&never).unwrap_err().reason, "CANNOT_FIT");
    let response = send(&allow).unwrap();
    let size = support::bytes_of(&response.content).len();
    assert!(size <= 20_000 && size > 19_000, "{size}");
    let shortened = response.report.parts[0].reasons.iter();
    let told: Vec<_> = shortened.filter(|r| r.code == ReasonCode::Shortened).collect();
    assert!(told.len() == 1 && told[0].detail.contains("of 40.0 s"), "{told:?}");
}

/// A document whose list has no SMIL, and nothing that would carry it.
const WITHOUT_SMIL: &str = r#"<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:mms="http://www.wapforum.org/profiles/MMS/ccppschema-20010111#">
<rdf:Description rdf:ID="P"><component><rdf:Description rdf:ID="MmsCharacteristics">
<mms:MmsMaxMessageSize>102400</mms:MmsMaxMessageSize>
<mms:MmsCcppAccept><rdf:Bag><rdf:li>image/jpeg</rdf:li><rdf:li>text/plain</rdf:li></rdf:Bag></mms:MmsCcppAccept>
</rdf:Description></component></rdf:Description></rdf:RDF>"#;

#[test]
fn a_device_without_presentations_gets_the_parts_alone() {
    let service = Service::new(Config::default());
    let device =
        DeviceDescription { uaprof_xml: Some(WITHOUT_SMIL.into()), ..DeviceDescription::default() };
    let mime = "Subject: x\r\nContent-Type: multipart/related; type=\"application/smil\"; \
                start=\"<s>\"; boundary=b\r\n\r\n\
                --b\r\nContent-Type: application/smil\r\nContent-ID: <s>\r\n\r\n\
                <smil><body><par dur=\"5s\"><text src=\"t.txt\"/></par></body></smil>\r\n\
                --b\r\nContent-Type: text/plain\r\nContent-Location: t.txt\r\n\r\nHallo\r\n--b--\r\n";
    for form in [Form::Mime, Form::MmsPdu] {
        let parsed = Message::parse_mime(mime.into(), &ParseLimits::default()).unwrap();
        let bytes = parsed.serialize(form).unwrap();
        let content = match form {
            Form::Mime => Content::Mime(bytes),
            _ => Content::MmsPdu(bytes),
        };
        let request = AdaptRequest { device: device.clone(), ..AdaptRequest::new(content) };
        let response = service.adapt(request, &Stop::never()).unwrap();
        assert_eq!(response.report.outcome, Outcome::Major, "{form:?}");
        assert_eq!(response.report.parts[0].action, Action::Drop, "{form:?}");
        let out = support::bytes_of(&response.content);
        let parsed = match form {
            Form::Mime => Message::parse_mime(out.clone(), &ParseLimits::default()),
            _ => Message::parse_pdu(out.clone(), &ParseLimits::default()),
        };
        let parsed = parsed.unwrap();
        assert_eq!((parsed.parts().len(), &parsed.parts()[0].data[..]), (1, &b"Hallo"[..]));
        let head = parsed.serialize(Form::Mime).unwrap();
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.contains("multipart/mixed") && !head.contains("start="), "{form:?}: {head}");
    }
}

/// Where media may go whole, a sealed part goes like any other, and the search for what to give up
/// ends.
#[test]
fn media_go_whole_until_the_message_fits() {
    let mut config = Config::default();
    config.policy.leave_out = Some(LeaveOut::Allow);
    let service = Service::new(config);
    let photo = samples::jpeg(&photo::photo(1600, 1200, 1), None).unwrap();
    let message = |sealed: usize| {
        let inner = format!("Subject: x\r\n\r\n{}", "sealed ".repeat(sealed / 7));
        vec![
            part("m", "m.eml", "message/rfc822", inner),
            part("p", "p.jpg", "image/jpeg", photo.clone()),
            part("t", "t.txt", "text/plain; charset=utf-8", "Hallo"),
        ]
    };
    for (sealed, limit) in [(20_000, 20_600), (20_000, 20_350), (200, 700), (20_000, 1_500)] {
        let mut phone = device(&["utf-8"], &IMAGES);
        phone.inline.as_mut().unwrap().max_message_bytes = Some(Bytes::new(limit));
        phone.inline.as_mut().unwrap().accept.push("message/rfc822".into());
        let (response, parts, _) = send(&service, &[], message(sealed), phone);
        assert!(response.report.wire_bytes_after <= Bytes::new(limit), "{sealed} {limit}");
        let gone = response.report.parts.iter().any(|part| part.action == Action::Drop);
        assert!(gone || limit > sealed as u64, "{sealed} {limit}");
        assert!(parts.iter().any(|part| text_of(part) == "Hallo"), "{sealed} {limit}");
    }
}
