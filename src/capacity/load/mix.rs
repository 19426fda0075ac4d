//! What is sent, and how often: a mix as its users write it, and the messages made of it.

use std::{fs, path::Path};

use bytes::Bytes as Buffer;
use serde::Deserialize;

use crate::{
    message::{Form, PartData},
    model::{Bytes, Dimensions, MediaType, nearest},
    samples::{self, SampleError, av, photo},
    service::detect::{self, Kind},
};

/// A mix, as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// At least one.
    pub messages: Vec<Entry>,
}

/// One kind of message.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// For people; by default what it is.
    #[serde(default)]
    pub name: String,
    /// How often, beside the others.
    pub share: f64,
    /// A message made here. Either this or `file`.
    pub sample: Option<Sample>,
    /// An MMS PDU, or one medium, which is sent in one; relative to the file of the mix.
    pub file: Option<String>,
    /// A device's name, as `mmsfit devices` has it.
    #[serde(default)]
    pub device: String,
    /// A carrier's name or MCC-MNC.
    #[serde(default)]
    pub carrier: String,
    /// Of the message on the wire: `"100k"`.
    pub max_bytes: Option<String>,
    /// Of images: `"640x480"`.
    pub max_image: Option<String>,
    /// How many different messages of this kind there are; 0: each call its own, so that no cache
    /// of the service helps.
    #[serde(default)]
    pub contents: u32,
}

/// What is made here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sample {
    /// A text alone.
    Text,
    /// A photo of one megapixel.
    #[serde(rename = "photo-1mp")]
    Photo1Mp,
    /// A photo of 3 megapixels.
    #[serde(rename = "photo-3mp")]
    Photo3Mp,
    /// A photo of 12 megapixels.
    #[serde(rename = "photo-12mp")]
    Photo12Mp,
    /// A screenshot of a phone, as PNG.
    Screenshot,
    /// Two photos and a text.
    Album,
    /// A voice note of six seconds, as WAV.
    Voice,
    /// A video of two seconds in 320×240, Motion-JPEG in AVI.
    Clip,
}

/// Why there is nothing to send.
#[derive(Debug, thiserror::Error)]
pub enum MixError {
    /// Not TOML, or with keys that there are not.
    #[error("{path}:{line}: {message}{}", nearest::hint(.suggestions))]
    Syntax {
        /// Which file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// Known keys similar to a misspelt one.
        suggestions: Vec<String>,
    },
    /// An entry says what cannot be.
    #[error("{0}")]
    Malformed(String),
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// A sample cannot be made.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

impl Mix {
    /// Reads a mix.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, MixError> {
        let text = fs::read_to_string(path)
            .map_err(|error| MixError::Read { path: path.display().to_string(), error })?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, path: &str) -> Result<Self, MixError> {
        toml::from_str(text).map_err(|error| MixError::Syntax {
            path: path.to_owned(),
            line: nearest::line(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
            suggestions: nearest::misspelt(error.message()),
        })
    }

    /// Pictures as people send them, none like another: what is sent where no mix is named.
    pub fn pictures() -> Self {
        let entry = |sample, share| Entry {
            name: String::new(),
            share,
            sample: Some(sample),
            file: None,
            device: String::new(),
            carrier: String::new(),
            max_bytes: Some("300k".to_owned()),
            max_image: Some("1024x768".to_owned()),
            contents: 0,
        };
        let messages = vec![
            entry(Sample::Text, 0.3),
            entry(Sample::Photo1Mp, 0.3),
            entry(Sample::Photo3Mp, 0.3),
            entry(Sample::Photo12Mp, 0.1),
        ];
        Self { messages }
    }

    /// The messages, made or read; files are sought in `folder`.
    ///
    /// # Errors
    /// An entry that says what cannot be.
    pub fn prepare(self, folder: &Path) -> Result<Vec<Prepared>, MixError> {
        if self.messages.is_empty() {
            return Err(MixError::Malformed("a mix has at least one [[messages]]".to_owned()));
        }
        self.messages.into_iter().map(|entry| Prepared::new(entry, folder)).collect()
    }
}

/// A kind of message, ready to be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// For people.
    pub name: String,
    /// How often, beside the others.
    pub share: f64,
    /// A device's name, or nothing.
    pub device: String,
    /// A carrier, or nothing.
    pub carrier: String,
    /// Of the message on the wire.
    pub max_bytes: Option<Bytes>,
    /// Of images.
    pub max_image: Option<Dimensions>,
    /// MMS PDUs; one or more.
    messages: Vec<Buffer>,
    /// Where, in each of the messages, the place is that makes it its own.
    mark: Option<usize>,
    /// How many different ones there are; 0: each call its own.
    contents: u32,
}

