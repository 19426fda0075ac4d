//! Audio and video against a size model: encoders that miss what was asked by a few percent.
//!
//! Long because one size model and one set of device classes serve all of them.

use super::*;
use crate::{
    model::{
        AudioChoice, AudioCodec, AudioTrack, BitRate, Container, ContentFacts, Dimensions, Effort,
        ImageCoding, ImageFormat, Millis, RemuxRecipe, SampleRate, VideoChoice, VideoCodec,
        VideoSupport,
    },
    policy::{Ceilings, Floors},
};

fn d(text: &str) -> Dimensions {
    text.parse().unwrap()
}

fn choice(codec: AudioCodec, container: Container) -> AudioChoice {
    AudioChoice { codec, container }
}

const AMR: (AudioCodec, Container) = (AudioCodec::AmrNb, Container::Amr);
const WIDE: (AudioCodec, Container) = (AudioCodec::AmrWb, Container::Amr);
const M4A: (AudioCodec, Container) = (AudioCodec::Aac, Container::Mp4);
const MP3: (AudioCodec, Container) = (AudioCodec::Mp3, Container::Mp3);

fn audio(seconds: u32, choices: &[(AudioCodec, Container)]) -> AudioTask {
    AudioTask {
        duration: Millis::new(seconds * 1000),
        sample_rate: SampleRate::new(44_100),
        channels: 2,
        enough: BitRate::MAX,
        music: false,
        choices: choices.iter().map(|(c, f)| choice(*c, *f)).collect(),
        remux: None,
        ceiling: None,
        trim: false,
        floors: Floors::default(),
    }
}

fn support(codec: VideoCodec, most: &str, rate: u32, bitrate: u32) -> VideoSupport {
    let max_dimensions = d(most);
    VideoSupport { codec, max_dimensions, max_frame_rate: rate, max_bitrate: BitRate::new(bitrate) }
}

/// The device classes, from the poorest to the richest, with their limits in bytes.
fn classes() -> [(u64, Vec<VideoChoice>); 4] {
    let in_3gp = |support, audio: &[AudioCodec]| VideoChoice {
        support,
        container: Container::ThreeGp,
        audio: audio.to_vec(),
    };
    let in_mp4 =
        |support| VideoChoice { support, container: Container::Mp4, audio: vec![AudioCodec::Aac] };
    let (nb, aac) = (AudioCodec::AmrNb, AudioCodec::Aac);
    let handset = support(VideoCodec::H264, "320x240", 15, 384_000);
    let smartphone = support(VideoCodec::H264, "1280x720", 30, 14_000_000);
    [
        (100_000, vec![in_3gp(support(VideoCodec::H263, "176x144", 15, 64_000), &[nb])]),
        (300_000, vec![in_3gp(support(VideoCodec::H263, "176x144", 15, 128_000), &[nb])]),
        (600_000, vec![in_mp4(handset), in_3gp(handset, &[nb, aac])]),
        (1_000_000, vec![in_mp4(smartphone), in_3gp(smartphone, &[nb, aac])]),
    ]
}

fn video_task(seconds: u32, choices: Vec<VideoChoice>) -> VideoTask {
    VideoTask {
        source: d("1920x1080"),
        duration: Millis::new(seconds * 1000),
        frame_rate: 30.0,
        bitrate: BitRate::new(8_000_000),
        bits: 0.0,
        audio: Some(AudioTrack {
            codec: "aac".into(),
            profile: "LC".into(),
            sample_rate: SampleRate::new(48_000),
            channels: 2,
            bitrate: BitRate::new(128_000),
            unreadable: String::new(),
        }),
        music: false,
        choices,
        remux: None,
        poster: Some(poster()),
        ceiling: None,
        mute: true,
        trim: false,
        floors: Floors::default(),
        effort: Effort::Balanced,
    }
}

fn poster() -> ImageTask {
    ImageTask {
        own: Bytes::new(1_000_000),
        slides: false,
        source: d("1920x1080"),
        bounds: d("640x480"),
        formats: vec![ImageFormat::Jpeg],
        animate: false,
        still: true,
        floors: Floors::default(),
        ceilings: Ceilings::default(),
        first_step: 1,
        lossless_source: false,
        facts: ContentFacts::default(),
        full_chroma: true,
        ceiling: None,
        effort: Effort::Balanced,
        background: [255; 3],
    }
}

/// An encoder: `error` is how much more than asked it writes.
#[derive(Clone, Copy, Debug)]
struct Model {
    seconds: f64,
    error: f64,
    /// Bits per pixel and frame below which it cannot go.
    floor: f64,
    /// Bytes of a moved file.
    moved: u64,
}

