//! A list of what to adapt: CSV with a header line, a JSON object a line, or Parquet. It is read again for
//! every pass, never held.

mod columns;
#[cfg(feature = "parquet")]
mod grid;
mod lines;
mod rows;

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use super::{
    asked::Asked,
    digest,
    error::BatchError,
    item::{Found, Item},
};

use columns::Wrong;
use lines::{Line, Lines};
use rows::{Form, Row, Rows};

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self, BatchError> {
        let extension = path.extension().map(|e| e.to_ascii_lowercase());
        match extension.as_ref().and_then(|e| e.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            Some("parquet") if cfg!(feature = "parquet") => Ok(Self::Parquet),
            _ => Err(BatchError::Manifest {
                path: path.to_owned(),
                line: 1,
                why: "its name ends in neither .csv nor .jsonl, .ndjson or .parquet".to_owned(),
            }),
        }
    }
}

/// A list that has been looked through once.
pub struct Manifest {
    path: PathBuf,
    /// How the list is called in errors.
    title: PathBuf,
    form: Form,
    count: usize,
    names: Shared,
}

impl Manifest {
    /// Opens a list, and looks through it for columns that are not known. Standard input (`-`) is
    /// JSON lines; it goes to a file in `spool`, as it can be read only once.
    ///
    /// # Errors
    /// The list cannot be read, or has such a column.
    pub fn open(title: &Path, spool: &Path) -> Result<Self, BatchError> {
        let unreadable = |error| BatchError::Input { path: title.to_owned(), error };
        let wrong = |line, why| BatchError::Manifest { path: title.to_owned(), line, why };
        let stdin = title.as_os_str() == "-";
        let path = if stdin { spool.join("manifest.jsonl") } else { title.to_owned() };
        if stdin {
            let mut file = File::create(&path).map_err(unreadable)?;
            io::copy(&mut io::stdin().lock(), &mut file).map_err(unreadable)?;
        }
        let form = match Format::of(&path)? {
            Format::JsonLines => Form::JsonLines,
            Format::Parquet => Form::Parquet,
            Format::Csv => {
                let mut lines = Lines::new(BufReader::new(File::open(&path).map_err(unreadable)?));
                match lines.next().map_err(unreadable)? {
                    None => return Err(wrong(1, "it has no header line".to_owned())),
                    Some((line, Line::TooLong)) => {
                        return Err(wrong(line, "the header line is too long".to_owned()));
                    }
                    Some((line, Line::Text(text))) => {
                        Form::Csv(columns::header(text).map_err(|why| wrong(line, why))?)
                    }
                }
            }
        };
        let mut manifest =
            Self { path, title: title.to_owned(), form, count: 0, names: Shared::default() };
        manifest.look_through()?;
        Ok(manifest)
    }

    fn look_through(&mut self) -> Result<(), BatchError> {
        let mut paths = Vec::new();
        let mut count = 0;
        for row in self.rows() {
            let row = row.map_err(|error| {
                let (path, line) = (self.title.clone(), count as u64 + 1);
                match error.kind() {
                    // What is there is no list.
                    io::ErrorKind::InvalidData => {
                        BatchError::Manifest { path, line, why: error.to_string() }
                    }
                    _ => BatchError::Input { path, error },
                }
            })?;
            count += 1;
            match row.cells {
                Ok((path, asked)) => {
                    let key = digest::of(asked.key().as_bytes());
                    paths.push((folded(&path), key));
                }
                Err(Wrong::Row(_)) => {}
                Err(Wrong::Column(why)) => {
                    let path = self.title.clone();
                    return Err(BatchError::Manifest { path, line: row.line, why });
                }
            }
        }
        self.count = count;
        self.names = Shared::new(paths);
        Ok(())
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The items of all rows; what cannot be read is one, too.
    pub fn items(&self) -> impl Iterator<Item = Item> + Send + '_ {
        self.rows().map(|row| match row {
            Ok(row) => self.item(row),
            Err(error) => Item::bad(PathBuf::new(), error.to_string(), None),
        })
    }

    fn item(&self, row: Row) -> Item {
        let (path, asked) = match row.cells {
            Ok(good) => good,
            Err(Wrong::Row(why) | Wrong::Column(why)) => {
                return Item::bad(row.stated, why, Some(row.line));
            }
        };
        match self.names.name(&path, &asked) {
            Some(named) => Item { path, named, found: Found::Listed, line: Some(row.line), asked },
            None => {
                let why = "the name of its result is another row's path".to_owned();
                Item::bad(path, why, Some(row.line))
            }
        }
    }

    fn rows(&self) -> Rows<'_> {
        Rows::open(&self.path, &self.form)
    }
}

/// Paths that several rows name for different devices or limits: their results need names of their
/// own.
#[derive(Default)]
struct Shared {
    /// Digests of such paths, sorted.
    paths: Vec<u64>,
    /// Digests of all paths, sorted; empty if none is shared.
    all: Vec<u64>,
}

