//! Operators that change the body's text, so that it is no JSON any more, or not the JSON that is asked for.

use super::{
    Change,
    body::{insert_member, splice, unknown},
};
use crate::{
    contract::{JsonType, escape},
    payload::{
        Choices, Operator,
        json::MAX_DEPTH,
        plan::Plan,
        valid::{self, Base},
    },
};

/// Changes the body's text.
pub(super) fn change(
    plan: &Plan,
    operator: Operator,
    base: &mut Base,
    choices: &mut Choices,
) -> Option<Change> {
    use Operator as O;
    let root = *base.spots.first()?;
    let change = Change::new("/body");
    let insert = |base: &mut Base, at: usize, text: &[u8]| {
        splice(base, at, at, text);
        Some(Change::new("/body").became(text))
    };
    match operator {
        O::ByteOrderMark => insert(base, 0, "\u{feff}".as_bytes()),
        O::Comment => {
            let comment = *choices.pick(&["/* comment */", "// comment\n", "# comment\n", "<!-- -->"]);
            let at = *choices.pick(&[root.value + 1, root.value, root.end]);
            insert(base, at, comment.as_bytes())
        }
        O::DeepNesting | O::NestedToLimit => nest(plan, operator, base, choices),
        O::EmptyBody => {
            let change = change.was(&base.draft.body);
            base.draft.body.clear();
            Some(change)
        }
        O::HugeNumber => huge_number(plan, base, choices),
        O::InvalidUtf8 | O::LoneSurrogate => {
            const NOT_UTF8: [&[u8]; 5] =
                [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"];
            const HALVES: [&[u8]; 4] = [b"\\ud800", b"\\udc00", b"\\ud83dx", b"\\ud83d\\u0041"];
            let list = if operator == O::InvalidUtf8 { &NOT_UTF8[..] } else { &HALVES };
            let bad = *choices.pick(list);
            if let Some(at) = pick_spot(base, |text| text.first() == Some(&b'"'), choices) {
                let at = base.spots[at].value + 1;
                return insert(base, at, bad);
            }
            let value = [b"\"", bad, b"\""].concat();
            add_member(base, unknown(plan, &root, choices)?, &value);
            Some(change.became(bad))
        }
        O::NotAnObject => {
            let node = &plan.nodes[root.node];
            let wrapped = [b"[", base.draft.body.as_slice(), b"]"].concat();
            let forms: [(JsonType, &[u8]); 6] = [
                (JsonType::Array, b"[]"),
                (JsonType::Null, b"null"),
                (JsonType::String, b"\"text\""),
                (JsonType::Integer, b"5"),
                (JsonType::Boolean, b"true"),
                (JsonType::Array, &wrapped),
            ];
            let forms: Vec<_> = forms.into_iter().filter(|(kind, _)| !node.allows(*kind)).collect();
            let (_, became) = *forms.get(choices.below(forms.len()))?;
            let change = change.was(&base.draft.body).became(became);
            base.draft.body = became.to_vec();
            Some(change)
        }
        O::TrailingComma => {
            let at = pick_spot(base, |text| matches!(text.first(), Some(b'{' | b'[')), choices)?;
            let at = base.spots[at].end - 1;
            insert(base, at, b",")
        }
        O::Truncated => {
            let length = base.draft.body.len();
            let mut at = 1 + choices.below(length.saturating_sub(1));
            while at > 1 && base.draft.body.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
                at -= 1;
            }
            if at >= length {
                return None;
            }
            let change = change.was(&base.draft.body[at..]);
            base.draft.body.truncate(at);
            Some(change)
        }
        _ => None,
    }
}

/// Adds a member whose value is nested.
fn nest(plan: &Plan, operator: Operator, base: &mut Base, choices: &mut Choices) -> Option<Change> {
    use Operator as O;
    let root = *base.spots.first()?;
    let change = Change::new("/body");
    let more = if operator == O::DeepNesting { [0, 1, 100, 3000][choices.below(4)] + 1 } else { 0 };
    // The body is one level itself.
    let depth = MAX_DEPTH - 1 + more;
    let (open, close) = if choices.one_in(2) { ("{\"a\":", "}") } else { ("[", "]") };
    let leaf = if open == "[" { "" } else { "1" };
    let value = format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth));
    let name = unknown(plan, &root, choices)?;
    let change =
        if operator == O::DeepNesting { change } else { Change::new(format!("/body/{}", escape(name))) };
    let change = change.became(value.as_bytes());
    add_member(base, name, value.as_bytes());
    Some(change)
}

/// Replaces a number by one that no double can hold, or adds one.
fn huge_number(plan: &Plan, base: &mut Base, choices: &mut Choices) -> Option<Change> {
    let root = *base.spots.first()?;
    let change = Change::new("/body");
    let huge = match choices.below(4) {
        0 => "1e400".to_owned(),
        1 => "-1e309".to_owned(),
        2 => "9e99999".to_owned(),
        _ => "9".repeat(400),
    };
    let is_number = |text: &[u8]| matches!(text.first(), Some(b'-' | b'0'..=b'9'));
    if let Some(at) = pick_spot(base, is_number, choices) {
        let spot = base.spots[at];
        let change = change.was(&base.draft.body[spot.value..spot.end]).became(huge.as_bytes());
        splice(base, spot.value, spot.end, huge.as_bytes());
        return Some(change);
    }
    add_member(base, unknown(plan, &root, choices)?, huge.as_bytes());
    Some(change.became(huge.as_bytes()))
}

/// One of the values whose text passes a test.
fn pick_spot(base: &Base, test: impl Fn(&[u8]) -> bool, choices: &mut Choices) -> Option<usize> {
    let fits = |at: &usize| test(&base.draft.body[base.spots[*at].value..base.spots[*at].end]);
    let spots: Vec<_> = (0..base.spots.len()).filter(fits).collect();
    spots.get(choices.below(spots.len())).copied()
}

/// Puts a member into the body, which is an object.
fn add_member(base: &mut Base, name: &str, value: &[u8]) {
    let mut member = Vec::with_capacity(value.len() + 16);
    valid::quote(name, false, &mut member);
    member.push(b':');
    member.extend_from_slice(value);
    let root = base.spots[0];
    insert_member(base, &root, member);
}
