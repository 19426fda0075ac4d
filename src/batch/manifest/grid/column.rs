//! The values of a column, some rows at a time.

use std::sync::Arc;

use parquet::{
    basic::{ConvertedType, LogicalType, Type as Physical},
    column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::{ParquetError, Result},
    file::metadata::RowGroupMetaData,
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};

use super::guard::{Guarded, Pages};

/// Why a column cannot be read at all; in words.
pub fn unfit(column: &ColumnDescriptor) -> Option<String> {
    let name: String = column.name().chars().take(64).collect();
    if column.path().parts().len() != 1 || column.max_rep_level() > 0 {
        return Some(format!("the column `{name}` has lists or groups; cells are texts"));
    }
    let whole = matches!(
        column.logical_type_ref(),
        None | Some(LogicalType::Integer { .. } | LogicalType::Unknown)
    ) && !matches!(
        column.converted_type(),
        ConvertedType::DECIMAL
            | ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS
    );
    match column.physical_type() {
        Physical::BYTE_ARRAY => None,
        Physical::INT32 | Physical::INT64 | Physical::DOUBLE if whole => None,
        _ => Some(format!("the column `{name}` is neither text nor whole numbers")),
    }
}

/// A cell.
#[derive(Debug, PartialEq)]
pub enum Cell {
    None,
    Text(ByteArray),
    /// A whole number, written out.
    Number(String),
    /// A number that is none.
    Odd,
}

/// A column of a row group.
pub struct Column {
    read: Read,
    optional: bool,
    unsigned: bool,
    /// Of each row, whether it has a value (1).
    there: Vec<i16>,
    /// The next row, and the next value.
    row: usize,
    value: usize,
}

enum Read {
    Text(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Int(ColumnReaderImpl<Int32Type>, Vec<i32>),
    Long(ColumnReaderImpl<Int64Type>, Vec<i64>),
    Real(ColumnReaderImpl<DoubleType>, Vec<f64>),
}

impl Column {
    /// The `at`th column of a row group.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(file: &Arc<Guarded>, group: &RowGroupMetaData, at: usize) -> Result<Self> {
        let description: ColumnDescPtr = group.schema_descr().column(at);
        let rows = usize::try_from(group.num_rows())?;
        let pages = Box::new(Pages::new(file, group.column(at), rows)?);
        let reader = get_column_reader(Arc::clone(&description), pages);
        let read = match description.physical_type() {
            Physical::BYTE_ARRAY => Read::Text(get_typed_column_reader(reader), Vec::new()),
            Physical::INT32 => Read::Int(get_typed_column_reader(reader), Vec::new()),
            Physical::INT64 => Read::Long(get_typed_column_reader(reader), Vec::new()),
            Physical::DOUBLE => Read::Real(get_typed_column_reader(reader), Vec::new()),
            other => return Err(ParquetError::General(format!("a column of {other}"))),
        };
        let unsigned = matches!(
            description.converted_type(),
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        );
        let optional = description.max_def_level() > 0;
        Ok(Self { read, optional, unsigned, there: Vec::new(), row: 0, value: 0 })
    }

    /// Reads the next `rows` rows.
    ///
    /// # Errors
    /// They are not there, or broken.
    pub fn fill(&mut self, rows: usize) -> Result<()> {
        self.there.clear();
        (self.row, self.value) = (0, 0);
        let there = &mut self.there;
        let read = match &mut self.read {
            Read::Text(reader, values) => more(reader, values, there, rows),
            Read::Int(reader, values) => more(reader, values, there, rows),
            Read::Long(reader, values) => more(reader, values, there, rows),
            Read::Real(reader, values) => more(reader, values, there, rows),
        };
        if read? != rows || (self.optional && there.len() != rows) {
            return Err(ParquetError::General("a column ends before its row group".to_owned()));
        }
        Ok(())
    }

    /// The cell of the next row of those.
    pub fn next(&mut self) -> Cell {
        let there = !self.optional || self.there.get(self.row).is_some_and(|level| *level > 0);
        self.row += 1;
        if !there {
            return Cell::None;
        }
        let at = self.value;
        self.value += 1;
        let cell = match &self.read {
            Read::Text(_, values) => values.get(at).cloned().map(Cell::Text),
            Read::Int(_, values) => values.get(at).map(|value| match self.unsigned {
                true => Cell::Number(value.cast_unsigned().to_string()),
                false => Cell::Number(value.to_string()),
            }),
            Read::Long(_, values) => values.get(at).map(|value| match self.unsigned {
                true => Cell::Number(value.cast_unsigned().to_string()),
                false => Cell::Number(value.to_string()),
            }),
            Read::Real(_, values) => values.get(at).map(|value| real(*value)),
        };
        cell.unwrap_or(Cell::None)
    }
}

fn more<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
    there: &mut Vec<i16>,
    rows: usize,
) -> Result<usize> {
    values.clear();
    Ok(reader.read_records(rows, Some(there), None, values)?.0)
}

/// Libraries that know no whole numbers with gaps write such a column as reals, and the gaps as what is no number.
fn real(value: f64) -> Cell {
    /// Up to here every whole number is one.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        Cell::None
    } else if value.fract() == 0.0 && value.abs() <= EXACT {
        Cell::Number(format!("{value:.0}"))
    } else {
        Cell::Odd
    }
}
