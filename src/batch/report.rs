//! The report as a file: a JSON object for each item, or by its ending Parquet, a row for each part.

use std::{
    io::{self, Write as _},
    path::Path,
};

#[cfg(feature = "parquet")]
use super::flat;
use super::{
    error::BatchError,
    rows::{Row, Rows},
    write,
};

/// Whether a path names a Parquet file.
pub fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// Tells before a run begins whether its report can be written in the form that the ending names.
///
/// # Errors
/// This build has no Parquet.
pub fn check(path: &Path) -> Result<(), BatchError> {
    if is_parquet(path) && !cfg!(feature = "parquet") {
        return Err(BatchError::Layout("this build writes no Parquet".to_owned()));
    }
    Ok(())
}

/// Writes all rows in the order of the tree, and hands each to `count`. The file appears whole or not at all.
///
/// # Errors
/// The system's.
pub fn write(rows: Rows, path: &Path, mut count: impl FnMut(&Row)) -> io::Result<()> {
    if is_parquet(path) {
        #[cfg(feature = "parquet")]
        return write::whole_with(path, |file| {
            let mut table = flat::Table::new(io::BufWriter::new(file))?;
            rows.each(|number, row, _| {
                count(row);
                table.item(number, row)
            })?;
            table.finish()?.flush()
        });
    }
    write::whole_with(path, |file| {
        let mut file = io::BufWriter::new(file);
        rows.each(|_, row, line| {
            count(row);
            file.write_all(line)
        })?;
        file.flush()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::{super::rows::Status, *};

    #[test]
    fn rows_come_out_in_the_order_of_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let rows = Rows::create(&dir.path().join("rows"), 3).unwrap();
        let row = |name: &str, status| Row { status, ..Row::bare(Path::new(name)) };
        rows.put(2, &row("c", Status::Done)).unwrap();
        rows.put(0, &row("a", Status::Failed)).unwrap();
        let report = dir.path().join("report");
        let mut counted = Vec::new();
        write(rows, &report, |row| counted.push(row.status)).unwrap();
        let text = fs::read_to_string(report).unwrap();
        let paths: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap()["path"].clone())
            .collect();
        assert_eq!(paths, ["a", "c"]);
        assert_eq!(counted, [Status::Failed, Status::Done]);
    }
}