impl Model {
    fn size(&self, recipe: &Recipe) -> u64 {
        let seconds = |keep: Option<Millis>| keep.map_or(self.seconds, Millis::seconds);
        let bytes = match recipe {
            Recipe::Remux(_) => return self.moved,
            Recipe::Image(image) => {
                let ImageCoding::Jpeg { quality, .. } = image.coding else { return 50_000 };
                600.0 + 3.4 * image.dimensions.pixels() as f64 * quality.table_percent().powf(-0.72)
            }
            Recipe::Audio(audio) => {
                let exact = files::audio(audio.container, &audio.coding, seconds(audio.keep));
                let amr = crate::quality::audio::modes(audio.coding.codec).is_some();
                if amr { exact } else { exact * (1.0 + self.error) }
            }
            Recipe::Video(video) => {
                let seconds = seconds(video.keep);
                let rate = video.video.rate.per_second();
                let frames = (seconds * rate).ceil();
                let floor = self.floor * video.video.dimensions.pixels() as f64 * rate;
                let bits = video.video.bitrate.per_second().max(floor) * (1.0 + self.error);
                let audio = video.audio.map_or(0.0, |coding| files::beside(&coding, seconds));
                // Our guess of the container is off, too.
                files::video(frames) * 1.1 + audio + bits / 8.0 * seconds
            }
        };
        bytes as u64
    }
}

struct Outcome {
    recipe: Option<Recipe>,
    size: u64,
    tries: u32,
    smallest: u64,
}

impl Outcome {
    fn video(&self) -> &crate::model::VideoRecipe {
        match &self.recipe {
            Some(Recipe::Video(video)) => video,
            other => panic!("{other:?}"),
        }
    }

    fn audio(&self) -> &crate::model::AudioRecipe {
        match &self.recipe {
            Some(Recipe::Audio(audio)) => audio,
            other => panic!("{other:?}"),
        }
    }
}

fn run(search: &mut Search, model: Model) -> Outcome {
    run_refusing(search, model, |_| false)
}

fn run_refusing(search: &mut Search, model: Model, refuses: impl Fn(&Recipe) -> bool) -> Outcome {
    let mut kept: Option<(Recipe, u64)> = None;
    for _ in 0..100 {
        match search.step() {
            SearchStep::Judge { .. } | SearchStep::Take { .. } => panic!("no drawing"),
            SearchStep::Compare { .. } => search.choose(None),
            SearchStep::Try { recipe, .. } if refuses(&recipe) => search.refuse(),
            SearchStep::Try { recipe, cap } => {
                let size = model.size(&recipe);
                let seen = if size > cap.get() {
                    Observation::AtLeast(Bytes::new(cap.get() + 1))
                } else {
                    Observation::Size(Bytes::new(size))
                };
                if search.observe(seen) == Verdict::Keep {
                    kept = Some((recipe, size));
                }
            }
            SearchStep::Done => {
                let (recipe, size) = kept.expect("done means something was kept");
                let tries = search.tries();
                return Outcome { recipe: Some(recipe), size, tries, smallest: size };
            }
            SearchStep::Exhausted { smallest } => {
                let (tries, smallest) = (search.tries(), smallest.get());
                return Outcome { recipe: None, size: 0, tries, smallest };
            }
        }
    }
    panic!("the search does not end");
}

fn honest(seconds: u32) -> Model {
    Model { seconds: f64::from(seconds), error: 0.0, floor: 0.0, moved: u64::MAX }
}

fn fit_audio(task: &AudioTask, budget: u64) -> Outcome {
    let model = honest(task.duration.get() / 1000);
    run(&mut Search::new(&Task::Audio(task.clone()), Bytes::new(budget)), model)
}

fn fit_video(task: &VideoTask, budget: u64) -> Outcome {
    let model = honest(task.duration.get() / 1000);
    run(&mut Search::new(&Task::Video(task.clone()), Bytes::new(budget)), model)
}

#[test]
fn amr_takes_the_highest_mode_that_fits_in_one_encode() {
    // fit-to-size.md §6: 100 KiB hold 64 s at 12.2, 97 at 7.95, 128 at 5.9, 157 at 4.75 kbit/s.
    for (seconds, mode) in [(63, 12_200), (96, 7_950), (127, 5_900), (156, 4_750)] {
        let got = fit_audio(&audio(seconds, &[AMR]), 102_400);
        assert_eq!(got.audio().coding.bitrate.get(), mode, "{seconds} s");
        assert_eq!(got.tries, 1);
        assert!(got.size <= 102_400);
    }
    let got = fit_audio(&audio(160, &[AMR]), 102_400);
    assert!(got.recipe.is_none() && got.smallest > 102_400, "{}", got.smallest);
}

