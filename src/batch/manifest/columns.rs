//! The columns of a manifest, and the cells of a row.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};

use crate::{batch::asked::Asked, model::nearest};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Path,
    Device,
    Carrier,
    MaxBytes,
    MaxImage,
    UserAgent,
    Sender,
}

const COLUMNS: [(&str, Column); 7] = [
    ("path", Column::Path),
    ("device", Column::Device),
    ("carrier", Column::Carrier),
    ("max_bytes", Column::MaxBytes),
    ("max_image", Column::MaxImage),
    ("user_agent", Column::UserAgent),
    ("sender", Column::Sender),
];

impl Column {
    /// By its name.
    ///
    /// # Errors
    /// In words, with the columns that may have been meant.
    pub fn named(name: &str) -> Result<Self, String> {
        if let Some((_, column)) = COLUMNS.iter().find(|(known, _)| *known == name) {
            return Ok(*column);
        }
        let names = COLUMNS.map(|(known, _)| known);
        let meant = match nearest::nearest(name, names).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", names.join(", ")),
        };
        let name: String = name.chars().take(64).collect();
        Err(format!("unknown column `{name}`; {meant}"))
    }

    /// Its name.
    #[cfg(feature = "parquet")]
    pub fn name(self) -> &'static str {
        COLUMNS.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

/// What a row says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cells {
    pub path: OsString,
    pub asked: Asked,
}

impl Cells {
    /// A cell with this text; an empty one is none.
    pub fn put(&mut self, column: Column, text: String) {
        let asked = &mut self.asked;
        let cell = match column {
            Column::Path => {
                self.path = text.into();
                return;
            }
            Column::Device => &mut asked.device,
            Column::Carrier => &mut asked.carrier,
            Column::MaxBytes => &mut asked.max_bytes,
            Column::MaxImage => &mut asked.max_image,
            Column::UserAgent => &mut asked.user_agent,
            Column::Sender => &mut asked.sender,
        };
        *cell = Some(text).filter(|text| !text.is_empty());
    }
}

/// The columns that a header line names.
///
/// # Errors
/// In words, if it names others, one twice, or no path.
pub fn header(line: &[u8]) -> Result<Vec<Column>, String> {
    let names = Splitter::default().split(line)?;
    let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
    named(names.iter().map(AsRef::as_ref))
}

/// The columns of these names.
///
/// # Errors
/// As [`header`].
pub fn named<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Column>, String> {
    let mut columns = Vec::new();
    for name in names {
        let column = Column::named(name.trim())?;
        if columns.contains(&column) {
            return Err(format!("the column `{name}` is there twice"));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Path) {
        Ok(columns)
    } else {
        Err("the header line names no column `path`".to_owned())
    }
}

/// The cells of a line below `columns`. A path may be of any bytes, all else is text.
///
/// # Errors
/// In words.
pub fn csv(line: &[u8], columns: &[Column], splitter: &mut Splitter) -> Result<Cells, String> {
    let texts = splitter.split(line)?;
    if texts.len() != columns.len() {
        let (found, wanted) = (texts.len(), columns.len());
        return Err(format!("{found} cells, the header line has {wanted}"));
    }
    let mut cells = Cells::default();
    for (column, bytes) in columns.iter().zip(texts) {
        if *column == Column::Path {
            cells.path = OsString::from_vec(bytes);
            continue;
        }
        let text = String::from_utf8(bytes).map_err(|_| "a cell is not UTF-8".to_owned())?;
        cells.put(*column, text.trim().to_owned());
    }
    Ok(cells)
}

/// Why an object is no row.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A column that is not known: all other rows may have it.
    Column(String),
    /// Only this row is wrong.
    Row(String),
}

