//! The flow with a codec whose outputs are nothing but sizes.
//!
//! Long because these tests share their codec.

use std::{sync::Arc, time::Duration};

use bytes::Bytes as Buffer;

use super::*;
use crate::{
    codec::{
        Codec, CodecError, CodecSet, DecodeLimits, EncodeError, OpenHint, Reference, Session,
        Verified,
    },
    message::{Message, ParseLimits, PartData},
    model::{
        AcceptList, Action, Bytes, Capabilities, Category, ContentFacts, Counting, Dimensions,
        Effort, Fault, ImageCoding, ImageLimit, Interface, LimitSource, Limits, MediaInfo,
        MediaKind, MediaType, Outcome, Provenance, Reason, ReasonCode, Recipe, Sourced, StopCause,
        WireLimit,
    },
    policy::{Ceilings, Empty, Policy},
};

/// An image: `FAKE`, width, height and complexity, as four bytes each.
fn fake_image(width: u32, height: u32, complexity: u32) -> Buffer {
    let mut bytes = b"FAKE".to_vec();
    for n in [width, height, complexity] {
        bytes.extend_from_slice(&n.to_be_bytes());
    }
    bytes.resize((width * height / 2) as usize + 16, 7);
    bytes.into()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    field.map_or(0, u32::from_be_bytes)
}

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Honest,
    /// Claims other dimensions than asked for.
    Lying,
    /// Fails with images of the complexities below.
    Fragile,
    /// Sets the deadline after its first encode.
    Slow,
}

const BROKEN: u32 = 0;
const OUR_BUG: u32 = 1;
const POISON: u32 = 2;
const LOST: u32 = 3;
const NOBODY_THERE: u32 = 4;

struct Fake(Mood);

struct FakeSession {
    info: MediaInfo,
    complexity: f64,
    mood: Mood,
}

fn info(bytes: &Buffer) -> MediaInfo {
    let mut info = MediaInfo::opaque(MediaType::JPEG, Bytes::of(bytes));
    info.dimensions = Dimensions::new(word(bytes, 4), word(bytes, 8));
    info.frames = 1;
    info
}

impl Codec for Fake {
    fn recognise(&self, bytes: &[u8]) -> Option<MediaType> {
        bytes.starts_with(b"FAKE").then_some(MediaType::JPEG)
    }

    fn writes(&self, _: &MediaType, output: MediaKind) -> bool {
        output == MediaKind::Image
    }

    fn probe(
        &self,
        input: &Buffer,
        _: &DecodeLimits,
        stop: &Stop,
    ) -> Result<MediaInfo, CodecError> {
        stop.check()?;
        if self.0 == Mood::Fragile && word(input, 12) == NOBODY_THERE {
            return Err(CodecError::Unavailable("gone".into()));
        }
        Ok(info(input))
    }

    fn open(
        &self,
        input: &Buffer,
        _: OpenHint,
        _: &DecodeLimits,
        stop: &Stop,
    ) -> Result<Box<dyn Session>, CodecError> {
        stop.check()?;
        let complexity = word(input, 12);
        if self.0 == Mood::Fragile && complexity <= LOST {
            return Err(match complexity {
                BROKEN => CodecError::Malformed { format: "FAKE", detail: "broken".into() },
                OUR_BUG => CodecError::Internal("a bug".into()),
                POISON => CodecError::Poison("killed twice".into()),
                _ => CodecError::Unavailable("gone".into()),
            });
        }
        let complexity = f64::from(complexity) / 100.0;
        Ok(Box::new(FakeSession { info: info(input), complexity, mood: self.0 }))
    }

    fn verify(
        &self,
        output: &Buffer,
        _: Option<&Reference>,
        _: &DecodeLimits,
        _: &Stop,
    ) -> Result<Verified, CodecError> {
        Ok(Verified { info: info(output), quality: None })
    }
}

impl FakeSession {
    fn size(&self, recipe: &Recipe) -> Bytes {
        let image = recipe.image().expect("an image");
        let ImageCoding::Jpeg { quality, .. } = image.coding else { panic!("JPEG alone") };
        let pixels = image.dimensions.pixels() as f64;
        let percent = quality.table_percent();
        Bytes::new((640.0 + self.complexity * pixels * percent.powf(-0.7)) as u64)
    }
}

