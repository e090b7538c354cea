//! JUnit XML, as build servers read it.

use std::fmt::Write;

/// One run.
#[derive(Debug)]
pub(super) struct Suite {
    /// What ran.
    pub(super) name: String,
    /// What the cases have in common; build servers group by it.
    pub(super) class: String,
    /// The cases, in order.
    pub(super) cases: Vec<Case>,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Case {
    /// What it is called.
    pub(super) name: String,
    /// What came of it.
    pub(super) result: CaseResult,
}

/// What came of a case.
#[derive(Debug)]
pub(super) enum CaseResult {
    /// It could not be looked at.
    Error(String),
    /// It is wrong, for these reasons.
    Failed(Vec<String>),
    /// It is fine.
    Passed,
    /// It was looked at without being counted, for these reasons.
    #[cfg_attr(
        not(any(feature = "campaign", feature = "verify")),
        allow(dead_code, reason = "only reports of checks have such cases")
    )]
    Skipped(Vec<String>),
}

impl Suite {
    /// The suite as an XML document.
    pub(super) fn to_xml(&self) -> String {
        let count =
            |wanted: fn(&CaseResult) -> bool| self.cases.iter().filter(|case| wanted(&case.result)).count();
        let counts = format!(
            "name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\"",
            Escaped(&self.name),
            self.cases.len(),
            count(|result| matches!(result, CaseResult::Failed(_))),
            count(|result| matches!(result, CaseResult::Error(_))),
        );
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite {counts} skipped=\"{}\">\n",
            count(|result| matches!(result, CaseResult::Skipped(_))),
        );
        for case in &self.cases {
            let open = format!(
                "    <testcase classname=\"{}\" name=\"{}\"",
                Escaped(&self.class),
                Escaped(&case.name)
            );
            let inner = match &case.result {
                CaseResult::Passed => {
                    xml.push_str(&open);
                    xml.push_str("/>\n");
                    continue;
                }
                CaseResult::Failed(reasons) => element("failure", reasons),
                CaseResult::Skipped(reasons) => element("skipped", reasons),
                CaseResult::Error(reason) => element("error", std::slice::from_ref(reason)),
            };
            let _ = write!(xml, "{open}>\n      {inner}\n    </testcase>\n");
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

/// The first reason is the message, all of them are the text.
fn element(name: &str, reasons: &[String]) -> String {
    let message = match reasons {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    format!("<{name} message=\"{}\">{}</{name}>", Escaped(&message), Escaped(&reasons.join("\n")))
}

/// Text for an XML attribute or element. What XML 1.0 cannot hold, control characters above all, becomes U+FFFD.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => write!(f, "&#{};", character as u32)?,
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                    f.write_char('\u{fffd}')?;
                }
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_well_formed_whatever_is_in_it() {
        let suite = Suite {
            name: "standin check createAgent".into(),
            class: "createAgent".into(),
            cases: vec![
                Case { name: "good.json".into(), result: CaseResult::Passed },
                Case {
                    name: "<\"bad\">&\u{1}.json".into(),
                    result: CaseResult::Failed(vec!["a\nb".into(), "c\u{ffff}".into()]),
                },
                Case { name: "gone.json".into(), result: CaseResult::Error("cannot read the file".into()) },
                Case { name: "later.json".into(), result: CaseResult::Skipped(vec!["not yet".into()]) },
            ],
        };
        assert_eq!(
            suite.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"standin check createAgent\" tests=\"4\" failures=\"1\" errors=\"1\">
  <testsuite name=\"standin check createAgent\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\">
    <testcase classname=\"createAgent\" name=\"good.json\"/>
    <testcase classname=\"createAgent\" name=\"&lt;&quot;bad&quot;&gt;&amp;\u{fffd}.json\">
      <failure message=\"a&#10;b (and 1 more)\">a&#10;b&#10;c\u{fffd}</failure>
    </testcase>
    <testcase classname=\"createAgent\" name=\"gone.json\">
      <error message=\"cannot read the file\">cannot read the file</error>
    </testcase>
    <testcase classname=\"createAgent\" name=\"later.json\">
      <skipped message=\"not yet\">not yet</skipped>
    </testcase>
  </testsuite>
</testsuites>
"
        );
    }
}
