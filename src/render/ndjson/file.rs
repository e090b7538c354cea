//! A file of lines: what `serve --journal-file` writes, and what an export is.
//!
//! ```json
//! {"standin":"journal","format":1,"run":"2026-08-01T12:30:00Z"}   a server begins here; an export has no such line
//! {"id":1,"received":"…",…}                                       an exchange
//! {"id":1,"delivery":"sent"}                                      what became of an earlier exchange's reply
//! {"dropped":5}                                                   so many exchanges are missing here
//! ```
//!
//! With `"continued":true` the beginning of the run is in another file.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{ParseError, parse};
use crate::{Delivery, Recorded};

/// What one server has written; an export is one run, too.
#[derive(Debug, Default)]
pub struct Run {
    /// When the server was started; an export does not say.
    pub name: Option<String>,
    /// The exchanges, with what became of their replies; those of a server by number.
    pub exchanges: Vec<Recorded>,
    /// How many the file says are missing.
    pub dropped: u64,
    /// Whether its beginning is in another file.
    pub is_continued: bool,
    /// The numbers of lines, from 1 on, that were never written to their end.
    pub unfinished: Vec<usize>,
}

/// The line, without its end, that the lines of a server begin with.
pub fn header(run: Timestamp, is_continued: bool) -> String {
    let run = run.to_string();
    let header =
        Header { standin: JOURNAL.into(), format: Some(FORMAT), run: Some(run), continued: is_continued };
    serde_json::to_string(&header).unwrap_or_default()
}

/// The line, without its end, that stands for so many missing exchanges.
pub fn gap(count: u64) -> String {
    format!("{{\"dropped\":{count}}}")
}

/// The line, without its end, that says what became of the reply of an exchange that has been written.
pub fn delivery(id: u64, delivery: Delivery) -> String {
    let delivery = serde_json::to_string(&delivery).unwrap_or_default();
    format!("{{\"id\":{id},\"delivery\":{delivery}}}")
}

/// Reads a whole file; see [`Reader`].
pub fn read(file: &[u8]) -> Result<Vec<Run>, ParseError> {
    let mut reader = Reader::default();
    for line in file.split(|&byte| byte == b'\n') {
        reader.line(line)?;
    }
    Ok(reader.finish())
}

/// Reads a file line by line; empty lines are skipped.
///
/// A line that ends too early is no error at the end of the file, nor where the next line says that the server was
/// started again or that exchanges are missing.
#[derive(Debug, Default)]
pub struct Reader {
    runs: Vec<Run>,
    /// Where the exchanges of the latest run are, by number.
    places: HashMap<u64, usize>,
    /// How many lines there were.
    lines: usize,
    /// The line just read, when it ends too early.
    cut: Option<(usize, ParseError)>,
}

impl Reader {
    /// Reads the next line, with or without its end.
    pub fn line(&mut self, line: &[u8]) -> Result<(), ParseError> {
        self.lines += 1;
        let number = self.lines;
        self.take(number, line.trim_ascii()).map_err(|error| error.at(number))
    }

    /// What there was in the file.
    pub fn finish(mut self) -> Vec<Run> {
        if let Some((number, _)) = self.cut.take() {
            self.run().unfinished.push(number);
        }
        for run in self.runs.iter_mut().filter(|run| run.name.is_some()) {
            run.exchanges.sort_by_key(|recorded| recorded.id);
        }
        self.runs
    }

    fn run(&mut self) -> &mut Run {
        if self.runs.is_empty() {
            self.runs.push(Run::default());
        }
        let last = self.runs.len() - 1;
        &mut self.runs[last]
    }

