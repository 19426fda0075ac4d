//! The messages, made here.

use bytes::Bytes as Buffer;
use mmsfit::{
    message::{Form, PartData},
    samples::{self, av, photo},
    service::request::Content,
};

use crate::support::old_phone;

/// One message on its way.
pub struct Golden {
    pub name: &'static str,
    pub content: Content,
    pub device: &'static str,
    pub carrier: &'static str,
}

fn golden(
    name: &'static str,
    content: impl Into<Sent>,
    device: &'static str,
    carrier: &'static str,
) -> Golden {
    Golden { name, content: content.into().0, device, carrier }
}

pub struct Sent(Content);

impl From<Vec<u8>> for Sent {
    fn from(pdu: Vec<u8>) -> Self {
        Self(Content::MmsPdu(pdu.into()))
    }
}

/// Parts travel as a PDU: what comes out is read by others too.
impl From<Vec<PartData>> for Sent {
    fn from(parts: Vec<PartData>) -> Self {
        Self(Content::MmsPdu(samples::message(parts, Form::MmsPdu).unwrap()))
    }
}

fn part(id: &str, name: &str, content_type: &str, data: impl Into<Buffer>) -> PartData {
    PartData {
        content_type: content_type.into(),
        content_id: id.into(),
        content_location: name.into(),
        name: name.into(),
        data: data.into(),
    }
}

fn smil(head: &str, slides: &str) -> PartData {
    let text = format!("<smil><head>{head}</head><body>{slides}</body></smil>");
    part("smil", "smil.smil", "application/smil", text)
}

fn words(name: &str, text: &str) -> PartData {
    part(name, name, "text/plain; charset=utf-8", text.to_owned())
}

fn jpeg(width: u16, height: u16, seed: u64) -> Buffer {
    samples::jpeg(&photo::photo(width, height, seed), None).unwrap()
}

fn encoded(label: &str, text: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let (data, _, lost) = encoding.encode(text);
    assert!(!lost, "{label} holds {text}");
    data.into_owned()
}

/// A vCard as phones write it: base64 folded at 76.
fn card(photo: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(photo);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(74).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Muster;Änne\r\nPHOTO;ENCODING=b;TYPE=JPEG:{}\r\n\
         TEL;CELL:+491700000000\r\nEND:VCARD\r\n",
        lines.join("\r\n ")
    )
}

fn protected(media: &[u8]) -> Vec<u8> {
    let head = b"--b0\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    [&head[..], media, b"\r\n--b0--"].concat()
}

const LAYOUT: &str = "<layout><root-layout width=\"352\" height=\"416\"/><region id=\"Image\" \
    left=\"0\" top=\"0\" width=\"352\" height=\"300\" fit=\"meet\"/><region id=\"Text\" left=\"0\" \
    top=\"300\" width=\"352\" height=\"116\"/></layout>";

