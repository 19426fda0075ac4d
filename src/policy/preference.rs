//! The choices of an operator, one type for each.

use std::str::FromStr;

use crate::model::Rgb;

/// Names of values in configuration files.
macro_rules! spelt {
    ($($name:ident { $($variant:ident => $text:literal),+ $(,)? } $wrong:literal)+) => {$(
        impl $name {
            /// As configurations spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($wrong),
                }
            }
        }
    )+};
}
pub(super) use spelt;

spelt! {
    Trim { Never => "never", Allow => "allow" } "is not one of never, allow"
    Sanitize { Off => "off", Strip => "strip", Always => "always" }
        "is not one of off, strip, always"
    Notice { Off => "off", Text => "text" } "is not one of off, text"
}

/// Whether audio and video may be cut shorter where they are too long for the budget at the
/// lowest useful rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trim {
    /// Never: a video falls back to an image; audio cannot fit.
    #[default]
    Never,
    /// Cut, with a fade, and reported.
    Allow,
}

/// What may be hidden in media that pass as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sanitize {
    /// They pass bit for bit.
    #[default]
    Off,
    /// Images lose their metadata (place, camera, thumbnails), their pixels untouched.
    Strip,
    /// All images, audio and video are re-encoded: nothing of the original file is left.
    Always,
}

/// What replaces a part that is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notice {
    /// Nothing.
    #[default]
    Off,
    /// A line of text that names it.
    Text,
}

/// The language of notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Italian.
    Italian,
    /// Portuguese.
    Portuguese,
    /// Dutch.
    Dutch,
    /// Polish.
    Polish,
    /// Russian.
    Russian,
    /// Turkish.
    Turkish,
    /// Japanese.
    Japanese,
    /// Chinese, simplified.
    Chinese,
}

impl Language {
    /// All, with their ISO 639-1 codes and the countries (ISO 3166-1) whose carriers get them.
    pub const ALL: [(Self, &str, &[&str]); 12] = [
        (Self::English, "en", &["us", "gb", "ca", "au", "nz", "ie"]),
        (Self::German, "de", &["de", "at", "ch"]),
        (Self::French, "fr", &["fr", "re"]),
        (Self::Spanish, "es", &["es", "mx", "ar", "co", "cl", "pe"]),
        (Self::Italian, "it", &["it"]),
        (Self::Portuguese, "pt", &["pt", "br"]),
        (Self::Dutch, "nl", &["nl"]),
        (Self::Polish, "pl", &["pl"]),
        (Self::Russian, "ru", &["ru", "by", "kz"]),
        (Self::Turkish, "tr", &["tr"]),
        (Self::Japanese, "ja", &["jp"]),
        (Self::Chinese, "zh", &["cn"]),
    ];

    /// Its ISO 639-1 code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(language, ..)| *language == self).map_or("en", |(_, code, _)| code)
    }

    /// The language of a country; English where nothing better is known.
    pub fn of_country(country: &str) -> Self {
        let known = Self::ALL.iter().find(|(.., countries)| countries.contains(&country));
        known.map_or(Self::English, |(language, ..)| *language)
    }
}

impl FromStr for Language {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|(_, code, _)| *code == text);
        known
            .map(|(language, ..)| *language)
            .ok_or("is not one of en, de, fr, es, it, pt, nl, pl, ru, tr, ja, zh")
    }
}

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub Rgb);

impl FromStr for Color {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "is not a colour, #rrggbb";
        let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.is_ascii());
        let byte = |at: usize| {
            hex.and_then(|hex| hex.get(at..at + 2)).and_then(|two| u8::from_str_radix(two, 16).ok())
        };
        match (byte(0), byte(2), byte(4)) {
            (Some(r), Some(g), Some(b)) => Ok(Self([r, g, b])),
            _ => Err(wrong),
        }
    }
}
