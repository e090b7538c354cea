//! Aligned columns for people.

/// Rows of cells, rendered with every column as wide as its widest cell.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading.
    pub(super) fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(String::from).to_vec()] }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Vec::from(cells));
    }

    /// Whether it has nothing below its heading.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The table, each line after `indent`; columns that are empty below their heading are left out.
    pub(super) fn render(&self, indent: &str) -> String {
        let width = |cell: &String| cell.chars().count();
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<Option<usize>> = (0..columns)
            .map(|column| {
                let used = self.rows[1..].iter().any(|row| !row[column].is_empty());
                used.then(|| self.rows.iter().map(|row| width(&row[column])).max())?
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (cell, column) in row.iter().zip(&widths) {
                let Some(column) = column else { continue };
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
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
}
