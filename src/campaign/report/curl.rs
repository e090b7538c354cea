//! A finding as commands that repeat it.

use std::fmt::Write as _;

use serde_json::json;

use super::title;
use crate::{
    campaign::{Finding, Sent, secrets::HIDDEN},
    percent,
    render::curl::{self, HeaderValue, SIGNATURE, TOKEN},
};

/// Commands for a POSIX shell that send the requests of a finding to the base URL `target`: they run as pasted once
/// `STANDIN_TOKEN` holds a valid token. The ids of what steps make are taken from their replies by jq. What curl cannot
/// send has a note in its place.
pub fn curl(finding: &Finding, target: &str) -> String {
    let mut script = curl::note(&title(finding)) + "\n";
    let mut made: Vec<(String, String)> = Vec::new();
    for (position, step) in finding.steps.iter().enumerate() {
        let command = with_ids(&step.sent, target, &made);
        match &step.made {
            Some(id) => {
                let variable = format!("id{}", position + 1);
                let path = step.made_at.split('/').skip(1).map(|name| format!(".{}", json!(name)));
                // It is for a path.
                let filter = curl::quoted(&format!("{} | @uri", path.collect::<String>()));
                let _ = writeln!(script, "{variable}=$(\n{command} |\n  jq -r {filter})");
                made.push((id.clone(), variable));
            }
            None => {
                let _ = writeln!(script, "{command}");
            }
        }
    }
    script + &with_ids(&finding.sent, target, &made)
}

/// The command for one request.
fn command(sent: &Sent, target: &str) -> String {
    if !curl::can_send(&sent.request) {
        return curl::note("curl cannot send this request; --replay can");
    }
    let hidden = sent.headers().filter(|(_, value)| *value == HIDDEN);
    let hidden: Vec<_> = hidden.map(|(name, _)| name).collect();
    let headers = sent.headers().filter(|(_, value)| *value != HIDDEN).map(|(name, value)| {
        let template = std::str::from_utf8(value).ok();
        let template = template.filter(|text| text.contains(TOKEN) || text.contains(SIGNATURE));
        (name, template.map_or(HeaderValue::Sent(value), HeaderValue::Template))
    });
    let command = curl::to_send(&sent.request, headers, target, " -sS --http1.1");
    if hidden.is_empty() {
        return command;
    }
    let note = format!("{} left out, because its value is not shown", hidden.join(", "));
    format!("{}\n{command}", curl::note(&note))
}

/// The command with the shell's variables in the place of ids. Requests name what steps have made by a whole segment of
/// their path, and nowhere else.
fn with_ids(sent: &Sent, target: &str, made: &[(String, String)]) -> String {
    let command = command(sent, target);
    let sent = sent.request.target.as_str();
    let (path, rest) = sent.split_at(sent.find('?').unwrap_or(sent.len()));
    let mut is_filled = false;
    let segment = |segment: &str| {
        let made = made.iter().rev().find(|(id, _)| percent::encode(id) == segment);
        is_filled |= made.is_some();
        // Within single quotes, as all of the target is.
        made.map_or_else(|| within_quotes(segment), |(_, variable)| format!("'\"${variable}\"'"))
    };
    let filled: Vec<_> = path.split('/').map(segment).collect();
    if !is_filled {
        return command;
    }
    let end = format!("{}'", within_quotes(rest));
    let shown = format!("{}{end}", within_quotes(path));
    command.replacen(&shown, &(filled.join("/") + &end), 1)
}

/// A text within the single quotes of a shell.
fn within_quotes(text: &str) -> String {
    let quoted = curl::quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}
