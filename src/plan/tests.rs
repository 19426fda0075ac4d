use super::*;
use crate::{
    model::{
        AcceptList, Counting, ImageLimit, LimitSource, MediaKind, Millis, Orientation, Provenance,
        ReasonCode, Sourced,
    },
    policy::{Adaptation, Ladder, LeaveOut, ShrinkOrder},
};

fn capabilities(accept: &[&str]) -> Capabilities {
    let by = || Provenance::default_rule("test");
    Capabilities {
        vendor: String::new(),
        model: String::new(),
        max_message_bytes: Sourced::new(Bytes::new(307_200), by()),
        max_image: Sourced::new("640x480".parse().unwrap(), by()),
        screen: None,
        bits_per_pixel: Sourced::new(24, by()),
        accept: Sourced::new(AcceptList::from_spellings(accept), by()),
        charsets: Sourced::new(vec!["utf-8".into()], by()),
        content_classes: Vec::new(),
        mms_version: String::new(),
        suppress_adaptation: Sourced::new(false, by()),
        jpeg_full_chroma: Sourced::new(true, by()),
        jpeg_progressive: Sourced::new(false, by()),
        video: Sourced::new(Vec::new(), by()),
        audio: Sourced::new(Vec::new(), by()),
    }
}

fn limits(bytes: u64) -> Limits {
    Limits {
        wire: vec![WireLimit {
            bytes: Bytes::new(bytes),
            counting: Counting::Interface,
            source: LimitSource::Device,
        }],
        image: Some(ImageLimit::turning("640x480".parse().unwrap(), LimitSource::Device)),
    }
}

fn image(id: u32, media_type: MediaType, dimensions: &str, bytes: u64) -> PartFacts {
    let mut info = MediaInfo::opaque(media_type.clone(), Bytes::new(bytes));
    info.dimensions = Some(dimensions.parse().unwrap());
    info.frames = 1;
    PartFacts {
        spelling: media_type.to_string(),
        id: PartId(id),
        declared: media_type,
        info,
        problem: None,
        makes: Makes { image: true, ..Makes::NOTHING },
        text: None,
        strippable: false,
        spare: Bytes::ZERO,
        layout: None,
        alternative: None,
        opaque: false,
    }
}

/// 300 bytes around the parts, WSP framing.
fn check(
    parts: &[PartFacts],
    accept: &[&str],
    bytes: u64,
    forbidden: bool,
) -> Result<Plan, PlanError> {
    let adaptation = if forbidden { Adaptation::Never } else { Adaptation::Major };
    under(&Policy { adaptation, ..Policy::default() }, parts, accept, bytes)
}

fn under(
    policy: &Policy,
    parts: &[PartFacts],
    accept: &[&str],
    bytes: u64,
) -> Result<Plan, PlanError> {
    without(&[], policy, parts, accept, bytes)
}

fn without(
    given_up: &[PartId],
    policy: &Policy,
    parts: &[PartFacts],
    accept: &[&str],
    bytes: u64,
) -> Result<Plan, PlanError> {
    let capabilities = capabilities(accept);
    let limits = limits(bytes);
    let overheads = |plans: &[PartPlan]| {
        let kept: Bytes = plans
            .iter()
            .zip(parts)
            .filter(|(p, _)| p.action == Action::Keep)
            .map(|(p, f)| {
                let gone = if p.without_photo { f.spare } else { Bytes::ZERO };
                Framing::Wsp.wire(f.info.bytes.saturating_sub(gone))
            })
            .sum();
        let open: Vec<_> = plans.iter().filter(|p| p.action == Action::Transcode).collect();
        vec![Constraint {
            limit: limits.wire[0],
            fixed: Bytes::new(300 + open.len() as u64) + kept,
            framings: open.iter().map(|p| (p.id, Framing::Wsp)).collect(),
        }]
    };
    let (capabilities, limits) = (&capabilities, &limits);
    plan(Input { parts, capabilities, limits, policy, given_up }, &overheads)
}

const COMMON: &[&str] = &["image/jpeg", "image/gif", "image/png", "image/vnd.wap.wbmp"];

#[test]
fn what_fits_passes() {
    let plan = check(&[image(0, MediaType::JPEG, "640x480", 50_000)], COMMON, 100_000, false);
    let plan = plan.unwrap();
    assert!(plan.changes_nothing());
    assert_eq!(plan.parts()[0].reasons[0].code, ReasonCode::Fits);
}

