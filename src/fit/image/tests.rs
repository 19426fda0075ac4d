//! Long because each of these tests is a property of one search.

use super::*;
use crate::{
    model::{Chroma, ContentFacts, Effort, ImageFormat, Quality},
    policy::{Ceilings, Floors},
};

fn d(text: &str) -> Dimensions {
    text.parse().unwrap()
}

fn photo(bounds: &str) -> ImageTask {
    let source = d("4032x3024");
    ImageTask {
        source,
        bounds: d(bounds).turned_to(source),
        formats: vec![ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::Wbmp],
        animate: false,
        still: true,
        floors: Floors::default(),
        ceilings: Ceilings { image_quality: 100 },
        first_step: 1,
        slides: false,
        lossless_source: false,
        facts: ContentFacts::default(),
        full_chroma: true,
        own: Bytes::new(4_000_000),
        ceiling: None,
        effort: Effort::Balanced,
        background: [255; 3],
    }
}

/// An image's size model: complexity, slope and a little ripple, so that sizes are not monotone.
#[derive(Clone, Copy, Debug)]
struct Model {
    complexity: f64,
    slope: f64,
    area: f64,
}

impl Model {
    fn size(&self, recipe: &Recipe) -> u64 {
        let image = recipe.image().expect("an image");
        let pixels = image.dimensions.pixels() as f64;
        let scaled = pixels.powf(self.area) * 300_000f64.powf(1.0 - self.area);
        let bytes = match image.coding {
            ImageCoding::Jpeg { quality, chroma, .. } => {
                let chroma = if chroma == Chroma::Full { 1.25 } else { 1.0 };
                let ripple = 1.0 + 0.003 * f64::from(quality.hundredths() / 10 % 7);
                600.0
                    + self.complexity
                        * scaled
                        * quality.table_percent().powf(-self.slope)
                        * chroma
                        * ripple
            }
            ImageCoding::Png { colors, .. } => {
                100.0 + self.complexity * 0.5 * scaled * if colors.is_some() { 0.3 } else { 1.0 }
            }
            ImageCoding::Gif { colors, frame_step } => {
                let frames =
                    if frame_step == u16::MAX { 1.0 } else { 20.0 / f64::from(frame_step) };
                100.0 + self.complexity * 0.2 * scaled * frames * f64::from(colors).log2() / 8.0
            }
            ImageCoding::Wbmp => {
                8.0 + f64::from(image.dimensions.width().div_ceil(8))
                    * f64::from(image.dimensions.height())
            }
        };
        bytes as u64
    }
}

impl Model {
    /// What it looks like: worse with less of anything. Much detail is shades, which no palette
    /// holds.
    fn score(&self, recipe: &Recipe, largest: Dimensions) -> f32 {
        let image = recipe.image().expect("an image");
        let scale = (image.dimensions.pixels() as f64 / largest.pixels() as f64).sqrt();
        let coded = match image.coding {
            ImageCoding::Jpeg { quality, .. } => f64::from(quality.get()) - 6.0,
            ImageCoding::Png { colors: None, .. } => 100.0,
            ImageCoding::Png { colors: Some(n), .. } => {
                95.0 - self.complexity * 20.0 / f64::from(n).log2()
            }
            _ => panic!("not judged"),
        };
        (coded - 100.0 * (1.0 - scale)) as f32
    }
}

struct Outcome {
    recipe: Option<Recipe>,
    size: u64,
    tries: u32,
    smallest: u64,
}

/// As a session does it: JPEG is measured first, three percent too low, and encoded once that is
/// the best; everything else is encoded.
fn run(search: &mut ImageSearch, model: Model) -> Outcome {
    go_on(search, model, None)
}

