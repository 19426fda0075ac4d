//! A list in Parquet: row group by row group, some rows of each page at a time. What is held has a bound whatever the
//! file says (see [`guard`]).

mod column;
mod guard;
mod thrift;

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::ffi::OsStringExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use parquet::{
    errors::{ParquetError, Result},
    file::metadata::ParquetMetaData,
};

use super::columns::{self, Cells, Column, Wrong};
use guard::Guarded;

/// Rows that are decoded at once.
const BATCH: usize = 1024;
/// Longer rows are none, as lines are.
const LONGEST: usize = 64 << 10;

/// The rows of a file with their numbers, from 1.
pub struct Rows {
    file: Arc<Guarded>,
    metadata: ParquetMetaData,
    columns: Vec<Column>,
    /// The next row group.
    group: usize,
    /// The columns of the one in work.
    open: Vec<column::Column>,
    /// Rows of it that are not decoded yet, and those that are and not shown.
    left: usize,
    decoded: usize,
    number: u64,
}

impl Rows {
    /// Opens a file, and looks at its columns.
    ///
    /// # Errors
    /// The system's; of kind `InvalidData` if it is no list.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let (file, metadata) = guarded(|| Guarded::open(file))?;
        let schema = metadata.file_metadata().schema_descr_ptr();
        if let Some(why) = schema.columns().iter().find_map(|column| column::unfit(column)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let columns = columns::named(schema.columns().iter().map(|column| column.name()))
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let (open, group) = (Vec::new(), 0);
        Ok(Self { file, metadata, columns, group, open, left: 0, decoded: 0, number: 0 })
    }

    /// The next row.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub fn next(&mut self) -> io::Result<Option<(u64, std::result::Result<Cells, Wrong>)>> {
        if self.decoded == 0 && !guarded(|| self.decode())? {
            return Ok(None);
        }
        self.decoded -= 1;
        self.number += 1;
        let cells: Vec<_> = self.open.iter_mut().map(column::Column::next).collect();
        let cells = self.columns.iter().copied().zip(cells);
        Ok(Some((self.number, row(cells).map_err(Wrong::Row))))
    }

    /// Decodes some rows; `false`: there are none.
    fn decode(&mut self) -> Result<bool> {
        while self.left == 0 {
            if self.group == self.metadata.num_row_groups() {
                return Ok(false);
            }
            let group = self.metadata.row_group(self.group);
            self.group += 1;
            self.left = usize::try_from(group.num_rows())?;
            let all = 0..self.columns.len();
            self.open.clear();
            let open = all.map(|at| column::Column::open(&self.file, group, at));
            self.open = open.collect::<Result<_>>()?;
        }
        let rows = self.left.min(BATCH);
        for column in &mut self.open {
            column.fill(rows)?;
        }
        self.left -= rows;
        self.decoded = rows;
        Ok(true)
    }
}

/// What is wrong with a file is told as data that is none. A panic is a fault of the decoder's, and costs the list alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> io::Result<T> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(ParquetError::General("the decoder gave up".to_owned()))).map_err(
        |error| match error {
            ParquetError::General(why) | ParquetError::EOF(why) | ParquetError::NYI(why) => {
                io::Error::new(io::ErrorKind::InvalidData, why)
            }
            other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
        },
    )
}

/// # Errors
/// In words, if a cell is not what its column has.
fn row(all: impl Iterator<Item = (Column, column::Cell)>) -> std::result::Result<Cells, String> {
    let mut cells = Cells::default();
    let mut length = 0;
    for (column, cell) in all {
        match cell {
            column::Cell::None => {}
            column::Cell::Text(bytes) => {
                length += bytes.len();
                if length > LONGEST {
                    return Err("the row is too long".to_owned());
                }
                let bytes = bytes.data().to_vec();
                if column == Column::Path {
                    cells.path = OsString::from_vec(bytes);
                    continue;
                }
                let text =
                    String::from_utf8(bytes).map_err(|_| "a cell is not UTF-8".to_owned())?;
                cells.put(column, text.trim().to_owned());
            }
            column::Cell::Number(number) if column == Column::MaxBytes => cells.put(column, number),
            column::Cell::Odd => return Err(format!("{}: not a whole number", column.name())),
            column::Cell::Number(_) => {
                return Err(format!("{}: not a text", column.name()));
            }
        }
    }
    Ok(cells)
}

#[cfg(test)]
mod tests;