impl Session for FakeSession {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        ContentFacts::default()
    }

    fn measure(&mut self, recipe: &Recipe, _: &Stop) -> Result<Option<Bytes>, CodecError> {
        Ok((self.mood == Mood::Honest).then(|| self.size(recipe)))
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        stop.check()?;
        let image = recipe.image().expect("an image");
        let size = self.size(recipe).get();
        if self.mood == Mood::Slow {
            stop.set(StopCause::Deadline);
        }
        if size > cap.get() {
            return Err(EncodeError::OverCap { at_least: Bytes::new(cap.get() + 1) });
        }
        let wider = if self.mood == Mood::Lying { 10_000 } else { 0 };
        let (width, height) = (image.dimensions.width() + wider, image.dimensions.height());
        let mut bytes = fake_image(1, 1, 0)[..16].to_vec();
        bytes[4..8].copy_from_slice(&width.to_be_bytes());
        bytes[8..12].copy_from_slice(&height.to_be_bytes());
        bytes.resize(size as usize, 0);
        Ok(bytes.into())
    }
}

fn engine(mood: Mood) -> Engine {
    Engine {
        sessions: None,
        probes: None,
        codecs: Arc::new(CodecSet::new(vec![Box::new(Fake(mood))])),
        decode: DecodeLimits::default(),
        cpu_clock: || Duration::ZERO,
    }
}

fn job(images: &[Buffer], limit: u64, counting: Counting) -> Job {
    let by = || Provenance::default_rule("test");
    let text = PartData {
        content_type: "text/plain; charset=utf-8".into(),
        name: "hello.txt".into(),
        data: Buffer::from_static(b"hello"),
        ..PartData::default()
    };
    let parts = images.iter().enumerate().map(|(i, data)| PartData {
        content_type: "image/jpeg".into(),
        name: format!("p{i}.jpg"),
        data: data.clone(),
        ..PartData::default()
    });
    let parts: Vec<PartData> = parts.chain([text]).collect();
    let message = Message::from_parts(Vec::new(), parts, &ParseLimits::default()).unwrap();
    Job {
        message,
        interface: Interface::Mm1,
        capabilities: Capabilities {
            vendor: String::new(),
            model: String::new(),
            max_message_bytes: Sourced::new(Bytes::new(limit), by()),
            max_image: Sourced::new(Dimensions::new(640, 480).unwrap(), by()),
            screen: None,
            bits_per_pixel: Sourced::new(24, by()),
            accept: Sourced::new(AcceptList::from_spellings(["image/jpeg", "text/plain"]), by()),
            charsets: Sourced::new(vec!["utf-8".into()], by()),
            content_classes: Vec::new(),
            mms_version: String::new(),
            suppress_adaptation: Sourced::new(false, by()),
            jpeg_full_chroma: Sourced::new(true, by()),
            jpeg_progressive: Sourced::new(false, by()),
            video: Sourced::new(Vec::new(), by()),
            audio: Sourced::new(Vec::new(), by()),
        },
        limits: Limits {
            wire: vec![WireLimit {
                bytes: Bytes::new(limit),
                counting,
                source: LimitSource::Device,
            }],
            image: Some(ImageLimit::turning(
                Dimensions::new(640, 480).unwrap(),
                LimitSource::Device,
            )),
        },
        // The fake codec is at its best with few bytes: what is tested is the filling of limits.
        policy: Policy { ceilings: Ceilings { image_quality: 100 }, ..Policy::default() },
        effort: Effort::Balanced,
        infected: Vec::new(),
    }
}

fn run(engine: &Engine, job: &Job, stop: &Stop) -> Result<Adapted, PipelineError> {
    let prepared = engine.prepare(job, stop)?;
    engine.execute(job, &prepared, stop)
}

#[test]
fn any_number_of_images_fits_by_every_counting() {
    let countings =
        [Counting::Interface, Counting::MimeBase64, Counting::MimeBinary, Counting::MediaOnly];
    for count in [1, 2, 5, 12] {
        let images: Vec<Buffer> =
            (0..count).map(|i| fake_image(2000 + 100 * i, 1500, 100 + 60 * i)).collect();
        for limit in [30_000, 100_000, 300_000] {
            for counting in countings {
                let job = job(&images, limit, counting);
                let done = run(&engine(Mood::Honest), &job, &Stop::never()).unwrap();
                let size = done.message.wire_size(counting, Interface::Mm1);
                assert!(size.get() <= limit, "{count} {limit} {counting:?}: {size}");
                assert_eq!(done.report.wire_bytes_after, size);
                assert!(size.get() * 10 >= limit * 9, "{count} {limit} {counting:?}: {size}");
                let text = done.message.parts().last().unwrap();
                assert_eq!(text.data.as_ref(), b"hello");
            }
        }
    }
}

#[test]
fn what_fits_is_not_touched() {
    let job = job(&[fake_image(300, 200, 100)], 100_000, Counting::Interface);
    let done = run(&engine(Mood::Honest), &job, &Stop::never()).unwrap();
    assert_eq!(done.report.outcome, Outcome::Unchanged);
    assert_eq!(done.message.parts(), job.message.parts());
}

