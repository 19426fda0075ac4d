//! What policy files state: the same keys for an operator and for a carrier, which wins.

use std::{collections::BTreeMap, str::FromStr};

use super::{
    floors::{Ceilings, Floors, Margin, Weights},
    ladder::{Ladder, Ladders, ShrinkOrder},
    preference::{Color, Language, Notice, Sanitize, Trim, spelt},
};
use crate::model::BitRate;

spelt! {
    Adaptation { Never => "never", Minor => "minor", Major => "major" }
        "is not one of never, minor, major"
    LeaveOut { Never => "never", Allow => "allow" } "is not one of never, allow"
    Empty { Notice => "notice", Refuse => "refuse" } "is not one of notice, refuse"
}

/// How much of a message may be changed (the adaptation classes of OMA-MMS-CONF).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adaptation {
    /// Nothing: it passes as it is or is refused.
    Never,
    /// The same media in other formats and sizes.
    Minor,
    /// Media may be replaced and left out.
    #[default]
    Major,
}

/// What happens when even the smallest versions of all media are over the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeaveOut {
    /// The message is refused.
    #[default]
    Never,
    /// Whole media are dropped, one after the other.
    Allow,
}

/// What happens when nothing of a message can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Empty {
    /// Notices replace its media, whatever the ladders say.
    #[default]
    Notice,
    /// The message is refused.
    Refuse,
}

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// There is no such key.
    UnknownKey,
    /// What is wrong with the value, for people.
    Value(String),
}

/// Declares the keys once: field, name in files, type, how it is read.
macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident $key:literal : $type:ty = $read:expr;)+) => {
        /// What a policy states. What it does not state is taken from the next source.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct PolicySettings {
            $($(#[$doc])* pub $field: Option<$type>,)+
            /// All stated values, by key, as written.
            pub stated: BTreeMap<String, String>,
        }

        impl PolicySettings {
            /// All keys, but those of the sentences: `notices.` and a language.
            pub const KEYS: &[&str] = &[$($key),+];

            /// Takes a value by its key. Lists come with commas between their items.
            ///
            /// # Errors
            /// No such key, or an invalid value.
            pub fn set(&mut self, key: &str, text: &str) -> Result<(), SettingError> {
                let wrong = |message: String| SettingError::Value(message);
                match key {
                    $($key => self.$field = Some(($read)(text).map_err(wrong)?),)+
                    _ => {
                        let code = key.strip_prefix("notices.").ok_or(SettingError::UnknownKey)?;
                        code.parse::<Language>().map_err(|_| SettingError::UnknownKey)?;
                        sentence(text).map_err(wrong)?;
                    }
                }
                self.stated.insert(key.to_owned(), text.to_owned());
                Ok(())
            }

            /// These settings, and where they state nothing, `base`.
            #[must_use]
            pub fn over(&self, base: &Self) -> Self {
                let mut stated = base.stated.clone();
                stated.extend(self.stated.clone());
                Self {
                    $($field: self.$field.clone().or_else(|| base.$field.clone()),)+
                    stated,
                }
            }
        }
    };
}