#[test]
fn each_reason_to_change_is_named() {
    let mut turned = image(0, MediaType::JPEG, "480x640", 50_000);
    turned.info.orientation = Orientation::from_exif(6);
    let mut cmyk = image(1, MediaType::JPEG, "64x64", 5_000);
    cmyk.info.exotic_color = true;
    let mut progressive = image(2, MediaType::JPEG, "64x64", 5_000);
    progressive.info.codec = "progressive".into();
    let parts = [
        turned,
        cmyk,
        progressive,
        image(3, MediaType::JPEG, "641x480", 5_000),
        image(4, MediaType::WEBP, "64x64", 5_000),
    ];
    let plan = check(&parts, COMMON, 100_000, false).unwrap();
    let codes: Vec<_> = plan.parts().iter().map(|p| (p.action, p.reasons[0].code)).collect();
    assert_eq!(
        codes,
        [
            (Action::Transcode, ReasonCode::Orientation),
            (Action::Transcode, ReasonCode::ColorModel),
            (Action::Transcode, ReasonCode::CodingNotSupported),
            (Action::Transcode, ReasonCode::OverImageLimit),
            (Action::Transcode, ReasonCode::TypeNotAccepted),
        ]
    );
}

#[test]
fn budgets_and_fixed_bytes_never_pass_the_limit() {
    for limit in [2_000, 10_000, 100_000, 300_000] {
        let parts = [
            image(0, MediaType::JPEG, "4000x3000", 3_000_000),
            image(1, MediaType::PNG, "320x240", 90_000),
            image(2, MediaType::GIF, "100x100", 1_000),
        ];
        let plan = check(&parts, COMMON, limit, false).unwrap();
        let sizes: Vec<_> = plan.parts().iter().filter_map(|p| Some((p.id, p.budget?))).collect();
        assert!(!sizes.is_empty());
        assert!(plan.constraints()[0].wire(&sizes).get() <= limit, "{limit}: {sizes:?}");
    }
}

#[test]
fn the_biggest_goes_first_and_small_ones_stay() {
    let parts =
        [image(0, MediaType::JPEG, "640x480", 90_000), image(1, MediaType::GIF, "64x64", 2_000)];
    let plan = check(&parts, COMMON, 60_000, false).unwrap();
    assert_eq!(plan.parts()[0].action, Action::Transcode);
    assert_eq!(plan.parts()[0].reasons[0].code, ReasonCode::OverMessageLimit);
    assert_eq!(plan.parts()[1].action, Action::Keep);
    assert!(plan.parts()[0].original_acceptable);
}

#[test]
fn a_wrong_label_is_mended_without_touching_the_image() {
    let mut part = image(0, MediaType::JPEG, "64x64", 5_000);
    part.declared = MediaType::PNG;
    let plan = check(&[part], COMMON, 100_000, false).unwrap();
    assert_eq!(plan.parts()[0].action, Action::Keep);
    assert_eq!(plan.parts()[0].redeclare, Some(MediaType::JPEG));
}

#[test]
fn what_cannot_be_decoded_is_dropped_with_its_reason_unless_the_device_takes_it() {
    let mut heic = image(0, MediaType::HEIC, "64x64", 5_000);
    heic.makes = Makes::NOTHING;
    heic.problem = Some(Problem {
        category: Category::Unsupported,
        reason: "MEDIA_UNSUPPORTED",
        detail: "heic".into(),
    });
    let photo = image(1, MediaType::JPEG, "640x480", 5_000);
    let plan = check(&[heic.clone(), photo], COMMON, 100_000, false).unwrap();
    assert_eq!(plan.parts()[0].action, Action::Drop);
    assert!(plan.parts()[0].reasons.iter().any(|r| r.code == ReasonCode::DecoderMissing));
    let plan = check(&[heic], &["image/heic"], 100_000, false).unwrap();
    assert_eq!(plan.parts()[0].action, Action::Keep);
}

#[test]
fn refusals_are_typed() {
    let mut text = image(0, MediaType::TEXT, "1x1", 5_000);
    text.info = MediaInfo::opaque(MediaType::TEXT, Bytes::new(5_000));
    assert_eq!(text.info.kind, MediaKind::Text);
    let refused = check(&[text], COMMON, 1_000, false);
    assert!(matches!(refused, Err(PlanError::FixedOverLimit { .. })), "{refused:?}");
    let big = image(0, MediaType::JPEG, "4000x3000", 3_000_000);
    let refused = check(&[big], COMMON, 100_000, true);
    assert!(matches!(refused, Err(PlanError::NotAllowed { .. })), "{refused:?}");
}

