//! Aligned columns for people.

use std::fmt::Write;

use super::wrap;

/// Rows of cells, rendered with every column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading.
    pub(super) fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(str::to_owned).into()] }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Whether it has nothing below its heading.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The table; with rows, columns that are empty in all of them are left out.
    ///
    /// With a `width` no line is longer, as far as words allow: of the columns that do not fit, the widest go below
    /// their rows.
    pub(super) fn render(&self, width: Option<usize>) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widest = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max();
        let is_used =
            |column: usize| self.is_empty() || self.rows[1..].iter().any(|row| !row[column].is_empty());
        let mut beside: Vec<(usize, usize)> = (0..columns)
            .filter(|column| is_used(*column))
            .map(|column| (column, widest(column).unwrap_or_default()))
            .collect();
        let mut below = Vec::new();
        while width.is_some_and(|width| total(&beside) > width) && beside.len() > 1 {
            let at = (0..beside.len()).max_by_key(|at| beside[*at].1).unwrap_or_default();
            below.push(beside.remove(at).0);
        }
        below.sort_unstable();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, width) in &beside {
                let _ = write!(line, "{:<width$}  ", row[*column]);
            }
            text.push_str(line.trim_end());
            text.push('\n');
            for cell in below.iter().map(|column| &row[*column]).filter(|cell| !cell.is_empty()) {
                text.push_str(&wrap::beside("    ", cell, width));
            }
        }
        text
    }
}

/// How wide columns are together, with two blanks between them.
fn total(columns: &[(usize, usize)]) -> usize {
    columns.iter().map(|(_, width)| width + 2).sum::<usize>().saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_unused_ones_left_out() {
        let mut table = Table::new(["name", "unused", "type"]);
        table.row(["é".into(), String::new(), "string".into()]);
        table.row(["nickName".into(), String::new(), "number".into()]);
        assert_eq!(table.render(None), "name      type\né         string\nnickName  number\n");
    }

    #[test]
    fn without_rows_there_is_the_heading() {
        assert_eq!(Table::new(["no", "method"]).render(None), "no  method\n");
    }

    #[test]
    fn columns_that_do_not_fit_go_below_their_rows_and_are_wrapped_at_words() {
        let mut table = Table::new(["no", "target", "what is wrong"]);
        table.row(["1".into(), "/a-path-that-is-long".into(), "one two three four".into()]);
        table.row(["20".into(), "/b".into(), String::new()]);
        assert_eq!(
            table.render(Some(44)),
            "no  target                what is wrong\n\
             1   /a-path-that-is-long  one two three four\n\
             20  /b\n"
        );
        assert_eq!(
            table.render(Some(24)),
            "no  what is wrong\n    target\n1   one two three four\n    /a-path-that-is-long\n20\n    /b\n"
        );
        assert_eq!(
            table.render(Some(12)),
            "no\n    target\n    what is\n    wrong\n1\n    /a-path-that-is-long\n    one two\n    three\n    four\n20\n    /b\n"
        );
    }
}
