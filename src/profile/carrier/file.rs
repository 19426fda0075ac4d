//! The form of carrier files: TOML, unknown keys refused, every row with source and date.

use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

use super::{Carrier, CarrierError, CarrierLimit, LimitKind};
use crate::{
    model::{Bytes, Counting, Day, Dimensions, Interface, SenderType, nearest},
    policy::file::{self, PolicyError},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Spanned<String>,
    country: Spanned<String>,
    mcc_mnc: Spanned<Vec<String>>,
    max_image: Option<Spanned<String>>,
    default_device: Option<String>,
    /// Read by its own room.
    #[serde(default, rename = "policy")]
    _policy: IgnoredAny,
    limits: Spanned<Vec<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: Spanned<String>,
    interface: Option<Spanned<String>>,
    sender: Option<Spanned<String>>,
    bytes: Spanned<Size>,
    counted: Option<Spanned<String>>,
    source: Spanned<String>,
    date: Spanned<String>,
    from: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
}

/// A number of bytes, or a text with a unit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(u64),
    Text(String),
}

pub(super) fn parse(name: &str, text: &str) -> Result<Carrier, CarrierError> {
    let reader = Reader { name, text };
    let valid_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid_name {
        return Err(reader.value(0, "file name", "is not lower case, digits and hyphens"));
    }
    let file: File = toml::from_str(text).map_err(|error| reader.syntax(&error))?;
    let limits = file.limits.get_ref().iter();
    let limits: Vec<CarrierLimit> = limits.map(|row| reader.row(row)).collect::<Result<_, _>>()?;
    if limits.is_empty() {
        return Err(reader.value(file.limits.span().start, "limits", "there must be one at least"));
    }
    let country = file.country.get_ref();
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_lowercase()) {
        return Err(reader.at(&file.country, "country", "is not two lower-case letters"));
    }
    if file.title.get_ref().trim().is_empty() {
        return Err(reader.at(&file.title, "title", "is empty"));
    }
    if let Some(code) = file.mcc_mnc.get_ref().iter().find(|code| !is_mcc_mnc(code)) {
        return Err(reader.at(&file.mcc_mnc, "mcc_mnc", &format!("`{code}` is not MCC-MNC")));
    }
    let max_image = match &file.max_image {
        Some(raw) => Some(
            raw.get_ref()
                .parse::<Dimensions>()
                .map_err(|error| reader.at(raw, "max_image", &error.to_string()))?,
        ),
        None => None,
    };
    Ok(Carrier {
        name: name.to_owned(),
        title: file.title.into_inner(),
        country: file.country.into_inner(),
        mcc_mnc: file.mcc_mnc.into_inner(),
        limits,
        max_image,
        default_device: file.default_device,
        settings: file::settings(text).map_err(|error| reader.policy(error))?,
    })
}

/// `311-480`, `208-01`.
fn is_mcc_mnc(code: &str) -> bool {
    code.split_once('-').is_some_and(|(mcc, mnc)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        mcc.len() == 3 && matches!(mnc.len(), 2 | 3) && digits(mcc) && digits(mnc)
    })
}

/// `2024-10` or `2024-10-16`.
fn is_date(text: &str) -> bool {
    let day = |text: &str| text.parse::<Day>().is_ok_and(|day| (2000..=2100).contains(&day.year));
    day(text) || day(&format!("{text}-01"))
}

