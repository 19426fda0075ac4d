use bytes::Bytes as Buffer;

use super::*;
use crate::message::leaf::Handles;

fn leaf(id: Option<&str>, location: Option<&str>, name: Option<&str>) -> Leaf {
    let handles = Handles {
        content_type: "image/png".into(),
        content_id: id.map(str::to_owned),
        content_location: location.map(str::to_owned),
        name: name.map(str::to_owned),
        ..Handles::default()
    };
    Leaf::new(handles, Buffer::new())
}

fn run(smil: &str, leaves: &[Leaf], fates: &[Fate]) -> Option<String> {
    let index = Index::new(leaves.iter());
    rewrite(smil.as_bytes(), &index, fates).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn to(old: &str, new: &str) -> Fate {
    Fate::Become(vec![(old.into(), new.into())], None)
}

#[test]
fn renames_change_only_the_value() {
    let leaves = [leaf(Some("<id1>"), Some("a b.png"), None)];
    let fates = [to("a b.png", "a b.jpg")];
    for (before, after) in [
        ("<img src=\"a b.png\" x='1'/>", Some("<img src=\"a b.jpg\" x='1'/>")),
        ("<IMG Src='A B.PNG'>", Some("<IMG Src='a b.jpg'>")),
        ("<s:img src = \"a%20b.png\"/>", Some("<s:img src = \"a%20b.jpg\"/>")),
        ("<img src=\"cid:a%20b.png\"/>", Some("<img src=\"cid:a%20b.jpg\"/>")),
        ("<img src=\"a&#32;b.png\"/>", Some("<img src=\"a b.jpg\"/>")),
        ("<img src=\"cid:id1\"/>", None),
        ("<img src=\"cid:%3Cid1%3E\"/>", None),
        ("<!-- <img src=\"a b.png\"/> --><img src=\"other.png\"/>", None),
        ("<img src=a%20b.png/><", Some("<img src=a%20b.jpg/><")),
    ] {
        assert_eq!(run(before, &leaves, &fates).as_deref(), after, "{before}");
    }
}

#[test]
fn drops_take_the_element_and_the_empty_par() {
    let leaves = [leaf(Some("a"), None, None), leaf(None, Some("b.txt"), None)];
    let fates = [Fate::Gone, Fate::Stay];
    for (before, after) in [
        (
            "<par dur='1'><img src='cid:a'/><text src='b.txt'/></par>",
            "<par dur='1'><text src='b.txt'/></par>",
        ),
        ("<par><img src='cid:a'></img></par><par/>", "<par/>"),
        ("<par><img src='cid:a'><text src='b.txt'></par>", "<par><text src='b.txt'></par>"),
        ("<par><video src=cid:a><p/></video> \n</PAR>x", "x"),
        ("<par><par><img src='CID:A'/></par></par>", ""),
        ("<body><par><img src='cid:a'/>", "<body><par>"),
    ] {
        assert_eq!(run(before, &leaves, &fates).as_deref(), Some(after), "{before}");
    }
    assert_eq!(run("<par></par><img src='c'/>", &leaves, &fates), None);
}

#[test]
fn utf16_and_latin_1_are_edited_in_place() {
    let leaves = [leaf(None, Some("a.png"), None), leaf(None, Some("ä.png"), None)];
    let index = Index::new(leaves.iter());
    let fates = [to("a.png", "a.jpg"), to("ä.png", "ä.jpg")];
    let wide = |text: &str| -> Vec<u8> {
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let out = rewrite(&wide("<smil><img src=\"a.png\"/>é</smil>"), &index, &fates);
    assert_eq!(out, Some(wide("<smil><img src=\"a.jpg\"/>é</smil>")));
    let out = rewrite(b"<img src=\"\xe4.png\"/>\xe9", &index, &fates);
    assert_eq!(out.as_deref(), Some(&b"<img src=\"&#228;.jpg\"/>\xe9"[..]));
}

#[test]
fn hostile_markup_is_linear() {
    let leaves = [leaf(Some("a"), None, None)];
    for unit in ["<par>", "<img src='cid:a'>", "</par>", "<", "<a src='", "<!--", "&"] {
        let smil = unit.repeat(50_000);
        let start = std::time::Instant::now();
        let _ = run(&smil, &leaves, &[Fate::Gone]);
        assert!(start.elapsed().as_secs() < 5, "{unit}");
    }
}

#[test]
fn the_element_follows_the_medium() {
    let leaves = [leaf(Some("v"), Some("v.3gp"), None), leaf(Some("n"), None, None)];
    let fates = [Fate::Become(vec![("v.3gp".into(), "v.jpg".into())], Some("img")), Fate::Stay];
    for (before, after) in [
        ("<video src='v.3gp' dur='5s'/>", "<img src='v.jpg' dur='5s'/>"),
        ("<s:VIDEO src=\"cid:v\">x</s:VIDEO>", "<s:img src=\"cid:v\">x</s:img>"),
        (
            "<par><video src=v.3gp region=Image></video></par>",
            "<par><img src=v.jpg region=Image></img></par>",
        ),
        ("<ref src='v.3gp'/><text src='cid:n'/>", "<ref src='v.jpg'/><text src='cid:n'/>"),
        ("<animation src='v.3gp'/>", "<animation src='v.jpg'/>"),
    ] {
        assert_eq!(run(before, &leaves, &fates).as_deref(), Some(after), "{before}");
    }
}

fn rules(smil: &str, leaves: &[Leaf]) -> Vec<crate::message::Rule> {
    let handles = Handles { content_type: "application/smil".into(), ..Handles::default() };
    let presentation = Leaf::new(handles, Buffer::copy_from_slice(smil.as_bytes()));
    let all: Vec<&Leaf> = std::iter::once(&presentation).chain(leaves).collect();
    lint(&presentation, &all).into_iter().map(|found| found.rule).collect()
}

#[test]
fn what_breaks_the_rules_is_told() {
    use crate::message::Rule as R;
    let leaves = [leaf(Some("a"), Some("a.png"), None)];
    let page = |layout: &str, body: &str| {
        format!("<smil><head><layout>{layout}</layout></head><body>{body}</body></smil>")
    };
    let regions = "<root-layout/><region id=\"Image\" fit=\"meet\"/><region id=\"Text\"/>";
    let slide = "<par dur=\"5s\"><img src=\"a.png\" region=\"Image\"/></par>";
    assert_eq!(rules(&page(regions, slide), &leaves), []);
    for (layout, body, wanted) in [
        (
            regions,
            "<par dur=\"5s\"><img src=\"a.png\">",
            &[R::NotWellFormed, R::Misplaced, R::NotWellFormed][..],
        ),
        ("<region id=\"Main\"/>", slide, &[R::RegionName, R::RegionMissing]),
        ("<region id=\"Image\" z-index=\"1\"/>", slide, &[R::RegionAttribute]),
        (regions, "<seq dur=\"5s\"><img src=\"a.png\"/></seq>", &[R::UnknownElement, R::Misplaced]),
        (regions, "<img src=\"a.png\"/>", &[R::Misplaced]),
        (regions, "<par dur=\"soon\"><img src=\"cid:a\"/></par>", &[R::Duration]),
        (regions, "<par><img src=\"cid:a\"/></par>", &[R::Duration]),
        (regions, "<par dur=\"1s\"/><par dur=\"1s\"><img src=\"a.png\"/></par>", &[R::EmptySlide]),
        (
            regions,
            "<par dur=\"1s\"><img src=\"a.png\"/><video src=\"b\"/></par>",
            &[R::DanglingReference, R::CrowdedSlide],
        ),
        (
            regions,
            "<par dur=\"0:05\"><text src=\"cid:b\"/></par>",
            &[R::DanglingReference, R::NotShown],
        ),
    ] {
        assert_eq!(rules(&page(layout, body), &leaves), wanted, "{layout} {body}");
    }
    // Whatever it is, it ends.
    for noise in
        ["", "<", "<smil", "</par></par>", "<par><par><par>", "<region id=>", "\u{0}<smil>"]
    {
        let _ = rules(noise, &leaves);
    }
}

#[test]
fn hostile_presentations_are_judged_in_linear_time() {
    for (unit, end) in [
        ("<region id=\"r\"/><img src=\"x\" region=\"s\"/>", ""),
        ("<x><par></par>", ""),
        ("<par>", "</par>"),
        ("<region a=1 b=2 c=3 d=4>", ""),
    ] {
        let start = std::time::Instant::now();
        let text = format!("<smil>{}{}", unit.repeat(60_000), end.repeat(60_000));
        assert!(rules(&text, &[]).len() <= 101);
        assert!(start.elapsed().as_secs() < 5, "{unit}: {:?}", start.elapsed());
    }
    let many: String =
        (0..60_000).map(|n| format!("<region id=\"{n}\"/><img region=\"x{n}\"/>")).collect();
    let start = std::time::Instant::now();
    assert!(!rules(&many, &[]).is_empty());
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