pub fn stills() -> Vec<Golden> {
    let percent = "<layout><root-layout/><region id=\"Image\" top=\"0%\" height=\"80%\" \
        width=\"100%\"/><region id=\"Text\" top=\"80%\" height=\"20%\" width=\"100%\"/></layout>";
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let letter = |label: &str, said: &str, text: &str| {
        part("t", "t.txt", &format!("text/plain; charset={said}"), encoded(label, text))
    };
    let twenty: Vec<PartData> = (0..20u16)
        .map(|n| {
            let name = format!("p{n}.jpg");
            part(&name, &name, "image/jpeg", jpeg(320 + n * 8, 240, u64::from(n)))
        })
        .collect();
    let slides: String =
        (0..20).map(|n| format!("<par dur=\"4s\"><img src=\"p{n}.jpg\"/></par>")).collect();
    let nameless = PartData {
        content_type: "image/jpeg".into(),
        data: jpeg(1280, 960, 3),
        ..PartData::default()
    };
    vec![
        golden(
            "percent-layout",
            vec![
                smil(
                    percent,
                    "<par dur=\"5s\"><img src=\"a&amp;b.png\" region=\"Image\"/><text \
                    src=\"t.txt\" region=\"Text\"/></par>",
                ),
                part(
                    "a",
                    "a&b.png",
                    "image/png",
                    samples::png(&photo::photo(700, 500, 1)).unwrap(),
                ),
                words("t.txt", "Am See, 20 °C"),
            ],
            "class-image-rich",
            "de-telekom",
        ),
        golden(
            "broken-markup",
            vec![
                part(
                    "smil",
                    "s.smil",
                    "application/smil",
                    "\u{feff}<SMIL><BODY><par dur=5s>\
                    <IMG SRC=cid:a region=Image><text src='t.txt' /></PAR><par><img src=\"b.jpg\">",
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                part("b", "b.jpg", "image/jpeg", jpeg(160, 120, 2)),
                words("t.txt", "Hallo & tschüß"),
            ],
            "nokia-6230",
            "de-vodafone",
        ),
        golden(
            "no-presentation",
            vec![part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)), words("t.txt", "Hi")],
            "nokia-7650",
            "us-att",
        ),
        golden(
            "old-phone",
            old_phone::message(&[
                old_phone::smil(
                    b"<smil><body><par dur='8s'><img src='b.jpg'/><text src='t.txt'/>\
                    </par></body></smil>",
                ),
                old_phone::image(0x9e, "b.jpg", &jpeg(1024, 768, 4)),
                old_phone::text(0x84, "t.txt", b"Gr\xfc\xdfe"),
            ]),
            "class-image-basic",
            "fr-orange",
        ),
        golden(
            "utf16-called-utf8",
            vec![part("t", "t.txt", "text/plain; charset=utf-8", wide("Привет, мир"))],
            "class-image-rich",
            "pl-play",
        ),
        golden(
            "gb18030",
            vec![letter("gb18030", "gb18030", "明天晚上在老桥那里见面。")],
            "samsung-galaxy-s5",
            "us-verizon",
        ),
        golden(
            "shift-jis-unlabelled",
            vec![part(
                "t",
                "t.txt",
                "text/plain",
                encoded("shift_jis", "明日、古い橋で会いましょう。"),
            )],
            "apple-iphone-15",
            "jp-docomo",
        ),
        golden(
            "koi8-r",
            vec![letter("koi8-r", "koi8-r", "До встречи завтра.\r\nПока")],
            "nokia-e5",
            "us-tmobile",
        ),
        golden(
            "card-with-photo",
            vec![
                part("c", "aenne.vcf", "text/x-vCard", card(&jpeg(1200, 900, 5))),
                words("t.txt", "Meine Karte"),
            ],
            "class-image-rich",
            "de-o2",
        ),
        golden(
            "forward-locked",
            vec![
                smil(
                    "",
                    "<par dur=\"5s\"><img src=\"cid:locked\"/></par>\
                    <par dur=\"5s\"><img src=\"a.jpg\"/></par>",
                ),
                part(
                    "locked",
                    "l.dm",
                    "application/vnd.oma.drm.message",
                    protected(&jpeg(200, 150, 6)),
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 7)),
            ],
            "sony-ericsson-k750i",
            "it-tim",
        ),
        golden(
            "forward-locked-not-taken",
            vec![
                part(
                    "locked",
                    "l.dcf",
                    "application/vnd.oma.drm.content",
                    protected(&jpeg(200, 150, 6)),
                ),
                words("t.txt", "Siehst du es?"),
            ],
            "class-image-basic",
            "it-tim",
        ),
        golden(
            "twenty-pictures",
            [vec![smil("", &slides)], twenty].concat(),
            "class-image-rich",
            "es-movistar",
        ),
        golden("no-name", vec![nameless, words("t.txt", "?")], "motorola-razr-v3", "us-att"),
        golden(
            "duplicate-ids",
            vec![
                smil(
                    "",
                    "<par dur=\"5s\"><img src=\"cid:same\"/></par><par dur=\"5s\"><img \
                    src=\"two.png\"/></par>",
                ),
                part(
                    "same",
                    "one.png",
                    "image/png",
                    samples::png(&photo::photo(900, 600, 8)).unwrap(),
                ),
                part(
                    "same",
                    "two.png",
                    "image/png",
                    samples::png(&photo::photo(600, 900, 9)).unwrap(),
                ),
            ],
            "nokia-6600",
            "gb-ee",
        ),
    ]
}

/// Those that need the worker.
pub fn moving() -> Vec<Golden> {
    let film = av::avi(320, 240, 5).unwrap();
    let voice = av::wav(6);
    vec![
        golden(
            "four-slides",
            vec![
                smil(
                    LAYOUT,
                    "<par dur=\"5s\"><img src=\"a.jpg\" region=\"Image\"/><text \
                    src=\"t.txt\" region=\"Text\"/></par><par dur=\"5s\"><video src=\"v.avi\" \
                    region=\"Image\"/></par><par dur=\"6s\"><img src=\"g.gif\" region=\"Image\"/>\
                    <audio src=\"v.wav\"/></par><par dur=\"3s\"><ref src=\"plan.pdf\"/></par>",
                ),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                words("t.txt", "Vier Folien"),
                part("v", "v.avi", "video/x-msvideo", film.clone()),
                part("g", "g.gif", "image/gif", samples::gif(120, 90, 6).unwrap()),
                part("w", "v.wav", "audio/x-wav", voice.clone()),
                part("p", "plan.pdf", "application/pdf", "%PDF-1.4 nothing"),
            ],
            "nokia-6600",
            "de-telekom",
        ),
        golden(
            "video-pictures-voice",
            vec![
                part("v", "v.avi", "video/x-msvideo", film),
                part("a", "a.jpg", "image/jpeg", jpeg(1600, 1200, 1)),
                part("b", "b.jpg", "image/jpeg", jpeg(1200, 1600, 2)),
                part(
                    "c",
                    "c.png",
                    "image/png",
                    samples::png(&photo::screenshot(480, 800, 3)).unwrap(),
                ),
                part("w", "w.wav", "audio/x-wav", voice),
                words("t.txt", "Alles auf einmal"),
            ],
            "nokia-n95",
            "de-telekom",
        ),
    ]
}
