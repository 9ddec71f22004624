//! The shape of a case: data that says what is asked, and a function that asks it.

use std::{fmt, future::ready};

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    client::ClientHands,
    fault::{client::ClientFault, server::Fault},
    server::hands::ServerHands,
    verdict::{Outcome, Verdict},
};

/// How binding a clause is, and so what a violation costs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The norm leaves it open: observed, never failed.
    Open,
    /// A robust peer needs it: fails only under `--strict`.
    Should,
    /// The assignment says it: a violation fails.
    Must,
}

impl Level {
    /// Reads the word that the norm uses.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_uppercase().as_str() {
            "MUST" => Some(Self::Must),
            "SHOULD" => Some(Self::Should),
            "OPEN" => Some(Self::Open),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Open => "OPEN",
        })
    }
}

/// Which end of the protocol a case judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// In whose company a case can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Ordinary traffic: many at the same time.
    Together,
    /// Rough or busy: nobody else runs meanwhile, so that harm is charged to the one who did it.
    Alone,
    /// Alone, and leaves so much behind that a leaking history would burden all others; runs after
    /// them.
    Heavy,
    /// Judges what all the others saw; runs when they are done.
    Last,
}

/// What a case does with a server; it ends with `?` as soon as the verdict is clear.
pub type Run = for<'a> fn(&'a mut ServerHands) -> BoxFuture<'a, Outcome>;

/// What a case does with a client.
pub type ClientRun = for<'a> fn(&'a mut ClientHands) -> BoxFuture<'a, Outcome>;

/// The question itself, to one side or the other.
#[derive(Debug, Clone, Copy)]
pub enum Question {
    /// To a server.
    Server(Run),
    /// To a client.
    Client(ClientRun),
}

/// One question to a subject.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Permanent: `group.name`.
    pub id: &'static str,
    /// Counts up when the judgement changes.
    pub revision: u16,
    /// Which end it judges.
    pub side: Side,
    /// The clause of `docs/protocol.md` or `docs/capabilities.md` behind it.
    pub clause: &'static str,
    /// What a violation costs; never more than its clause.
    pub level: Level,
    /// The clause follows from the letter of the assignment only: no points depend on it.
    pub literal: bool,
    /// The extension that it is about: asked only when the subject claims it.
    pub extension: Option<&'static str>,
    /// Extensions beside it without which the case can't be asked.
    pub also: &'static [&'static str],
    /// What is asked, in one line.
    pub title: &'static str,
    /// The usual cause of a failure, for a student.
    pub hint: &'static str,
    /// Cases without which this one says nothing.
    pub needs: &'static [&'static str],
    /// Faults of the mutant server that this case must notice.
    pub killed_by: &'static [Fault],
    /// Faults of the mutant client that this case must notice.
    pub killed_by_client: &'static [ClientFault],
    /// Company.
    pub isolation: Isolation,
    /// The question itself.
    pub question: Question,
}

impl Case {
    const fn new(id: &'static str, level: Level, clause: &'static str, question: Question) -> Self {
        let side = match question {
            Question::Server(_) => Side::Server,
            Question::Client(_) => Side::Client,
        };
        Self {
            id,
            revision: 1,
            side,
            clause,
            level,
            literal: false,
            extension: None,
            also: &[],
            title: "",
            hint: "",
            needs: &[],
            killed_by: &[],
            killed_by_client: &[],
            isolation: Isolation::Together,
            question,
        }
    }

    /// A case that fails when its clause is broken.
    #[must_use]
    pub const fn must(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Must, clause, Question::Server(run))
    }

    /// A case that fails only under `--strict`.
    #[must_use]
    pub const fn should(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Should, clause, Question::Server(run))
    }

    /// A case that observes.
    #[must_use]
    pub const fn open(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Open, clause, Question::Server(run))
    }

    /// A case for clients, of this level.
    #[must_use]
    pub const fn client(
        id: &'static str,
        level: Level,
        clause: &'static str,
        run: ClientRun,
    ) -> Self {
        Self::new(id, level, clause, Question::Client(run))
    }

    /// Says what is asked.
    #[must_use]
    pub const fn asks(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// Asked only of subjects that claim this extension; the name is lower case.
    #[must_use]
    pub const fn extension(mut self, name: &'static str) -> Self {
        self.extension = Some(name);
        self
    }

    /// Asked only when these are claimed, too.
    #[must_use]
    pub const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }

    /// Says what usually is wrong.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// Names the cases it rests on.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    /// Names the faults that it must notice.
    #[must_use]
    pub const fn killed_by(mut self, faults: &'static [Fault]) -> Self {
        self.killed_by = faults;
        self
    }

    /// Names the faults of a client that it must notice.
    #[must_use]
    pub const fn kills(mut self, faults: &'static [ClientFault]) -> Self {
        self.killed_by_client = faults;
        self
    }

    /// Nobody else runs meanwhile.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.isolation = Isolation::Alone;
        self
    }

    /// Runs alone, and after all that is lighter.
    #[must_use]
    pub const fn heavy(mut self) -> Self {
        self.isolation = Isolation::Heavy;
        self
    }

    /// Runs when all others are done.
    #[must_use]
    pub const fn last(mut self) -> Self {
        self.isolation = Isolation::Last;
        self
    }

    /// No points depend on it.
    #[must_use]
    pub const fn literal(mut self) -> Self {
        self.literal = true;
        self
    }

    /// The part of the id that it shares with its group: `join` of `join.taken`, `c.join` of
    /// `c.join.first`.
    #[must_use]
    pub fn group(&self) -> &'static str {
        let dots = if self.side == Side::Client { 2 } else { 1 };
        self.id
            .match_indices('.')
            .nth(dots - 1)
            .map_or(self.id, |(at, _)| self.id.get(..at).unwrap_or(self.id))
    }

    /// Asks a server.
    #[must_use]
    pub fn ask_server<'a>(&self, hands: &'a mut ServerHands) -> BoxFuture<'a, Outcome> {
        match self.question {
            Question::Server(run) => run(hands),
            Question::Client(_) => Box::pin(ready(Err(wrong_side()))),
        }
    }

    /// Asks a client.
    #[must_use]
    pub fn ask_client<'a>(&self, stage: &'a mut ClientHands) -> BoxFuture<'a, Outcome> {
        match self.question {
            Question::Client(run) => run(stage),
            Question::Server(_) => Box::pin(ready(Err(wrong_side()))),
        }
    }
}

fn wrong_side() -> Verdict {
    Verdict::inconclusive("this case is for the other side")
}