/// With what an earlier run left, and whether it was encoded.
fn go_on(search: &mut ImageSearch, model: Model, mut kept: Option<(Recipe, u64, bool)>) -> Outcome {
    loop {
        match search.step() {
            SearchStep::Judge { recipe, largest, cap } => {
                let size = Bytes::new(model.size(&recipe));
                let over = size > cap;
                let score = model.score(&recipe, largest);
                search.judged(Some(if over {
                    Judgement::AtLeast(cap)
                } else {
                    Judgement::Size(size, score)
                }));
            }
            SearchStep::Take { recipe } => kept = Some((recipe, model.size(&recipe), true)),
            SearchStep::Compare { recipes } => search.choose(Some(recipes.len() - 1)),
            SearchStep::Try { recipe, cap } => {
                let size = model.size(&recipe);
                let jpeg = matches!(recipe.image().unwrap().coding, ImageCoding::Jpeg { .. });
                let seen = if jpeg {
                    Observation::Measured(Bytes::new(size * 97 / 100))
                } else if size > cap.get() {
                    Observation::AtLeast(Bytes::new(cap.get() + 1))
                } else {
                    Observation::Size(Bytes::new(size))
                };
                if search.observe(seen) == Verdict::Keep {
                    kept = Some((recipe, size, !jpeg));
                }
            }
            SearchStep::Done => {
                let (recipe, size, encoded) = kept.expect("done means something was kept");
                if !encoded {
                    match search.settle(Bytes::new(size)) {
                        Verdict::Keep => kept = Some((recipe, size, true)),
                        // What was settled before is left.
                        Verdict::Discard => {
                            kept = search.settled().map(|size| (recipe, size.get(), true));
                        }
                    }
                    continue;
                }
                return Outcome {
                    recipe: Some(recipe),
                    size,
                    tries: search.tries(),
                    smallest: size,
                };
            }
            SearchStep::Exhausted { smallest } => {
                return Outcome {
                    recipe: None,
                    size: 0,
                    tries: search.tries(),
                    smallest: smallest.get(),
                };
            }
        }
    }
}

const MODELS: [Model; 5] = [
    Model { complexity: 3.4, slope: 0.72, area: 0.83 },
    Model { complexity: 1.2, slope: 0.55, area: 0.75 },
    Model { complexity: 8.0, slope: 0.80, area: 0.92 },
    Model { complexity: 0.4, slope: 0.60, area: 0.70 },
    Model { complexity: 12.0, slope: 0.65, area: 0.98 },
];

#[test]
fn never_over_and_full_where_the_limit_binds() {
    let mut fills = Vec::new();
    for model in MODELS {
        for bounds in ["160x120", "640x480", "1600x1200"] {
            for budget in [9_500, 29_500, 99_500, 299_500, 599_500] {
                let task = photo(bounds);
                let got = run(&mut ImageSearch::new(&task, Bytes::new(budget)), model);
                let recipe = got.recipe.unwrap_or_else(|| panic!("{model:?} {bounds} {budget}"));
                let image = recipe.image().expect("an image");
                assert!(got.size <= budget, "{model:?} {bounds} {budget}: {}", got.size);
                assert!(image.dimensions.within(task.bounds));
                assert!(got.tries <= 7, "{model:?} {bounds} {budget}: {} tries", got.tries);
                let top = matches!(
                    image.coding,
                    ImageCoding::Jpeg { quality: Quality::MAX, chroma: Chroma::Full, .. }
                );
                if !top {
                    fills.push((got.size as f64 / budget as f64, got.tries, bounds, budget, model));
                }
            }
        }
    }
    fills.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = fills[fills.len() / 2].0;
    assert!(median >= 0.975, "median {median}");
    assert!(fills[fills.len() / 10].0 >= 0.93, "{:?}", &fills[..fills.len() / 5]);
    assert!(fills.iter().filter(|f| f.1 > 4).count() * 10 <= fills.len());
}

#[test]
fn generous_budgets_get_full_chroma_and_tight_ones_a_smaller_scale() {
    let model = MODELS[0];
    let task = photo("640x480");
    let coding = |budget| {
        let got = run(&mut ImageSearch::new(&task, Bytes::new(budget)), model);
        let Some(Recipe::Image(image)) = got.recipe else { panic!("fits") };
        (image.dimensions, image.coding)
    };
    let (dimensions, generous) = coding(200_000);
    assert_eq!(dimensions, d("640x480"));
    assert!(matches!(generous, ImageCoding::Jpeg { chroma: Chroma::Full, .. }));
    let (dimensions, tight) = coding(8_000);
    assert!(dimensions.longest() < 640, "{dimensions}");
    assert!(matches!(tight, ImageCoding::Jpeg { chroma: Chroma::Quarter, .. }));
}

