//! Aligned columns for people.

use std::fmt::Write;

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

    /// The table, each line after `indent`; of a table with rows, columns that are empty in all of them are left out.
    pub(super) fn render(&self, indent: &str) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<Option<usize>> = (0..columns)
            .map(|column| {
                let used = self.is_empty() || self.rows[1..].iter().any(|row| !row[column].is_empty());
                used.then(|| self.rows.iter().map(|row| row[column].chars().count()).max())?
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (cell, column) in row.iter().zip(&widths) {
                let Some(width) = column else { continue };
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_unused_ones_left_out() {
        let mut table = Table::new(["name", "unused", "type"]);
        table.row(["é".into(), String::new(), "string".into()]);
        table.row(["nickName".into(), String::new(), "number".into()]);
        assert_eq!(table.render("  "), "  name      type\n  é         string\n  nickName  number\n");
    }

    #[test]
    fn without_rows_there_is_the_heading() {
        assert_eq!(Table::new(["no", "method"]).render(""), "no  method\n");
    }
}