    fn take(&mut self, number: usize, line: &[u8]) -> Result<(), ParseError> {
        if line.is_empty() {
            return Ok(());
        }
        let note = note(line);
        if let Some((number, error)) = self.cut.take() {
            if !matches!(note, Some(Note::Header(_) | Note::Gap { .. })) {
                return Err(error.at(number));
            }
            self.run().unfinished.push(number);
        }
        match note {
            Some(Note::Header(header)) => self.begin(header)?,
            Some(Note::Gap { dropped }) => {
                let run = self.run();
                run.dropped = run.dropped.saturating_add(dropped);
            }
            Some(Note::Delivery { id, delivery }) => {
                // The exchange itself may be missing, or in the file that this one continues.
                if let Some(&place) = self.places.get(&id) {
                    self.run().exchanges[place].delivery.settle(delivery);
                }
            }
            None => match exchange(line) {
                Ok(recorded) => {
                    let place = self.run().exchanges.len();
                    self.places.insert(recorded.id, place);
                    self.run().exchanges.push(recorded);
                }
                Err(error) if error.is_cut => self.cut = Some((number, error)),
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }

    fn begin(&mut self, header: Header) -> Result<(), ParseError> {
        if header.standin != JOURNAL {
            return Err(ParseError::new("/standin", "`journal`", &format!("`{}`", header.standin)));
        }
        match header.format {
            Some(FORMAT) => {}
            Some(format) => {
                let found = format!("`{format}`; a newer standin has written it");
                return Err(ParseError::new("/format", &format!("`{FORMAT}`"), &found));
            }
            None => return Err(ParseError::new("/format", &format!("`{FORMAT}`"), "nothing")),
        }
        let name = header.run.ok_or_else(|| ParseError::new("/run", "a string", "nothing"))?;
        if self.runs.last().is_none_or(|last| last.name.as_ref() != Some(&name)) {
            self.places.clear();
            self.runs.push(Run { name: Some(name), is_continued: header.continued, ..Run::default() });
        }
        Ok(())
    }
}

/// A line that is no exchange.
enum Note {
    Header(Header),
    Gap { dropped: u64 },
    Delivery { id: u64, delivery: Delivery },
}

#[derive(Deserialize, Serialize)]
struct Header {
    standin: String,
    format: Option<u64>,
    run: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    continued: bool,
}

/// What there may be in a note; an exchange has more.
#[derive(Deserialize)]
struct Members {
    standin: Option<IgnoredAny>,
    dropped: Option<u64>,
    id: Option<u64>,
    delivery: Option<Delivery>,
    request: Option<IgnoredAny>,
}

fn note(line: &[u8]) -> Option<Note> {
    if line.len() > LONGEST_NOTE {
        return None;
    }
    let members: Members = serde_json::from_slice(line).ok()?;
    match members {
        Members { standin: Some(_), .. } => serde_json::from_slice(line).ok().map(Note::Header),
        Members { request: Some(_), .. } => None,
        Members { dropped: Some(dropped), .. } => Some(Note::Gap { dropped }),
        Members { id: Some(id), delivery: Some(delivery), .. } => Some(Note::Delivery { id, delivery }),
        _ => None,
    }
}

fn exchange(line: &[u8]) -> Result<Recorded, ParseError> {
    match str::from_utf8(line) {
        Ok(line) => parse(line),
        Err(error) => {
            let mut wrong =
                ParseError::new("", "UTF-8", &format!("other bytes at byte {}", error.valid_up_to()));
            wrong.is_cut = error.error_len().is_none();
            Err(wrong)
        }
    }
}

const JOURNAL: &str = "journal";

/// The format that is written, and the newest that is read.
const FORMAT: u64 = 1;

/// No note is longer than this, in bytes.
const LONGEST_NOTE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DeliveryCell,
        render::{ndjson::line, tests::full},
    };

    fn numbered(id: u64, delivery: Delivery) -> String {
        line(&Recorded { id, delivery: DeliveryCell::new(delivery), ..full() })
    }

    fn started(second: i64, is_continued: bool) -> String {
        header(Timestamp::from_second(second).unwrap(), is_continued)
    }

