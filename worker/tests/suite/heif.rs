//! Pictures of phones: HEIF boxes written here around one HEVC picture of ffmpeg.

use crate::support::ffmpeg;
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, OpenHint},
    model::{
        Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, MediaInfo, Quality, Recipe,
        Stop,
    },
};
use mmsfit_worker::heif::HeifCodec;

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}

/// The decoder's settings and the one picture of a film of one frame.
fn picture() -> Option<(Vec<u8>, Vec<u8>)> {
    let film = ffmpeg(
        "-f lavfi -i testsrc2=s=128x96 -frames:v 1 -pix_fmt yuv420p -c:v libx265 -x265-params \
         log-level=none -tag:v hvc1",
        ".mp4",
    )?;
    let find = |kind: &[u8; 4]| {
        let at = film.windows(4).position(|four| four == kind).expect("a box") - 4;
        let size = u32::from_be_bytes(*film[at..].first_chunk().expect("a size")) as usize;
        film[at..at + size].to_vec()
    };
    Some((find(b"hvcC"), find(b"mdat")[8..].to_vec()))
}

/// References of the file: kind, from, to.
type References<'a> = &'a [(&'a [u8; 4], u8, &'a [u8])];

/// Items 1 and 2 are the picture, 3 is of the `third` type; all have the same data.
fn heif(
    primary: u8,
    third: &[u8; 4],
    references: References<'_>,
    auxiliary: &str,
) -> Option<Buffer> {
    let (hvcc, data) = picture()?;
    let types = [b"hvc1", b"hvc1", third];
    let entries: Vec<u8> = (1..)
        .zip(types)
        .flat_map(|(id, kind)| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, b"\0"]))
        .collect();
    let iref: Vec<u8> = references
        .iter()
        .flat_map(|(kind, from, to)| {
            let ids: Vec<u8> = to.iter().flat_map(|id| [0, *id]).collect();
            boxed(kind, &[&[0, *from, 0, to.len() as u8], &ids])
        })
        .collect();
    let ispe = boxed(b"ispe", &[&[0; 4], &128u32.to_be_bytes(), &96u32.to_be_bytes()]);
    let auxc = boxed(b"auxC", &[&[0; 4], auxiliary.as_bytes(), b"\0"]);
    let ipma = [0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 2, 0x81, 2, 0, 2, 3, 0x81, 2, 3, 0, 3, 1, 2];
    let meta = |offset: u32| {
        let places: Vec<u8> = (1..=3)
            .flat_map(|id| {
                let place = [offset.to_be_bytes(), (data.len() as u32).to_be_bytes()].concat();
                [&[0, id, 0, 0, 0, 1][..], &place].concat()
            })
            .collect();
        boxed(
            b"meta",
            &[
                &[0; 4],
                &boxed(b"hdlr", &[&[0; 8], b"pict", &[0; 13]]),
                &boxed(b"pitm", &[&[0, 0, 0, 0, 0, primary]]),
                &boxed(b"iinf", &[&[0, 0, 0, 0, 0, 3], &entries]),
                &boxed(b"iref", &[&[0; 4], &iref]),
                &boxed(
                    b"iprp",
                    &[&boxed(b"ipco", &[&hvcc, &ispe, &auxc]), &boxed(b"ipma", &[&ipma])],
                ),
                &boxed(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 3], &places]),
                &boxed(b"grpl", &[&boxed(b"altr", &[&[0; 4], &[0, 0, 0, 9, 0, 0, 0, 0]])]),
            ],
        )
    };
    let ftyp = boxed(b"ftyp", &[b"heic\0\0\0\0mif1heictmap"]);
    let offset = ftyp.len() + meta(0).len() + 8;
    Some([ftyp, meta(offset as u32), boxed(b"mdat", &[&data])].concat().into())
}