#[test]
fn an_original_that_fits_after_all_passes_untouched() {
    // Over the limit by the big one alone; the small one is dense, yet has room in the end.
    let images = [fake_image(640, 480, 40), fake_image(200, 150, 40)];
    let mut job = job(&images, 100_000, Counting::Interface);
    // The big one has its fill before the limit is reached.
    job.policy.ceilings.image_quality = 97;
    let done = run(&engine(Mood::Honest), &job, &Stop::never()).unwrap();
    assert_eq!(done.report.parts[1].action, Action::Keep, "{:?}", done.report.parts[1]);
    assert_eq!(done.message.parts()[1].data, images[1]);
}

#[test]
fn one_broken_part_never_fails_the_message() {
    let images = [fake_image(2000, 1500, 0), fake_image(2000, 1500, 200)];
    let job = job(&images, 60_000, Counting::Interface);
    let done = run(&engine(Mood::Fragile), &job, &Stop::never()).unwrap();
    assert_eq!(done.report.parts[0].action, Action::Drop);
    assert_eq!(done.report.parts[0].reasons[0].code, ReasonCode::Malformed);
    assert_eq!(done.report.parts[1].action, Action::Transcode);
    assert_eq!(done.report.outcome, Outcome::Major);
    assert_eq!(done.message.parts().len(), 2);
}

#[test]
fn whose_fault_it_is_is_told() {
    for (complexity, wanted) in [(OUR_BUG, ReasonCode::OurFault), (POISON, ReasonCode::Poison)] {
        let images = [fake_image(2000, 1500, complexity), fake_image(2000, 1500, 200)];
        let job = job(&images, 60_000, Counting::Interface);
        let done = run(&engine(Mood::Fragile), &job, &Stop::never()).unwrap();
        assert_eq!(done.report.parts[0].action, Action::Drop);
        assert_eq!(done.report.parts[0].reasons[0].code, wanted);
        assert_eq!(done.report.parts[1].action, Action::Transcode);
    }
    // Workers that are not there cost no part: the call fails, and may be made again.
    for complexity in [LOST, NOBODY_THERE] {
        let images = [fake_image(2000, 1500, complexity), fake_image(2000, 1500, 200)];
        let job = job(&images, 60_000, Counting::Interface);
        let error = run(&engine(Mood::Fragile), &job, &Stop::never()).unwrap_err();
        assert_eq!(error, PipelineError::Unavailable("gone".into()));
        assert_eq!((error.category(), error.reason()), (Category::Unavailable, "WORKER_LOST"));
    }
}

#[test]
fn no_codec_sees_what_is_infected() {
    // Whoever opens this one is killed.
    let images = [fake_image(2000, 1500, POISON), fake_image(2000, 1500, 200)];
    let mut job = job(&images, 60_000, Counting::Interface);
    job.infected = vec![(PartId(0), "Test.Sig".into())];
    let done = run(&engine(Mood::Fragile), &job, &Stop::never()).unwrap();
    let parts = &done.report.parts;
    assert_eq!(parts[0].reasons, [Reason::new(ReasonCode::Infected, "Test.Sig")]);
    assert_eq!((parts[0].action, parts[1].action), (Action::Drop, Action::Transcode));
    // It is left out even where it would pass as it is, or is refused where nothing may be left out.
    let small = [fake_image(200, 150, 10)];
    let mut job = self::job(&small, 600_000, Counting::Interface);
    let engine = engine(Mood::Fragile);
    assert_eq!(run(&engine, &job, &Stop::never()).unwrap().report.outcome, Outcome::Unchanged);
    let clean = engine.prepare(&job, &Stop::never()).unwrap();
    job.infected = vec![(PartId(0), "Test.Sig".into())];
    let infected = engine.prepare(&job, &Stop::never()).unwrap();
    let identity = |prepared: &Prepared| {
        let mut told = Vec::new();
        engine.identity(&job, prepared, &mut told).unwrap();
        told
    };
    assert_ne!(identity(&clean), identity(&infected), "what is kept of the one is not the other's");
    let done = run(&engine, &job, &Stop::never()).unwrap();
    assert_eq!(done.report.parts[0].action, Action::Drop);
    job.policy = job.policy.forbidding();
    let error = run(&engine, &job, &Stop::never()).unwrap_err();
    assert_eq!((error.category(), error.reason()), (Category::NotAllowed, "NO_STEP_ALLOWED"));
}

