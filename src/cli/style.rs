//! Colour, where the reader can see it.
//!
//! [`paint`] always marks the text; the functions of `output` for painted text take the marks out again when the stream
//! is no terminal, or when `NO_COLOR` or `--color` says so. Text that is data for programs is never painted.

use anstream::ColorChoice;
use clap::{
    ValueEnum,
    builder::styling::{AnsiColor, Style},
};

/// What is fine.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What a person may want to look at.
pub(super) const NOTED: Style = AnsiColor::Yellow.on_default();
/// What stands above other text.
#[cfg_attr(
    not(any(feature = "campaign", feature = "verify")),
    allow(dead_code, reason = "only reports of checks have headings")
)]
pub(super) const HEADING: Style = Style::new().bold();

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Even into files and pipes
    Always,
    /// Nowhere
    Never,
}

impl Color {
    /// Holds for all that is printed from now on.
    pub(super) fn apply(self) {
        let choice = match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// The text in a style. Whatever a terminal acts on must have been taken out of it before, as `error::one_line` does.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_text_ends_with_a_reset() {
        assert_eq!(paint(GOOD, "holds"), "\u{1b}[32mholds\u{1b}[0m");
        assert_eq!(anstream::adapter::strip_str(&paint(BAD, "FAILS")).to_string(), "FAILS");
    }
}