settings! {
    /// How much of a message may be changed. Default: everything.
    adaptation "adaptation": Adaptation = value;
    /// Whether audio and video may be cut shorter. Default: never.
    trim "trim": Trim = value;
    /// Whether notices replace what is left out, where a ladder does not say. Default: no.
    notice "notice": Notice = value;
    /// The language of notices; `auto`: that of the carrier's country. Default: that.
    language "language": LanguageChoice = value;
    /// What may be hidden in media that pass. Default: they pass bit for bit.
    sanitize "sanitize": Sanitize = value;
    /// The colour behind transparent pixels where the format has none. Default: white.
    background "background": Color = value;
    /// Whether whole media may be dropped to keep a limit. Default: never.
    leave_out "leave_out": LeaveOut = value;
    /// What happens when nothing of a message can be shown. Default: notices.
    empty "empty": Empty = value;
    /// Bytes of every limit of device and carrier that are left free. Default: none.
    margin "margin": Margin = value;
    /// What images may become. Default: all steps.
    image "ladder.image": Ladder = |text| Ladder::parse(text, Ladder::IMAGE);
    /// What videos may become. Default: all steps.
    video "ladder.video": Ladder = |text| Ladder::parse(text, Ladder::VIDEO);
    /// What audio may become. Default: all steps.
    audio "ladder.audio": Ladder = |text| Ladder::parse(text, Ladder::AUDIO);
    /// What vCards may lose. Default: the image inside.
    card "ladder.card": Ladder = |text| Ladder::parse(text, Ladder::CARD);
    /// What becomes of everything else. Default: left out where the device does not take it.
    other "ladder.other": Ladder = |text| Ladder::parse(text, Ladder::OTHER);
    /// Which kind shrinks first. Default: the largest part.
    shrink_order "ladder.first": ShrinkOrder = ShrinkOrder::parse;
    /// The only media types that pass. Default: all that the device takes.
    allow "formats.allow": Vec<String> = types;
    /// Media types that do not pass, whatever the device says. Default: none.
    refuse "formats.refuse": Vec<String> = types;
    /// See [`Floors`].
    image_side "floor.image_side": u32 = |text| within(text, 1, 4096);
    /// See [`Floors`].
    image_quality "floor.image_quality": u32 = |text| within(text, 1, 95);
    /// See [`Floors`].
    audio_bitrate "floor.audio_bitrate": BitRate = |text| within(text, 0, 128_000).map(BitRate::new);
    /// See [`Floors`].
    video_side "floor.video_side": u32 = |text| within(text, 1, 1920);
    /// See [`Floors`].
    video_frame_rate "floor.video_frame_rate": u32 = |text| within(text, 1, 30);
    /// See [`Ceilings`].
    image_ceiling "ceiling.image_quality": u32 = |text| within(text, 50, 100);
    /// See [`Weights`].
    image_weight "weight.image": f64 = weight;
    /// See [`Weights`].
    audio_weight "weight.audio": f64 = weight;
    /// See [`Weights`].
    video_weight "weight.video": f64 = weight;
}

impl PolicySettings {
    /// The floors, where nothing is stated the engine's own.
    pub fn floors(&self) -> Floors {
        let own = Floors::default();
        Floors {
            image_side: self.image_side.unwrap_or(own.image_side),
            image_quality: self.image_quality.unwrap_or(own.image_quality),
            audio_bitrate: self.audio_bitrate.unwrap_or(own.audio_bitrate),
            video_side: self.video_side.unwrap_or(own.video_side),
            video_frame_rate: self.video_frame_rate.unwrap_or(own.video_frame_rate),
        }
    }

    /// The ceilings, where nothing is stated the engine's own.
    pub fn ceilings(&self) -> Ceilings {
        let own = Ceilings::default();
        Ceilings { image_quality: self.image_ceiling.unwrap_or(own.image_quality) }
    }

    /// The weights, 1 where nothing is stated.
    pub fn weights(&self) -> Weights {
        let own = Weights::default();
        Weights {
            image: self.image_weight.unwrap_or(own.image),
            audio: self.audio_weight.unwrap_or(own.audio),
            video: self.video_weight.unwrap_or(own.video),
        }
    }

    /// The ladders, with notices where these are wanted and the ladder is not stated.
    pub fn ladders(&self) -> Ladders {
        let stated = |ladder: Option<Ladder>, all: Ladder| {
            let notice = self.notice == Some(Notice::Text);
            ladder.unwrap_or_else(|| if notice { all.with_notice() } else { all })
        };
        Ladders {
            image: stated(self.image, Ladder::IMAGE),
            video: stated(self.video, Ladder::VIDEO),
            audio: stated(self.audio, Ladder::AUDIO),
            card: stated(self.card, Ladder::CARD),
            other: stated(self.other, Ladder::OTHER),
        }
    }

