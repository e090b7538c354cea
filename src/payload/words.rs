//! Words to make plausible values from.

/// Given names.
pub(super) const GIVEN: &[&str] = &[
    "Amara",
    "Anna",
    "Björn",
    "Carlos",
    "Chloé",
    "Daniel",
    "Elif",
    "Emma",
    "Farid",
    "Giulia",
    "Hana",
    "Ines",
    "Jamal",
    "Jonas",
    "Katarzyna",
    "Leila",
    "Liam",
    "Maria",
    "Mateo",
    "Nadia",
    "Noah",
    "Olga",
    "Priya",
    "Ravi",
    "Sofia",
    "Tomás",
    "Uma",
    "Viktor",
    "Wei",
    "Yuki",
    "Zoë",
    "Zoltán",
];

/// Family names.
pub(super) const FAMILY: &[&str] = &[
    "Andersson",
    "Bauer",
    "Chen",
    "Dubois",
    "Eriksen",
    "Fernández",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
    "Khan",
    "Kowalski",
    "Lefèvre",
    "Müller",
    "Nakamura",
    "Novák",
    "O'Brien",
    "Okafor",
    "Patel",
    "Petrov",
    "Rossi",
    "Silva",
    "Singh",
    "Smith",
    "Tanaka",
    "Tremblay",
    "Usman",
    "van Dijk",
    "Weber",
    "Yılmaz",
    "Zhang",
    "Åkesson",
];

/// Domains that are reserved for examples.
pub(super) const DOMAINS: &[&str] =
    &["example.com", "example.net", "example.org", "mail.example.com", "support.example.org"];

/// Language codes.
pub(super) const LANGUAGES: &[&str] =
    &["en", "es", "fr", "de", "pt", "it", "nl", "pl", "tr", "ar", "hi", "ja", "ko", "zh", "he", "uk"];

/// Sentences as people in a contact centre hear and write them.
pub(super) const SENTENCES: &[&str] = &[
    "Please hold while we find the right agent for you.",
    "All agents are busy at the moment.",
    "Thank you for your patience.",
    "Press 1 to be called back; press 2 to leave a message.",
    "Un agent va vous répondre dans quelques instants.",
    "Einen Augenblick bitte, wir verbinden Sie.",
    "Un momento, por favor.",
    "少々お待ちください。",
    "Используется, если других правил нет.",
];

/// Texts that are allowed nearly everywhere and seldom thought of.
pub(super) const ODD: &[&str] = &[
    "",
    " ",
    "0",
    "null",
    "李雷",
    "Ольга Петрова",
    "نور الهدى",
    "👩\u{200d}💻",
    "e\u{301}clair",
    "\"quoted\" and \\ back\\slashed",
    "line\nbreak\ttab",
    "\u{0}",
    "\u{2028}\u{feff}\u{7f}",
    "<script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "../../etc/passwd",
    "${jndi:ldap://127.0.0.1/a}",
    "\u{10ffff}",
];

/// Names for members that no contract is likely to have.
pub(super) const UNKNOWN: &[&str] =
    &["x-unknown", "comment_of_client", "$extra", "ключ", "", "__proto__", "a/b~c"];

/// Names for members of objects that the contract says nothing about.
pub(super) const MEMBERS: &[&str] = &["alpha", "beta", "gamma", "delta", "epsilon"];