/// What stands where each call writes its number. Behind the end of a medium, where no decoder reads.
const MARK: &[u8; 16] = b"mmsfit-load-mark";

/// What a call writes there.
pub(super) fn digits(number: u64) -> [u8; MARK.len()] {
    std::array::from_fn(|at| b"0123456789abcdef"[(number >> (60 - 4 * at) & 15) as usize])
}

impl Prepared {
    fn new(entry: Entry, folder: &Path) -> Result<Self, MixError> {
        let wrong = |what: String| MixError::Malformed(format!("{}: {what}", entry.name));
        if !(entry.share > 0.0 && entry.share.is_finite()) {
            return Err(wrong("share is a number above 0".to_owned()));
        }
        let max_bytes = entry.max_bytes.as_deref().map(str::parse::<Bytes>).transpose();
        let max_image = entry.max_image.as_deref().map(str::parse::<Dimensions>).transpose();
        let (messages, mark, own_name) = match (entry.sample, &entry.file) {
            (Some(sample), None) => {
                let own = entry.contents == 0;
                let made = (0..u64::from(entry.contents.max(1))).map(|n| sample.pdu(n + 1, own));
                let made = made.collect::<Result<Vec<_>, _>>()?;
                let mark = made.first().filter(|_| own).and_then(|message| {
                    message.windows(MARK.len()).position(|window| window == MARK)
                });
                (made, mark, format!("{sample:?}").to_lowercase())
            }
            (None, Some(file)) => {
                let path = folder.join(file);
                let read = fs::read(&path)
                    .map_err(|error| MixError::Read { path: path.display().to_string(), error })?;
                let message = message(read.into(), file)
                    .ok_or_else(|| wrong(format!("{file} is neither an MMS PDU nor a medium")))?;
                (vec![message?], None, file.clone())
            }
            _ => return Err(wrong("either sample or file".to_owned())),
        };
        Ok(Self {
            share: entry.share,
            max_bytes: max_bytes.map_err(|error| wrong(error.to_string()))?,
            max_image: max_image.map_err(|error| wrong(error.to_string()))?,
            name: if entry.name.is_empty() { own_name } else { entry.name },
            device: entry.device,
            carrier: entry.carrier,
            contents: if entry.file.is_some() { 1 } else { entry.contents },
            messages,
            mark,
        })
    }

    /// How many different messages of this kind there are; 0: each call its own.
    pub fn contents(&self) -> u32 {
        self.contents
    }

    /// The messages as they are before a call makes one its own.
    pub(super) fn messages(&self) -> &[Buffer] {
        &self.messages
    }

    /// Where, in each of them, the sixteen digits are that make it a call's own.
    pub(super) fn mark(&self) -> Option<usize> {
        self.mark
    }

    /// The message of the call of this number; `pick` chooses among several.
    pub fn message(&self, number: u64, pick: usize) -> Buffer {
        let message = &self.messages[pick % self.messages.len()];
        let Some(at) = self.mark else { return message.clone() };
        let mut own = message.to_vec();
        own[at..at + MARK.len()].copy_from_slice(&digits(number));
        own.into()
    }
}

/// The message that a file is or, where it is a medium, that carries it. `None`: it is neither.
fn message(bytes: Buffer, name: &str) -> Option<Result<Buffer, SampleError>> {
    let kind = detect::kind(&bytes);
    let media_type = match &kind {
        Kind::Pdu => return Some(Ok(bytes)),
        Kind::Medium(media_type) if kind.is_playable() => media_type.to_string(),
        _ => return None,
    };
    let name =
        Path::new(name).file_name().map_or_else(String::new, |name| name.display().to_string());
    let part = PartData {
        content_type: media_type,
        content_id: String::new(),
        content_location: name.clone(),
        name,
        data: bytes,
    };
    Some(samples::message(vec![part], Form::MmsPdu))
}

