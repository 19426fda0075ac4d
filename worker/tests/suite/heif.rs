//! Images of phones: HEIF boxes written here around one HEVC image of ffmpeg.

use crate::support::ffmpeg;
use bytes::Bytes as Buffer;
use mmsfit::{
    codec::{Codec, CodecError, DecodeLimits, OpenHint, Reference},
    model::{
        Bytes, Chroma, Dimensions, Effort, ImageCoding, ImageRecipe, MediaInfo, MediaKind, Quality,
        ReasonCode, Recipe, Stop, StopCause,
    },
    profile::InlineCapabilities,
    service::request::{AdaptRequest, Content},
};
use mmsfit_worker::heif::HeifCodec;

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}

/// The decoder's settings and the one image of a video of one frame.
fn image() -> Option<(Vec<u8>, Vec<u8>)> {
    let film = ffmpeg(
        "-f lavfi -i testsrc2=s=128x96 -frames:v 1 -pix_fmt yuv420p -c:v libx265 -x265-params \
         log-level=none -tag:v hvc1",
        ".mp4",
    )?;
    Some(coded(&film))
}

fn coded(film: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let find = |kind: &[u8; 4]| {
        let at = film.windows(4).position(|four| four == kind).expect("a box") - 4;
        let size = u32::from_be_bytes(*film[at..].first_chunk().expect("a size")) as usize;
        film[at..at + size].to_vec()
    };
    (find(b"hvcC"), find(b"mdat")[8..].to_vec())
}

/// References of the file: kind, from, to.
type References<'a> = &'a [(&'a [u8; 4], u8, &'a [u8])];