/// Some file systems do not tell `A` from `a`.
fn folded(path: &Path) -> u64 {
    digest::of(path.as_os_str().to_ascii_lowercase().as_encoded_bytes())
}

impl Shared {
    /// From the digests of path and key of each row.
    fn new(mut rows: Vec<(u64, u64)>) -> Self {
        rows.sort_unstable();
        rows.dedup();
        let mut paths: Vec<u64> = rows
            .windows(2)
            .filter_map(|pair| match pair {
                [(a, _), (b, _)] if a == b => Some(*a),
                _ => None,
            })
            .collect();
        paths.dedup();
        let mut all: Vec<u64> = Vec::new();
        if !paths.is_empty() {
            all.extend(rows.iter().map(|(path, _)| *path));
            all.dedup();
        }
        Self { paths, all }
    }

    /// What the name of a row's result is made of: its path, and if others share it a digest of what
    /// the row asks for: `a.jpg` becomes `a~1f2e3d4c.jpg`. `None`: a row has that path already.
    fn name(&self, path: &Path, asked: &Asked) -> Option<PathBuf> {
        if asked.is_empty() || self.paths.binary_search(&folded(path)).is_err() {
            return Some(path.to_owned());
        }
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push("~");
        name.push(digest::short(asked.key().as_bytes()));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        let named = path.with_file_name(name);
        self.all.binary_search(&folded(&named)).is_err().then_some(named)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn manifest(name: &str, text: &[u8]) -> Result<Vec<Item>, BatchError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let manifest = Manifest::open(&path, dir.path())?;
        let items: Vec<Item> = manifest.items().collect();
        assert_eq!(items.len(), manifest.count());
        Ok(items)
    }

    fn why(item: &Item) -> &str {
        match &item.found {
            Found::Bad(why) => why,
            _ => panic!("{item:?}"),
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let csv = b"path,device,max_bytes\na.jpg,nokia-6230,\n./b//c.jpg,,300k\n";
        let json = b"{\"path\":\"a.jpg\",\"device\":\"nokia-6230\"}\n\n\
            {\"path\":\"b/c.jpg\",\"max_bytes\":\"300k\"}";
        let (csv, json) = (manifest("m.csv", csv).unwrap(), manifest("m.NDJSON", json).unwrap());
        assert_eq!(csv.len(), 2);
        for (one, other) in csv.iter().zip(&json) {
            assert_eq!((&one.path, &one.asked), (&other.path, &other.asked));
            assert_eq!(one.named, one.path);
        }
        assert_eq!((csv[1].line, json[1].line), (Some(3), Some(3)));
    }

    #[test]
    fn a_bad_row_is_an_item_with_its_line() {
        let text = b"path,device\n../a.jpg,\n/etc/passwd,\nok.jpg,\nx\n\"open,\n,\na/../b,\n\
            a\0b,\n.,\nlast.jpg,\n";
        let items = manifest("m.csv", text).unwrap();
        let bad: Vec<u64> = items.iter().filter(|i| i.is_bad()).map(|i| i.line.unwrap()).collect();
        assert_eq!(bad, [2, 3, 5, 6, 7, 8, 9, 10]);
        assert!(why(&items[0]).contains("`..`") && why(&items[1]).contains("absolute"));
        assert_eq!(items[0].path, Path::new("../a.jpg"));
    }

    #[test]
    fn what_is_unknown_is_told_before_anything_begins() {
        for (name, text, wanted) in [
            (
                "m.csv",
                &b"path,devise\na,b\n"[..],
                "line 1: unknown column `devise`; did you mean `device`?",
            ),
            (
                "m.jsonl",
                b"{\"path\":\"a\"}\n{\"path\":\"b\",\"carier\":\"x\"}\n",
                "line 2: unknown column `carier`; did you mean `carrier`?",
            ),
            ("m.txt", b"path\n", "neither .csv nor"),
            ("m.csv", b"", "no header line"),
            ("m.csv", b"device\n", "no column `path`"),
        ] {
            let error = manifest(name, text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn rows_that_share_a_path_have_names_of_their_own() {
        let text = b"path,device\nd/a.jpg,one\nd/a.jpg,two\nd/a.jpg,\nd/a.jpg,one\nb.jpg,one\nc,one\nc,two\n";
        let items = manifest("m.csv", text).unwrap();
        let names: Vec<&str> = items.iter().map(|item| item.named.to_str().unwrap()).collect();
        assert!(names[0].starts_with("d/a~") && names[0].ends_with(".jpg"), "{names:?}");
        assert_ne!(names[0], names[1]);
        assert_eq!((names[0], names[2], names[4]), (names[3], "d/a.jpg", "b.jpg"));
        assert!(names[5].starts_with("c~"), "{names:?}");

        // A row with the very path that another's result would get.
        let taken = [text.as_slice(), names[0].as_bytes(), b",\n"].concat();
        let items = manifest("m.csv", &taken).unwrap();
        assert!(why(&items[0]).contains("another row's path"));
        assert!(!items[7].is_bad());
    }
}