#[test]
fn animations_go_on_moving_where_the_device_takes_gif() {
    let mut moving = image(0, MediaType::WEBP, "2000x1000", 500_000);
    moving.info.frames = 12;
    let plan = check(std::slice::from_ref(&moving), COMMON, 100_000, false).unwrap();
    assert!(plan.parts()[0].target.as_ref().unwrap().image().unwrap().animate);
    let mut sequence = moving.clone();
    sequence.info.media_type = MediaType::HEIC;
    for (moving, accept) in [(moving, &["image/jpeg"][..]), (sequence, COMMON)] {
        let plan = check(&[moving], accept, 100_000, false).unwrap();
        assert!(!plan.parts()[0].target.as_ref().unwrap().image().unwrap().animate);
        assert!(plan.parts()[0].reasons.iter().any(|r| r.code == ReasonCode::AnimationLost));
    }
}

#[test]
fn shares_go_by_weight_and_what_is_not_needed_flows_on() {
    let constraint = Constraint {
        limit: limits(30_000).wire[0],
        fixed: Bytes::new(1_000),
        framings: (0..3).map(|i| (PartId(i), Framing::Identity)).collect(),
    };
    let demand = |id, weight, ceiling: Option<u64>| Demand {
        id: PartId(id),
        weight,
        ceiling: ceiling.map(Bytes::new),
        floor: Bytes::ZERO,
    };
    let mut demands =
        [demand(0, 100.0, None), demand(1, 200.0, None), demand(2, 300.0, Some(2_000))];
    let got = allocate(std::slice::from_ref(&constraint), &demands);
    assert_eq!(got[2].1.get(), 2_000);
    assert_eq!((got[0].1.get(), got[1].1.get()), (9_000, 18_000));
    // What one needs at least comes before the shares of the others, if it can be had at all.
    demands[0].floor = Bytes::new(12_000);
    let got = allocate(std::slice::from_ref(&constraint), &demands);
    assert_eq!(got.iter().map(|(_, n)| n.get()).collect::<Vec<_>>(), [12_000, 15_000, 2_000]);
    demands[0].floor = Bytes::new(40_000);
    let got = allocate(std::slice::from_ref(&constraint), &demands);
    assert_eq!(got[0].1.get(), 9_000);
    let rest = spare(
        &[constraint],
        &[(PartId(0), Bytes::new(9_000)), (PartId(2), Bytes::new(500))],
        PartId(1),
    );
    assert_eq!(rest.get(), 30_000 - 1_000 - 9_500);
}

/// An image that was to shrink and stays after all must not bring its metadata back.
#[test]
fn what_stays_after_all_stays_without_its_metadata() {
    let mut facts = image(0, MediaType::JPEG, "320x240", 50_000);
    (facts.info.has_metadata, facts.strippable) = (true, true);
    let accept = ["image/jpeg"];
    let kept = check(std::slice::from_ref(&facts), &accept, 100_000, false).unwrap();
    assert!(kept.parts()[0].action == Action::Keep && !kept.changes_nothing());
    let plan = check(std::slice::from_ref(&facts), &accept, 10_000, false).unwrap();
    let mut part = plan.parts()[0].clone();
    assert_eq!(part.action, Action::Transcode);
    part.keep_after_all(&facts, &AcceptList::from_spellings(accept));
    assert!(part.action == Action::Keep && !part.changes_nothing());
    assert!(part.reasons.iter().any(|r| r.code == ReasonCode::MetadataStripped));
}

fn other(id: u32, media_type: &str, bytes: u64) -> PartFacts {
    let media_type = MediaType::fold(media_type);
    PartFacts {
        spelling: media_type.to_string(),
        info: MediaInfo::opaque(media_type.clone(), Bytes::new(bytes)),
        declared: media_type,
        makes: Makes::NOTHING,
        ..image(id, MediaType::JPEG, "8x8", bytes)
    }
}

#[test]
fn a_ladder_that_ends_refuses_and_names_the_part() {
    let parts = [image(0, MediaType::JPEG, "64x64", 5_000), other(1, "application/pdf", 5_000)];
    let mut policy = Policy::default();
    let plan = under(&policy, &parts, COMMON, 100_000).unwrap();
    assert_eq!(plan.parts()[1].action, Action::Drop);

    policy.ladders.other = Ladder::OTHER.with_notice();
    let plan = under(&policy, &parts, COMMON, 100_000).unwrap();
    assert_eq!(plan.parts()[1].action, Action::Replace);
    assert!(plan.parts()[1].notice.is_some());

    policy.ladders.other = Ladder::parse("", Ladder::OTHER).unwrap();
    let error = under(&policy, &parts, COMMON, 100_000).unwrap_err();
    assert!(matches!(error, PlanError::NoStep { part: PartId(1), .. }), "{error}");
    assert_eq!((error.category(), error.reason()), (Category::NotAllowed, "NO_STEP_ALLOWED"));
}

