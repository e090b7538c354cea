//! Operators that change the body's text, so that it is no JSON any more, or not the JSON that is asked for.

use super::{
    change::Change,
    definition::{Act, Edit, Effect, operators},
};
use crate::{
    Rule,
    contract::JsonType,
    payload::{field::Field, json::MAX_DEPTH, plan::Plan},
    pointer::escape,
};

operators! {
    /// Puts a byte order mark before the body.
    BYTE_ORDER_MARK = "byteOrderMark" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, |_| true),
            change: |edit| Some(edit.insert(0, "\u{feff}".as_bytes())),
        }],
    }

    /// Puts a comment into the body.
    COMMENT = "comment" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, |_| true),
            change: |edit| {
                let root = *edit.base.spots.first()?;
                let comment =
                    edit.choices.word(&["/* comment */", "// comment\n", "# comment\n", "<!-- -->"]);
                let at = *edit.choices.pick(&[root.value + 1, root.value, root.end]);
                Some(edit.insert(at, comment.as_bytes()))
            },
        }],
    }

    /// Nests a value deeper than the limit.
    DEEP_NESTING = "deepNesting" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Depth, takes_members),
            change: |edit| {
                let beyond = [0, 1, 100, 3000][edit.choices.below(4)] + 1;
                nest(edit, beyond).map(|(_, change)| change)
            },
        }],
    }

    /// Sends no body.
    EMPTY_BODY = "emptyBody" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Required, |body| body.required),
            change: |edit| {
                let was = std::mem::take(&mut edit.base.draft.body);
                Some(Change::new("/body").was(&was))
            },
        }],
    }

    /// Writes a number beyond what a double can hold.
    HUGE_NUMBER = "hugeNumber" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, takes_members),
            change: huge_number,
        }],
    }

    /// Puts a byte that is not UTF-8 into a text.
    INVALID_UTF8 = "invalidUtf8" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Encoding, takes_members),
            change: |edit| {
                spoil(edit, &[b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"])
            },
        }],
    }

    /// Puts half of a surrogate pair into a text.
    LONE_SURROGATE = "loneSurrogate" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, takes_members),
            change: |edit| spoil(edit, &[b"\\ud800", b"\\udc00", b"\\ud83dx", b"\\ud83d\\u0041"]),
        }],
    }

    /// Nests a value exactly as deep as the limit allows; stays valid.
    NESTED_TO_LIMIT = "nestedToLimit" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Depth, takes_members).map(|_| Effect::Harmless),
            change: |edit| {
                let (name, change) = nest(edit, 0)?;
                Some(Change { pointer: format!("/body/{}", escape(name)), ..change })
            },
        }],
    }

    /// Sends a body of another JSON type than an object or whatever else is asked for.
    NOT_AN_OBJECT = "notAnObject" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Type, |body| !body.types.is_empty()),
            change: not_an_object,
        }],
    }

    /// Puts a comma after the last member or item.
    TRAILING_COMMA = "trailingComma" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, Field::is_container),
            change: |edit| {
                let at = edit.pick_value(|text| matches!(text.first(), Some(b'{' | b'[')))?;
                Some(edit.insert(edit.base.spots[at].end - 1, b","))
            },
        }],
    }

    /// Cuts the body off.
    TRUNCATED = "truncated" {
        acts: &[Act::Request {
            at: |plan| with_body(plan, Rule::Json, |_| true),
            change: |edit| {
                let body = &mut edit.base.draft.body;
                let mut at = 1 + edit.choices.below(body.len().saturating_sub(1));
                while at > 1 && body.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    at -= 1;
                }
                let change = Change::new("/body").was(body.get(at..).filter(|rest| !rest.is_empty())?);
                body.truncate(at);
                Some(change)
            },
        }],
    }
}

/// Where there is a body of which this holds, the rule is broken.
fn with_body(plan: &Plan, rule: Rule, holds: impl Fn(&Field) -> bool) -> Option<Effect> {
    plan.body.filter(|root| holds(&plan.fields[*root])).map(|_| Effect::Breaks(rule))
}