#[test]
fn aac_fills_its_budget_and_follows_it_in_rate_and_channels() {
    for (seconds, budget, channels, rate) in [
        (30, 50_000, 1, 16_000),
        (30, 100_000, 1, 22_050),
        (30, 140_000, 1, 32_000),
        (30, 300_000, 2, 44_100),
    ] {
        let mut task = audio(seconds, &[M4A]);
        task.music = true;
        let got = fit_audio(&task, budget);
        let coding = got.audio().coding;
        assert_eq!((coding.channels, coding.sample_rate.get()), (channels, rate), "{coding:?}");
        assert!(got.size as f64 >= 0.97 * budget as f64, "{} of {budget}", got.size);
        assert_eq!(got.tries, 1);
    }
    // More than is useful is not used.
    let got = fit_audio(&audio(10, &[M4A]), 1_000_000);
    assert_eq!(got.audio().coding.bitrate.get(), 128_000);
    assert_eq!(got.tries, 1);
}

#[test]
fn speech_goes_to_speech_codecs_when_it_is_tight_and_music_does_not() {
    let all = [M4A, MP3, WIDE, AMR];
    let codec = |task: &AudioTask, budget| fit_audio(task, budget).audio().coding.codec;
    let speech = audio(60, &all);
    assert_eq!(codec(&speech, 300_000), AudioCodec::Aac);
    assert_eq!(codec(&speech, 110_000), AudioCodec::AmrWb);
    assert_eq!(codec(&speech, 50_000), AudioCodec::AmrNb);
    let mut narrow = audio(60, &all);
    narrow.sample_rate = SampleRate::new(8_000);
    assert_eq!(codec(&narrow, 110_000), AudioCodec::AmrNb);
    let mut music = audio(60, &all);
    music.music = true;
    assert_eq!(codec(&music, 110_000), AudioCodec::Aac);
    assert_eq!(codec(&music, 70_000), AudioCodec::AmrWb, "nothing else fits");
}

#[test]
fn audio_is_cut_only_where_it_may_be() {
    let mut task = audio(300, &[AMR]);
    assert!(fit_audio(&task, 100_000).recipe.is_none());
    task.trim = true;
    let got = fit_audio(&task, 100_000);
    let keep = got.audio().keep.unwrap();
    assert!((120_000..128_000).contains(&keep.get()), "{keep}");
    assert!(got.size <= 100_000 && got.size > 95_000, "{}", got.size);
    assert!(fit_audio(&task, 500).recipe.is_none(), "a second at least");
}

#[test]
fn encoders_that_miss_are_corrected_once() {
    for error in [-0.06, 0.04, 0.1] {
        let mut task = audio(30, &[M4A]);
        task.music = true;
        let mut search = Search::new(&Task::Audio(task), Bytes::new(120_000));
        let got = run(&mut search, Model { error, ..honest(30) });
        assert!(got.size <= 120_000 && got.size > 115_000, "{error}: {}", got.size);
        assert!(got.tries <= 2, "{error}: {}", got.tries);
    }
}

#[test]
fn every_class_gets_videos_in_at_most_two_encodes() {
    for (limit, choices) in classes() {
        for seconds in [2, 5, 10, 20, 30, 60] {
            for error in [-0.03, 0.0, 0.01, 0.03] {
                let task = video_task(seconds, choices.clone());
                let mut search = Search::new(&Task::Video(task.clone()), Bytes::new(limit));
                let got = run(&mut search, Model { error, ..honest(seconds) });
                assert!(got.size <= limit, "{limit} {seconds}: {}", got.size);
                let Some(Recipe::Video(video)) = got.recipe else {
                    // The basic class holds half a minute: fit-to-size.md §7.
                    assert!(limit == 100_000 && seconds >= 30, "{limit} {seconds}");
                    continue;
                };
                assert!(got.tries <= 2, "{limit} {seconds} {error}: {}", got.tries);
                let support = choices[0].support;
                let coding = video.video;
                let most = support.max_dimensions;
                assert!(coding.dimensions.within(most), "{coding:?}");
                assert!(coding.bitrate <= support.max_bitrate);
                assert!(coding.rate.per_second() <= f64::from(support.max_frame_rate));
                // A minute in the basic class is images alone.
                let mute = limit == 100_000 && seconds == 60;
                assert!(mute || video.audio.is_some(), "{limit} {seconds}");
                let useful = crate::quality::video::max_bitrate(
                    coding.codec,
                    coding.dimensions,
                    coding.rate.per_second(),
                );
                let capped = coding.bitrate.per_second() + 1.0
                    >= useful.min(support.max_bitrate.per_second());
                let fill = got.size as f64 / limit as f64;
                assert!(capped || fill >= 0.93, "{limit} {seconds} {error}: {fill} {coding:?}");
            }
        }
    }
}