#[test]
fn a_policy_that_allows_no_loss_drops_nothing() {
    let policy = Policy { adaptation: Adaptation::Minor, ..Policy::default() };
    let webp = image(0, MediaType::WEBP, "64x64", 5_000);
    let plan = under(&policy, std::slice::from_ref(&webp), COMMON, 100_000).unwrap();
    assert_eq!(plan.parts()[0].action, Action::Transcode);
    let parts = [webp, other(1, "application/pdf", 5_000)];
    assert!(matches!(
        under(&policy, &parts, COMMON, 100_000),
        Err(PlanError::NoStep { part: PartId(1), .. })
    ));
    // Nor may an animation become a still.
    let mut moving = image(0, MediaType::WEBP, "64x64", 5_000);
    moving.info.frames = 9;
    let error = under(&policy, &[moving], &["image/jpeg"], 100_000).unwrap_err();
    assert!(error.to_string().contains("AnimationLost") || error.to_string().contains("webp"));
}

#[test]
fn the_kind_that_the_policy_names_gives_way_first() {
    let audio = |id| {
        let mut facts = other(id, "audio/amr", 40_000);
        facts.info.duration = Millis::new(20_000);
        facts.makes = Makes { audio: true, ..Makes::NOTHING };
        facts
    };
    let parts = [image(0, MediaType::JPEG, "640x480", 90_000), audio(1)];
    let accept = ["image/jpeg", "audio/amr"];
    let changed = |order: &str| -> Vec<u32> {
        let shrink_order = ShrinkOrder::parse(order).unwrap();
        let policy = Policy { shrink_order, ..Policy::default() };
        let plan = under(&policy, &parts, &accept, 110_000).unwrap();
        plan.parts().iter().filter(|p| p.is_fitted()).map(|p| p.id.0).collect()
    };
    assert_eq!(changed(""), [0]);
    assert_eq!(changed("audio"), [1]);
    assert_eq!(changed("image, audio"), [0]);
}

#[test]
fn what_cannot_shrink_goes_whole_where_the_policy_says_so() {
    let parts = [
        image(0, MediaType::JPEG, "64x64", 5_000),
        other(1, "application/pdf", 90_000),
        other(2, "text/plain", 3_000),
        other(3, "application/pdf", 20_000),
    ];
    let accept = ["image/jpeg", "application/pdf"];
    assert!(under(&Policy::default(), &parts, &accept, 100_000).is_err());
    let policy = Policy { leave_out: LeaveOut::Allow, ..Policy::default() };
    let plan = under(&policy, &parts, &accept, 100_000).unwrap();
    let actions: Vec<Action> = plan.parts().iter().map(|part| part.action).collect();
    // The image was tried first; it stays as it is after all, once the other is gone.
    assert_eq!(actions[1..], [Action::Drop, Action::Keep, Action::Keep]);
    assert!(plan.parts()[0].original_acceptable);
    assert_eq!(plan.parts()[1].reasons[0].code, ReasonCode::OverMessageLimit);
    // Text is never dropped.
    assert!(under(&policy, &parts[2..3], &accept, 2_000).is_err());
}

#[test]
fn a_vcard_loses_the_image_inside_last() {
    let mut card = other(1, "text/x-vcard", 60_000);
    card.spare = Bytes::new(50_000);
    let parts = [image(0, MediaType::JPEG, "640x480", 90_000), card];
    let plan = under(&Policy::default(), &parts, COMMON, 100_000).unwrap();
    assert!(plan.parts()[0].is_fitted() && !plan.parts()[1].without_photo, "the image shrinks");
    let plan = under(&Policy::default(), &parts, COMMON, 40_000).unwrap();
    assert!(plan.parts()[0].is_fitted() && plan.parts()[1].without_photo);
    let codes: Vec<_> = plan.parts()[1].reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::OverMessageLimit, ReasonCode::PhotoLeftOut]);
    let mut policy = Policy::default();
    policy.ladders.card = Ladder::parse("", Ladder::CARD).unwrap();
    assert!(under(&policy, &parts, COMMON, 40_000).is_err());
}

/// A sealed part cannot be made smaller, but it can be done without.
#[test]
fn what_is_given_up_goes_even_if_it_is_sealed() {
    let mut sealed = other(1, "multipart/signed", 20_000);
    sealed.opaque = true;
    let parts = [image(0, MediaType::JPEG, "64x64", 5_000), sealed];
    let plan = without(&[PartId(1)], &Policy::default(), &parts, COMMON, 100_000).unwrap();
    assert_eq!((plan.parts()[0].action, plan.parts()[1].action), (Action::Keep, Action::Drop));
}