/// Whether an object may be sent: some operators need a member of their own when the body has no place for them.
fn takes_members(body: &Field) -> bool {
    body.allows(JsonType::Object)
}

/// Adds a member whose value is nested that much beyond the limit, and tells its name.
fn nest(edit: &mut Edit, beyond: usize) -> Option<(&'static str, Change)> {
    edit.base.spots.first()?;
    // The body is one level itself.
    let depth = MAX_DEPTH - 1 + beyond;
    let (open, close) = if edit.choices.one_in(2) { ("{\"a\":", "}") } else { ("[", "]") };
    let leaf = if open == "[" { "" } else { "1" };
    let value = format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth));
    let name = edit.unknown_name(0)?;
    edit.add_member(0, name, value.as_bytes());
    Some((name, Change::new("/body").became(value.as_bytes())))
}

/// Replaces a number by one that no double can hold, or adds one.
fn huge_number(edit: &mut Edit) -> Option<Change> {
    edit.base.spots.first()?;
    let huge = match edit.choices.below(4) {
        0 => "1e400".to_owned(),
        1 => "-1e309".to_owned(),
        2 => "9e99999".to_owned(),
        _ => "9".repeat(400),
    };
    let change = Change::new("/body").became(huge.as_bytes());
    if let Some(at) = edit.pick_value(|text| matches!(text.first(), Some(b'-' | b'0'..=b'9'))) {
        let spot = edit.base.spots[at];
        let change = change.was(&edit.base.draft.body[spot.value..spot.end]);
        edit.splice(spot.value, spot.end, huge.as_bytes());
        return Some(change);
    }
    let name = edit.unknown_name(0)?;
    edit.add_member(0, name, huge.as_bytes());
    Some(change)
}

/// Puts one of these into a text, or adds a text with it.
fn spoil(edit: &mut Edit, list: &[&[u8]]) -> Option<Change> {
    edit.base.spots.first()?;
    let bad = *edit.choices.pick(list);
    if let Some(at) = edit.pick_value(|text| text.first() == Some(&b'"')) {
        return Some(edit.insert(edit.base.spots[at].value + 1, bad));
    }
    let name = edit.unknown_name(0)?;
    edit.add_member(0, name, &[b"\"", bad, b"\""].concat());
    Some(Change::new("/body").became(bad))
}

fn not_an_object(edit: &mut Edit) -> Option<Change> {
    let root = *edit.base.spots.first()?;
    let field = &edit.plan.fields[root.field];
    let wrapped = [b"[", edit.base.draft.body.as_slice(), b"]"].concat();
    let forms: [(JsonType, &[u8]); 6] = [
        (JsonType::Array, b"[]"),
        (JsonType::Null, b"null"),
        (JsonType::String, b"\"text\""),
        (JsonType::Integer, b"5"),
        (JsonType::Boolean, b"true"),
        (JsonType::Array, &wrapped),
    ];
    let forms: Vec<_> = forms.into_iter().filter(|(kind, _)| !field.allows(*kind)).collect();
    let (_, became) = *forms.get(edit.choices.below(forms.len()))?;
    let change = Change::new("/body").was(&edit.base.draft.body).became(became);
    edit.base.draft.body = became.to_vec();
    Some(change)
}

impl Edit<'_, '_> {
    /// Puts a text into the body.
    fn insert(&mut self, at: usize, text: &[u8]) -> Change {
        self.splice(at, at, text);
        Change::new("/body").became(text)
    }

    /// The spot of one of the values whose text passes a test.
    fn pick_value(&mut self, test: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let base = &self.base;
        let fits = |at: &usize| test(&base.draft.body[base.spots[*at].value..base.spots[*at].end]);
        let spots: Vec<_> = (0..base.spots.len()).filter(fits).collect();
        spots.get(self.choices.below(spots.len())).copied()
    }
}
