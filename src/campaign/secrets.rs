//! The tokens of valid requests, which no finding and no report shows.

use std::cmp::Reverse;

use bytes::Bytes;
use memchr::memmem;

use super::{Answer, Created, Finding, Sent};
use crate::{
    Contract, Headers,
    render::curl::{SIGNATURE, TOKEN},
    token::{self, Secret},
};

/// Puts `$STANDIN_TOKEN` in the place of tokens, as a shell writes it that has the token in a variable, and
/// `${STANDIN_TOKEN##*.}` in that of their signatures. The values of cookies and other credentials are left out, and those
/// of the headers that the caller adds to every request.
///
/// A token that is itself the fault stays as it was sent, as nobody could repeat the request without it; what it has of
/// a valid one is replaced even there.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    marks: Vec<(Secret, &'static str)>,
    /// The names of headers whose values are not shown.
    hidden: Vec<String>,
    /// Values of headers that the caller adds, which an answer may repeat.
    added: Vec<Secret>,
}

impl Secrets {
    /// These are the tokens of valid requests; `headers` are those that every request has.
    pub(super) fn new(contract: &Contract, tokens: &[String], headers: &[(String, String)]) -> Self {
        let mut marks = Vec::new();
        for token in tokens {
            let signature = token.rsplit_once('.').map(|(_, signature)| Secret::new(signature));
            marks.extend(signature.map(|signature| (signature, SIGNATURE)));
            marks.push((Secret::new(token), TOKEN));
        }
        marks.retain(|(secret, _)| secret.reveal().len() >= SHORTEST);
        // A signature is a part of its token, which comes first.
        marks.sort_by_key(|(secret, _)| Reverse(secret.reveal().len()));
        // A server may repeat a value without the scheme before it.
        let values = headers.iter().filter(|(name, _)| !is_public(name));
        let values = values.flat_map(|(_, value)| [Some(&**value), value.rsplit(' ').next()]).flatten();
        let added = values.filter(|value| value.len() >= SHORTEST_ADDED).map(Secret::new).collect();
        let names = headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        let mut hidden: Vec<_> = names.chain(token::CREDENTIALS.map(str::to_owned)).collect();
        hidden.retain(|name| contract.token_header() != Some(name));
        Self { marks, hidden, added }
    }

    /// Takes them out of a finding.
    pub fn hide(&self, finding: &mut Finding) {
        for step in &mut finding.steps {
            self.hide_sent(&mut step.sent);
            step.made.iter_mut().for_each(|id| self.hide_text(id));
        }
        self.hide_sent(&mut finding.sent);
        self.hide_answer(&mut finding.answer);
        let Finding { place, expected, found, source, .. } = finding;
        for text in [&mut place.pointer, expected, found, source] {
            self.hide_text(text);
        }
    }

    /// Takes them out of the ids of what is left.
    pub(super) fn hide_left(&self, created: &mut Created) {
        created.left.iter_mut().for_each(|(_, id)| self.hide_text(id));
    }

    /// Takes them out of a request.
    pub fn hide_sent(&self, sent: &mut Sent) {
        let request = &mut sent.request;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if let Some(target) = self.without_tokens(request.target.as_bytes()).map(text) {
            request.target = target;
        }
        if let Some(body) = self.without_tokens(&request.body) {
            request.body = body.into();
        }
        request.headers = self.headers(&request.headers, Self::without_tokens);
    }

    /// Takes them out of an answer.
    pub fn hide_answer(&self, answer: &mut Answer) {
        if let Some(reply) = &mut answer.reply {
            self.hide_bytes(&mut reply.body);
            reply.headers = self.headers(&reply.headers, Self::without);
        }
    }

    fn headers(&self, headers: &Headers, without: fn(&Self, &[u8]) -> Option<Vec<u8>>) -> Headers {
        let shown = |(name, value): (_, &[u8])| {
            let is_hidden = self.hidden.iter().any(|hidden| hidden == name);
            (name, if is_hidden { HIDDEN.into() } else { without(self, value).unwrap_or(value.into()) })
        };
        headers.iter().map(shown).collect()
    }

