//! Whether a run may change the service that it is pointed at.

use std::io::{self, BufRead, IsTerminal, Write};

use super::{Error, output, style};

/// Says what a run will do. A person at a terminal is asked first, unless it `is_fine` anyway; nobody else is, so that a
/// pipeline goes on. Where the question would go elsewhere, such as through a pipe to `tee`, the answer is no. `advice` is
/// for those who say no.
pub(super) fn obtain(warning: &str, is_fine: bool, advice: &str) -> Result<(), Error> {
    output::say(style::NOTED, warning);
    let refused = match Asked::of(is_fine, io::stdin().is_terminal(), io::stderr().is_terminal()) {
        Asked::Nobody => return Ok(()),
        Asked::Somebody if agrees(&mut io::stdin().lock(), &mut io::stderr().lock()) => return Ok(()),
        Asked::Somebody => "nothing was sent",
        Asked::Unseen => "nothing was sent, as standard error is no terminal to ask at",
    };
    Err(Error::could_not_run(format!("{refused}; {advice}")))
}

/// Who is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    /// It goes on without a question.
    Nobody,
    /// A person who sees the question and can answer.
    Somebody,
    /// A person who would not see the question.
    Unseen,
}

impl Asked {
    fn of(is_fine: bool, can_answer: bool, can_see: bool) -> Self {
        match (is_fine || !can_answer, can_see) {
            (true, _) => Self::Nobody,
            (false, true) => Self::Somebody,
            (false, false) => Self::Unseen,
        }
    }
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
    fn a_person_is_asked_a_pipeline_goes_on_and_a_question_that_nobody_sees_is_a_no() {
        for (is_fine, can_answer, can_see, expected) in [
            (true, true, false, Asked::Nobody),
            (false, false, true, Asked::Nobody),
            (false, false, false, Asked::Nobody),
            (false, true, true, Asked::Somebody),
            (false, true, false, Asked::Unseen),
        ] {
            assert_eq!(Asked::of(is_fine, can_answer, can_see), expected);
        }
    }

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