#[test]
fn more_than_the_ceiling_is_left_over_and_a_floor_above_it_wins() {
    let model = Model { complexity: 3.4, slope: 0.72, area: 1.0 };
    for (floor, ceiling, wanted) in [(12, 94, 94), (12, 60, 60), (95, 50, 95), (95, 94, 95)] {
        let mut task = photo("640x480");
        task.floors.image_quality = floor;
        task.ceilings = Ceilings { image_quality: ceiling };
        let done = run(&mut ImageSearch::new(&task, Bytes::new(50_000_000)), model);
        let recipe = done.recipe.expect("fits");
        let ImageCoding::Jpeg { quality, .. } = recipe.image().expect("an image").coding else {
            panic!("{recipe:?}")
        };
        assert_eq!(quality.get(), wanted, "floor {floor}, ceiling {ceiling}");
    }
}

#[test]
fn an_impossible_budget_is_refused_with_a_measured_size() {
    let got = run(&mut ImageSearch::new(&photo("640x480"), Bytes::new(300)), MODELS[0]);
    assert!(got.recipe.is_none());
    assert!(got.smallest > 300 && got.smallest < 2_000, "{}", got.smallest);
}

#[test]
fn animations_lose_size_first_then_colours_then_frames() {
    let mut task = photo("320x240");
    task.animate = true;
    task.lossless_source = true;
    let model = MODELS[1];
    let mut last_severity = 0;
    for budget in [400_000, 100_000, 50_000, 25_000, 12_000] {
        let got = run(&mut ImageSearch::new(&task, Bytes::new(budget)), model);
        assert!(got.size <= budget);
        let Some(Recipe::Image(image)) = got.recipe else { panic!("{budget}") };
        let severity = match image.coding {
            ImageCoding::Gif { colors: 256, frame_step: 1 } => 0,
            ImageCoding::Gif { frame_step: 1, .. } => 1,
            ImageCoding::Gif { .. } => 2,
            _ => 3,
        };
        assert!(severity >= last_severity, "{budget}: {image:?}");
        last_severity = severity;
    }
    assert!(last_severity >= 2, "a small budget costs frames");
}

#[test]
fn slides_become_small_before_one_is_left_out() {
    let show = ImageTask {
        animate: true,
        slides: true,
        formats: vec![ImageFormat::Gif],
        ..photo("320x240")
    };
    let coding = |slides, budget| {
        let task = ImageTask { slides, ..show.clone() };
        let got = run(&mut ImageSearch::new(&task, Bytes::new(budget)), MODELS[1]);
        let Some(Recipe::Image(image)) = got.recipe else { panic!("{budget}") };
        let ImageCoding::Gif { frame_step, .. } = image.coding else { panic!("{image:?}") };
        (frame_step, image.dimensions.longest())
    };
    let budget = (10_000..400_000).rev().step_by(5_000).find(|n| coding(false, *n).0 > 1);
    let (step, side) = coding(true, budget.expect("a budget at which frames go"));
    assert!(step == 1 && side < 128, "{step} {side}");
}

#[test]
fn a_bigger_budget_is_used_and_a_smaller_one_respected() {
    let model = MODELS[0];
    let mut task = photo("640x480");
    task.effort = Effort::Best;
    let mut search = ImageSearch::new(&task, Bytes::new(30_000));
    let before = run(&mut search, model);
    search.set_budget(Bytes::new(60_000));
    let before = before.recipe.map(|recipe| (recipe, before.size, true));
    let wider = go_on(&mut search, model, before).size;
    assert!(wider > 45_000 && wider <= 60_000, "{wider}");
    let mut search = ImageSearch::new(&task, Bytes::new(60_000));
    run(&mut search, model);
    search.set_budget(Bytes::new(20_000));
    let tighter = run(&mut search, model).size;
    assert!(tighter <= 20_000 && tighter > 10_000, "{tighter}");
}

