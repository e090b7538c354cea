//! A family of servers that are right but for one bug each.
//!
//! The sound part is a stub with or without state. A bug is one function that stands before it: it may change the request,
//! overlook what is wrong with it, change the answer or do something else instead.

mod accepts;
mod answers;
mod api;
mod fails;
mod refuses;
mod remembers;
mod shell;

use std::{io, sync::Arc};

use standin::{Request, Rule};

pub use api::{Answer, Api};

/// A server with one bug.
pub struct Bug {
    pub name: &'static str,
    /// What is wrong with it, in a line.
    pub does: &'static str,
    /// The check that finds it.
    pub check: &'static str,
    /// The only operation that has it; empty when several do.
    pub operation: &'static str,
    /// The rule that it is about.
    pub rule: Option<Rule>,
    /// What the place of each finding ends with.
    pub place: &'static str,
    /// What the server is like without the bug.
    pub sound: Sound,
    act: fn(&Api, Request) -> Answer,
}

/// What a server is like without its bug.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sound {
    /// It answers the samples.
    Samples,
    /// It remembers what is created.
    State,
    /// It answers the samples, to those whose token is signed with [`SECRET`].
    Verified,
}

/// What tokens are signed with, where signatures are looked at.
pub const SECRET: &str = "the family's own secret";

impl Bug {
    /// What most of them do not say.
    const USUAL: Self = Self {
        name: "",
        does: "",
        check: "mutant_refused",
        operation: "",
        rule: None,
        place: "",
        sound: Sound::Samples,
        act: |api, request| Answer::Reply(api.respond(request).reply),
    };

    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [accepts::ALL, refuses::ALL, fails::ALL, answers::ALL, remembers::ALL].into_iter().flatten()
    }

    /// Serves it on a free port for as long as the process lives, and tells the URL.
    pub fn serve(&'static self) -> io::Result<String> {
        let api = Api::new(self.sound);
        shell::serve(Arc::new(move |request| (self.act)(&api, request)))
    }
}
