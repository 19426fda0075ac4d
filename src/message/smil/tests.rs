use bytes::Bytes as Buffer;

use super::*;
use crate::message::{NewDuration, leaf::Handles};

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

fn run(smil: &str, leaves: &[Leaf], ref_changes: &[RefChange]) -> Option<String> {
    let index = Index::new(leaves.iter());
    let changed = rewrite(smil.as_bytes(), &index, ref_changes, &PresentationUpdate::default());
    changed.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn to(old: &str, new: &str) -> RefChange {
    RefChange::Relabel(vec![(old.into(), new.into())], None)
}

#[test]
fn renames_change_only_the_value() {
    let leaves = [leaf(Some("<id1>"), Some("a b.png"), None)];
    let ref_changes = [to("a b.png", "a b.jpg")];
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
        assert_eq!(run(before, &leaves, &ref_changes).as_deref(), after, "{before}");
    }
}

#[test]
fn drops_take_the_element_and_the_empty_par() {
    let leaves = [leaf(Some("a"), None, None), leaf(None, Some("b.txt"), None)];
    let ref_changes = [RefChange::Remove, RefChange::Keep];
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
        assert_eq!(run(before, &leaves, &ref_changes).as_deref(), Some(after), "{before}");
    }
    assert_eq!(run("<par></par><img src='c'/>", &leaves, &ref_changes), None);
}

#[test]
fn utf16_and_latin_1_are_edited_in_place() {
    let leaves = [leaf(None, Some("a.png"), None), leaf(None, Some("ä.png"), None)];
    let index = Index::new(leaves.iter());
    let ref_changes = [to("a.png", "a.jpg"), to("ä.png", "ä.jpg")];
    let wide = |text: &str| -> Vec<u8> {
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let out = rewrite(
        &wide("<smil><img src=\"a.png\"/>é</smil>"),
        &index,
        &ref_changes,
        &PresentationUpdate::default(),
    );
    assert_eq!(out, Some(wide("<smil><img src=\"a.jpg\"/>é</smil>")));
    let out = rewrite(
        b"<img src=\"\xe4.png\"/>\xe9",
        &index,
        &ref_changes,
        &PresentationUpdate::default(),
    );
    assert_eq!(out.as_deref(), Some(&b"<img src=\"&#228;.jpg\"/>\xe9"[..]));
}

#[test]
fn hostile_markup_is_linear() {
    let leaves = [leaf(Some("a"), None, None)];
    for unit in ["<par>", "<img src='cid:a'>", "</par>", "<", "<a src='", "<!--", "&"] {
        let smil = unit.repeat(50_000);
        let (_, cost) = crate::cost::of(|| run(&smil, &leaves, &[RefChange::Remove]));
        assert!(cost < 300.0, "{unit}: {cost}");
    }
}

#[test]
fn the_element_follows_the_medium() {
    let leaves = [leaf(Some("v"), Some("v.3gp"), None), leaf(Some("n"), None, None)];
    let ref_changes =
        [RefChange::Relabel(vec![("v.3gp".into(), "v.jpg".into())], Some("img")), RefChange::Keep];
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
        assert_eq!(run(before, &leaves, &ref_changes).as_deref(), Some(after), "{before}");
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
        let text = format!("<smil>{}{}", unit.repeat(60_000), end.repeat(60_000));
        let (found, cost) = crate::cost::of(|| rules(&text, &[]));
        assert!(found.len() <= 101);
        assert!(cost < 300.0, "{unit}: {cost}");
    }
    let many: String =
        (0..60_000).map(|n| format!("<region id=\"{n}\"/><img region=\"x{n}\"/>")).collect();
    let (found, cost) = crate::cost::of(|| rules(&many, &[]));
    assert!(!found.is_empty());
    assert!(cost < 300.0, "{cost}");
}

