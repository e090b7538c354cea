//! The outcome as one page that needs nothing else: no scripts, no pictures from elsewhere.

use std::{collections::BTreeMap, fmt, fmt::Write as _};

use super::{Again, came_back, curl, ended, promise, repeated, title};
use crate::campaign::{
    Check, Ended, Finding, Outcome, ReadingTaken, Severity, TakenReading, TriedOutcome, TriedRule,
};

/// A page of HTML, with the commands that send findings again.
pub fn html(outcome: &Outcome, again: Again<'_>) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = whole(&mut page, outcome, again);
    page
}

fn whole(page: &mut String, outcome: &Outcome, again: Again<'_>) -> fmt::Result {
    let target = Text(&outcome.target);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>standin fuzz {target}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
        include_str!("page.css")
    )?;
    summary(page, outcome)?;
    chart(page, &outcome.rules)?;
    findings(page, outcome, again)?;
    checks(page, outcome)?;
    flaky(page, outcome)?;
    readings(page, &outcome.readings)?;
    left(page, outcome)?;
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn summary(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let (tried, places) = outcome.tried();
    let new = |severity| {
        let is_new = |finding: &&Finding| !finding.is_known && finding.severity == severity;
        outcome.findings.iter().filter(is_new).count()
    };
    let (errors, warnings) = (new(Severity::Error), new(Severity::Warning));
    let (class, verdict) = match (&outcome.ended, errors) {
        (Ended::GaveUp { .. }, _) => ("bad", "The campaign could not go on".to_owned()),
        (Ended::Interrupted, 0) => ("bad", "Interrupted before an error was found".to_owned()),
        (_, 0) => ("good", "No errors found".to_owned()),
        (_, 1) => ("bad", "1 error".to_owned()),
        _ => ("bad", format!("{errors} errors")),
    };
    let mut more = match warnings {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        _ => format!(", {warnings} warnings"),
    };
    let known = outcome.findings.len() - errors - warnings;
    if known > 0 {
        write!(more, ", {known} more known before")?;
    }
    writeln!(page, "<header>\n<h1><span class=\"{class}\">{verdict}</span>{more}</h1>")?;
    writeln!(page, "<p><code>standin fuzz {}</code></p>", Text(&outcome.target))?;
    writeln!(
        page,
        "<p class=\"soft\">standin {}, seed {}, {:.1} s: {}.</p>\n</header>\n<dl class=\"tiles\">",
        env!("CARGO_PKG_VERSION"),
        outcome.seed,
        outcome.micros.as_secs_f64(),
        Text(&ended(outcome))
    )?;
    for (name, value) in [
        ("requests sent", outcome.sent.to_string()),
        ("cases", outcome.cases.to_string()),
        ("rules at their places", format!("{tried}/{places}")),
        ("flaky", outcome.flaky.len().to_string()),
    ] {
        writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
    }
    page.push_str("</dl>\n");
    for note in &outcome.notes {
        writeln!(page, "<p class=\"noted\">{}</p>", Text(note))?;
    }
    Ok(())
}

