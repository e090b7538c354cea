//! Whether a run may change the service that it is pointed at.

use std::io::{self, BufRead, IsTerminal, Write};

use super::{Error, output, style};

/// Says what a run will do. A person at a terminal is asked first, unless it `is_fine` anyway; nobody else is, so that a
/// pipeline goes on. `advice` is for those who say no.
pub(super) fn obtain(warning: &str, is_fine: bool, advice: &str) -> Result<(), Error> {
    output::say(style::NOTED, warning);
    let is_watched = io::stdin().is_terminal() && io::stderr().is_terminal();
    if is_fine || !is_watched || agrees(&mut io::stdin().lock(), &mut io::stderr().lock()) {
        return Ok(());
    }
    Err(Error::could_not_run(format!("nothing was sent; {advice}")))
}

/// Whether the answer is yes; no answer is a no.
fn agrees(input: &mut impl BufRead, output: &mut impl Write) -> bool {
    let mut line = String::new();
    let asked = write!(output, "go on? [y/N] ").and_then(|()| output.flush());
    // An answer has a few letters.
    let answered = asked.and_then(|()| io::Read::take(input, 100).read_line(&mut line));
    answered.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for (answer, is_yes) in [
            ("y\n", true),
            ("YES\n", true),
            (" y ", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
            ("yesterday\n", false),
        ] {
            let mut asked = Vec::new();
            assert_eq!(agrees(&mut answer.as_bytes(), &mut asked), is_yes, "{answer:?}");
            assert_eq!(asked, b"go on? [y/N] ");
        }
    }
}
