//! One source's claims in one shape, each with the attribute that states it.

use super::{
    AcceptHeaders, InlineCapabilities, accept, av::Codecs, repairs::Repairs, rules, uaprof::Profile,
};
use crate::model::{AcceptList, Bytes, Dimensions, Provenance, Source, Sourced};

/// A value and the attribute or rule that states it.
#[derive(Clone, Debug)]
pub(super) struct Claim<T>(pub(super) T, pub(super) String);

/// What one source says; `None`: nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    pub(super) vendor_model: Option<(String, String)>,
    pub(super) max_message_bytes: Option<Claim<Bytes>>,
    pub(super) max_image: Option<Claim<Dimensions>>,
    pub(super) screen: Option<Claim<Dimensions>>,
    pub(super) bits_per_pixel: Option<Claim<u8>>,
    pub(super) accept: Option<Claim<AcceptList>>,
    pub(super) charsets: Option<Claim<Vec<String>>>,
    pub(super) content_classes: Option<Vec<String>>,
    pub(super) mms_version: Option<String>,
    pub(super) suppress: Option<Claim<bool>>,
    pub(super) jpeg_full_chroma: Option<Claim<bool>>,
    pub(super) jpeg_progressive: Option<Claim<bool>>,
    pub(super) platform: Option<String>,
    pub(super) codecs: Option<Claim<Codecs>>,
}

/// A source and its claims.
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) document: String,
    pub(super) claims: Claims,
}

impl Layer {
    pub(super) fn sourced<T: Clone>(&self, claim: &Claim<T>) -> Sourced<T> {
        Sourced::new(
            claim.0.clone(),
            Provenance {
                source: self.source,
                document: self.document.clone(),
                attribute: claim.1.clone(),
            },
        )
    }
}

fn claim<T>(value: Option<T>, attribute: &str) -> Option<Claim<T>> {
    value.map(|value| Claim(value, attribute.to_owned()))
}

fn some(list: &[String]) -> Option<&[String]> {
    (!list.is_empty()).then_some(list)
}

/// The codecs that a document names: the player's lists, then the types of messages and of the
/// browser.
fn codecs(profile: &Profile) -> Option<Claim<Codecs>> {
    let rate = profile.video_byte_rate.unwrap_or(0);
    let codecs =
        Codecs::of(&profile.streams, &[&profile.mms_accept, &profile.browser_accept], rate)?;
    let lists = if codecs.of_player {
        "ThreeGPAccept, StreamingAccept, PssAccept"
    } else {
        "MmsCcppAccept, CcppAccept"
    };
    Some(Claim(codecs, lists.to_owned()))
}

impl Claims {
    /// Of a document. The MMS lists decide; the browser's stand in where they are missing.
    pub(super) fn of_profile(profile: &Profile, repairs: &mut Repairs) -> Self {
        let by_class = rules::class_limits(&profile.content_classes);
        let class_rule = "MmsContentClass + rule:class-limits";
        let text_only = profile.content_classes == ["TX"];
        let accept = match (some(&profile.mms_accept), some(&profile.browser_accept)) {
            (Some(list), _) => Some((list, "MmsCcppAccept")),
            (None, Some(list)) => Some((list, "CcppAccept")),
            (None, None) => None,
        };
        let accept = accept.map(|(list, attribute)| {
            let more = &profile.browser_accept;
            let (list, attribute) =
                accept::complete(list.to_vec(), more, text_only, attribute, repairs);
            Claim(list, attribute)
        });
        let charsets = claim(some(&profile.mms_charsets), "MmsCcppAcceptCharSet")
            .or(claim(some(&profile.browser_charsets), "CcppAccept-Charset"));
        let named = !profile.vendor.is_empty() || !profile.model.is_empty();
        Self {
            vendor_model: named.then(|| (profile.vendor.clone(), profile.model.clone())),
            max_message_bytes: claim(profile.max_message_bytes, "MmsMaxMessageSize")
                .or(claim(by_class.map(|(bytes, _)| bytes), class_rule)),
            max_image: claim(profile.max_image, "MmsMaxImageResolution")
                .or(claim(by_class.and_then(|(_, bounds)| bounds), class_rule)),
            screen: claim(profile.screen, "ScreenSize"),
            bits_per_pixel: claim(profile.bits_per_pixel, "BitsPerPixel"),
            accept,
            charsets: charsets.map(|Claim(list, name)| Claim(list.to_vec(), name)),
            content_classes: some(&profile.content_classes).map(<[String]>::to_vec),
            mms_version: profile.mms_version.clone(),
            suppress: claim(profile.suppress_adaptation, "MmsSuppressContentAdaptation"),
            platform: (!profile.platform.is_empty()).then(|| profile.platform.clone()),
            codecs: codecs(profile),
            ..Self::default()
        }
    }

    /// Of values in the request.
    pub(super) fn of_inline(inline: &InlineCapabilities, repairs: &mut Repairs) -> Self {
        let types = accept::types(&inline.accept, "accept", repairs);
        let charsets = accept::charsets(&inline.charsets, "charsets", repairs);
        Self {
            max_message_bytes: claim(
                inline.max_message_bytes.filter(|bytes| *bytes > Bytes::ZERO),
                "max_message_bytes",
            ),
            max_image: claim(inline.max_image, "max_image"),
            screen: claim(inline.screen, "screen"),
            bits_per_pixel: claim(inline.bits_per_pixel.filter(|n| *n > 0), "bits_per_pixel"),
            // The caller's own words are not completed: a list without images is meant.
            codecs: claim(Codecs::of(&[], &[&types], 0), "accept"),
            accept: claim(some(&types).map(AcceptList::from_spellings), "accept"),
            charsets: claim(some(&charsets).map(<[String]>::to_vec), "charsets"),
            suppress: claim(inline.suppress_adaptation, "suppress_adaptation"),
            jpeg_full_chroma: claim(inline.jpeg_full_chroma, "jpeg_full_chroma"),
            jpeg_progressive: claim(inline.jpeg_progressive, "jpeg_progressive"),
            ..Self::default()
        }
    }

    /// Of HTTP headers; `default` are the types that a wildcard stands for.
    pub(super) fn of_headers(
        headers: &AcceptHeaders,
        default: &[String],
        repairs: &mut Repairs,
    ) -> Self {
        let found = accept::of_header(&headers.accept, default, repairs);
        let (types, attribute) = found.unwrap_or_default();
        let items = accept::header_items(&headers.accept_charset);
        let charsets = accept::charsets(&items, "Accept-Charset", repairs);
        let codecs = claim(Codecs::of(&[], &[&types], 0), attribute);
        let accept = some(&types).map(|list| {
            let (list, attribute) = accept::complete(list.to_vec(), &[], false, attribute, repairs);
            Claim(list, attribute)
        });
        Self {
            accept,
            codecs,
            charsets: claim(some(&charsets).map(<[String]>::to_vec), "Accept-Charset"),
            ..Self::default()
        }
    }
}