    fn file(lines: &[String]) -> Vec<u8> {
        lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
    }

    fn ids(run: &Run) -> Vec<u64> {
        run.exchanges.iter().map(|recorded| recorded.id).collect()
    }

    #[test]
    fn a_file_without_a_header_is_one_run_in_its_own_order() {
        let line = line(&full());

        let runs = read(format!("{line}\r\n\n{{\"dropped\":3}}\n{line}\n").as_bytes()).unwrap();

        assert_eq!((runs.len(), ids(&runs[0]), runs[0].dropped), (1, vec![7, 7], 3));
        assert_eq!(runs[0].name, None);
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn each_header_begins_a_run_whose_numbers_are_its_own() {
        use Delivery::{Aborted, Pending, Sent};
        let runs = read(&file(&[
            started(1, false),
            numbered(2, Pending),
            numbered(1, Pending),
            delivery(2, Sent),
            started(2, true),
            delivery(1, Aborted),
            numbered(1, Pending),
            gap(2),
            started(2, true),
            numbered(4, Sent),
            delivery(4, Aborted),
        ]))
        .unwrap();

        assert_eq!(runs.iter().map(ids).collect::<Vec<_>>(), [[1, 2], [1, 4]]);
        let deliveries: Vec<_> = runs
            .iter()
            .flat_map(|run| run.exchanges.iter().map(|recorded| recorded.delivery.get()))
            .collect();
        assert_eq!(deliveries, [Pending, Sent, Pending, Sent]);
        assert_eq!(runs[0].name.as_deref(), Some("1970-01-01T00:00:01Z"));
        assert_eq!((runs[0].is_continued, runs[1].is_continued, runs[1].dropped), (false, true, 2));
    }

    #[test]
    fn a_line_cut_anywhere_is_tolerated_where_it_can_come_about() {
        let (first, second) = (numbered(1, Delivery::Sent), numbered(2, Delivery::Sent));
        let lines = [started(1, false), first, second.clone()];
        let whole = file(&lines);
        let begin = whole.len() - second.len() - 1;
        for end in begin + 1..whole.len() - 1 {
            let runs = read(&whole[..end]).unwrap();
            assert_eq!((ids(&runs[0]), &*runs[0].unfinished), (vec![1], &[3][..]), "{end}");
        }
        let cut = second[..second.len() / 2].to_owned();
        for next in [started(2, false), gap(1)] {
            let runs = read(&file(&[started(1, false), cut.clone(), next])).unwrap();
            assert_eq!(runs[0].unfinished, [2]);
        }
        assert_eq!(read(&file(std::slice::from_ref(&cut))).unwrap()[0].unfinished, [1]);
        let error = read(&file(&[cut, second])).unwrap_err().to_string();
        assert!(error.starts_with("line 1: expected an exchange as one line of JSON"), "{error}");
    }

    #[test]
    fn err_names_the_line() {
        let e = |text: &str| {
            read(format!("{}\n\n{text}\n", numbered(1, Delivery::Sent)).as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(e("{}"), "line 3: expected a member `id`, but found none");
        assert_eq!(
            e(r#"{"standin":"journal","format":2,"run":"x"}"#),
            "line 3: /format: expected `1`, but found `2`; a newer standin has written it"
        );
        assert_eq!(e(r#"{"standin":"x"}"#), "line 3: /standin: expected `journal`, but found `x`");
        assert_eq!(e(r#"{"standin":"journal"}"#), "line 3: /format: expected `1`, but found nothing");
        assert_eq!(
            e(r#"{"standin":"journal","format":1}"#),
            "line 3: /run: expected a string, but found nothing"
        );
        let odd = [&*file(&[numbered(1, Delivery::Sent)]), b"\xff\xfe\n"].concat();
        assert_eq!(
            read(&odd).unwrap_err().to_string(),
            "line 2: expected UTF-8, but found other bytes at byte 0"
        );
    }
}