/// A slide show on a screen of this size, with its lengths as they come out.
fn on_screen(smil: &str, screen: &str) -> Option<String> {
    let index = Index::new(std::iter::empty());
    let showing = PresentationUpdate { screen: screen.parse().ok(), played: Vec::new() };
    let changed = rewrite(smil.as_bytes(), &index, &[], &showing);
    changed.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn layouts_shrink_into_the_screen_and_only_then() {
    let layout = |root: &str, image: &str| {
        format!(
            "<smil><head><layout><root-layout {root}/><region id=\"Image\" {image} fit='meet'/>\
             </layout></head><body></body></smil>"
        )
    };
    for (root, image, to_root, to_image) in [
        // Everything by the same factor, whatever the unit.
        (
            "width=\"352\" height=\"416\"",
            "left='0' top='20px' width='352' height=\"300\"",
            "width=\"176\" height=\"208\"",
            "left='0' top='10px' width='176' height=\"150\"",
        ),
        // Percentages stay.
        (
            "width=\"320px\" height=\"240px\"",
            "width='100%' height='80%' top='12%'",
            "width=\"176px\" height=\"132px\"",
            "width='100%' height='80%' top='12%'",
        ),
        // No root: the regions tell how far the layout reaches.
        ("", "left='100' width='252' height='100'", "", "left='50' width='126' height='50'"),
    ] {
        let out = on_screen(&layout(root, image), "176x208");
        assert_eq!(out.as_deref(), Some(layout(to_root, to_image).as_str()));
    }
    for (root, image) in [
        ("width=\"176\" height=\"208\"", "width='100%'"),
        ("", "width='100%' height='5000%'"),
        ("width='wide' height=''", "width='-1' left='99999999999'"),
        ("", ""),
    ] {
        assert_eq!(on_screen(&layout(root, image), "176x208"), None, "{root} {image}");
    }
    let size = layout_size(layout("width='9' height='7'", "width='50'").as_bytes());
    assert_eq!(size, "9x7".parse().ok());
}

fn plays(ms: u32) -> NewDuration {
    NewDuration::Plays(crate::model::Millis::new(ms))
}

/// The first leaf plays as told.
fn played(smil: &str, before_ms: u32, after: NewDuration) -> String {
    let leaves = [leaf(None, Some("v"), None), leaf(None, Some("p"), None)];
    let index = Index::new(leaves.iter());
    let before = crate::model::Millis::new(before_ms);
    let played = vec![PlayTime { part: crate::model::PartId(0), before, after }];
    let showing = PresentationUpdate { screen: None, played };
    let changed = rewrite(smil.as_bytes(), &index, &[RefChange::Keep, RefChange::Keep], &showing);
    changed.map_or_else(|| smil.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn slides_last_as_long_as_what_they_play() {
    let slide = |par: &str, medium: &str| {
        format!("<smil><par{par}><video src='v'{medium}/><img src='p'/></par></smil>")
    };
    for (par, medium, after, to_par, to_medium) in [
        // Cut: slides that were as long as the video are cut with it, in their own unit.
        (" dur=\"30s\"", "", plays(11_300), " dur=\"12s\"", ""),
        (" dur='30000ms'", " dur='30s'", plays(11_300), " dur='12000ms'", " dur='12s'"),
        (" dur='31'", " end='0:00:30'", plays(9_000), " dur='9s'", " end='9s'"),
        // Whole: nothing changes.
        (" dur='30s'", "", plays(29_900), " dur='30s'", ""),
        // A slide that outlasts its video has its own reasons.
        (" dur='60s'", "", plays(9_000), " dur='60s'", ""),
        (" dur='indefinite'", "", NewDuration::Still, " dur='indefinite'", ""),
        // A still is looked at, and then the show goes on.
        (" dur='30s'", "", NewDuration::Still, " dur='10s'", ""),
        (" dur='8s'", "", NewDuration::Still, " dur='8s'", ""),
        // What held the slide is gone: it gets a time of its own.
        ("", "", NewDuration::Still, " dur=\"10s\"", ""),
        ("", "", plays(9_000), "", ""),
        // Not decided: as long as it may become.
        (" dur='30s'", "", NewDuration::Open, " dur='30s'", ""),
        ("", "", NewDuration::Open, " dur=\"10s\"", ""),
    ] {
        let out = played(&slide(par, medium), 30_000, after);
        assert_eq!(out, slide(to_par, to_medium), "{par} {medium} {after:?}");
    }
    assert_eq!(played(&slide("", ""), 0, NewDuration::Still), slide(" dur=\"5s\"", ""));
    // The draft is never shorter than what follows from it.
    for par in ["", " dur='30s'", " dur='0:30'", " dur='30000ms'", " dur='7'"] {
        let draft = played(&slide(par, " dur='30s'"), 30_000, NewDuration::Open).len();
        for after in [NewDuration::Still, plays(30_000), plays(1_000)] {
            assert!(played(&slide(par, " dur='30s'"), 30_000, after).len() <= draft);
        }
    }
}

/// Many slides in slides cost no more than as many beside each other.
#[test]
fn timing_of_hostile_markup_is_linear() {
    let deep =
        format!("{}<video src='v'/>{}", "<par dur='9s'>".repeat(60_000), "</par>".repeat(60_000));
    let (_, cost) = crate::cost::of(|| played(&deep, 9_000, NewDuration::Still));
    assert!(cost < 500.0, "{cost}");
}

#[test]
fn the_order_of_showing_is_that_of_the_slides() {
    let leaves = [
        leaf(None, Some("c"), None),
        leaf(None, Some("a"), None),
        leaf(None, Some("unseen"), None),
        leaf(None, Some("b"), None),
    ];
    let smil = "<smil><par><img src='a'/><text src='b'/></par><par><img src='a'/>\
        <img src='c'/></par></smil>";
    let handles = Handles { content_type: "application/smil".into(), ..Handles::default() };
    let presentation = Leaf::new(handles, Buffer::from_static(smil.as_bytes()));
    let all: Vec<&Leaf> = leaves.iter().chain([&presentation]).collect();
    let ranks = ranks(4, &all);
    assert!(ranks[1] < ranks[3] && ranks[3] < ranks[0] && ranks[0] < ranks[2], "{ranks:?}");
    assert_eq!(ranks[4], 0);
}

#[test]
fn a_text_beside_a_text_goes_to_a_slide_of_its_own() {
    let leaves = [
        leaf(None, Some("v.3gp"), None),
        leaf(None, Some("t.txt"), None),
        leaf(Some("<a>"), Some("a.amr"), None),
    ];
    let told = |label: &str| {
        let names = if label.is_empty() {
            Vec::new()
        } else {
            vec![(label.to_owned(), format!("{}.txt", &label[..1]))]
        };
        RefChange::Relabel(names, Some("text"))
    };
    let layout = "<layout><region id='Image'/><region id='Text'/></layout>";
    for (slide, ref_changes, wanted) in [
        // Alone it is a text where texts are.
        (
            "<par dur='9s'><video src='v.3gp' region='Image'/></par>",
            [told("v.3gp"), RefChange::Keep, RefChange::Keep],
            "<par dur='9s'><text src='v.txt' region='Text'/></par>",
        ),
        (
            "<par><video src=\"v.3gp\" region=\"Image\"></video><text src=\"t.txt\" region=\"Text\"/></par>",
            [told("v.3gp"), RefChange::Keep, RefChange::Keep],
            "<par><text src=\"t.txt\" region=\"Text\"/></par>\
             <par dur=\"5000ms\"><text src=\"v.txt\" region=\"Text\"/></par>",
        ),
        // The text beside it goes.
        (
            "<par><video src='v.3gp' region='Image'/><text src='t.txt' region='Text'/></par>",
            [told("v.3gp"), RefChange::Remove, RefChange::Keep],
            "<par><text src='v.txt' region='Text'/></par>",
        ),
        // Two of them, one by its Content-ID.
        (
            "<par><video src='v.3gp' region='Image'/><audio src='cid:a'/></par>",
            [told("v.3gp"), RefChange::Keep, told("")],
            "<par><text src='v.txt' region='Text'/></par>\
             <par dur=\"5000ms\"><text src=\"cid:a\" region=\"Text\"/></par>",
        ),
    ] {
        let got = run(&format!("{layout}{slide}"), &leaves, &ref_changes).expect("it changes");
        assert_eq!(got, format!("{layout}{wanted}"), "{slide}");
    }
}