    /// The sentence of notices in a language, where one is stated.
    pub fn sentence(&self, language: Language) -> Option<&str> {
        self.stated.get(&format!("notices.{}", language.code())).map(String::as_str)
    }
}

/// A language, or the one of the country.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LanguageChoice {
    /// That of the carrier's country, else English.
    #[default]
    Auto,
    /// This one.
    Fixed(Language),
}

impl FromStr for LanguageChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Fixed).map_err(|error: &str| format!("{error}, auto"))
    }
}

fn value<T>(text: &str) -> Result<T, String>
where
    T: FromStr,
    T::Err: ToString,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn within(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| format!("is not a whole number between {least} and {most}"))
}

fn weight(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.1..=10.0).contains(n));
    number.ok_or_else(|| "is not a number between 0.1 and 10".to_owned())
}

/// Media types, `image/*` among them.
fn types(text: &str) -> Result<Vec<String>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let valid = |item: &str| {
        let letters = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
        };
        item.split_once('/').is_some_and(|(top, sub)| letters(top) && letters(sub))
    };
    items
        .map(|item| match valid(item) {
            true => Ok(item.to_ascii_lowercase()),
            false => Err(format!("`{item}` is not a media type")),
        })
        .collect()
}

/// Sentences are one line, and have no placeholders but those that are filled in.
fn sentence(text: &str) -> Result<(), String> {
    const LONGEST: usize = 300;
    let rest = ["{type}", "{name}", "{size}"].iter().fold(text.to_owned(), |t, b| t.replace(b, ""));
    if rest.contains(['{', '}']) {
        return Err("has other placeholders than {type}, {name} and {size}".to_owned());
    }
    let valid = !text.trim().is_empty()
        && text.chars().count() <= LONGEST
        && !text.contains(char::is_control);
    valid.then_some(()).ok_or_else(|| format!("is not one line of up to {LONGEST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_policy_wins_key_by_key() {
        let mut operator = PolicySettings::default();
        let mut carrier = PolicySettings::default();
        for (key, text) in
            [("trim", "allow"), ("ladder.video", "format, drop"), ("notices.de", "[{name} fehlt]")]
        {
            operator.set(key, text).unwrap();
        }
        carrier.set("trim", "never").unwrap();
        carrier.set("notices.en", "[gone]").unwrap();
        let both = carrier.over(&operator);
        assert_eq!(both.trim, Some(Trim::Never));
        assert_eq!(both.ladders().video.to_string(), "format, drop");
        assert_eq!(both.sentence(Language::German), Some("[{name} fehlt]"));
        assert_eq!(both.sentence(Language::English), Some("[gone]"));
        assert_eq!(both.sentence(Language::French), None);
    }

    #[test]
    fn wrong_values_are_told() {
        let mut settings = PolicySettings::default();
        assert_eq!(settings.set("ladder.text", "drop"), Err(SettingError::UnknownKey));
        assert_eq!(settings.set("notices.xx", "a"), Err(SettingError::UnknownKey));
        for (key, text, wrong) in [
            ("margin", "60%", "between"),
            ("margin", "much", ""),
            ("formats.allow", "image/jpeg, png", "`png` is not a media type"),
            ("floor.image_quality", "100", "between 1 and 95"),
            ("weight.video", "0", "between 0.1 and 10"),
            ("notices.en", "{what}", "placeholders"),
            ("notices.en", "a\nb", "one line"),
            ("language", "xx", "auto"),
            ("adaptation", "some", "minor"),
        ] {
            match settings.set(key, text) {
                Err(SettingError::Value(message)) => assert!(message.contains(wrong), "{message}"),
                other => panic!("{key}: {other:?}"),
            }
        }
        assert_eq!(settings, PolicySettings::default());
    }
}
