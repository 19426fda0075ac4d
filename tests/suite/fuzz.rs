//! The targets of `fuzz/` over their seeds and what is near them: a short pass of what `make fuzz`
//! does without end. `MMSFIT_BLESS=1` makes the seeds again.

use std::{fs, path::Path};

use bytes::Bytes as Buffer;
use mmsfit::{
    codec::DecodeLimits,
    message::{Form, PartData},
    samples::{self, photo},
    worker::protocol::{Answer, Message as _, Reply, Request},
};

use crate::support::Dice;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// Changed inputs for each seed.
const NEAR: usize = 150;

fn small_jpeg() -> Buffer {
    samples::jpeg(&photo::photo(48, 40, 3), Some(6)).unwrap()
}

fn message(form: Form) -> Buffer {
    let part = |content_type: &str, name: &str, data: Buffer| PartData {
        content_type: content_type.into(),
        content_id: name.into(),
        content_location: name.into(),
        name: name.into(),
        data,
    };
    let parts = vec![
        part("application/smil", "s.smil", presentation()),
        part("image/jpeg", "a.jpg", small_jpeg()),
        part("text/plain; charset=utf-8", "t.txt", Buffer::from_static("grüße".as_bytes())),
    ];
    samples::message(parts, form).unwrap()
}

fn presentation() -> Buffer {
    Buffer::from_static(
        b"<smil><head><layout><root-layout width=\"320\" height=\"240\"/><region id=\"Image\" \
          width=\"100%\" height=\"80%\" left=\"0\" top=\"0\"/></layout></head><body><par \
          dur=\"5000ms\"><img src=\"cid:a.jpg\" region=\"Image\"/><video src=\"b.3gp\"/></par>\
          </body></smil>",
    )
}

fn document() -> Buffer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/devices/nokia-6230.xml");
    fs::read(path).unwrap().into()
}

fn seeds(target: &str) -> Vec<Buffer> {
    let frame = |frame: Vec<u8>| Buffer::from(frame).slice(4..);
    match target {
        "pdu" => vec![message(Form::MmsPdu)],
        "wsp" => {
            let pdu = message(Form::MmsPdu);
            let at = pdu.windows(2).position(|two| two == [0x84, 0x1f] || two[0] == 0x84);
            vec![pdu.slice(at.map_or(0, |at| at + 1)..)]
        }
        "mime" => vec![message(Form::Mime)],
        "smil" => vec![presentation()],
        "uaprof" => vec![document()],
        "jpeg" => vec![small_jpeg().slice(2..)],
        "headers" => vec![
            small_jpeg(),
            samples::png(&photo::screenshot(40, 30, 1)).unwrap(),
            samples::gif(24, 20, 3).unwrap(),
        ],
        "sniffing" => vec![small_jpeg().slice(..32), Buffer::from_static(b"\0\0\0\x18ftypmp42")],
        "protocol" => vec![
            frame(Request::Facts.to_frame()),
            frame(
                Request::Probe { input: small_jpeg(), limits: DecodeLimits::default() }.to_frame(),
            ),
            frame(
                Answer { cpu_us: 7, reply: Reply::Output(Some(Buffer::from_static(b"x"))) }
                    .to_frame(),
            ),
        ],
        other => panic!("no seeds for {other}"),
    }
}

/// The seed with a few bytes changed, doubled, or gone.
fn near(seed: &Buffer, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 if !bytes.is_empty() => bytes[at] = dice.below(256) as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, [0, 0x7f, 0x80, 0xff][dice.below(4)]),
            _ => {
                let end = (at + dice.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn no_parser_breaks_on_its_seeds_nor_near_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (target, run) in targets::TARGETS {
        let folder = root.join(target);
        if std::env::var_os("MMSFIT_BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (at, seed) in seeds(target).iter().enumerate() {
                fs::write(folder.join(format!("seed-{at}")), seed).unwrap();
            }
        }
        let mut files: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no seeds");
        let mut dice = Dice(20_261_129);
        for file in files {
            let seed = Buffer::from(fs::read(&file).unwrap());
            run(&seed);
            for _ in 0..NEAR {
                let input = near(&seed, &mut dice);
                let done = std::panic::catch_unwind(|| run(&input));
                assert!(done.is_ok(), "{target}, near {}: {input:02x?}", file.display());
            }
        }
    }
}
