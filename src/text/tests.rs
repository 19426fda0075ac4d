use super::*;

fn charset(name: &str) -> Charset {
    Charset::for_label(name).unwrap()
}

const RUSSIAN: &str = "Привет, как дела? Увидимся завтра вечером у старого моста.\r\n";
const JAPANESE: &str = "明日の夕方、古い橋のところで会いましょう。写真を送ります。";
const CHINESE: &str = "明天晚上在老桥那里见面，我把照片发给你。";
const GERMAN: &str = "Schöne Grüße aus Köln – bis später!";

#[test]
fn labels_that_are_right_are_believed() {
    for (text, name) in [
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "windows-1251"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "iso-2022-jp"),
        (JAPANESE, "euc-jp"),
        (CHINESE, "gb18030"),
        (CHINESE, "big5"),
        ("Grüße aus Köln", "iso-8859-1"),
    ] {
        let wanted = charset(name);
        let text = if name == "big5" { "明天晚上在老橋見面。" } else { text };
        let found = read(&wanted.encode(text).unwrap(), Some(name));
        assert_eq!((found.text.as_str(), found.damaged), (text, false), "{name}");
        assert_eq!(found.charset, wanted, "{name}");
    }
}

#[test]
fn labels_that_are_wrong_or_missing_are_seen_through() {
    let wide: Vec<u8> =
        [0xFE, 0xFF].into_iter().chain(GERMAN.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let little: Vec<u8> = GERMAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    type Case<'a> = (&'a [u8], &'a [Option<&'a str>], &'a str, &'a str);
    let cases: [Case<'_>; 8] = [
        (b"a \x96 b\xe4", &[Some("iso-8859-1"), Some("windows-1252")], "windows-1252", "a – bä"),
        (
            &wide,
            &[None, Some("utf-8"), Some("us-ascii"), Some("iso-10646-ucs-2")],
            "utf-16",
            GERMAN,
        ),
        (&little, &[None, Some("utf-8")], "utf-16", GERMAN),
        (GERMAN.as_bytes(), &[None, Some("us-ascii"), Some("iso-8859-1")], "utf-8", GERMAN),
        (&charset("gb18030").encode(CHINESE).unwrap(), &[None, Some("utf-8")], "gbk", CHINESE),
        (
            &charset("shift_jis").encode(JAPANESE).unwrap(),
            &[None, Some("utf-8")],
            "Shift_JIS",
            JAPANESE,
        ),
        (&charset("koi8-r").encode(RUSSIAN).unwrap(), &[None, Some("us-ascii")], "KOI8-U", RUSSIAN),
        (
            b"plain",
            &[None, Some("utf-8"), Some("shift_jis"), Some("nonsense")],
            "us-ascii",
            "plain",
        ),
    ];
    for (data, labels, name, text) in cases {
        for label in labels {
            let found = read(data, *label);
            assert_eq!((found.charset.name(), found.text.as_str()), (name, text), "{label:?}");
            assert!(!found.damaged);
        }
    }
}

#[test]
fn all_that_can_be_written_comes_back() {
    for text in [RUSSIAN, JAPANESE, CHINESE, GERMAN, "", "a\r\nb\nc\td", "🙂"] {
        for name in ["utf-8", "utf-16", "gb18030"] {
            let written = write(text, charset(name));
            assert!(written.transliterated.is_empty(), "{name}");
            assert_eq!(read(&written.data, Some(name)).text, text, "{name}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_written_alike_and_told() {
    let written = write("Grüße – Łódź 🙂\r\n", Charset::US_ASCII);
    assert_eq!(written.transliterated, ['ü', 'ß', '–', 'Ł', 'ó', 'ź', '🙂']);
    let text = String::from_utf8(written.data).unwrap();
    assert!(text.starts_with("Grusse - Lodz ") && text.ends_with("\r\n"), "{text}");
    let latin = write("Grüße – Łódź", Charset::ISO_8859_1);
    assert_eq!(Charset::ISO_8859_1.decode(&latin.data).0, "Grüße - Lódz");
    let russian = write("Привет", Charset::US_ASCII);
    assert_eq!(russian.data, b"Privet");
    assert_eq!(write("\u{e000}", Charset::US_ASCII).data, b"?");
}

#[test]
fn noise_is_read_as_something() {
    for n in 0..=255u8 {
        for data in [vec![n], vec![n, 0], vec![0xFF, 0xFE, n], vec![0x1b, n, n]] {
            for label in [None, Some("utf-16"), Some("shift_jis"), Some("iso-2022-jp")] {
                let found = read(&data, label);
                let _ = write(&found.text, Charset::US_ASCII);
            }
        }
    }
}
