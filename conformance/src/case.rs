//! The shape of a case: data that says what is asked, and a function that asks it.

use std::fmt;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{context::Context, mutants::Fault, verdict::Outcome};

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
pub enum Lane {
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

/// What a case does; it ends with `?` as soon as the verdict is clear.
pub type Run = for<'a> fn(&'a mut Context) -> BoxFuture<'a, Outcome>;

/// One question to a subject.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Permanent: `group.name`.
    pub id: &'static str,
    /// Counts up when the judgement changes.
    pub revision: u16,
    /// Which end it judges.
    pub side: Side,
    /// The clause of `docs/protocol.md` behind it.
    pub clause: &'static str,
    /// What a violation costs; never more than its clause.
    pub level: Level,
    /// The clause follows from the letter of the assignment only: no points depend on it.
    pub literal: bool,
    /// The extension that it is about: asked only when the subject claims it.
    pub extension: Option<&'static str>,
    /// What is asked, in one line.
    pub title: &'static str,
    /// The usual cause of a failure, for a student.
    pub hint: &'static str,
    /// Cases without which this one says nothing.
    pub needs: &'static [&'static str],
    /// Faults of the mutant server that this case must notice.
    pub killed_by: &'static [Fault],
    /// Company.
    pub lane: Lane,
    /// The question itself.
    pub run: Run,
}

impl Case {
    const fn new(id: &'static str, level: Level, clause: &'static str, run: Run) -> Self {
        Self {
            id,
            revision: 1,
            side: Side::Server,
            clause,
            level,
            literal: false,
            extension: None,
            title: "",
            hint: "",
            needs: &[],
            killed_by: &[],
            lane: Lane::Together,
            run,
        }
    }

    /// A case that fails when its clause is broken.
    #[must_use]
    pub const fn must(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Must, clause, run)
    }

    /// A case that fails only under `--strict`.
    #[must_use]
    pub const fn should(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Should, clause, run)
    }

    /// A case that observes.
    #[must_use]
    pub const fn open(id: &'static str, clause: &'static str, run: Run) -> Self {
        Self::new(id, Level::Open, clause, run)
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

    /// Nobody else runs meanwhile.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.lane = Lane::Alone;
        self
    }

    /// Runs alone, and after all that is lighter.
    #[must_use]
    pub const fn heavy(mut self) -> Self {
        self.lane = Lane::Heavy;
        self
    }

    /// Runs when all others are done.
    #[must_use]
    pub const fn last(mut self) -> Self {
        self.lane = Lane::Last;
        self
    }

    /// No points depend on it.
    #[must_use]
    pub const fn literal(mut self) -> Self {
        self.literal = true;
        self
    }

    /// The part of the id before the dot.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(group, _)| group)
    }
}
