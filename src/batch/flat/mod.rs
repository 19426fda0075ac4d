//! The report as Parquet: a row for each part, with all that is said of its item. What waits for the end of a row
//! group is bounded; what is noted of each row group (some 20 kB) stays until the end.

mod fields;

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};

use super::rows::Row;
use fields::{Cell, FIELDS, Kind, Line};

/// A row group ends with the item that brings it to so many rows, or so many bytes of text.
const MOST_ROWS: usize = 32 << 10;
const MOST_BYTES: usize = 16 << 20;

/// A file in work.
pub struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The values of a row group, and for each row whether it has one (1).
struct Column {
    there: Vec<i16>,
    values: Values,
}

enum Values {
    Text(Vec<ByteArray>),
    Int(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
}

impl<W: Write + Send> Table<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The system's.
    pub fn new(sink: W) -> std::io::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("mmsfit ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(sink, Arc::new(schema()?), Arc::new(properties))?;
        let columns = FIELDS.iter().map(|field| Column::new(field.kind)).collect();
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    /// Adds an item, the `number`th of its run: a row for each part, or one without any.
    ///
    /// # Errors
    /// The system's.
    pub fn item(&mut self, number: usize, row: &Row) -> std::io::Result<()> {
        for line in Line::of(number, row) {
            for (field, column) in FIELDS.iter().zip(&mut self.columns) {
                self.bytes += column.push(field.cell(&line));
            }
            self.rows += 1;
        }
        if self.rows >= MOST_ROWS || self.bytes >= MOST_BYTES {
            self.end_group()?;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(mut self) -> std::io::Result<W> {
        if self.rows > 0 {
            self.end_group()?;
        }
        Ok(self.writer.into_inner()?)
    }

    fn end_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for (field, column) in FIELDS.iter().zip(&mut self.columns) {
            let full = std::mem::replace(column, Column::new(field.kind));
            full.write(&mut group)?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Int => Values::Int(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
        };
        Self { there: Vec::new(), values }
    }

    /// Adds a cell, and says how many bytes of text it has. What is of another kind than its column counts as not there.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        let mut bytes = 0;
        let there = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text)) => {
                bytes = text.len();
                values.push(ByteArray::from(text.as_ref()));
                1
            }
            (Values::Int(values), Cell::Int(number)) => {
                values.push(number);
                1
            }
            (Values::Real(values), Cell::Real(number)) => {
                values.push(number);
                1
            }
            (Values::Flag(values), Cell::Flag(flag)) => {
                values.push(flag);
                1
            }
            _ => 0,
        };
        self.there.push(there);
        bytes
    }

    fn write<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        match &self.values {
            Values::Text(values) => put::<ByteArrayType, W>(group, values, &self.there),
            Values::Int(values) => put::<Int64Type, W>(group, values, &self.there),
            Values::Real(values) => put::<DoubleType, W>(group, values, &self.there),
            Values::Flag(values) => put::<BoolType, W>(group, values, &self.there),
        }
    }
}

fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    there: &[i16],
) -> Result<()> {
    let next = group.next_column()?;
    let mut column = next.ok_or_else(|| ParquetError::General("no column left".to_owned()))?;
    column.typed::<T>().write_batch(values, Some(there), None)?;
    column.close()
}

/// Every column may be null.
fn schema() -> Result<Type> {
    let mut columns = Vec::with_capacity(FIELDS.len());
    for field in FIELDS {
        let (physical, logical) = match field.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Int => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
        };
        let column = Type::primitive_type_builder(field.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        columns.push(Arc::new(column));
    }
    Type::group_type_builder("report").with_fields(columns).build()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use parquet::{file::reader::FileReader as _, file::serialized_reader::SerializedFileReader};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_has_a_row_for_each_part_or_one_without_any() {
        let mut table = Table::new(Vec::new()).unwrap();
        let bare = Row { bytes_before: 7, ..Row::bare(Path::new("a")) };
        table.item(0, &bare).unwrap();
        let reasons = json!([{"code": "X", "detail": "1 > 0"}, {"code": "Y", "detail": ""}]);
        let part = |index: u32| {
            json!({"partIndex": index, "reasons": reasons,
                "before": {"mediaType": "image/png", "dimensions": {"width": 3, "height": 2}}})
        };
        let report = json!({"outcome": "O", "parts": [part(0), part(1)], "warnings": []});
        table.item(4, &Row { report: Some(report), ..bare }).unwrap();
        let bytes = bytes::Bytes::from(table.finish().unwrap());
        let reader = SerializedFileReader::new(bytes).unwrap();
        let rows: Vec<serde_json::Value> =
            reader.get_row_iter(None).unwrap().map(|row| as_json(&row.unwrap())).collect();
        assert_eq!(rows.len(), 3);
        let numbers: Vec<_> = rows.iter().map(|row| (&row["item"], &row["first"])).collect();
        let (yes, no) = (json!(true), json!(false));
        assert_eq!(numbers, [(&json!("0"), &yes), (&json!("4"), &yes), (&json!("4"), &no)]);
        assert_eq!(rows[0]["part_index"], json!(null));
        assert_eq!(rows[0]["parts"], json!("0"));
        assert_eq!(rows[2]["part_index"], json!("1"));
        assert_eq!(rows[2]["bytes_before"], json!("7"));
        assert_eq!(rows[2]["part_reasons"], json!("X, Y"));
        assert_eq!(rows[2]["part_reason_details"], json!("X: 1 > 0"));
        assert_eq!(rows[2]["part_width_before"], json!("3"));
        assert_eq!(rows[2]["part_width_after"], json!(null));
        assert_eq!(rows[2]["warnings"], json!(null));
    }

    #[test]
    fn many_rows_are_many_groups() {
        let mut table = Table::new(Vec::new()).unwrap();
        let long = Row { message: Some("x".repeat(1 << 20)), ..Row::bare(Path::new("a")) };
        for number in 0..20 {
            table.item(number, &long).unwrap();
        }
        for number in 20..20 + MOST_ROWS {
            table.item(number, &Row::bare(Path::new("b"))).unwrap();
        }
        let bytes = bytes::Bytes::from(table.finish().unwrap());
        let reader = SerializedFileReader::new(bytes).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 20 + MOST_ROWS as i64);
        assert_eq!(reader.num_row_groups(), 3);
    }

    #[test]
    fn no_items_are_a_file_without_rows() {
        let bytes = Table::new(Vec::new()).unwrap().finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }

    /// The row reader of the crate as JSON: numbers as text.
    fn as_json(row: &parquet::record::Row) -> serde_json::Value {
        use parquet::record::Field;
        let cells = row.get_column_iter().map(|(name, field)| {
            let value = match field {
                Field::Null => json!(null),
                Field::Str(text) => json!(text),
                Field::Bool(flag) => json!(flag),
                other => json!(other.to_string()),
            };
            (name.clone(), value)
        });
        serde_json::Value::Object(cells.collect())
    }
}