/// What the file is, and the length of it as a JPEG.
fn fit(bytes: &Buffer) -> Result<(MediaInfo, usize), CodecError> {
    mmsfit_worker::heif::warm();
    let limits = DecodeLimits::default();
    let largest = Dimensions::at_least_one(640, 480);
    let hint = OpenHint { largest, animation: false, effort: Effort::Balanced };
    let info = HeifCodec.probe(bytes, &limits, &Stop::never())?;
    let mut session = HeifCodec.open(bytes, hint, &limits, &Stop::never())?;
    let recipe = Recipe::Image(ImageRecipe {
        dimensions: info.dimensions.expect("a picture").shrunk_into(largest),
        coding: ImageCoding::Jpeg {
            quality: Quality::new(80),
            chroma: Chroma::Quarter,
            trellis: true,
        },
        background: [255; 3],
    });
    let jpeg = session.encode(&recipe, Bytes::new(100_000), &Stop::never()).expect("a small JPEG");
    Ok((info, jpeg.len()))
}

const GAIN: &str = "urn:com:apple:photo:2020:aux:hdrgainmap";
const ALPHA: &str = "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha";

#[test]
fn what_stands_beside_the_picture_does_not_matter() {
    let cases: [(u8, &[u8; 4], References<'_>, &str, bool); 6] = [
        (1, b"hvc1", &[], GAIN, false),
        (1, b"tmap", &[(b"auxl", 2, &[1, 3]), (b"dimg", 3, &[1, 2])], GAIN, false),
        (3, b"tmap", &[(b"auxl", 2, &[1, 3]), (b"dimg", 3, &[1, 2])], GAIN, false),
        (1, b"odd!", &[(b"auxl", 2, &[1, 3]), (b"cdsc", 3, &[1, 2])], GAIN, false),
        (1, b"odd!", &[(b"auxl", 2, &[1, 3]), (b"cdsc", 3, &[1, 2])], ALPHA, true),
        (1, b"odd!", &[(b"thmb", 2, &[1, 3]), (b"thmb", 3, &[7])], GAIN, false),
    ];
    for (primary, third, references, auxiliary, alpha) in cases {
        let Some(bytes) = heif(primary, third, references, auxiliary) else { return };
        let (info, length) = fit(&bytes).unwrap_or_else(|e| panic!("{references:?}: {e}"));
        assert_eq!(info.dimensions, Dimensions::new(128, 96), "{references:?}");
        assert_eq!((info.frames, info.has_alpha), (1, alpha), "{references:?}");
        assert!(length > 1000, "{references:?}: {length}");
    }
}

#[test]
fn a_kind_of_picture_that_is_new_is_not_the_senders_damage() {
    let Some(bytes) = heif(3, b"new1", &[], GAIN) else { return };
    let refused = fit(&bytes);
    assert!(matches!(refused, Err(CodecError::Unsupported { .. })), "{refused:?}");
}

#[test]
fn the_pictures_of_a_sequence_are_counted() {
    let Some(mut bytes) = heif(1, b"hvc1", &[], GAIN).map(Vec::from) else { return };
    let stsz = boxed(b"stsz", &[&[0; 8], &[0, 0, 0, 9]]);
    let minf = boxed(b"minf", &[&boxed(b"stbl", &[&stsz])]);
    let mdia = boxed(b"mdia", &[&boxed(b"hdlr", &[&[0; 8], b"pict"]), &minf]);
    bytes.extend(boxed(b"moov", &[&boxed(b"trak", &[&mdia])]));
    let (info, _) = fit(&bytes.into()).expect("the still");
    assert_eq!(info.frames, 9);
}

#[test]
fn a_photo_of_ios_18() {
    let name =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases/01-heic-ios18/ios18_tmap.heic");
    let Ok(bytes) = std::fs::read(name) else {
        println!("skipped: no {name}");
        return;
    };
    let (info, length) = fit(&bytes.into()).expect("a sound picture");
    assert_eq!(info.dimensions, Dimensions::new(640, 480));
    assert!(length > 1000);
}
