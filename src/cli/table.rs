//! Aligned columns for people.

use std::fmt::Write;

use super::wrap;

/// Rows of cells, rendered with every column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Table {
    /// The lines of each cell.
    rows: Vec<Vec<Vec<String>>>,
    /// How wide a cell becomes before it takes another line.
    cell: usize,
}

impl Table {
    /// A table with this heading.
    pub(super) fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(|name| vec![name.to_owned()]).into()], cell: usize::MAX }
    }

    /// Cells of the rows to come take as many lines as they need for this width.
    pub(super) fn wrapped(self, cell: usize) -> Self {
        Self { cell, ..self }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let lines = |cell: String| {
            if cell.chars().count() > self.cell { wrap::lines(&cell, self.cell) } else { vec![cell] }
        };
        self.rows.push(cells.map(lines).into());
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
                let is_used = |row: &Vec<Vec<String>>| row[column].iter().any(|line| !line.is_empty());
                let used = self.is_empty() || self.rows[1..].iter().any(is_used);
                let lines = self.rows.iter().flat_map(|row| &row[column]);
                used.then(|| lines.map(|line| line.chars().count()).max())?
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let height = row.iter().map(Vec::len).max().unwrap_or_default();
            for number in 0..height {
                let mut line = indent.to_owned();
                for (cell, column) in row.iter().zip(&widths) {
                    let Some(width) = column else { continue };
                    let part = cell.get(number).map_or("", String::as_str);
                    let _ = write!(line, "{part:<width$}  ");
                }
                text.push_str(line.trim_end());
                text.push('\n');
            }
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
    fn a_long_cell_takes_more_lines() {
        let mut table = Table::new(["name", "limits", "source"]).wrapped(8);
        table.row(["type".into(), "one of a, b, c".into(), "a page".into()]);
        table.row(["id".into(), String::new(), "a page".into()]);
        assert_eq!(
            table.render(""),
            "name  limits   source\ntype  one of   a page\n      a, b, c\nid             a page\n"
        );
    }

    #[test]
    fn without_rows_there_is_the_heading() {
        assert_eq!(Table::new(["no", "method"]).render(""), "no  method\n");
    }
}
