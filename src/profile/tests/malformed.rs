use super::{bag, document, valid_mms};
use crate::{
    model::{Fault, RepairCode},
    profile::{Profile, ProfileError, parse},
};

fn read(text: &str) -> Profile {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn codes(profile: &Profile) -> Vec<RepairCode> {
    profile.repairs.iter().map(|repair| repair.code).collect()
}

/// The document reads as the valid one does, with exactly this one kind of repair.
fn mended(name: &str, text: &str, code: RepairCode) {
    let valid = read(&document("", &valid_mms()));
    assert_eq!(valid.repairs, [], "the valid one");
    let mut profile = read(text);
    let found = codes(&profile);
    profile.repairs.clear();
    assert_eq!(profile, valid, "{name}");
    assert!(!found.is_empty() && found.iter().all(|c| *c == code), "{name}: {found:?}");
    let strict = read(text).strict();
    assert_eq!(
        strict.is_err(),
        crate::profile::repairs::is_malformation(code),
        "{name}: strict refuses what is malformed"
    );
}

#[test]
fn long_lists_of_unclosed_items_are_read() {
    let items: Vec<String> = (0..200).map(|n| format!("image/x-{n}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let list = bag("MmsCcppAccept", &items).replace("</rdf:li>", "");
    assert_eq!(read(&document("", &list)).mms_accept, items);
}

fn valid() -> String {
    document("", &valid_mms())
}

#[test]
fn rows_1_to_3_junk_and_broken_markup() {
    mended("1 blanks", &format!("  \n{}", valid()), RepairCode::LeadingJunk);
    mended("1 mark", &format!("\u{feff}{}", valid()), RepairCode::LeadingJunk);
    let copied = valid().replace("<prf:component>", "- <prf:component>");
    mended("2 tree markers", &copied, RepairCode::LeadingJunk);
    let doctype = "<!DOCTYPE rdf:RDF (View Source for full doctype...)>\n<rdf:RDF";
    mended("2 doctype", &valid().replace("<rdf:RDF", doctype), RepairCode::LeadingJunk);
    let crossed = valid().replacen("</rdf:Description></prf:component>", "</prf:component>", 1);
    mended("3 unclosed", &crossed, RepairCode::BrokenMarkup);
    let doubled = valid().replacen("</prf:component>", "</prf:component></prf:other>", 1);
    mended("3 unmatched end", &doubled, RepairCode::BrokenMarkup);
    mended("3 junk behind", &format!("{}\njunk", valid()), RepairCode::BrokenMarkup);
    let items = valid().replace("</rdf:li>", "");
    mended("3 unclosed items", &items, RepairCode::BrokenMarkup);
    let ampersand = valid().replace("<rdf:type", "<prf:X>AT&T</prf:X><rdf:type");
    mended("3 ampersand", &ampersand, RepairCode::BrokenMarkup);
    let stray = valid().replacen("<prf:component>", "<prf:component>< <!bad>", 1);
    assert_eq!(read(&stray).max_message_bytes.map(|b| b.get()), Some(307_200), "3 stray markup");
    assert!(codes(&read(&stray)).contains(&RepairCode::BrokenMarkup));
}

#[test]
fn row_3_what_was_complete_before_the_end_is_kept() {
    let text = valid();
    let at = text.find("307200").unwrap();
    let profile = read(&text[..at + 4]);
    assert_eq!(profile.max_message_bytes, None, "half a number is no number");
    assert!(codes(&profile).contains(&RepairCode::Truncated));
    let at = text.find("image/gif").unwrap();
    let profile = read(&text[..at]);
    assert_eq!(profile.max_message_bytes.map(|b| b.get()), Some(307_200));
    assert_eq!(profile.mms_accept, [""; 0], "half a list is no list");
}

#[test]
fn row_4_pages_are_no_profiles() {
    for page in [
        "<!DOCTYPE html><html><body>404</body></html>",
        "<html><head><title>Login</title></head></html>",
        "\n<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"><p>moved",
        "<rss><channel/></rss>",
        "<?xml version='1.0'?><a><Model>x</Model></a>",
        "not found",
    ] {
        assert!(matches!(parse(page.as_bytes()), Err(ProfileError::NotAProfile(_))), "{page}");
    }
    let error = parse(b"\x02\x01\x6a\x00").unwrap_err();
    assert_eq!((error.clone(), error.reason()), (ProfileError::BinaryProfile, "BINARY_PROFILE"));
}

#[test]
fn row_5_internal_entities() {
    let text = valid()
        .replace("<rdf:RDF", "<!DOCTYPE rdf:RDF [<!ENTITY size '307200'>]><rdf:RDF")
        .replace(">307200<", ">&size;<");
    mended("5", &text, RepairCode::EntityExpanded);
    let text = text.replace("'307200'", "SYSTEM 'file:///etc/hostname'");
    let profile = read(&text);
    assert_eq!(profile.max_message_bytes, None);
    assert!(codes(&profile).contains(&RepairCode::EntityRefused));
    let namespace = valid()
        .replace(
            "<rdf:RDF",
            "<!DOCTYPE rdf:RDF [<!ENTITY r 'http://www.w3.org/1999/02/'>]><rdf:RDF",
        )
        .replace("\"http://www.w3.org/1999/02/22", "\"&r;22");
    mended("5 in xmlns", &namespace, RepairCode::EntityExpanded);
}

#[test]
fn rows_6_to_8_names() {
    let no_hash = valid().replace("rdf-syntax-ns#", "rdf-syntax-ns");
    mended("6 rdf", &no_hash, RepairCode::Namespace);
    let no_hash = valid().replace(
        "xmlns:prf=\"http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#\"",
        "xmlns:prf=\"http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212\"",
    );
    mended("6 prf", &no_hash, RepairCode::Namespace);
    let undeclared = valid().replace("<mms:", "<m:").replace("</mms:", "</m:");
    mended("6 undeclared", &undeclared, RepairCode::Namespace);
    for (name, from, to) in [
        ("7 case", "rdf:ID=\"MmsCharacteristics\"", "rdf:ID=\"MMSCharacteristics\""),
        ("7 type", "#MmsCharacteristics", "#WapCharacteristics"),
        ("7 other id", "rdf:ID=\"MmsCharacteristics\"", "rdf:ID=\"Component7\""),
        ("8 plain id", "rdf:ID=\"MmsCharacteristics\"", "ID=\"MmsCharacteristics\""),
        ("component", "prf:component>", "prf:Component>"),
    ] {
        mended(name, &valid().replace(from, to), RepairCode::Component);
    }
    let no_mms = read(&document("<prf:ScreenSize>176x208</prf:ScreenSize>", ""));
    assert_eq!((no_mms.repairs.len(), no_mms.max_message_bytes), (0, None), "8 absent is no error");
}

#[test]
fn row_9_shapes() {
    let seq = valid().replace("rdf:Bag", "rdf:Seq");
    mended("9 seq", &seq, RepairCode::ListShape);
    let scalar = valid().replace(">307200<", "><rdf:Bag><rdf:li>307200</rdf:li></rdf:Bag><");
    mended("9 scalar as bag", &scalar, RepairCode::ListShape);
    let list = bag("MmsCcppAccept", &["image/jpeg", "image/gif", "text/plain"]);
    let literal = "<mms:MmsCcppAccept>image/jpeg,image/gif,text/plain</mms:MmsCcppAccept>";
    let profile = read(&valid().replace(&list, literal));
    assert_eq!(profile.mms_accept, ["image/jpeg", "image/gif", "text/plain"]);
    assert!(codes(&profile).contains(&RepairCode::ListShape));
    let numbered = list.replacen("rdf:li>image/jpeg</rdf:li", "rdf:_1>image/jpeg</rdf:_1", 1);
    assert_eq!(read(&valid().replace(&list, &numbered)).mms_accept.len(), 3);
    let version = document("", &format!("{}<mms:MmsVersion>1.2</mms:MmsVersion>", valid_mms()));
    let profile = read(&version);
    assert_eq!(profile.mms_version.as_deref(), Some("1.2"));
    assert_eq!(codes(&profile), [RepairCode::ListShape]);
}

#[test]
fn rows_10_to_13_items() {
    let nested = valid().replacen(
        "<rdf:Bag><rdf:li>image/jpeg",
        &format!("<rdf:Bag>{}<rdf:li>image/jpeg", bag("MmsVersion", &["1.2"])),
        1,
    );
    let profile = read(&nested);
    assert_eq!(profile.mms_version.as_deref(), Some("1.2"), "10");
    assert_eq!(profile.mms_accept, ["image/jpeg", "image/gif", "text/plain"], "10");
    mended("11 case", &valid().replace("image/jpeg", "image/JPEG"), RepairCode::ItemForm);
    mended("11 blanks", &valid().replace("image/jpeg", "\n image/jpeg "), RepairCode::ItemForm);
    let empty = valid().replace("<rdf:li>image/gif", "<rdf:li> </rdf:li><rdf:li>image/gif");
    mended("11 empty", &empty, RepairCode::ItemForm);
    mended("12", &valid().replace("text/plain", "text/plain;charset=x"), RepairCode::ItemForm);
    let wildcard = read(&valid().replace("image/gif", "audio/*"));
    assert_eq!((wildcard.mms_accept[1].as_str(), wildcard.repairs.len()), ("audio/*", 0), "13");
    let junk = valid().replace("<rdf:li>image/gif", "<rdf:li>everything</rdf:li><rdf:li>image/gif");
    mended("unknown", &junk, RepairCode::UnknownValue);
}

#[test]
fn rows_14_to_16_places() {
    let misplaced = document(
        "<mms:MmsMaxMessageSize>307200</mms:MmsMaxMessageSize>",
        &valid_mms().replace("<mms:MmsMaxMessageSize>307200</mms:MmsMaxMessageSize>", ""),
    );
    mended("14", &misplaced, RepairCode::Misplaced);
    let twice = document(
        "",
        &format!("{}<mms:MmsMaxMessageSize>102400</mms:MmsMaxMessageSize>", valid_mms()),
    );
    let profile = read(&twice);
    assert_eq!(profile.max_message_bytes.map(|b| b.get()), Some(102_400), "15 the smaller");
    assert_eq!(codes(&profile), [RepairCode::Duplicate]);
    let classes = bag("MmsContentClass", &["en", "IR", "image-basic"]);
    let profile = read(&document("", &format!("{}{classes}", valid_mms())));
    assert_eq!(profile.content_classes, ["IR", "IB"], "16");
    assert_eq!(codes(&profile), [RepairCode::UnknownValue]);
}

#[test]
fn numbers_are_guarded() {
    for (raw, want, code) in [
        ("300KB", Some(307_200), RepairCode::NumberForm),
        ("307,200", Some(307_200), RepairCode::NumberForm),
        (" 307200\n", Some(307_200), RepairCode::NumberForm),
        ("300", Some(307_200), RepairCode::NumberSuspicious),
        ("-1", None, RepairCode::NumberSuspicious),
        ("0", None, RepairCode::NumberSuspicious),
        ("4294967296000", None, RepairCode::NumberSuspicious),
    ] {
        let profile = read(&valid().replace(">307200<", &format!(">{raw}<")));
        assert_eq!(profile.max_message_bytes.map(|b| b.get()), want, "{raw}");
        assert!(codes(&profile).contains(&code), "{raw}");
        let strict = profile.strict().unwrap_err();
        assert!(strict.to_string().contains("MmsMaxMessageSize"), "{strict}");
    }
    for (raw, want) in [("640X480", true), ("640 x 480", true), ("640*480", true), ("640", false)] {
        let profile = read(&valid().replace(">640x480<", &format!(">{raw}<")));
        assert_eq!(profile.max_image.is_some(), want, "{raw}");
        assert_eq!(codes(&profile), [RepairCode::DimensionsForm], "{raw}");
    }
}

#[test]
fn other_rdf_syntaxes() {
    let text = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns:mms="http://www.openmobilealliance.org/tech/profiles/MMS/ccppschema-20050301-MMS1.2#">
        <rdf:Description rdf:ID="T"><mms:component>CONTENT</mms:component></rdf:Description></rdf:RDF>"#;
    for content in [
        r#"<rdf:Description rdf:ID="MmsCharacteristics" mms:MmsMaxMessageSize="307200"/>"#,
        "<mms:MmsCharacteristics><mms:MmsMaxMessageSize>307200</mms:MmsMaxMessageSize></mms:MmsCharacteristics>",
        r#"<mms:MmsMaxMessageSize rdf:parseType="Resource"><rdf:value>307200</rdf:value></mms:MmsMaxMessageSize>"#,
    ] {
        let profile = read(&text.replace("CONTENT", content));
        assert_eq!(profile.max_message_bytes.map(|b| b.get()), Some(307_200), "{content}");
        assert!(codes(&profile).contains(&RepairCode::Component), "{content}");
    }
    let defaults = document(
        "",
        &format!(
            "<prf:Defaults><rdf:Description><mms:MmsMaxMessageSize>1000000</mms:MmsMaxMessageSize>\
         </rdf:Description></prf:Defaults>{}",
            valid_mms()
        ),
    );
    assert_eq!(read(&defaults).max_message_bytes.map(|b| b.get()), Some(307_200));
}

#[test]
fn encodings() {
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let marked = utf16(&format!("\u{feff}{}", valid()));
    assert_eq!(parse(&marked).unwrap().max_message_bytes.map(|b| b.get()), Some(307_200));
    let unmarked = parse(&utf16(&valid())).unwrap();
    assert_eq!(codes(&unmarked), [RepairCode::Encoding]);
    let mut latin = document("<prf:Model>caf#</prf:Model>", "").into_bytes();
    let at = latin.iter().position(|b| *b == b'#').unwrap();
    // The first `#` is the namespace's; the model's is the one before `</prf:Model>`.
    assert!(at > 0);
    let at = latin.windows(12).position(|w| w == b"#</prf:Model").unwrap();
    latin[at] = 0xe9;
    let profile = parse(&latin).unwrap();
    assert_eq!(profile.model, "caf\u{e9}");
    assert_eq!(codes(&profile), [RepairCode::Encoding]);
}

#[test]
fn caps_keep_what_was_read() {
    let deep = valid().replacen(
        "<prf:component>",
        &format!("{}<prf:component>", "<a>".repeat(100) + &"</a>".repeat(100)),
        1,
    );
    mended("depth", &deep, RepairCode::CapReached);
    let wide = valid().replace(
        "</rdf:Description>\n</rdf:RDF>",
        &format!("{}</rdf:Description></rdf:RDF>", "<a/>".repeat(30_000)),
    );
    let profile = read(&wide);
    assert_eq!(profile.max_message_bytes.map(|b| b.get()), Some(307_200));
    assert!(codes(&profile).contains(&RepairCode::CapReached));
    let long = valid().replace("</rdf:RDF>", &format!("{}</rdf:RDF>", " ".repeat(2 << 20)));
    let profile = read(&long);
    assert_eq!(profile.max_message_bytes.map(|b| b.get()), Some(307_200));
    assert!(codes(&profile).contains(&RepairCode::CapReached));
}