#[test]
fn the_smallest_formats_fit_too() {
    for formats in [vec![ImageFormat::Wbmp], vec![ImageFormat::Gif], vec![ImageFormat::Png]] {
        let mut task = photo("160x120");
        task.formats = formats.clone();
        let got = run(&mut ImageSearch::new(&task, Bytes::new(2_000)), MODELS[0]);
        assert!(got.recipe.is_some(), "{formats:?}: {}", got.smallest);
        assert!(got.size <= 2_000);
    }
}

fn drawing() -> ImageTask {
    let facts = ContentFacts { graphic: true, ..ContentFacts::default() };
    ImageTask { lossless_source: true, facts, own: Bytes::new(60_000), ..photo("640x480") }
}

#[test]
fn a_drawing_has_as_many_colours_as_can_be_seen_and_a_shaded_one_is_a_photo() {
    let flat = Model { complexity: 0.4, slope: 0.6, area: 0.7 };
    let coding = |task: &ImageTask, model, budget| {
        let got = run(&mut ImageSearch::new(task, Bytes::new(budget)), model);
        let Some(Recipe::Image(image)) = got.recipe else { panic!("{budget}") };
        (image.coding, image.dimensions, got.size)
    };
    // Bytes to spare are left over, whatever the limit.
    let (plenty, _, size) = coding(&drawing(), flat, 1_000_000);
    assert!(matches!(plenty, ImageCoding::Png { colors: Some(64..), dither: false }), "{plenty:?}");
    assert_eq!(coding(&drawing(), flat, size).2, size);
    // Shades: without loss while that is cheap, else a JPEG.
    let shaded = Model { complexity: 8.0, ..flat };
    let (coding_of_shades, ..) = coding(&drawing(), shaded, 200_000);
    assert!(matches!(coding_of_shades, ImageCoding::Jpeg { .. }), "{coding_of_shades:?}");
    // What shows through stays so as long as it looks like anything.
    let mut clear = drawing();
    clear.facts.transparent = true;
    let (sticker, ..) = coding(&clear, flat, 9_000);
    assert!(matches!(sticker, ImageCoding::Png { .. }), "{sticker:?}");
}

#[test]
fn a_drawing_follows_its_budget() {
    for model in MODELS {
        let mut search = ImageSearch::new(&drawing(), Bytes::new(400_000));
        let mut kept = None;
        for budget in [400_000, 30_000, 80_000, 9_000, 400_000] {
            search.set_budget(Bytes::new(budget));
            let before = kept.filter(|(_, size, _): &(Recipe, u64, bool)| *size <= budget);
            let got = go_on(&mut search, model, before);
            if let Some(recipe) = got.recipe {
                assert!(got.size <= budget, "{model:?} {budget}: {}", got.size);
                kept = Some((recipe, got.size, true));
            } else {
                kept = None;
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_the_curve_the_result_fits_or_is_refused(
        complexity in 0.01f64..40.0,
        slope in 0.2f64..1.2,
        area in 0.4f64..1.1,
        budget in 1u64..800_000,
        width in 1u32..6000,
        height in 1u32..6000,
        lossless in proptest::bool::ANY,
        animate in proptest::bool::ANY,
        mask in 1u8..16,
        graphic in proptest::bool::ANY,
    ) {
        let source = Dimensions::new(width, height).unwrap();
        let all = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::Wbmp];
        let task = ImageTask {
            source,
            bounds: d("640x480").turned_to(source),
            formats: all.into_iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0)
                .map(|(_, f)| f).collect(),
            animate,
            lossless_source: lossless,
            facts: ContentFacts { graphic, ..ContentFacts::default() },
            ..photo("640x480")
        };
        let got = run(
            &mut ImageSearch::new(&task, Bytes::new(budget)),
            Model { complexity, slope, area },
        );
        proptest::prop_assert!(got.size <= budget);
        proptest::prop_assert!(got.tries <= HARD_LIMIT / ENCODE);
        if let Some(Recipe::Image(image)) = got.recipe {
            proptest::prop_assert!(image.dimensions.within(task.bounds));
            proptest::prop_assert!(image.dimensions.within(task.source));
        } else {
            proptest::prop_assert!(got.smallest > budget);
        }
    }
}