impl Sample {
    /// In an M-Send.req. `seed` chooses the content; `marked`: with a place for a number.
    fn pdu(self, seed: u64, marked: bool) -> Result<Buffer, SampleError> {
        let part = |name: &str, media_type: &MediaType, data: Buffer| {
            let data = if marked { [&data[..], MARK].concat().into() } else { data };
            PartData {
                content_type: media_type.to_string(),
                content_id: String::new(),
                content_location: name.to_owned(),
                name: name.to_owned(),
                data,
            }
        };
        let photo = |name: &str, (width, height), seed| {
            let data = samples::jpeg(&photo::photo(width, height, seed), None)?;
            Ok::<_, SampleError>(part(name, &MediaType::JPEG, data))
        };
        let text = || {
            let text = format!("Greetings from day {seed}. ");
            part("text.txt", &MediaType::TEXT, text.into_bytes().into())
        };
        let parts = match self {
            Self::Text => vec![text()],
            Self::Photo1Mp => vec![photo("photo.jpg", (1152, 864), seed)?],
            Self::Photo3Mp => vec![photo("photo.jpg", (2048, 1536), seed)?],
            Self::Photo12Mp => vec![photo("photo.jpg", (4032, 3024), seed)?],
            Self::Screenshot => {
                let data = samples::png(&photo::screenshot(1080, 1920, seed))?;
                vec![part("screen.png", &MediaType::PNG, data)]
            }
            Self::Album => vec![
                text(),
                photo("one.jpg", (2048, 1536), seed)?,
                photo("two.jpg", (2048, 1536), seed.wrapping_add(1 << 32))?,
            ],
            Self::Voice => vec![part("voice.wav", &MediaType::WAV, av::wav(6))],
            Self::Clip => vec![part("clip.avi", &MediaType::AVI, av::avi(320, 240, 2)?)],
        };
        samples::message(parts, Form::MmsPdu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_has_a_message_of_its_own_unless_told_otherwise() {
        let text = |contents: u32| {
            let text = format!("[[messages]]\nsample = \"text\"\nshare = 1\ncontents = {contents}");
            let mix: Mix = toml::from_str(&text).unwrap();
            mix.prepare(Path::new(".")).unwrap().remove(0)
        };
        let own = text(0);
        assert_ne!(own.message(1, 0), own.message(2, 0));
        assert_eq!(own.message(1, 0).len(), own.message(u64::MAX, 9).len());
        let two = text(2);
        assert_eq!(two.message(1, 0), two.message(2, 2));
        assert_ne!(two.message(1, 0), two.message(1, 1));
    }

    #[test]
    fn what_is_wrong_with_a_mix_is_told() {
        let prepared = |text: &str| Mix::parse(text, "mix.toml")?.prepare(Path::new("."));
        for (text, word) in [
            ("messages = []", "at least one"),
            ("[[messages]]\nshare = 1", "either sample or file"),
            ("[[messages]]\nshare = 0\nsample = \"text\"", "above 0"),
            ("[[messages]]\nshare = 1\nsample = \"tax\"", "mix.toml:3"),
            ("[[messages]]\nshare = 1\nsmaple = \"text\"", "did you mean `sample`"),
            ("[[messages]]\nshare = 1\nsample = \"text\"\nmax_bytes = \"many\"", "many"),
            ("[[messages]]\nshare = 1\nfile = \"there-is-none\"", "there-is-none"),
            ("[[messages]]\nshare = 1\nfile = \"Cargo.lock\"", "neither an MMS PDU nor a medium"),
        ] {
            let error = prepared(text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_medium_is_sent_in_a_message() {
        let photo = samples::jpeg(&photo::photo(64, 48, 1), None).unwrap();
        let carried = message(photo.clone(), "albums/one.jpg").unwrap().unwrap();
        assert!(carried.starts_with(&[0x8c]));
        assert!(carried.windows(photo.len()).any(|window| window == photo));
        assert_eq!(message(carried.clone(), "one.mms").unwrap().unwrap(), carried);
    }
}
