//! Texts: never cut; written in another charset where the device reads no other.

use super::{PartFacts, PartPlan};
use crate::model::{Action, Reason, ReasonCode};

/// What is known of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFacts {
    /// The charset that its bytes are in.
    pub charset: String,
    /// The charset that it says it is in, if that is another, in which it would be misread.
    pub misnamed: Option<String>,
    /// The device reads this charset.
    pub read: bool,
    /// Where it does not: the charset of the device's that the text can be written in.
    pub into: Option<String>,
    /// That charset holds all of it.
    pub lossless: bool,
    /// It is HTML, which the device does not show: `into` is for its text.
    pub html: bool,
}

/// A text that is declared, and perhaps written, in a charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recode {
    /// The charset.
    pub charset: String,
    /// The bytes change; else only the label was wrong.
    pub rewrite: bool,
    /// It becomes plain text.
    pub plain: bool,
}

/// Texts pass as they are, as long as the device can read them and the label is true.
pub(super) fn judge(part: &mut PartPlan, facts: &PartFacts) {
    let Some(text) = &facts.text else {
        return part.reasons.push(ReasonCode::NeverCut.into());
    };
    if let Some(said) = &text.misnamed {
        let detail = format!("it says {said}, it is {}", text.charset);
        part.reasons.push(Reason::new(ReasonCode::DeclaredTypeWrong, detail));
    }
    if text.read {
        match text.misnamed {
            Some(_) => {
                part.recode =
                    Some(Recode { charset: text.charset.clone(), rewrite: false, plain: false });
            }
            None => part.reasons.push(ReasonCode::NeverCut.into()),
        }
        return;
    }
    let Some(charset) = &text.into else {
        return part.reasons.push(ReasonCode::NeverCut.into());
    };
    if text.html {
        let detail = "the device does not list text/html: the text of it goes";
        part.reasons.push(Reason::new(ReasonCode::TypeNotAccepted, detail));
    }
    if text.charset != *charset {
        let detail = format!("{} to {charset}", text.charset);
        part.reasons.push(Reason::new(ReasonCode::CharsetConverted, detail));
    }
    if !text.lossless {
        part.reasons.push(ReasonCode::Transliterated.into());
    }
    part.action = Action::Transcode;
    part.recode = Some(Recode { charset: charset.clone(), rewrite: true, plain: text.html });
}
