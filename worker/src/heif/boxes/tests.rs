//! Files of boxes alone: no image in them is ever decoded.

use super::*;

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}

fn refer(kind: &[u8; 4], from: u8, to: &[u8]) -> Vec<u8> {
    let to: Vec<u8> = to.iter().flat_map(|to| [0, *to]).collect();
    boxed(kind, &[&[0, from, 0, to.len() as u8 / 2], &to])
}

/// A tone map that is primary, of a base and a gain map; transparency of two images.
fn file(pitm: u8) -> Vec<u8> {
    let entry = |id: u8, kind: &[u8; 4]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, b"\0"]);
    let items = [
        entry(1, b"hvc1"),
        entry(2, b"hvc1"),
        entry(3, b"tmap"),
        entry(4, b"hvc1"),
        entry(5, b"odd!"),
    ]
    .concat();
    let iref = [
        refer(b"auxl", 2, &[1, 3]),
        refer(b"dimg", 3, &[1, 2]),
        refer(b"auxl", 4, &[1, 3]),
        refer(b"cdsc", 5, &[1, 3]),
    ]
    .concat();
    let auxc = boxed(b"auxC", &[&[0; 4], ALPHA[0], b"\0"]);
    let ipma = boxed(b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 1, 0x81]]);
    let meta = boxed(
        b"meta",
        &[
            &[0; 4],
            &boxed(b"pitm", &[&[0, 0, 0, 0, 0, pitm]]),
            &boxed(b"iinf", &[&[0, 0, 0, 0, 0, 5], &items]),
            &boxed(b"iref", &[&[0; 4], &iref]),
            &boxed(b"iprp", &[&boxed(b"ipco", &[&auxc]), &ipma]),
            &boxed(b"grpl", &[&boxed(b"altr", &[&[0; 12]])]),
        ],
    );
    let stsz = boxed(b"stsz", &[&[0; 8], &[0, 0, 0, 9]]);
    let mdia = boxed(
        b"mdia",
        &[&boxed(b"hdlr", &[&[0; 8], b"pict"]), &boxed(b"minf", &[&boxed(b"stbl", &[&stsz])])],
    );
    [boxed(b"ftyp", &[b"heic"]), meta, boxed(b"moov", &[&boxed(b"trak", &[&mdia])])].concat()
}

#[test]
fn only_what_the_image_needs_is_left() {
    for primary in [1, 3] {
        let file = file(primary);
        let reduced = Survey::of(&file).and_then(|s| s.reduced()).expect("valid boxes");
        assert_eq!(reduced.len(), file.len());
        let left = Survey::of(&reduced).expect("valid boxes");
        assert_eq!((left.primary, left.unknown_type()), (1, None));
        let kinds: Vec<_> = left.items.values().map(|item| item.kind).collect();
        assert_eq!(kinds, [*b"hvc1", *b"free", *b"free", *b"hvc1", *b"free"]);
        let references: Vec<_> =
            left.references.iter().map(|r| (r.kind, r.from, r.to.clone())).collect();
        assert_eq!(references, [(*b"auxl", 4, vec![1])]);
        assert!(child(&reduced, left.meta, 4, b"grpl").is_none());
        assert_eq!(sequence(&reduced), 9);
    }
    assert_eq!(Survey::of(&file(5)).and_then(|s| s.unknown_type()).as_deref(), Some("odd!"));
}

#[test]
fn hostile_boxes_do_no_harm() {
    let whole = file(3);
    let look = |bytes: &[u8]| {
        let reduced = Survey::of(bytes).and_then(|survey| survey.reduced());
        assert!(reduced.is_none_or(|reduced| reduced.len() == bytes.len()));
        assert!(sequence(bytes) as usize <= bytes.len());
    };
    for length in 0..whole.len() {
        look(&whole[..length]);
    }
    for at in 0..whole.len() {
        for value in [0, 1, 2, 3, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            look(&bytes);
        }
    }
}
