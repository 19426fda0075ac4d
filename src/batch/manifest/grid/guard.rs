//! A Parquet file that is not believed: what its structures would cost is checked before they are decoded, so that
//! what is held in memory has a bound whatever the file says.

use std::{
    fs::File,
    io::{self, BufReader},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    column::page::{Page, PageMetadata, PageReader},
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader},
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
};

use super::thrift::{self, Value};

/// What stands at the end of a file, with what it says of all row groups.
const LONGEST_FOOTER: u64 = 16 << 20;
/// Header of a page, which may have the least and the largest of its values.
const LONGEST_HEADER: usize = 64 << 10;
/// A page, packed or not. Writers end them at 1 MiB or so; some keep a row group in one.
const LONGEST_PAGE: i64 = 32 << 20;
/// A page of the distinct values of a column: writers end it at 1 MiB.
const LONGEST_DICTIONARY: usize = 4 << 20;
/// Values of a page: some encodings need four bytes a value at once.
const MOST_VALUES: u32 = 4 << 20;
/// Columns, those of groups too, and the groups.
const MOST_COLUMNS: u64 = 64;
/// Rows for each byte of a file: of columns that repeat, many rows take few bytes.
const ROWS_PER_BYTE: u64 = 16;

/// The file, as the crate reads it.
pub struct Guarded(File);

fn wrong(why: &str) -> ParquetError {
    ParquetError::General(why.to_owned())
}

impl Guarded {
    /// Reads what a file says of itself.
    ///
    /// # Errors
    /// It is no Parquet file, or more than is read here.
    pub fn open(file: File) -> Result<(Arc<Self>, ParquetMetaData)> {
        let length = file.metadata()?.len();
        let mut end = [0; 8];
        let at = length.checked_sub(8).ok_or_else(|| wrong("not a Parquet file"))?;
        file.read_exact_at(&mut end, at)?;
        let [a, b, c, d, magic @ ..] = end;
        if &magic != b"PAR1" {
            return Err(wrong("not a Parquet file, or encrypted"));
        }
        let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
        if footer > LONGEST_FOOTER {
            return Err(wrong("what stands at its end is longer than 16 MiB"));
        }
        let from = at.checked_sub(footer).ok_or_else(|| wrong("its end is broken"))?;
        let mut bytes = vec![0; usize::try_from(footer).unwrap_or_default()];
        file.read_exact_at(&mut bytes, from)?;
        // FileMetaData: 2 is the schema, which is decoded by a function that calls itself.
        let seen = thrift::fields(&bytes, |id, value| match (id, value) {
            (2, Value::List(count)) if count > MOST_COLUMNS => Err("more than 64 columns"),
            _ => Ok(()),
        });
        seen.map_err(wrong)?;
        let metadata = ParquetMetaDataReader::decode_metadata(&bytes)?;
        check(&metadata, length)?;
        Ok((Arc::new(Self(file)), metadata))
    }
}

/// # Errors
/// Numbers that cannot be.
fn check(metadata: &ParquetMetaData, length: u64) -> Result<()> {
    let mut rows = 0_u64;
    for group in metadata.row_groups() {
        let of_group =
            u64::try_from(group.num_rows()).map_err(|_| wrong("a row group is broken"))?;
        rows = rows.saturating_add(of_group);
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let end = start.checked_add(column.compressed_size());
            let inside =
                end.and_then(|end| u64::try_from(end).ok()).is_some_and(|end| end <= length);
            if start < 0 || column.compressed_size() < 0 || !inside {
                return Err(wrong("a column leads out of the file"));
            }
        }
    }
    if rows > length.saturating_mul(ROWS_PER_BYTE) {
        return Err(wrong("more rows than a file of its size can have"));
    }
    Ok(())
}

impl Length for Guarded {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Guarded {
    type T = BufReader<io::Take<At>>;

    /// The crate asks for this where the header of a page begins.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut head = vec![0; LONGEST_HEADER];
        let length = self.0.read_at(&mut head, start)?;
        let (mut unpacked, mut packed) = (None, None);
        let seen = thrift::fields(head.get(..length).unwrap_or_default(), |id, value| {
            // PageHeader: 2 and 3 are the sizes.
            let size = match id {
                2 => &mut unpacked,
                3 => &mut packed,
                _ => return Ok(()),
            };
            match value {
                Value::Number(bytes @ 0..=LONGEST_PAGE) if size.is_none() => *size = Some(bytes),
                _ => return Err("a page is longer than 32 MiB"),
            }
            Ok(())
        });
        seen.map_err(wrong)?;
        let file = At { file: self.0.try_clone()?, at: start };
        Ok(BufReader::with_capacity(1 << 10, io::Read::take(file, LONGEST_HEADER as u64)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if !i64::try_from(length).is_ok_and(|length| length <= LONGEST_PAGE) {
            return Err(wrong("a page is longer than 32 MiB"));
        }
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// A place in a file that others read as well.
pub struct At {
    file: File,
    at: u64,
}

impl io::Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

/// The pages of a column of a row group.
pub struct Pages(SerializedPageReader<Guarded>);

impl Pages {
    /// From the first on.
    ///
    /// # Errors
    /// They are packed in a way that is not read here.
    pub fn new(file: &Arc<Guarded>, column: &ColumnChunkMetaData, rows: usize) -> Result<Self> {
        Ok(Self(SerializedPageReader::new(Arc::clone(file), column, rows, None)?))
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        if let Some(page) = &page {
            if page.num_values() > MOST_VALUES {
                return Err(wrong("a page has more than 4 million values"));
            }
            let bytes = page.buffer().len();
            // Every value of a dictionary takes four bytes at least, and is held in some more.
            if page.is_dictionary_page()
                && (bytes > LONGEST_DICTIONARY || page.num_values() as usize > bytes / 4)
            {
                return Err(wrong("the distinct values of a column are more than 4 MiB"));
            }
        }
        Ok(page)
    }

    // Whoever has looked at a header reads on behind it, where the guard would take the page for a header.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(wrong("pages are read one after the other"))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(wrong("pages are read one after the other"))
    }
}