/// Items 1 and 2 are the image, 3 is of the `third` type; all have the same data.
fn heif(
    primary: u8,
    third: &[u8; 4],
    references: References<'_>,
    auxiliary: &str,
) -> Option<Buffer> {
    let (hvcc, data) = image()?;
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
        dimensions: info.dimensions.expect("an image").shrunk_into(largest),
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
fn what_stands_beside_the_image_does_not_matter() {
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
fn a_kind_of_image_that_is_new_is_not_the_senders_damage() {
    let Some(bytes) = heif(3, b"new1", &[], GAIN) else { return };
    let refused = fit(&bytes);
    assert!(matches!(refused, Err(CodecError::Unsupported { .. })), "{refused:?}");
}

#[test]
fn the_images_of_a_sequence_are_counted() {
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
    let (info, length) = fit(&bytes.into()).expect("a valid image");
    assert_eq!(info.dimensions, Dimensions::new(640, 480));
    assert!(length > 1000);
}

/// A grid of `columns` by `rows` tiles of one image of `side` pixels, which the file holds once and
/// which is its thumbnail, too; cut off at `size`, with more properties.
fn grid(
    (columns, rows): (u16, u16),
    side: u32,
    size: (u32, u32),
    more: &[&[u8]],
) -> Option<Buffer> {
    let film = ffmpeg(
        &format!(
            "-f lavfi -i testsrc2=s={side}x{side} -frames:v 1 -pix_fmt yuv420p -c:v libx265 \
             -x265-params log-level=none -tag:v hvc1"
        ),
        ".mp4",
    )?;
    let (hvcc, data) = coded(&film);
    let tiles = columns * rows;
    let id = |n: u16| n.to_be_bytes();
    let entry = |n: u16, hidden: u8, kind: &[u8; 4]| {
        boxed(b"infe", &[&[2, 0, 0, hidden], &id(n), &[0, 0], kind, b"\0"])
    };
    let mut entries = entry(1, 0, b"grid");
    let thumbnail = tiles + 2;
    (2..=thumbnail).for_each(|n| entries.extend(entry(n, 1, b"hvc1")));
    let to: Vec<u8> = (2..tiles + 2).flat_map(id).collect();
    let iref = [
        boxed(b"dimg", &[&id(1), &id(tiles), &to]),
        boxed(b"thmb", &[&id(thumbnail), &id(1), &id(1)]),
    ]
    .concat();
    let ispe = |(w, h): (u32, u32)| boxed(b"ispe", &[&[0; 4], &w.to_be_bytes(), &h.to_be_bytes()]);
    let mut properties = [hvcc, ispe((side, side)), ispe(size)].concat();
    more.iter().for_each(|property| properties.extend(*property));
    let turns: Vec<u8> = (0..more.len() as u8).map(|n| 0x84 + n).collect();
    let mut ipma =
        [&u32::from(thumbnail).to_be_bytes()[..], &id(1), &[1 + turns.len() as u8, 3]].concat();
    ipma.extend(turns);
    (2..=thumbnail).for_each(|n| ipma.extend([&id(n)[..], &[2, 0x81, 2]].concat()));
    let idat = [
        &[0, 1, rows as u8 - 1, columns as u8 - 1][..],
        &size.0.to_be_bytes(),
        &size.1.to_be_bytes(),
    ]
    .concat();
    let meta = |offset: u32| {
        // Construction method 1: within the metadata.
        let mut places = [&id(1)[..], &[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 12]].concat();
        for n in 2..=thumbnail {
            places.extend([&id(n)[..], &[0, 0, 0, 0, 0, 1], &offset.to_be_bytes()].concat());
            places.extend((data.len() as u32).to_be_bytes());
        }
        boxed(
            b"meta",
            &[
                &[0; 4],
                &boxed(b"hdlr", &[&[0; 8], b"pict", &[0; 13]]),
                &boxed(b"pitm", &[&[0, 0, 0, 0, 0, 1]]),
                &boxed(b"iinf", &[&[0; 4], &id(thumbnail), &entries]),
                &boxed(b"iref", &[&[0; 4], &iref]),
                &boxed(
                    b"iprp",
                    &[&boxed(b"ipco", &[&properties]), &boxed(b"ipma", &[&[0; 4], &ipma])],
                ),
                &boxed(b"iloc", &[&[1, 0, 0, 0, 0x44, 0], &id(thumbnail), &places]),
                &boxed(b"idat", &[&idat]),
            ],
        )
    };
    let ftyp = boxed(b"ftyp", &[b"heic\0\0\0\0mif1heic"]);
    let offset = ftyp.len() + meta(0).len() + 8;
    Some([ftyp, meta(offset as u32), boxed(b"mdat", &[&data])].concat().into())
}

/// The luma of an image in `largest`, and its size.
fn luma(
    bytes: &Buffer,
    largest: Dimensions,
    limits: &DecodeLimits,
) -> Result<Reference, CodecError> {
    mmsfit_worker::heif::warm();
    let hint = OpenHint { largest, animation: false, effort: Effort::Balanced };
    let mut session = HeifCodec.open(bytes, hint, limits, &Stop::never())?;
    let shown = session.info().dimensions.expect("an image").shrunk_into(largest);
    Ok(session.reference(shown, [255; 3]).expect("a still"))
}

/// Tile by tile it is the image that the library puts together, turned and mirrored alike.
#[test]
fn a_grid_by_its_tiles_is_the_whole_image() {
    let turns: [&[&[u8]]; 4] = [
        &[],
        &[&boxed(b"irot", &[&[1]])],
        &[&boxed(b"irot", &[&[3]]), &boxed(b"imir", &[&[0]])],
        &[&boxed(b"irot", &[&[2]]), &boxed(b"imir", &[&[1]])],
    ];
    for turns in turns {
        // 22 megapixels: the last column and row are cut off.
        let Some(bytes) = grid((5, 5), 1024, (5000, 4500), turns) else { return };
        let limits = DecodeLimits::default();
        let small = luma(&bytes, Dimensions::at_least_one(600, 600), &limits).expect("by tiles");
        // With no room to be smaller the library does it.
        let whole = luma(&bytes, Dimensions::at_least_one(6000, 6000), &limits).expect("whole");
        let (w, h) = (small.dimensions.width(), small.dimensions.height());
        let mut off = 0u64;
        for y in 0..h {
            for x in 0..w {
                let at = |n: u32, of: u32, side: u32| {
                    (u64::from(2 * n + 1) * u64::from(side) / u64::from(2 * of)) as u32
                };
                let (fx, fy) =
                    (at(x, w, whole.dimensions.width()), at(y, h, whole.dimensions.height()));
                // The mean of a small field around the same place.
                let mut sum = 0;
                for dy in 0..4 {
                    for dx in 0..4 {
                        let row = (fy + dy).clamp(2, whole.dimensions.height() + 1) - 2;
                        let column = (fx + dx).clamp(2, whole.dimensions.width() + 1) - 2;
                        let at = row * whole.dimensions.width() + column;
                        sum += u32::from(whole.luma[at as usize]);
                    }
                }
                off += u64::from((sum / 16).abs_diff(u32::from(small.luma[(y * w + x) as usize])));
            }
        }
        let off = off as f64 / f64::from(w * h);
        assert!(off < 5.0, "{turns:?}: {off}");
    }
}

/// A photo of a phone with 85 megapixels takes a fifth of the memory that it has pixels for.
#[test]
fn a_photo_is_not_refused_for_its_size() {
    let Some(bytes) = grid((9, 9), 1024, (9200, 9200), &[]) else { return };
    let limits = DecodeLimits { max_memory: Bytes::new(160 << 20), ..DecodeLimits::default() };
    let found = luma(&bytes, Dimensions::at_least_one(1600, 1200), &limits).expect("by tiles");
    assert_eq!(found.dimensions, Dimensions::at_least_one(1200, 1200));
    let refused = luma(&bytes, Dimensions::at_least_one(9200, 9200), &limits);
    assert!(matches!(refused, Err(CodecError::Limit { .. })), "{refused:?}");
}

/// A deadline that comes while a photo is being decoded, or a video encoded, leaves what is to be
/// had at once: the thumbnail, the first image.
#[test]
fn a_deadline_leaves_an_image() {
    let mut config = mmsfit::config::Config { threads: 1, ..Default::default() };
    config.worker.program = Some(env!("CARGO_BIN_EXE_mmsfit-worker").into());
    let service = mmsfit::service::Service::new(config);
    service.start_workers().expect("it starts");
    let Some(photo) = grid((8, 8), 1024, (8192, 8192), &[]) else { return };
    let video = "-f lavfi -i testsrc2=s=1280x720:r=30:d=20 -c:v libx264 -preset ultrafast";
    let Some(video) = ffmpeg(video, ".mp4") else { return };
    for (name, data) in [("photo.heic", photo), ("clip.mp4", video.into())] {
        let mut request = AdaptRequest::new(Content::Bare { data, name: name.to_owned() });
        request.limits.max_message_bytes = Some(Bytes::new(300_000));
        request.limits.max_image_width = Some(640);
        request.limits.max_image_height = Some(480);
        let inline = InlineCapabilities {
            accept: vec!["image/jpeg".into(), "video/mp4".into(), "video/3gpp".into()],
            ..Default::default()
        };
        request.device.inline = Some(inline);
        // After it was planned, however long that takes on this machine now, and before it is done.
        let start = std::time::Instant::now();
        service.plan(request.clone(), &Stop::never()).expect("it can be planned");
        let planned = start.elapsed();
        let stop = Stop::never();
        let late = stop.clone();
        let answer = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(100) + planned * 2);
                late.set(StopCause::Deadline);
            });
            service.adapt(request, &stop)
        });
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let part = &answer.report.parts[0];
        assert_eq!(part.after.as_ref().map(|info| info.kind), Some(MediaKind::Image), "{name}");
        let told = part.reasons.iter().any(|r| r.code == ReasonCode::DeadlineBestSoFar);
        assert!(told, "{name}: {:?}", part.reasons);
    }
}
