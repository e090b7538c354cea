//! Names with what there is to say about them: the names below each other, the text beside them in as many lines as it needs.

use std::fmt::Write;

use super::super::wrap;

/// The widest column of names.
const NAMES: usize = 32;

/// Names, each with a text.
pub(super) struct List(Vec<(String, String)>);

impl List {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a name; blanks before it indent it.
    pub(super) fn entry(&mut self, name: &str, text: String) {
        self.0.push((name.to_owned(), text));
    }

    /// The list below its heading, in lines of at most `width` characters; nothing when it is empty.
    pub(super) fn render(&self, heading: &str, width: usize) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let longest = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let names = longest.min(NAMES);
        let mut out = format!("\n{heading}\n");
        for (name, text) in &self.0 {
            let mut lines = wrap::lines(text, width.saturating_sub(names + 4)).into_iter();
            let mut name = name.as_str();
            // A name that is too long has a line of its own.
            if name.chars().count() > names {
                let _ = writeln!(out, "  {name}");
                name = "";
            }
            let first = lines.next().unwrap_or_default();
            out += format!("  {name:<names$}  {first}").trim_end();
            out.push('\n');
            for line in lines {
                let _ = writeln!(out, "  {:<names$}  {line}", "");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_beside_their_names_and_take_the_lines_that_they_need() {
        let mut list = List::new();
        list.entry("id", "a string that is not empty".into());
        list.entry("  é", String::new());
        list.entry(&"n".repeat(NAMES + 1), "x".into());
        let names = "n".repeat(NAMES + 1);
        let pad = " ".repeat(NAMES - 2);
        assert_eq!(
            list.render("Fields", NAMES + 4 + 16),
            format!(
                "\nFields\n  id{pad}  a string that is\n    {pad}  not empty\n    é\n  {names}\n    {pad}  x\n"
            )
        );
        assert_eq!(List::new().render("Fields", 80), "");
    }
}