/// Errors with their place.
struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn row(&self, row: &Row) -> Result<CarrierLimit, CarrierError> {
        let kind = match row.kind.get_ref().as_str() {
            "gateway" => LimitKind::Gateway,
            "handset" => LimitKind::Handset,
            _ => return Err(self.at(&row.kind, "kind", "is not gateway or handset")),
        };
        let interface = match &row.interface {
            Some(raw) => Some(
                raw.get_ref()
                    .parse::<Interface>()
                    .map_err(|error| self.at(raw, "interface", &error))?,
            ),
            None => None,
        };
        let sender = match &row.sender {
            Some(raw) => Some(
                raw.get_ref()
                    .parse::<SenderType>()
                    .map_err(|error| self.at(raw, "sender", &error))?,
            ),
            None => None,
        };
        let bytes = match row.bytes.get_ref() {
            Size::Number(bytes) => Bytes::new(*bytes),
            Size::Text(text) => {
                text.parse().map_err(|error| self.at(&row.bytes, "bytes", &format!("{error}")))?
            }
        };
        // Below 10 kB nothing is a limit of a network; it is kB written for bytes.
        if bytes < Bytes::new(10_000) {
            return Err(self.at(&row.bytes, "bytes", "is below 10,000: not a limit in bytes"));
        }
        let counting = match &row.counted {
            None => Counting::Interface,
            Some(raw) => match raw.get_ref().as_str() {
                "interface" => Counting::Interface,
                "mms-pdu" => Counting::MmsPdu,
                "mime-base64" => Counting::MimeBase64,
                "mime-binary" => Counting::MimeBinary,
                "media-only" => Counting::MediaOnly,
                _ => {
                    let all = "interface, mms-pdu, mime-base64, mime-binary or media-only";
                    return Err(self.at(raw, "counted", &format!("is not {all}")));
                }
            },
        };
        if row.source.get_ref().trim().is_empty() {
            return Err(self.at(&row.source, "source", "is empty"));
        }
        if !is_date(row.date.get_ref()) {
            return Err(self.at(&row.date, "date", "is not YYYY-MM or YYYY-MM-DD"));
        }
        let from = self.day(row.from.as_ref(), "from")?;
        let until = self.day(row.until.as_ref(), "until")?;
        if let (Some(first), Some(last), Some(raw)) = (from, until, &row.until)
            && last < first
        {
            return Err(self.at(raw, "until", "is before `from`"));
        }
        Ok(CarrierLimit {
            kind,
            interface,
            sender,
            bytes,
            counting,
            source: row.source.get_ref().clone(),
            date: row.date.get_ref().clone(),
            from,
            until,
        })
    }

    fn day(&self, raw: Option<&Spanned<String>>, key: &str) -> Result<Option<Day>, CarrierError> {
        let Some(raw) = raw else { return Ok(None) };
        raw.get_ref().parse().map(Some).map_err(|error: &str| self.at(raw, key, error))
    }

    fn policy(&self, error: PolicyError) -> CarrierError {
        let PolicyError { offset, key, message, suggestions } = error;
        if suggestions.is_empty() {
            return self.value(offset, &key, &message);
        }
        CarrierError::Syntax {
            carrier: self.name.to_owned(),
            line: nearest::line(self.text, offset),
            message: format!("{key}: {message}"),
            suggestions,
        }
    }

    fn at<T>(&self, value: &Spanned<T>, key: &str, message: &str) -> CarrierError {
        self.value(value.span().start, key, message)
    }

    fn value(&self, offset: usize, key: &str, message: &str) -> CarrierError {
        CarrierError::Value {
            carrier: self.name.to_owned(),
            line: nearest::line(self.text, offset),
            key: key.to_owned(),
            message: message.to_owned(),
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> CarrierError {
        CarrierError::Syntax {
            carrier: self.name.to_owned(),
            line: nearest::line(self.text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
            suggestions: nearest::misspelt(error.message()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "title = 'Verizon'\ncountry = 'us'\nmcc_mnc = ['311-480']\n\
        max_image = '2592x1944'\n\n[[limits]]\nkind = 'handset'\nbytes = '300Ki'\n\
        counted = 'mms-pdu'\nsource = 'LineageOS'\ndate = '2024-10-16'\n";

    #[test]
    fn good_files_are_read() {
        let carrier = Carrier::parse("us-verizon", GOOD).unwrap();
        assert_eq!(carrier.max_image, Dimensions::new(2592, 1944));
        let row = carrier.limits.first().unwrap();
        assert_eq!((row.bytes, row.counting), (Bytes::new(307_200), Counting::MmsPdu));
    }

    #[test]
    fn errors_name_line_and_key() {
        for (from, to, expected) in [
            ("bytes = '300Ki'", "bytes = 'much'", "line 8: bytes"),
            ("bytes = '300Ki'", "bytes = 300", "line 8: bytes"),
            ("kind = 'handset'", "kind = 'other'", "line 7: kind"),
            ("date = '2024-10-16'", "date = 'autumn'", "line 11: date"),
            ("source = 'LineageOS'", "source = ' '", "line 10: source"),
            ("source = 'LineageOS'", "sauce = 'LineageOS'", "did you mean `source`"),
            ("title = 'Verizon'\n", "", "title"),
            ("country = 'us'", "country = 'USA'", "line 2: country"),
            ("['311-480']", "['311480']", "line 3: mcc_mnc"),
            ("2592x1944", "big", "line 4: max_image"),
            ("counted = 'mms-pdu'", "counted = 'x'", "line 9: counted"),
            ("counted = 'mms-pdu'", "until = 'soon'", "line 9: until"),
            ("\n[[limits]]", "[policy]\ntrim = 'x'\n[[limits]]", "line 6: policy.trim"),
            ("\n[[limits]]", "[policy]\ntrin = 'x'\n[[limits]]", "did you mean `trim`"),
            ("kind = 'handset'", "kind = 'handset'\nsender = 'robot'", "line 8: sender"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = Carrier::parse("us-verizon", &text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Carrier::parse("US Verizon", GOOD).is_err());
    }
}