    /// Takes them out of a text.
    pub fn hide_text(&self, text: &mut String) {
        if let Some(shown) = self.without(text.as_bytes()) {
            *text = String::from_utf8_lossy(&shown).into_owned();
        }
    }

    /// Takes them out of the body of a reply.
    pub(super) fn hide_bytes(&self, bytes: &mut Bytes) {
        if let Some(shown) = self.without(bytes) {
            *bytes = shown.into();
        }
    }

    /// The bytes of an answer, or of what is said of it, with marks in the place of secrets; none when it has none.
    fn without(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut shown = self.without_tokens(bytes);
        for secret in &self.added {
            let found = replaced(shown.as_deref().unwrap_or(bytes), secret.reveal(), HIDDEN_TEXT);
            shown = found.or(shown);
        }
        shown
    }

    /// The same of a request, which has what the caller adds in headers alone.
    fn without_tokens(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut shown = None;
        for (secret, mark) in &self.marks {
            let found = replaced(shown.as_deref().unwrap_or(bytes), secret.reveal(), mark);
            shown = found.or(shown);
        }
        shown
    }
}

/// Puts a token where [`Secrets`] took one out, and leaves out the headers whose values it took.
pub(super) fn restore(sent: &mut Sent, token: &Secret) {
    let token = token.reveal();
    let signature = token.rsplit('.').next().unwrap_or_default();
    let request = &mut sent.request;
    let restored = |bytes: &[u8]| {
        let signed = replaced(bytes, SIGNATURE, signature);
        replaced(signed.as_deref().unwrap_or(bytes), TOKEN, token).or(signed)
    };
    let headers = request.headers.iter().filter(|(_, value)| *value != HIDDEN);
    request.headers = headers.map(|(name, value)| (name, restored(value).unwrap_or(value.into()))).collect();
    if let Some(target) = restored(request.target.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok())
    {
        request.target = target;
    }
    if let Some(body) = restored(&request.body) {
        request.body = body.into();
    }
}

/// The bytes with `new` wherever `old` was; none when it was nowhere.
pub(super) fn replaced(bytes: &[u8], old: &str, new: &str) -> Option<Vec<u8>> {
    let mut rest = memmem::find(bytes, old.as_bytes())?;
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut from = 0;
    loop {
        replaced.extend_from_slice(&bytes[from..rest]);
        replaced.extend_from_slice(new.as_bytes());
        from = rest + old.len();
        match memmem::find(&bytes[from..], old.as_bytes()) {
            Some(next) => rest = from + next,
            None => break,
        }
    }
    replaced.extend_from_slice(&bytes[from..]);
    Some(replaced)
}

/// What is shorter would be found everywhere.
const SHORTEST: usize = 4;

/// The same for what the caller adds, which may be a word.
const SHORTEST_ADDED: usize = 8;

/// What stands for the value of a header that is not shown.
pub(super) const HIDDEN: &[u8] = HIDDEN_TEXT.as_bytes();
const HIDDEN_TEXT: &str = "<not shown>";

