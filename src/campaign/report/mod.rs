//! What came of a campaign, for people and for programs: functions of an [`Outcome`](super::Outcome), or of the trials
//! as they happen.

mod curl;
mod har;
mod html;
mod ndjson;
mod sarif;
mod words;

pub use curl::curl;
pub use har::entry as har_entry;
pub use html::html;
pub use ndjson::line as ndjson_line;
pub use sarif::sarif;
pub use words::{Again, came_back, ended, promise, repeated, title};

#[cfg(test)]
pub(crate) mod tests;
