//! The rows of a list, in whichever form it is written.

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Component, Path, PathBuf},
};

use crate::batch::asked::Asked;

use super::{
    columns::{self, Cells, Column, Splitter, Wrong},
    lines::{Line, Lines},
};

/// How a list is written, as far as its rows must know.
pub enum Form {
    /// With the columns that the header line names.
    Csv(Vec<Column>),
    JsonLines,
    /// Only where there is the feature.
    Parquet,
}

/// A row as it is written.
pub struct Row {
    /// The line; of Parquet, the row. From 1.
    pub line: u64,
    /// The path as far as it could be read.
    pub stated: PathBuf,
    pub cells: Result<(PathBuf, Asked), Wrong>,
}

/// All rows, from the first on; an error of the system, or of a file that is none, is the last.
pub struct Rows<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Lines {
        lines: Lines<BufReader<File>>,
        columns: Option<&'a [Column]>,
        splitter: Box<Splitter>,
    },
    #[cfg(feature = "parquet")]
    Grid(super::grid::Rows),
    Failed(io::Error),
    Over,
}

impl<'a> Rows<'a> {
    /// Of a file that is written in this form.
    pub fn open(path: &Path, form: &'a Form) -> Self {
        let source = match form {
            #[cfg(feature = "parquet")]
            Form::Parquet => super::grid::Rows::open(path).map(Source::Grid),
            #[cfg(not(feature = "parquet"))]
            Form::Parquet => Err(io::Error::from(io::ErrorKind::Unsupported)),
            Form::JsonLines => Source::lines(path, None),
            Form::Csv(columns) => Source::lines(path, Some(columns)),
        };
        Self { source: source.unwrap_or_else(Source::Failed) }
    }

    fn read(&mut self) -> io::Result<Option<Row>> {
        let (line, cells) = match &mut self.source {
            Source::Over => return Ok(None),
            Source::Failed(error) => return Err(io::Error::new(error.kind(), error.to_string())),
            #[cfg(feature = "parquet")]
            Source::Grid(rows) => match rows.next()? {
                Some(row) => row,
                None => return Ok(None),
            },
            Source::Lines { lines, columns, splitter } => match (lines.next()?, *columns) {
                (None, _) => return Ok(None),
                (Some((line, Line::TooLong)), _) => {
                    (line, Err(Wrong::Row("the line is too long".to_owned())))
                }
                (Some((line, Line::Text(text))), Some(columns)) => {
                    (line, columns::csv(text, columns, splitter).map_err(Wrong::Row))
                }
                (Some((line, Line::Text(text))), None) => (line, columns::json(text)),
            },
        };
        Ok(Some(Row::new(line, cells)))
    }
}

impl<'a> Source<'a> {
    /// Behind the header line, if there are `columns`.
    fn lines(path: &Path, columns: Option<&'a [Column]>) -> io::Result<Self> {
        let mut lines = Lines::new(BufReader::new(File::open(path)?));
        if columns.is_some() {
            lines.next()?;
        }
        Ok(Self::Lines { lines, columns, splitter: Box::default() })
    }
}

impl Iterator for Rows<'_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.read();
        if row.is_err() {
            self.source = Source::Over;
        }
        row.transpose()
    }
}

impl Row {
    fn new(line: u64, cells: Result<Cells, Wrong>) -> Self {
        match cells {
            Err(wrong) => Self { line, stated: PathBuf::new(), cells: Err(wrong) },
            Ok(cells) => {
                let stated = PathBuf::from(cells.path);
                let cells = below(&stated).map(|path| (path, cells.asked));
                Self { line, stated, cells: cells.map_err(Wrong::Row) }
            }
        }
    }
}

/// A path that stays below the root that it is relative to, written in one way: `./a//b` is `a/b`.
fn below(stated: &Path) -> Result<PathBuf, String> {
    let mut path = PathBuf::new();
    for component in stated.components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => return Err("`..` in a path".to_owned()),
            Component::RootDir | Component::Prefix(_) => {
                return Err("the path is absolute; it must be relative to the input".to_owned());
            }
        }
    }
    if path.as_os_str().is_empty() {
        return Err("no path".to_owned());
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err("a zero byte in a path".to_owned());
    }
    Ok(path)
}
