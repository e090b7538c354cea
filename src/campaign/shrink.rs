//! Smaller requests: parts of the query and members of the body left out, texts made short, one step after the other.

use serde_json::Value;

use super::source;
use crate::{
    payload::{Case, Label},
    pointer::{escape, unescape},
};

/// How large a request is; smaller is better to read.
pub(super) fn size(case: &Case) -> usize {
    case.request.target.len() + case.request.body.len() + case.request.headers.len()
}

/// The steps that make a case smaller. Whoever takes them asks whether the label holds afterwards.
pub(super) struct Steps {
    at: usize,
    /// The pointer of the place that the case is about.
    kept: String,
}

impl Steps {
    pub(super) fn new(case: &Case) -> Self {
        let kept = match &case.label {
            Label::Mutant { pointer, .. } => pointer.strip_prefix("/body").unwrap_or_default().to_owned(),
            Label::Valid => String::new(),
        };
        Self { at: 0, kept }
    }

    /// The last step made it smaller, so the same position is now another one.
    pub(super) fn worked(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// The case after the next step that leaves something out; none when there are no more.
    pub(super) fn next(&mut self, case: &Case) -> Option<Case> {
        let (path, query) = case.request.target.split_once('?').unwrap_or((&case.request.target, ""));
        let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        let mut value = source::json(&case.request.body).unwrap_or_default();
        let mut places = Vec::new();
        list(&value, "", &mut places);
        // The largest parts first: those are at the top.
        places.sort_by_key(|place| place.matches('/').count());
        places.truncate(MOST_PLACES);
        while self.at < pairs.len() + 2 * places.len() {
            let at = self.at;
            self.at += 1;
            if at < pairs.len() {
                let mut rest = pairs;
                rest.remove(at);
                let mut smaller = case.clone();
                smaller.request.target =
                    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
                return Some(smaller);
            }
            let step = at - pairs.len();
            let is_smaller = match places.get(step) {
                Some(place) => self.remove(&mut value, place),
                None => self.shorten(&mut value, &places[step - places.len()]),
            };
            if is_smaller {
                let mut smaller = case.clone();
                smaller.request.body = value.to_string().into();
                return Some(smaller);
            }
        }
        None
    }

    /// Removes what is at a place, and says whether anything was.
    fn remove(&self, value: &mut Value, place: &str) -> bool {
        let is_kept =
            !self.kept.is_empty() && (self.kept == place || self.kept.starts_with(&format!("{place}/")));
        let Some((parent, name)) = place.rsplit_once('/').filter(|_| !is_kept) else { return false };
        match value.pointer_mut(parent) {
            Some(Value::Object(members)) => members.shift_remove(unescape(name).as_ref()).is_some(),
            // The positions of those behind it would change, and with them the place that the label is about.
            Some(Value::Array(items)) if !self.kept.starts_with(parent) => {
                let at = name.parse().ok().filter(|at| *at < items.len());
                at.map(|at: usize| items.remove(at)).is_some()
            }
            _ => false,
        }
    }

    /// Makes the text at a place short, and says whether it was longer.
    fn shorten(&self, value: &mut Value, place: &str) -> bool {
        let Some(Value::String(text)) = value.pointer_mut(place).filter(|_| place != self.kept) else {
            return false;
        };
        if text.chars().count() <= 1 {
            return false;
        }
        *text = match text.rsplit_once('@') {
            Some((_, domain)) => format!("a@{domain}"),
            None => "a".into(),
        };
        true
    }
}

/// How many parts of a body are looked at.
const MOST_PLACES: usize = 1000;

/// The pointers of everything within a value.
fn list(value: &Value, at: &str, out: &mut Vec<String>) {
    let mut below = |name: String, value: &Value| {
        let place = format!("{at}/{name}");
        out.push(place.clone());
        list(value, &place, out);
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| below(escape(name).to_string(), value));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, payload::Wire};

    fn case(target: &str, body: &str) -> Case {
        let request = Request::new("POST", target).body(body.to_owned());
        Case { operation: "a".into(), request, label: Label::Valid, wire: Wire::Any }
    }

    #[test]
    fn parts_are_left_out_and_texts_made_short_as_long_as_that_is_wanted() {
        let mut small = case("/a?b=1&c=2", r#"{"d":"text","e":[{"f":"a@b.c"},2]}"#);
        let mut steps = Steps::new(&small);
        while let Some(smaller) = steps.next(&small) {
            // It is only about one member.
            if size(&smaller) < size(&small) && smaller.request.body.starts_with(b"{\"d\":") {
                small = smaller;
                steps.worked();
            }
        }
        assert_eq!((&*small.request.target, &*small.request.body), ("/a", &br#"{"d":"a"}"#[..]));
    }

    #[test]
    fn a_body_of_many_parts_of_which_none_can_be_left_out_is_passed_over() {
        let list = vec!["1"; 100_000].join(",");
        let mut case = case("/a", &format!("[{list}]"));
        case.label = Label::Mutant {
            operator: "dropMember".parse().unwrap(),
            pointer: "/body/0".into(),
            rule: None,
            was: None,
            became: None,
            expect: crate::payload::Expect::Valid,
        };
        assert_eq!(Steps::new(&case).next(&case), None);
    }

    #[test]
    fn a_body_that_is_no_json_stays() {
        let case = case("/a", "{");
        assert_eq!(Steps::new(&case).next(&case), None);
    }
}
