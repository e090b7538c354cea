//! A finding as commands that repeat it.

use std::fmt::Write as _;

use serde_json::json;

use super::title;
use crate::{
    campaign::{Finding, Sent, secrets::HIDDEN},
    render::curl::{self, HeaderValue, SIGNATURE, TOKEN},
};

/// Commands for a POSIX shell that send the requests of a finding to the base URL `target`: they run as pasted once
/// `STANDIN_TOKEN` holds a valid token. The ids of what steps make are taken from their replies by jq. What curl cannot
/// send has a note in its place.
pub fn curl(finding: &Finding, target: &str) -> String {
    let mut script = curl::note(&title(finding)) + "\n";
    let mut made: Vec<(String, String)> = Vec::new();
    for (position, step) in finding.steps.iter().enumerate() {
        let command = with_ids(command(&step.sent, target), &made);
        match &step.made {
            Some(id) => {
                let variable = format!("id{}", position + 1);
                let path = step.made_at.split('/').skip(1).map(|name| format!(".{}", json!(name)));
                let path = curl::quoted(&path.collect::<String>());
                let _ = writeln!(script, "{variable}=$(\n{command} |\n  jq -r {path})");
                made.push((id.clone(), variable));
            }
            None => {
                let _ = writeln!(script, "{command}");
            }
        }
    }
    script + &with_ids(command(&finding.sent, target), &made)
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

/// The command with the shell's variables in the place of ids. Those stand within single quotes wherever they are, as
/// everything does that a request has.
fn with_ids(command: String, made: &[(String, String)]) -> String {
    made.iter().fold(command, |command, (id, variable)| {
        // An id that is a part of another word is not meant.
        let ends =
            |character: Option<char>| !character.is_some_and(|c| c.is_alphanumeric() || "-_.".contains(c));
        let is_whole = |&at: &usize| {
            ends(command[..at].chars().next_back()) && ends(command[at + id.len()..].chars().next())
        };
        let mut filled = String::new();
        let mut from = 0;
        for at in command.match_indices(id.as_str()).map(|(at, _)| at).filter(is_whole) {
            filled.extend([&command[from..at], "'\"$", variable.as_str(), "\"'"]);
            from = at + id.len();
        }
        filled + &command[from..]
    })
}
