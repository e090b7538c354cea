//! The ledger of contradictions, for people.

use std::{collections::BTreeMap, fmt::Write};

use super::super::wrap;
use crate::{LedgerEntry, LedgerKind};

/// Where the text of an entry begins.
const INDENT: usize = 6;

/// The entries, grouped by the page that they are about.
pub(super) fn text(entries: &[LedgerEntry], width: usize) -> String {
    let mut groups: Vec<(&str, Vec<&LedgerEntry>)> = Vec::new();
    for entry in entries {
        // The letters of an id stand for a page.
        let page = entry.id.trim_end_matches(|c: char| c.is_ascii_digit());
        match groups.iter_mut().find(|(known, _)| *known == page) {
            Some((_, group)) => group.push(entry),
            None => groups.push((page, vec![entry])),
        }
    }
    let mut text = String::new();
    let mut last = "";
    for (_, group) in groups {
        let page = page_of(&group);
        if page != last {
            let _ = writeln!(text, "{}{page}", if last.is_empty() { "" } else { "\n" });
        }
        last = page;
        for entry in group {
            text.push('\n');
            text.push_str(&self::entry(entry, width));
        }
    }
    text
}

/// The page that most of the entries begin with; none when they are about many pages.
fn page_of<'a>(entries: &[&'a LedgerEntry]) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        if let Some(says) = entry.says.first() {
            let page = says.source.split(" › ").next().unwrap_or(&says.source);
            *counts.entry(page).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| count * 2 > entries.len()).map_or("Other pages", |(page, _)| page)
}

fn entry(entry: &LedgerEntry, width: usize) -> String {
    let kind = match entry.kind {
        LedgerKind::Accepted => "accepted",
        LedgerKind::Accident => "accident",
        LedgerKind::Note => "note",
        LedgerKind::Shown => "shown",
    };
    let mut text = wrapped(&format!("{:<4}  ", entry.id), &format!("{} ({kind})", entry.title), width);
    for says in &entry.says {
        text += &wrapped("        ", &format!("{}: {}", says.source, says.text), width);
    }
    text += &wrapped("", &format!("standin: {}", entry.reading), width);
    if !entry.accepts.is_empty() {
        text += &wrapped("", &format!("also accepted: {}", entry.accepts.join(", ")), width);
    }
    text
}

/// The text in lines of at most `width` characters, the first after `start`, the others as far in.
fn wrapped(start: &str, text: &str, width: usize) -> String {
    let indent = start.chars().count().max(INDENT);
    let mut wrapped = String::new();
    for (number, line) in wrap::lines(text, width.saturating_sub(indent)).iter().enumerate() {
        let start = if number == 0 { start } else { "" };
        let _ = writeln!(wrapped, "{start:<indent$}{line}");
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Says;

    #[test]
    fn entries_are_grouped_by_their_page_and_say_what_is_accepted() {
        let entry = |id: &str, kind, page: &str| LedgerEntry {
            id: id.into(),
            kind,
            title: "a title".into(),
            says: vec![Says { source: format!("{page} › Body Parameters"), text: "one thing".into() }],
            reading: "another".into(),
            accepts: match kind {
                LedgerKind::Accepted => vec!["number".into()],
                _ => vec![],
            },
            sample: None,
            paths: vec![],
        };
        assert_eq!(
            text(
                &[
                    entry("U2", LedgerKind::Accepted, "Update a specific agent"),
                    entry("C1", LedgerKind::Note, "Create an agent"),
                ],
                100
            ),
            "\
Update a specific agent

U2    a title (accepted)
        Update a specific agent › Body Parameters: one thing
      standin: another
      also accepted: number

Create an agent

C1    a title (note)
        Create an agent › Body Parameters: one thing
      standin: another
"
        );
    }

    #[test]
    fn long_lines_are_wrapped_at_words() {
        let text = wrapped("U1    ", &"word ".repeat(40), 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60));
        assert!(text.lines().skip(1).all(|line| line.starts_with("      word")));
    }
}