#[test]
fn a_message_of_which_nothing_can_be_shown_is_not_delivered_empty() {
    let images = [fake_image(2000, 1500, BROKEN), fake_image(2000, 1500, POISON)];
    let mut job = job(&images, 60_000, Counting::Interface);
    let media = job.message.parts()[..2].iter().map(|part| PartData {
        content_type: part.declared.to_string(),
        name: part.name.clone().unwrap(),
        data: part.data.clone(),
        ..PartData::default()
    });
    let media: Vec<PartData> = media.collect();
    job.message = Message::from_parts(Vec::new(), media, &ParseLimits::default()).unwrap();
    let engine = engine(Mood::Fragile);
    let done = run(&engine, &job, &Stop::never()).unwrap();
    let said: Vec<_> = done.message.parts().iter().map(|part| part.declared.as_str()).collect();
    assert_eq!(said, ["text/plain", "text/plain"]);
    for (part, name) in done.message.parts().iter().zip(["p0.jpg", "p1.jpg"]) {
        let text = std::str::from_utf8(&part.data).unwrap();
        assert!(text.contains(name), "{text}");
    }
    assert!(done.report.parts.iter().all(|part| part.action == Action::Replace));
    assert_eq!(done.report.outcome, Outcome::Major);

    // Room for one notice, and for none.
    let whole = done.report.wire_bytes_after;
    let one = Bytes::new(whole.get() - 50);
    job.limits.wire[0].bytes = one;
    let done = run(&engine, &job, &Stop::never()).unwrap();
    assert_eq!(done.message.parts().len(), 1);
    assert!(done.report.wire_bytes_after <= one);
    job.limits.wire[0].bytes = Bytes::new(40);
    let refused = run(&engine, &job, &Stop::never()).unwrap_err();
    assert_eq!(refused.category(), Category::CannotFit, "{refused}");

    job.limits.wire[0].bytes = Bytes::new(60_000);
    job.policy.empty = Empty::Refuse;
    let refused = run(&engine, &job, &Stop::never()).unwrap_err();
    assert_eq!(refused.reason(), "NOTHING_TO_SHOW", "{refused}");
    assert_eq!(refused.category(), Category::CannotFit);
}

#[test]
fn a_codec_that_lies_is_caught() {
    let job = job(&[fake_image(2000, 1500, 200)], 60_000, Counting::Interface);
    let caught = run(&engine(Mood::Lying), &job, &Stop::never());
    assert!(matches!(caught, Err(PipelineError::Check(_))), "{caught:?}");
}

#[test]
fn what_cannot_fit_is_refused_with_the_smallest_size() {
    let images: Vec<Buffer> = (0..8).map(|_| fake_image(2000, 1500, 3000)).collect();
    let job = job(&images, 3_000, Counting::Interface);
    match run(&engine(Mood::Honest), &job, &Stop::never()) {
        Err(PipelineError::CannotFit { smallest, limit, .. }) => {
            assert!(smallest.get() > 8 * 640 && limit.bytes.get() == 3_000, "{smallest}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn at_the_deadline_the_best_so_far_is_the_answer() {
    let job = job(&[fake_image(2000, 1500, 100)], 200_000, Counting::Interface);
    let done = run(&engine(Mood::Slow), &job, &Stop::never()).unwrap();
    let reasons = &done.report.parts[0].reasons;
    assert!(reasons.iter().any(|r| r.code == ReasonCode::DeadlineBestSoFar), "{reasons:?}");
    let cancelled = Stop::never();
    cancelled.set(StopCause::Cancelled);
    let refused = run(&engine(Mood::Honest), &job, &cancelled);
    assert!(matches!(refused, Err(PipelineError::Stopped(StopCause::Cancelled))), "{refused:?}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let images: Vec<Buffer> =
        (0..6).map(|i| fake_image(1800 + 90 * i, 1500, 90 + 70 * i)).collect();
    let job = job(&images, 90_000, Counting::Interface);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&engine(Mood::Honest), &job, &Stop::never()).unwrap())
    };
    assert_eq!(with(1).message.parts(), with(8).message.parts());
}

#[test]
fn the_fake_keeps_the_contract_of_codecs() {
    use crate::{
        contract::{Sample, keeps_its_contract},
        model::{Chroma, ImageRecipe, Quality},
    };
    let dimensions = Dimensions::new(64, 48).unwrap();
    let coding =
        ImageCoding::Jpeg { quality: Quality::new(75), chroma: Chroma::Quarter, trellis: false };
    let sample = Sample {
        name: "fake",
        input: fake_image(640, 480, 100),
        hint: OpenHint { largest: dimensions, animation: false, effort: Effort::Balanced },
        recipe: Recipe::Image(ImageRecipe { dimensions, coding, background: [255; 3] }),
    };
    keeps_its_contract(&Fake(Mood::Honest), &sample);
}