fn findings(page: &mut String, outcome: &Outcome, again: Again<'_>) -> fmt::Result {
    if outcome.findings.is_empty() && outcome.gone.is_empty() {
        return Ok(());
    }
    page.push_str("<section>\n<h2>Findings</h2>\n");
    for finding in &outcome.findings {
        card(page, finding, outcome, again)?;
    }
    if !outcome.gone.is_empty() {
        page.push_str("<h3 class=\"good\">Known before, and gone</h3>\n<ul>\n");
        for finding in &outcome.gone {
            writeln!(page, "<li>{}</li>", Text(&title(finding)))?;
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn card(page: &mut String, finding: &Finding, outcome: &Outcome, again: Again<'_>) -> fmt::Result {
    let severity = finding.severity.name();
    let class = if finding.severity == Severity::Error { "bad" } else { "noted" };
    writeln!(
        page,
        "<article class=\"card {severity}\" id=\"{}\">\n<h3>{}</h3>\n<p><span class=\"tag {class}\">{severity}</span>{}</p>\n<dl>",
        Text(&finding.fingerprint),
        Text(&title(finding)),
        if finding.is_known { " <span class=\"tag soft\">known before</span>" } else { "" }
    )?;
    for (name, value) in [
        ("expected", finding.expected.clone()),
        ("found", finding.found.clone()),
        ("source", format!("{} ({})", finding.source, finding.basis)),
        ("request", finding.label.to_string()),
        ("repeated", repeated(finding)),
    ] {
        writeln!(page, "<dt>{name}</dt><dd>{}</dd>", Text(&value))?;
    }
    let open = if outcome.findings.len() <= FEW { " open" } else { "" };
    writeln!(
        page,
        "</dl>\n<details{open}>\n<summary>What was sent, and what came back</summary>\n\
         <p>With a token in <code>STANDIN_TOKEN</code>, this sends it:</p>"
    )?;
    let command = curl(finding, &outcome.target);
    if command.len() > LONGEST {
        page.push_str("<p class=\"soft\">It is too long to be shown; its file has it.</p>\n");
    } else {
        writeln!(page, "<pre>{}</pre>", Text(&command))?;
    }
    writeln!(page, "<p>What came back: {}</p>", Text(&came_back(&finding.answer)))?;
    if let Some(reply) = &finding.answer.reply {
        let mut shown = String::new();
        for (name, value) in reply.headers.iter() {
            writeln!(shown, "{name}: {}", String::from_utf8_lossy(value))?;
        }
        let body: String = String::from_utf8_lossy(&reply.body).chars().take(EXCERPT).collect();
        let more = if body.len() < reply.body.len() { "…" } else { "" };
        writeln!(page, "<pre>{}\n{}{more}</pre>", Text(&shown), Text(&body))?;
    }
    writeln!(
        page,
        "<p>This says whether it is fixed: <code>{}</code></p>\n</details>\n</article>",
        Text(&again.command(finding, &outcome.target))
    )
}

/// How many places of a rule had which outcome.
type Counts = [usize; 4];

/// The outcomes as they are called, and their classes in the style sheet.
const KINDS: [(&str, &str); 4] =
    [("refused", "refused"), ("accepted", "accepted"), ("another answer", "other"), ("not tried", "untried")];

fn chart(page: &mut String, rules: &[TriedRule]) -> fmt::Result {
    if rules.is_empty() {
        return Ok(());
    }
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for tried in rules {
        let kind = match tried.outcome {
            TriedOutcome::Refused => 0,
            TriedOutcome::Accepted => 1,
            TriedOutcome::Other => 2,
            TriedOutcome::NotTried | TriedOutcome::Unproved => 3,
        };
        let name = tried.rule.map_or("still valid", crate::Rule::name);
        counts.entry(name).or_default()[kind] += 1;
    }
    page.push_str("<section>\n<h2>Rules by outcome</h2>\n<ul class=\"key\">\n");
    for (name, class) in KINDS {
        writeln!(
            page,
            "<li><svg viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"1\" height=\"1\"/></svg>{name}</li>"
        )?;
    }
    page.push_str("</ul>\n<dl class=\"chart\">\n");
    let widest = counts.values().map(|counts| counts.iter().sum::<usize>()).max().unwrap_or(1);
    for (name, counts) in &counts {
        bar(page, name, *counts, widest)?;
    }
    page.push_str("</dl>\n");
    let odd: Vec<_> = rules
        .iter()
        .filter(|tried| match tried.outcome {
            TriedOutcome::Accepted => tried.rule.is_some(),
            TriedOutcome::Refused => tried.rule.is_none(),
            TriedOutcome::Other | TriedOutcome::NotTried | TriedOutcome::Unproved => true,
        })
        .collect();
    if !odd.is_empty() {
        let places = if odd.len() == 1 { "1 place".to_owned() } else { format!("{} places", odd.len()) };
        writeln!(
            page,
            "<details>\n<summary>{places} with another outcome than the rule asks for</summary>\n<div class=\"wide\">\n<table>\n\
             <tr><th>operation</th><th>place</th><th>rule</th><th>operator</th><th>outcome</th></tr>"
        )?;
        for tried in odd {
            let outcome = match tried.outcome {
                TriedOutcome::Accepted => "accepted",
                TriedOutcome::NotTried => "not tried",
                TriedOutcome::Other => "another answer",
                TriedOutcome::Refused => "refused",
                TriedOutcome::Unproved => "could not be proved",
            };
            writeln!(
                page,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{outcome}</td></tr>",
                Text(&tried.operation),
                Text(&tried.pointer),
                tried.rule.map_or("still valid", crate::Rule::name),
                Text(&tried.operator),
            )?;
        }
        page.push_str("</table>\n</div>\n</details>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

/// A rule's bar: as long as it has places, in parts by outcome.
fn bar(page: &mut String, name: &str, counts: Counts, widest: usize) -> fmt::Result {
    let parts = counts.iter().zip(KINDS).filter(|(count, _)| **count > 0);
    let words: Vec<_> = parts.clone().map(|(count, (kind, _))| format!("{count} {kind}")).collect();
    let words = words.join(", ");
    write!(
        page,
        "<dt>{name}</dt><dd><svg viewBox=\"0 0 {widest} 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{name}: {words}\">"
    )?;
    let mut start = 0;
    for (count, (_, class)) in parts {
        write!(page, "<rect class=\"{class}\" x=\"{start}\" width=\"{count}\" height=\"10\"/>")?;
        start += count;
    }
    writeln!(page, "</svg><small>{words}</small></dd>")
}

fn checks(page: &mut String, outcome: &Outcome) -> fmt::Result {
    if outcome.checks.is_empty() {
        return Ok(());
    }
    page.push_str("<section>\n<h2>Operations by checks</h2>\n<p class=\"soft\">How many answers failed, of how many that the check had something to say of.</p>\n<div class=\"wide\">\n<table>\n<tr><th>check</th>");
    for operation in outcome.checks.keys() {
        write!(page, "<th class=\"number\">{}</th>", Text(operation))?;
    }
    page.push_str("</tr>\n");
    for check in Check::ALL {
        if !outcome.checks.values().any(|checks| checks.contains_key(&check)) {
            continue;
        }
        write!(page, "<tr><td title=\"{}\">{check}</td>", promise(check))?;
        for checks in outcome.checks.values() {
            match checks.get(&check).filter(|tally| tally.passed + tally.failed > 0) {
                None => page.push_str("<td class=\"number soft\">–</td>"),
                Some(tally) => {
                    let class = if tally.failed > 0 { " bad" } else { "" };
                    let all = tally.passed + tally.failed;
                    write!(page, "<td class=\"number{class}\">{}/{all}</td>", tally.failed)?;
                }
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n</div>\n</section>\n");
    Ok(())
}

fn flaky(page: &mut String, outcome: &Outcome) -> fmt::Result {
    if outcome.flaky.is_empty() {
        return Ok(());
    }
    page.push_str("<section>\n<h2>Flaky</h2>\n<p class=\"soft\">These failed, and did not fail each time they were repeated, or could not be repeated.</p>\n<ul>\n");
    for finding in &outcome.flaky {
        writeln!(
            page,
            "<li>{}: failed {} of {} times; expected {}, but found {}</li>",
            Text(&title(finding)),
            finding.failed,
            finding.repeated,
            Text(&finding.expected),
            Text(&finding.found)
        )?;
    }
    page.push_str("</ul>\n</section>\n");
    Ok(())
}

fn readings(page: &mut String, readings: &[ReadingTaken]) -> fmt::Result {
    if readings.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<section>\n<h2>Readings of the ledger</h2>\n<p class=\"soft\">Where the documentation contradicts itself, a server that takes either \
         reading is right. This one takes these.</p>\n<div class=\"wide\">\n<table>\n<tr><th>entry</th><th>about</th><th>reading</th><th>what shows it</th></tr>\n",
    );
    for reading in readings {
        let takes = match reading.takes {
            TakenReading::Other => "another",
            TakenReading::This => "the contract's",
            TakenReading::Unknown => "unknown",
        };
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{takes}</td><td>{}</td></tr>",
            Text(&reading.ledger),
            Text(&reading.title),
            Text(&reading.evidence)
        )?;
    }
    page.push_str("</table>\n</div>\n</section>\n");
    Ok(())
}

fn left(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let created = &outcome.created;
    if created.made == 0 {
        return Ok(());
    }
    writeln!(
        page,
        "<section>\n<h2>What was made</h2>\n<p>{} made, {} of them deleted again.</p>",
        created.made, created.deleted
    )?;
    if !created.left.is_empty() {
        page.push_str("<details>\n<summary>What is left</summary>\n<ul>\n");
        for (operation, id) in &created.left {
            writeln!(page, "<li>{}: <code>{}</code></li>", Text(operation), Text(id))?;
        }
        page.push_str("</ul>\n</details>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

/// Text in HTML, within elements and quoted attributes. Control characters, and the marks that turn the direction of
/// writing, are shown as escapes.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' | '\t' => f.write_char(character)?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(f, "{}", character.escape_unicode())?;
                }
                _ if character.is_control() => write!(f, "{}", character.escape_default())?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// So many findings are shown with all details at once.
const FEW: usize = 5;

/// The longest commands that are shown, in bytes.
const LONGEST: usize = 20_000;

/// How much of a reply's body is shown, in characters.
const EXCERPT: usize = 2000;