/// The cells of an object.
///
/// # Errors
/// In words.
pub fn json(line: &[u8]) -> Result<Cells, Wrong> {
    let object: Map<String, Value> = serde_json::from_slice(line)
        .map_err(|error| Wrong::Row(format!("not a JSON object: {error}")))?;
    let mut cells = Cells::default();
    for (name, value) in object {
        let column = Column::named(&name).map_err(Wrong::Column)?;
        match value {
            Value::String(text) => cells.put(column, text),
            Value::Number(number) if column == Column::MaxBytes => {
                cells.put(column, number.to_string());
            }
            Value::Null => {}
            _ => return Err(Wrong::Row(format!("{name}: not a text"))),
        }
    }
    Ok(cells)
}

/// Splits lines. Made once: its table of states takes longer to build than many lines to split.
pub struct Splitter(Reader);

impl Default for Splitter {
    fn default() -> Self {
        // Its own default has no such table.
        Self(Reader::new())
    }
}

impl Splitter {
    /// The cells of a line of CSV (RFC 4180). Quoted cells do not go on in the next line, so that a
    /// quote that is never closed costs one row.
    fn split(&mut self, line: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            return Err("a quote that is not closed; rows are lines".to_owned());
        }
        self.0.reset();
        let (mut text, mut ends) = (vec![0; line.len() + 1], [0; COLUMNS.len() + 1]);
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, took, wrote, closed) = self.0.read_record(
                line.get(read..).unwrap_or_default(),
                text.get_mut(written..).unwrap_or_default(),
                ends.get_mut(ended..).unwrap_or_default(),
            );
            (read, written, ended) = (read + took, written + wrote, ended + closed);
            match result {
                // Told of the end by being called with nothing more.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(format!("more than {} cells", COLUMNS.len()));
                }
            }
        }
        let mut from = 0;
        let cells = ends.iter().take(ended).map(|&to| {
            let cell = text.get(from..to).unwrap_or_default().to_vec();
            from = to;
            cell
        });
        Ok(cells.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_as_rfc_4180_has_it() {
        let columns = header(b"device,path,max_bytes").unwrap();
        let cells =
            csv(b"nokia-6230,\"a, \"\"b\"\".jpg\", 300k ", &columns, &mut Splitter::default())
                .unwrap();
        assert_eq!(cells.path, "a, \"b\".jpg");
        assert_eq!(cells.asked.device.as_deref(), Some("nokia-6230"));
        assert_eq!(cells.asked.max_bytes.as_deref(), Some("300k"));
        let cells = csv(b",a\xff.jpg,", &columns, &mut Splitter::default()).unwrap();
        assert_eq!(cells.path.as_encoded_bytes(), b"a\xff.jpg");
        assert!(cells.asked.is_empty());
        for wrong in ["a", "a,b", "a,b,c,d", "a,\"b,c", "a,b,c,d,e,f,g,h,i,j,k"] {
            assert!(csv(wrong.as_bytes(), &columns, &mut Splitter::default()).is_err(), "{wrong}");
        }
        assert!(csv(b"\xff,a,", &columns, &mut Splitter::default()).is_err());
    }

    #[test]
    fn columns_are_known_once_and_with_a_path() {
        assert!(header(b"path").is_ok());
        let error = header(b"path,max_byte").unwrap_err();
        assert!(error.contains("did you mean `max_bytes`"), "{error}");
        let error = header(b"path,colour-of-the-envelope").unwrap_err();
        assert!(error.contains("user_agent"), "{error}");
        assert!(header(b"path,path").unwrap_err().contains("twice"));
        assert!(header(b"device").unwrap_err().contains("no column `path`"));
    }

    #[test]
    fn objects_have_texts_or_sizes() {
        let cells = json(br#"{"path": "a.jpg", "max_bytes": 300000, "device": null}"#).unwrap();
        assert_eq!(
            (cells.path, cells.asked.max_bytes.as_deref()),
            ("a.jpg".into(), Some("300000"))
        );
        assert!(matches!(json(br#"{"path": "a", "devices": "b"}"#), Err(Wrong::Column(_))));
        for wrong in ["", "[]", "{\"path\": 1}", "{\"path\": \"a\"", "{\"path\": {}}"] {
            assert!(matches!(json(wrong.as_bytes()), Err(Wrong::Row(_))), "{wrong}");
        }
    }
}
