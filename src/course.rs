//! What happens to a reply on its way to the client.

use std::{fmt, num::NonZeroU64, time::Duration};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What happens to a reply on its way to the client. Whoever decides a reply only says it; the server carries it out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Course {
    /// How long it waits before the first byte, in whole microseconds.
    pub delay: Duration,
    /// How many bytes of its body leave in a second.
    pub throttle: Option<NonZeroU64>,
    /// What breaks it.
    pub fault: Option<Fault>,
}

/// What breaks a reply.
///
/// Over HTTP/2 `Close`, `Cut` and `Reset` end the stream, with `RST_STREAM`, and `Empty` and `Garbage` the connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// The connection is closed in its orderly way before the first byte.
    Close,
    /// The body ends, and the connection with it, after this many bytes. A body that is not longer is sent as it is.
    Cut(u64),
    /// The same as `Close`, also of a connection that speaks HTTP/2.
    Empty,
    /// Bytes that are no HTTP are sent instead, and the connection is closed.
    Garbage,
    /// Nothing is sent, until the client goes or the server stops.
    Hang,
    /// The connection is reset.
    Reset,
}

impl Course {
    /// Whether it is the usual one: at once, as fast as can be, and whole.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// In the words of `Prefer`, such as `delay=1500ms fault=cut-100`; nothing for the usual course.
impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delay = (!self.delay.is_zero()).then(|| format!("delay={}", text(self.delay)));
        let throttle = self.throttle.map(|rate| format!("throttle={rate}"));
        let fault = self.fault.map(|fault| format!("fault={fault}"));
        let parts: Vec<_> = delay.into_iter().chain(throttle).chain(fault).collect();
        f.write_str(&parts.join(" "))
    }
}

impl Fault {
    /// The words for faults, where `N` is a number.
    pub(crate) const WORDS: [&str; 6] = ["close", "cut-N", "empty", "garbage", "hang", "reset"];

    /// The faults that a word says without a number.
    const PLAIN: [(&str, Self); 5] = [
        ("reset", Self::Reset),
        ("close", Self::Close),
        ("empty", Self::Empty),
        ("garbage", Self::Garbage),
        ("hang", Self::Hang),
    ];

    /// The words without a number.
    pub(crate) fn plain_words() -> [&'static str; 5] {
        Self::PLAIN.map(|(word, _)| word)
    }

    /// The fault that a word such as `reset` or `cut-100` says.
    pub(crate) fn of(word: &str) -> Option<Self> {
        if let Some((_, fault)) = Self::PLAIN.iter().find(|(plain, _)| *plain == word) {
            return Some(*fault);
        }
        let count = word.strip_prefix("cut-")?;
        let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self::Cut(count.parse().ok().filter(|_| is_number)?))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(count) => write!(f, "cut-{count}"),
            fault => Self::PLAIN
                .iter()
                .filter(|(_, plain)| plain == fault)
                .try_for_each(|(word, _)| f.write_str(word)),
        }
    }
}

/// A time such as `1500ms` or `2s`, in whole microseconds; none when the text is no time that goes forward.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let time: SignedDuration = text.parse().ok()?;
    let time = Duration::try_from(time).ok()?;
    Some(Duration::new(time.as_secs(), time.subsec_micros() * 1000))
}

/// A time as a word that [`time`] reads.
pub(crate) fn text(time: Duration) -> String {
    let micros = time.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else if micros.is_multiple_of(1000) {
        format!("{}ms", micros / 1000)
    } else {
        format!("{micros}us")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_a_fault_and_a_fault_its_word() {
        for word in ["close", "cut-0", "cut-18446744073709551615", "empty", "garbage", "hang", "reset"] {
            assert_eq!(Fault::of(word).map(|fault| fault.to_string()).as_deref(), Some(word));
        }
        for word in ["", "Reset", "cut", "cut-", "cut-+1", "cut--1", "cut-1.5", "cut-18446744073709551616"] {
            assert_eq!(Fault::of(word), None, "{word}");
        }
        for word in Fault::WORDS.into_iter().chain(Fault::plain_words()) {
            assert!(Fault::of(&word.replace('N', "7")).is_some(), "{word}");
        }
    }

    #[test]
    fn a_time_is_read_in_whole_microseconds() {
        for (word, micros, said) in [
            ("1500ms", 1_500_000, "1500ms"),
            ("2s", 2_000_000, "2s"),
            ("1.5s", 1_500_000, "1500ms"),
            ("5m", 300_000_000, "300s"),
            ("250us", 250, "250us"),
            ("1999ns", 1, "1us"),
            ("0s", 0, "0s"),
        ] {
            let time = time(word).expect(word);
            assert_eq!((time, text(time).as_str()), (Duration::from_micros(micros), said), "{word}");
        }
        for word in ["", "soon", "1500", "-1s", "5 apples", "99999999999999999999s"] {
            assert_eq!(time(word), None, "{word}");
        }
    }

    #[test]
    fn a_course_is_said_in_the_words_that_ask_for_it() {
        assert_eq!(Course::default().to_string(), "");
        let course = Course {
            delay: Duration::from_millis(1500),
            throttle: NonZeroU64::new(1000),
            fault: Some(Fault::Cut(100)),
        };
        assert_eq!(course.to_string(), "delay=1500ms throttle=1000 fault=cut-100");
    }
}
