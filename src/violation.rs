//! One way in which a request breaks the contract, and one in which a reply does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way in which a request breaks the contract: where, which rule, and what was expected and found there.
///
/// ```
/// use standin::{Rule, Violation};
///
/// let violation = Violation {
///     pointer: "/body/chatLanguageSupport/0/proficiency".into(),
///     rule: Rule::Enum,
///     expected: "one of expert, novice, average, good".into(),
///     found: "`guru`".into(),
///     source: "Update a specific agent › Body Parameters › proficiency".into(),
/// };
/// assert_eq!(
///     violation.message(),
///     "expected one of expert, novice, average, good, but found `guru`"
/// );
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Violation {
    /// Where: a JSON pointer into the request, such as `/body/emailId`, `/header/accountId`, `/query/groupId` or `/path/streamId`.
    pub pointer: String,
    /// Which rule is broken.
    pub rule: Rule,
    /// What the contract expects there, as a phrase that completes "expected …".
    pub expected: String,
    /// What was found there, as a phrase that completes "but found …"; never a token's value.
    pub found: String,
    /// The page and row that the rule comes from, `observed`, or why it is assumed.
    pub source: String,
}

impl Violation {
    /// The sentence for people: `expected …, but found …`.
    pub fn message(&self) -> String {
        format!("expected {}, but found {}", self.expected, self.found)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, but found {}", self.pointer, self.expected, self.found)
    }
}

/// One way in which a reply is not what the contract allows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Breach {
    /// Where: `/status`, `/header/content-type`, or a pointer into the body such as `/body/id`.
    pub pointer: String,
    /// What is wrong there, as a sentence.
    pub message: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

/// The closed list of rules that a request can break.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// A session may not hold as much.
    Capacity,
    /// The body is nested deeper than the limit.
    Depth,
    /// The body is not UTF-8.
    Encoding,
    /// A value is not one of those listed.
    Enum,
    /// A string does not have the form that is asked for.
    Format,
    /// The body ended before its announced end.
    Incomplete,
    /// The body is not JSON.
    Json,
    /// A string is too long.
    MaxLength,
    /// A number is too large.
    Maximum,
    /// The media type of the body is not the one that the operation takes.
    MediaType,
    /// The path exists, the method does not.
    Method,
    /// A string is too short.
    MinLength,
    /// A number is too small.
    Minimum,
    /// No operation has this path.
    Path,
    /// An id names nothing that is there, or still names something that ought to go.
    Reference,
    /// A parameter that is allowed once was sent more than once.
    Repeated,
    /// Something that must be there is missing.
    Required,
    /// The body is larger than the limit.
    Size,
    /// The body did not arrive in time.
    Timeout,
    /// The token is a JWT, but not one that the token policy accepts.
    Token,
    /// A value has another JSON type than asked for.
    Type,
    /// Something else has a value that only one may have.
    Unique,
}

impl Rule {
    /// Every rule, in alphabetical order of the variants.
    pub const ALL: [Self; 22] = [
        Self::Capacity,
        Self::Depth,
        Self::Encoding,
        Self::Enum,
        Self::Format,
        Self::Incomplete,
        Self::Json,
        Self::MaxLength,
        Self::Maximum,
        Self::MediaType,
        Self::Method,
        Self::MinLength,
        Self::Minimum,
        Self::Path,
        Self::Reference,
        Self::Repeated,
        Self::Required,
        Self::Size,
        Self::Timeout,
        Self::Token,
        Self::Type,
        Self::Unique,
    ];

    /// The rule's name as it stands in replies, labels and reports, such as `maxLength`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::Depth => "depth",
            Self::Encoding => "encoding",
            Self::Enum => "enum",
            Self::Format => "format",
            Self::Incomplete => "incomplete",
            Self::Json => "json",
            Self::MaxLength => "maxLength",
            Self::Maximum => "maximum",
            Self::MediaType => "mediaType",
            Self::Method => "method",
            Self::MinLength => "minLength",
            Self::Minimum => "minimum",
            Self::Path => "path",
            Self::Reference => "reference",
            Self::Repeated => "repeated",
            Self::Required => "required",
            Self::Size => "size",
            Self::Timeout => "timeout",
            Self::Token => "token",
            Self::Type => "type",
            Self::Unique => "unique",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value as a phrase for messages, cut when it is long.
pub(crate) fn quote(text: &str) -> String {
    const MOST: usize = 80;
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
    if text.len() <= MOST && text.bytes().all(is_plain) {
        return format!("`{text}`");
    }
    let mut quoted: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    // Quotes need no escape between backticks.
    quoted = quoted.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(MOST).is_some() {
        quoted.push('…');
    }
    format!("`{quoted}`")
}