/// Whether the value of a header is nobody's secret.
fn is_public(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("accept") || name == "user-agent" || name == "prefer"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Reply, Request, campaign::report::tests::outcome, payload::Wire};

    const VALID: &str = "aGVhZA.cGF5bG9hZA.c2lnbmF0dXJl";

    fn secrets() -> Secrets {
        let tokens = [VALID.to_owned(), "opaque!".into(), "abc".into()];
        let headers = [("X-Key", "k3y"), ("X-Gateway", "Key gateway-key"), ("Accept", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Secrets::new(&Contract::builtin(), &tokens, &headers)
    }

    fn sent(request: Request) -> Sent {
        Sent { request, wire: Wire::Any, in_capitals: false }
    }

    #[test]
    fn neither_a_token_nor_its_signature_is_shown_and_both_can_be_put_back() {
        for (value, shown) in [
            (VALID.to_owned(), "$STANDIN_TOKEN"),
            (format!("Bearer {VALID}"), "Bearer $STANDIN_TOKEN"),
            (format!("{VALID}.c2lnbmF0dXJl"), "$STANDIN_TOKEN.${STANDIN_TOKEN##*.}"),
            ("aGVhZA.cGF5!.c2lnbmF0dXJl".into(), "aGVhZA.cGF5!.${STANDIN_TOKEN##*.}"),
            ("aGVhZA.cGF5bG9hZA".into(), "aGVhZA.cGF5bG9hZA"),
            ("a.b.c".into(), "a.b.c"),
        ] {
            let request = Request::new("POST", "/a").header("auth", &value).body("{}");
            let mut hidden = sent(request.clone());
            secrets().hide_sent(&mut hidden);
            let now = hidden.request.headers.all("auth").next().unwrap();
            assert_eq!(String::from_utf8_lossy(now), shown);

            restore(&mut hidden, &Secret::new(VALID));
            assert_eq!(hidden, sent(request));
        }
    }

    #[test]
    fn a_reply_that_repeats_the_token_does_not_get_it_into_a_report() {
        let headers = Headers::from_iter([("x-auth", VALID), ("set-cookie", "session=1")]);
        let body = format!("no: {VALID}, opaque!, abc").into();
        let reply = Reply { status: 401, headers, body };
        let mut answer = Answer { micros: Duration::ZERO, reply: Some(reply), failure: None };
        secrets().hide_answer(&mut answer);

        let reply = answer.reply.unwrap();
        assert_eq!(reply.body, "no: $STANDIN_TOKEN, $STANDIN_TOKEN, abc");
        let headers: Vec<_> = reply.headers.iter().collect();
        assert_eq!(headers, [("x-auth", &b"$STANDIN_TOKEN"[..]), ("set-cookie", HIDDEN)]);
    }

    #[test]
    fn names_and_ids_that_a_server_makes_of_the_token_are_not_shown() {
        let mut outcome = outcome();
        let finding = &mut outcome.findings[1];
        finding.place.pointer = format!("/reply/body/{VALID}");
        finding.steps[0].made = Some(VALID.into());
        outcome.created.left = vec![("createAgent".into(), VALID.into())];
        secrets().hide(finding);
        secrets().hide_left(&mut outcome.created);

        assert!(!serde_json::to_string(&outcome).unwrap().contains(VALID), "{outcome:#?}");
    }

    #[test]
    fn what_the_caller_adds_is_not_shown_where_a_reply_repeats_it() {
        for (text, shown) in [
            ("no: Key gateway-key", "no: <not shown>"),
            ("no: gateway-key!", "no: <not shown>!"),
            ("application/json, k3y", "application/json, k3y"),
        ] {
            let mut text = text.to_owned();
            secrets().hide_text(&mut text);
            assert_eq!(text, shown);
        }
        // What a request has elsewhere is to be sent again as it was.
        let request = Request::new("POST", "/gateway-key").body("gateway-key");
        let mut hidden = sent(request.clone());
        secrets().hide_sent(&mut hidden);
        assert_eq!(hidden, sent(request));
    }

    #[test]
    fn what_the_caller_adds_to_every_request_is_not_shown_and_not_sent_again() {
        let mut hidden = sent(Request::new("GET", "/").header("x-key", "k3y").header("x-other", "1"));
        secrets().hide_sent(&mut hidden);
        let headers: Vec<_> = hidden.request.headers.iter().collect();
        assert_eq!(headers, [("x-key", HIDDEN), ("x-other", b"1")]);

        restore(&mut hidden, &Secret::new(VALID));
        assert_eq!(hidden, sent(Request::new("GET", "/").header("x-other", "1")));
    }
}
