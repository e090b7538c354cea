//! `GET /` and `GET /__standin/`: what there is to call, as JSON for programs and as a page for browsers.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::{
    HeaderMap, Response,
    header::{
        ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::Contract;

/// What there is to call, in both forms.
#[derive(Debug)]
pub(super) struct Index {
    json: Bytes,
    html: Bytes,
    /// What the page may do: nothing but have its own style.
    policy: HeaderValue,
}

/// A list of things to call.
pub(super) struct List {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// Its heading on the page.
    pub(super) heading: &'static str,
    pub(super) rows: Vec<Row>,
}

/// One thing to call.
pub(super) struct Row {
    /// The id of an operation.
    pub(super) id: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    /// Whether the path is one that a browser can follow as it is.
    pub(super) is_link: bool,
}

impl Index {
    /// The operations and the calls of the control API; none when the contract has an operation of its own at `/`.
    pub(super) fn of_all(contract: &Contract, control: List) -> Option<Self> {
        if contract.operations().iter().any(|op| op.path == "/") {
            return None;
        }
        let operations = contract.operations().iter().map(|op| Row {
            id: Some(op.id.to_string()),
            method: op.method.clone(),
            path: op.path.clone(),
            summary: op.summary.clone(),
            is_link: false,
        });
        let operations = List { name: "operations", heading: "Operations", rows: operations.collect() };
        Some(Self::new(&[operations, control]))
    }

    /// Of these lists.
    pub(super) fn new(lists: &[List]) -> Self {
        let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Self {
            json: json(lists),
            html: html(lists),
            // Base64 is always a header's value.
            policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }

    /// The form that a request with these headers prefers: the page only when it says so.
    pub(super) fn response(&self, request: &HeaderMap) -> Response<Bytes> {
        let is_page = prefers_html(request);
        let mut response = Response::new(if is_page { self.html.clone() } else { self.json.clone() });
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_page {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }
}

fn json(lists: &[List]) -> Bytes {
    let mut page = Map::new();
    page.insert("name".into(), "standin".into());
    page.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    for list in lists {
        let rows = list.rows.iter().map(|row| {
            let mut members = Map::new();
            if let Some(id) = &row.id {
                members.insert("id".into(), id.as_str().into());
            }
            members.insert("method".into(), row.method.as_str().into());
            members.insert("path".into(), row.path.as_str().into());
            members.insert("summary".into(), row.summary.as_str().into());
            Value::Object(members)
        });
        page.insert(list.name.into(), rows.collect());
    }
    format!("{:#}\n", json!(page)).into()
}

fn html(lists: &[List]) -> Bytes {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>standin</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>standin {}</h1>\n",
        env!("CARGO_PKG_VERSION")
    );
    for list in lists {
        let _ = write!(page, "<h2>{}</h2>\n<table>\n", list.heading);
        for row in &list.rows {
            let [method, path, summary] = [&row.method, &row.path, &row.summary].map(|text| escaped(text));
            let path = if row.is_link { format!("<a href=\"{path}\">{path}</a>") } else { path };
            let id = row.id.as_ref().map(|id| format!("<th scope=\"row\">{}</th>", escaped(id)));
            let id = id.unwrap_or_default();
            let _ = writeln!(page, "<tr>{id}<td><code>{method} {path}</code></td><td>{summary}</td></tr>");
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body>\n</html>\n");
    page.into()
}

/// A text for a page, within an element or an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether the client would rather have a page than JSON.
fn prefers_html(request: &HeaderMap) -> bool {
    let accepted = || {
        let values = request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(','))
    };
    // The most specific range that a type is in tells how welcome it is.
    let quality = |kind: &str, name: &str| {
        let ranges = accepted().filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let (own_kind, own_name) = parts.next()?.split_once('/')?;
            let precision = match (own_kind, own_name) {
                ("*", "*") => 0,
                (own, "*") if own.eq_ignore_ascii_case(kind) => 1,
                (own, own_name) if own.eq_ignore_ascii_case(kind) && own_name.eq_ignore_ascii_case(name) => 2,
                _ => return None,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            Some((precision, quality.map_or(Some(1.0), |text| text.parse::<f32>().ok())?))
        });
        ranges.max_by_key(|(precision, _)| *precision).map_or(0.0, |(_, quality)| quality)
    };
    quality("text", "html") > quality("application", "json")
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}\
table{border-collapse:collapse}\
th,td{padding:.25rem 1rem .25rem 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_those_who_would_rather_have_one() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html", true),
            ("text/*", true),
            ("application/json;q=0.5, TEXT/HTML; q=0.6", true),
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/html", false),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0, */*;q=0.1", false),
            ("text/html;q=many", false),
            ("html", false),
        ] {
            let request = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_html(&request), expected, "{accept}");
        }
    }

    #[test]
    fn nothing_of_a_contract_is_markup() {
        let row = Row {
            id: Some("<script>".to_owned()),
            method: "GET".to_owned(),
            path: "/a\"onclick='x'".to_owned(),
            summary: "<img src=x> & more".to_owned(),
            is_link: true,
        };
        let page = html(&[List { name: "operations", heading: "Operations", rows: vec![row] }]);
        let page = std::str::from_utf8(&page).unwrap();

        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("<a href=\"/a&quot;onclick=&#39;x&#39;\">"), "{page}");
        assert!(page.contains("&lt;img src=x&gt; &amp; more"), "{page}");
    }
}
