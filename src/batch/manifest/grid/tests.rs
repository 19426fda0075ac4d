//! Files written by the crate, whole and mended for the worse. (Those of other houses: tests/suite/batch_parquet.rs.)

use std::{fs, io::ErrorKind};

use parquet::{
    basic::Compression,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::*;

const SCHEMA: &str = "message list { required binary path (UTF8); optional binary device (UTF8); optional int64 max_bytes; }";

/// `rows` rows in row groups of 100, some cells empty.
fn list(rows: i64, compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    for from in (0..rows).step_by(100) {
        let numbers: Vec<i64> = (from..rows.min(from + 100)).collect();
        let there: Vec<i16> = numbers.iter().map(|number| i16::from(number % 3 == 0)).collect();
        let mut group = writer.next_row_group().unwrap();
        let text =
            |number: &i64| parquet::data_type::ByteArray::from(format!("{number}.jpg").as_str());
        let mut column = group.next_column().unwrap().unwrap();
        let paths: Vec<_> = numbers.iter().map(text).collect();
        column
            .typed::<parquet::data_type::ByteArrayType>()
            .write_batch(&paths, None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let devices = vec![parquet::data_type::ByteArray::from(" nokia-6600 "); numbers.len()];
        column
            .typed::<parquet::data_type::ByteArrayType>()
            .write_batch(&devices, Some(&there), None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let sizes: Vec<i64> = numbers.iter().copied().filter(|number| number % 3 == 0).collect();
        column
            .typed::<parquet::data_type::Int64Type>()
            .write_batch(&sizes, Some(&there), None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

/// All rows, or why there are none.
fn read(bytes: &[u8]) -> io::Result<Vec<std::result::Result<Cells, Wrong>>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.parquet");
    fs::write(&path, bytes).unwrap();
    let mut rows = Rows::open(&path)?;
    let mut all = Vec::new();
    while let Some((number, cells)) = rows.next()? {
        all.push(cells);
        assert_eq!(number, all.len() as u64);
    }
    Ok(all)
}

#[track_caller]
fn broken(bytes: &[u8]) -> String {
    let error = read(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    error.to_string()
}

#[test]
fn rows_are_as_they_were_written() {
    for compression in
        [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::GZIP(Default::default())]
    {
        let rows = read(&list(2500, compression)).unwrap();
        assert_eq!(rows.len(), 2500);
        for (number, row) in rows.iter().enumerate() {
            let cells = row.as_ref().unwrap();
            assert_eq!(cells.path, *format!("{number}.jpg"));
            let there = number % 3 == 0;
            assert_eq!(cells.asked.device.as_deref(), there.then_some("nokia-6600"));
            let size = there.then(|| number.to_string());
            assert_eq!(cells.asked.max_bytes, size);
        }
    }
    assert!(read(&list(0, Compression::SNAPPY)).unwrap().is_empty());
}

#[test]
fn a_file_cut_anywhere_is_broken() {
    let whole = list(150, Compression::SNAPPY);
    for cut in 0..whole.len() {
        broken(&whole[..cut]);
    }
}

/// Whatever comes of it: an error or rows. The crate panics at some of these (texts that are longer than their page),
/// which costs the list alone.
#[test]
fn hostile_bytes_harm_nothing() {
    let mut chance = fastrand::Rng::with_seed(20261130);
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        let whole = list(120, compression);
        for _ in 0..1500 {
            let mut bytes = whole.clone();
            for _ in 0..chance.usize(1..4) {
                let at = chance.usize(..bytes.len() - 8);
                bytes[at] = if chance.bool() {
                    chance.u8(..)
                } else {
                    [0, 0x7f, 0x80, 0xff][chance.usize(..4)]
                };
            }
            if let Err(error) = read(&bytes) {
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            }
        }
    }
}

#[test]
fn what_a_page_says_it_will_be_is_not_made_room_for() {
    let whole = list(50, Compression::SNAPPY);
    // The header of the first page: 1: i32 type, 2: i32 unpacked, 3: i32 packed; each a zigzag number.
    assert_eq!((whole[4], whole[6]), (0x15, 0x15));
    let rest = whole[6..].iter().skip(1).position(|byte| *byte < 0x80).unwrap() + 8;
    // Of one length with what stood there: a number of four bytes more moves what follows, so that it is broken anyway;
    // what matters is which check finds it.
    let mut bytes = whole[..7].to_vec();
    bytes.extend(b"\xfe\xff\xff\xff\x0f");
    bytes.extend(&whole[rest..]);
    assert_eq!(broken(&bytes), "a page is longer than 32 MiB");
}

#[test]
fn what_stands_at_the_end_is_not_believed() {
    let end = |footer: &[u8]| {
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        [b"PAR1", footer, &length, b"PAR1"].concat()
    };
    // A schema of a million columns, each in the one before.
    let mut deep = b"\x15\x02\x19\xfc\xc0\x84\x3d".to_vec();
    deep.extend(b"\x48\x01g\x15\x02\x00".repeat(1_000_000));
    deep.extend(b"\x16\x00\x19\x0c\x00");
    assert_eq!(broken(&end(&deep)), "more than 64 columns");
    assert!(broken(b"PAR1\xff\xff\xff\x7fPAR1").contains("16 MiB"));
    assert!(broken(&end(b"")).contains("broken"));
    assert!(broken(b"PAR1").contains("not a Parquet file"));
    assert!(broken(b"").contains("not a Parquet file"));
    broken(&end(&[0x1c; 100_000]));
}

#[test]
fn columns_are_those_of_a_list() {
    let empty = |schema: &str| {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut bytes = Vec::new();
        let properties = Arc::new(WriterProperties::default());
        SerializedFileWriter::new(&mut bytes, schema, properties).unwrap().close().unwrap();
        broken(&bytes)
    };
    let error = empty("message list { required binary path; optional binary devise; }");
    assert!(error.contains("did you mean `device`"), "{error}");
    let error = empty("message list { required binary device; }");
    assert!(error.contains("no column `path`"), "{error}");
    for wrong in [
        "message list { repeated binary path; }",
        "message list { required group path { required binary path; } }",
        "message list { required boolean path; }",
        "message list { required binary path; optional int64 max_bytes (TIMESTAMP(MILLIS, true)); }",
    ] {
        assert!(empty(wrong).starts_with("the column `"), "{wrong}");
    }
}
