//! Names that are nearly right.

/// The most names that are compared, so that a request of nothing but names costs no more.
const MOST_NAMES: usize = 1000;
/// The longest name that is compared, in bytes.
const LONGEST: usize = 64;

/// The name among `sent` that is nearly `name` or one of its other spellings: but for its case before all else.
pub(crate) fn nearest<'a>(
    name: &str,
    accepts: &[String],
    sent: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let spellings = || std::iter::once(name).chain(accepts.iter().map(String::as_str));
    let mut best: Option<(usize, &str)> = None;
    for other in sent.take(MOST_NAMES).filter(|other| other.len() <= LONGEST) {
        let distance = spellings().filter_map(|spelling| distance(spelling, other)).min();
        if let Some(distance) = distance
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, other));
        }
    }
    best.map(|(_, name)| name)
}

/// What an error adds after a name that is not known: the one that is nearly it, or nothing.
pub(crate) fn hint<'a>(sent: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = if sent.len() <= LONGEST { nearest(sent, &[], known.into_iter()) } else { None };
    near.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// Whether a text may be meant for another.
pub(crate) fn is_near(meant: &str, sent: &str) -> bool {
    nearest(meant, &[], std::iter::once(sent)).is_some()
}

/// How far a name is from another that it may be meant for; none when it is too far.
fn distance(meant: &str, sent: &str) -> Option<usize> {
    if meant.eq_ignore_ascii_case(sent) {
        return Some(0);
    }
    let (meant, sent) = (plain(meant), plain(sent));
    let (short, long) = if meant.len() < sent.len() { (&meant, &sent) } else { (&sent, &meant) };
    // `email` for `emailId`, `authorization` for `auth`.
    let is_part = short.len() >= 4 && (long.starts_with(short.as_str()) || long.ends_with(short.as_str()));
    let few = short.len() / 4;
    // Each letter more is an edit, and counting letters takes much less time than counting edits.
    if !is_part && meant.chars().count().abs_diff(sent.chars().count()) > few {
        return None;
    }
    let edits = strsim::damerau_levenshtein(&meant, &sent);
    (is_part || edits <= few).then_some(edits + 1)
}

/// The letters and digits of a name, in lower case.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    // Nearly all names are, and their lower case has no special cases.
    if name.is_ascii() {
        letters.map(|c| c.to_ascii_lowercase()).collect()
    } else {
        letters.flat_map(char::to_lowercase).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_when_case_a_letter_or_a_part_of_it_differs() {
        let near = |name, sent: &[&'static str]| nearest(name, &[], sent.iter().copied());
        assert_eq!(near("emailId", &["emailld", "emailid", "emailIdd"]), Some("emailid"));
        assert_eq!(near("firstName", &["frist_name", "lastName"]), Some("frist_name"));
        assert_eq!(near("auth", &["authorization", "accept"]), Some("authorization"));
        assert_eq!(near("groupId", &["agentGroupId"]), Some("agentGroupId"));
        assert_eq!(near("accountId", &["account-id"]), Some("account-id"));
        for (name, sent) in
            [("roleId", "rule"), ("_id", "iId"), ("id", "x"), ("data", "date-of-birth"), ("a", "")]
        {
            assert_eq!(near(name, &[sent]), None, "{name} {sent}");
        }
        assert_eq!(
            nearest("groupId", &["agentgroupId".into()], ["AGENTGROUPID"].into_iter()),
            Some("AGENTGROUPID")
        );
    }

    #[test]
    fn an_unknown_name_has_a_hint_when_it_is_nearly_a_known_one() {
        let known = ["createAgent", "importData", "importDataV2"];
        assert_eq!(hint("createAgents", known), " (did you mean createAgent?)");
        assert_eq!(hint("IMPORTDATA", known), " (did you mean importData?)");
        assert_eq!(hint("", known), "");
        assert_eq!(hint("deleteQueue", known), "");
        assert_eq!(hint(&"createAgent".repeat(9), known), "");
    }
}