#[test]
fn the_container_follows_the_audio() {
    let [.., (_, handset), _] = classes();
    let tight = fit_video(&video_task(60, handset.clone()), 300_000);
    let video = tight.video();
    assert_eq!(video.container, Container::ThreeGp);
    assert_eq!(video.audio.unwrap().codec, AudioCodec::AmrNb);
    let loose = fit_video(&video_task(10, handset), 600_000);
    let video = loose.video();
    assert_eq!(video.container, Container::Mp4);
    assert_eq!(video.audio.unwrap().codec, AudioCodec::Aac);
}

#[test]
fn audio_goes_before_the_video_and_the_video_before_nothing() {
    let [(_, basic), ..] = classes();
    let mut lost_audio = false;
    let mut stage = 0;
    for seconds in (5..=90).step_by(5) {
        let got = fit_video(&video_task(seconds, basic.clone()), 100_000);
        let now = match &got.recipe {
            Some(Recipe::Video(video)) => {
                lost_audio |= video.audio.is_none();
                if video.audio.is_some() { 0 } else { 1 }
            }
            Some(Recipe::Image(_)) => 2,
            other => panic!("{other:?}"),
        };
        assert!(now >= stage, "{seconds}: {now} after {stage}");
        stage = now;
    }
    assert!(lost_audio && stage == 2);
}

#[test]
fn long_videos_are_cut_where_they_may_be() {
    let [(_, basic), ..] = classes();
    let mut task = video_task(120, basic);
    task.trim = true;
    let got = fit_video(&task, 100_000);
    let video = got.video();
    let keep = video.keep.unwrap();
    assert!((20_000..60_000).contains(&keep.get()), "{keep}");
    assert!(video.audio.is_some() && got.size > 90_000, "{}", got.size);
}

#[test]
fn a_codec_that_is_not_there_gives_way_to_the_next() {
    let [_, _, (_, handset), _] = classes();
    let mut choices = handset.clone();
    choices.push(VideoChoice {
        support: support(VideoCodec::H263, "176x144", 15, 64_000),
        container: Container::ThreeGp,
        audio: vec![AudioCodec::AmrNb],
    });
    let task = Task::Video(video_task(10, choices));
    let mut search = Search::new(&task, Bytes::new(300_000));
    let refuses = |recipe: &Recipe| matches!(recipe, Recipe::Video(video) if video.video.codec == VideoCodec::H264);
    let got = run_refusing(&mut search, honest(10), refuses);
    assert_eq!(got.video().video.codec, VideoCodec::H263);
    let mut search = Search::new(&task, Bytes::new(300_000));
    let got = run_refusing(&mut search, honest(10), |r| matches!(r, Recipe::Video(_)));
    assert!(matches!(got.recipe, Some(Recipe::Image(_))));
}

#[test]
fn moving_the_tracks_is_tried_first_and_given_up_when_it_is_over() {
    let [_, _, (_, handset), _] = classes();
    let mut task = video_task(10, handset);
    let container = Container::Mp4;
    task.remux = Some(RemuxRecipe { container, video: true, audio: Some(AudioCodec::Aac) });
    let task = Task::Video(task);
    let fit = |moved| {
        let mut search = Search::new(&task, Bytes::new(300_000));
        run(&mut search, Model { moved, ..honest(10) })
    };
    let got = fit(250_000);
    assert!(matches!(got.recipe, Some(Recipe::Remux(_))), "{:?}", got.recipe);
    assert_eq!(got.tries, 1);
    assert!(matches!(fit(300_001).recipe, Some(Recipe::Video(_))));
}

#[test]
fn a_result_that_fails_its_check_falls_down_the_ladder() {
    let [_, _, (_, handset), _] = classes();
    let mut search = Search::new(&Task::Video(video_task(10, handset)), Bytes::new(300_000));
    let first = run(&mut search, honest(10));
    search.reject();
    let second = run(&mut search, honest(10));
    assert_ne!(first.recipe, second.recipe);
    search.reject();
    let third = run(&mut search, honest(10));
    assert!(matches!(third.recipe, Some(Recipe::Image(_))), "{:?}", third.recipe);
    search.reject();
    assert!(matches!(search.step(), SearchStep::Exhausted { .. }));
}

