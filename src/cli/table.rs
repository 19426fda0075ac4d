//! Tables that fit the terminal: widths by what is seen, not by bytes; the widest column is
//! cut first.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::term::{Paint, Tone};

/// The alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: super::safe::safe(&text.into()), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// Rows under headings, each row with notes that are wrapped below it.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<(Vec<Cell>, Vec<String>)>,
}

/// No column is cut to less.
const NARROWEST: usize = 4;
/// Between columns.
const GAP: usize = 2;

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.noted(cells, Vec::new());
    }

    /// Adds a row with notes below it.
    pub fn noted(&mut self, mut cells: Vec<Cell>, notes: Vec<String>) {
        cells.resize(self.columns.len(), Cell::default());
        let notes = notes.iter().map(|note| super::safe::safe(note)).collect();
        self.rows.push((cells, notes));
    }

    /// The table in at most `width` columns, as far as [`NARROWEST`] lets it.
    pub fn render(&self, width: usize, paint: Paint) -> String {
        let widths = self.widths(width);
        let mut out = String::new();
        let heads: Vec<Cell> =
            self.columns.iter().map(|(head, _)| Cell::toned(*head, Tone::Strong)).collect();
        self.line(&mut out, &heads, &widths, paint);
        for (cells, notes) in &self.rows {
            self.line(&mut out, cells, &widths, paint);
            let indent = widths.first().copied().unwrap_or(0) + GAP;
            for note in notes {
                for (index, line) in wrap(note, width.saturating_sub(indent + 2)).iter().enumerate()
                {
                    let mark = if index == 0 { "· " } else { "  " };
                    out.push_str(&" ".repeat(indent));
                    out.push_str(&paint.tone(Tone::Faint, &format!("{mark}{line}")));
                    out.push('\n');
                }
            }
        }
        out
    }

    fn line(&self, out: &mut String, cells: &[Cell], widths: &[usize], paint: Paint) {
        let mut line = String::new();
        // Columns that are empty in every row (width 0) leave no gap behind.
        let shown = cells.iter().zip(widths).zip(&self.columns).filter(|((_, w), _)| **w > 0);
        let mut pending = 0;
        for ((cell, &width), (_, align)) in shown {
            let text = shorten(&cell.text, width);
            let fill = width - text.width();
            let (before, after) = match align {
                Align::Left => (0, fill),
                Align::Right => (fill, 0),
            };
            if !text.is_empty() {
                line.push_str(&" ".repeat(pending + before));
                line.push_str(&paint.tone(cell.tone, &text));
                pending = after + GAP;
            } else {
                pending += width + GAP;
            }
        }
        out.push_str(&line);
        out.push('\n');
    }

    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(column));
                match cells.map(|cell| cell.text.width()).max() {
                    Some(0) => 0,
                    widest => widest.unwrap_or(0).max(self.columns[column].0.width()),
                }
            })
            .collect();
        let gaps = GAP * widths.iter().filter(|w| **w > 0).count().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > room {
            match widths.iter_mut().filter(|w| **w > NARROWEST).max_by_key(|w| **w) {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

/// At most `width` columns of `text`, an ellipsis where something is missing.
pub fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// `text` in lines of at most `width` columns, broken at spaces; long words stand over.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > width.max(NARROWEST) {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table =
            Table::new(&[("#", Align::Right), ("name", Align::Left), ("size", Align::Right)]);
        table.noted(
            vec!["1".into(), "写真写真写真.jpg".into(), "3.10 MB".into()],
            vec!["larger than the image size allowed".into()],
        );
        table.row(vec!["12".into(), "a.txt".into(), "12 B".into()]);
        table
    }

    #[test]
    fn columns_line_up_by_what_is_seen() {
        let text = sample().render(80, Paint::NONE);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].width(), lines[3].width(), "{text}");
        assert_eq!(lines[1], " 1  写真写真写真.jpg  3.10 MB");
        assert_eq!(lines[2], "    · larger than the image size allowed");
    }

    #[test]
    fn narrow_terminals_are_respected() {
        for width in 20..60 {
            let text = sample().render(width, Paint::NONE);
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn cutting_counts_wide_characters() {
        assert_eq!(shorten("写真写真", 5), "写真…");
        assert_eq!(shorten("写真写真", 4), "写…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("abc", 0), "");
        assert_eq!(wrap("aaa bbb ccc", 7), ["aaa bbb", "ccc"]);
    }

    #[test]
    fn columns_without_content_vanish() {
        let mut table = Table::new(&[("a", Align::Left), ("b", Align::Left), ("c", Align::Left)]);
        table.row(vec!["1".into(), "".into(), "3".into()]);
        assert_eq!(table.render(80, Paint::NONE), "a  c\n1  3\n");
    }
}