#[test]
fn a_bigger_budget_is_used_and_a_smaller_one_respected() {
    let [_, _, (_, handset), _] = classes();
    let mut search = Search::new(&Task::Video(video_task(20, handset)), Bytes::new(300_000));
    run(&mut search, honest(20));
    search.set_budget(Bytes::new(500_000));
    let wider = run(&mut search, honest(20));
    assert!(wider.size > 450_000 && wider.size <= 500_000, "{}", wider.size);
    search.set_budget(Bytes::new(200_000));
    let tighter = run(&mut search, honest(20));
    assert!(tighter.size > 180_000 && tighter.size <= 200_000, "{}", tighter.size);
}

#[test]
fn an_original_that_would_do_caps_the_result() {
    let [.., (_, smartphone)] = classes();
    let mut task = video_task(10, smartphone);
    task.ceiling = Some(Bytes::new(200_000));
    let got = fit_video(&task, 1_000_000);
    assert!(got.size <= 200_000 && got.size > 180_000, "{}", got.size);
}

proptest::proptest! {
    #[test]
    fn whatever_the_encoder_audio_fits_or_is_refused(
        duration_ms in 0u32..4_000_000,
        sample_rate in 0u32..200_000,
        channels in 0u32..9,
        mask in 1u8..16,
        budget in 0u64..3_000_000,
        error in -0.5f64..0.8,
        music in proptest::bool::ANY,
        trim in proptest::bool::ANY,
    ) {
        let all = [M4A, MP3, WIDE, AMR];
        let chosen: Vec<_> =
            all.into_iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, c)| c).collect();
        let (duration, sample_rate) = (Millis::new(duration_ms), SampleRate::new(sample_rate));
        let task = AudioTask { duration, sample_rate, channels, music, trim, ..audio(1, &chosen) };
        let task = Task::Audio(task);
        let seconds = f64::from(duration_ms) / 1e3;
        let model = Model { seconds, error, floor: 0.0, moved: u64::MAX };
        let got = run(&mut Search::new(&task, Bytes::new(budget)), model);
        proptest::prop_assert!(got.size <= budget);
        proptest::prop_assert!(got.tries <= 6);
        match got.recipe {
            Some(Recipe::Audio(audio)) => {
                proptest::prop_assert!(trim || audio.keep.is_none());
                proptest::prop_assert!(!audio.coding.sample_rate.is_zero());
            }
            Some(other) => panic!("{other:?}"),
            None => proptest::prop_assert!(got.smallest > budget),
        }
    }

    #[test]
    fn whatever_the_encoder_videos_fit_or_are_refused(
        duration_ms in 0u32..4_000_000,
        (width, height) in (1u32..8000, 1u32..8000),
        frame_rate in -1.0f64..300.0,
        bitrate in 0u32..100_000_000,
        class in 0usize..4,
        budget in 0u64..3_000_000,
        error in -0.3f64..0.5,
        floor in 0.0f64..0.5,
        (trim, pictured, audible) in
            (proptest::bool::ANY, proptest::bool::ANY, proptest::bool::ANY),
    ) {
        let (_, choices) = classes()[class].clone();
        let mut task = video_task(1, choices);
        task.source = Dimensions::new(width, height).unwrap();
        (task.duration, task.frame_rate, task.bitrate, task.trim) =
            (Millis::new(duration_ms), frame_rate, BitRate::new(bitrate), trim);
        if !pictured {
            task.poster = None;
        }
        if !audible {
            task.audio = None;
        }
        let seconds = f64::from(duration_ms.max(1)) / 1e3;
        let model = Model { seconds, error, floor, moved: u64::MAX };
        let got = run(&mut Search::new(&Task::Video(task.clone()), Bytes::new(budget)), model);
        proptest::prop_assert!(got.size <= budget);
        proptest::prop_assert!(got.tries <= 30, "{}", got.tries);
        match got.recipe {
            Some(Recipe::Video(video)) => {
                proptest::prop_assert!(trim || video.keep.is_none());
                proptest::prop_assert!(audible || video.audio.is_none());
                let coded = video.video.dimensions;
                proptest::prop_assert!(coded.width() % 2 == 0 && coded.height() % 2 == 0);
            }
            Some(Recipe::Image(_)) => proptest::prop_assert!(pictured),
            Some(other) => panic!("{other:?}"),
            None => proptest::prop_assert!(got.smallest > budget),
        }
    }
}
