//! The shape of a case: a row of data that says what is asked, and a function that asks it.
//!
//! A [`Case`] belongs to one [`Judged`] side by its type, so a case for clients can't be asked of a
//! server. Whatever only looks at the data takes the [`Row`].

use std::{fmt, ops::Deref};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{clause::Level, verdict::Outcome};

/// The end of the protocol that a case judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// A side as a type: it fixes what its cases act with, and what its mutant can do wrong.
pub trait Judged: 'static {
    /// The type that a case acts with.
    type Hands: Send + 'static;
    /// The faults of the mutant of this side.
    type Fault: Defect;
    /// The same side as a value.
    const SIDE: Side;
}

/// The name of something that a mutant can do wrong.
pub trait Defect: Copy + Send + Sync + 'static {
    /// Its name, as the mutant's `--fault` takes it.
    fn name(self) -> &'static str;
    /// Its effect, in a line.
    fn description(self) -> &'static str;
}

/// How much other traffic a case tolerates, and what it may leave behind; cases run in this order as
/// far as their needs allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Asks about a chat in which nothing was said: it comes first, on a subject of its own where one
    /// can be had.
    Early,
    /// Ordinary traffic: many at the same time.
    Together,
    /// Other traffic would change what it sees: nobody else runs meanwhile.
    Alone,
    /// Sends what a server has to survive, so that harm is charged to the one who did it.
    Rough,
    /// Sends what the norm leaves open, so that even a correct subject may be marked by it (ended,
    /// renamed, haunted by a user who never leaves): it runs behind all that counts, on a subject of
    /// its own where one can be had.
    Marking,
    /// The same, and leaves megabytes behind: only on a subject of the suite's own, or on request.
    Heavy,
    /// Judges what all the others saw; runs when they are done.
    Last,
}

impl Isolation {
    /// Whether the case wants a subject that has served no other.
    #[must_use]
    pub const fn wants_fresh(self) -> bool {
        matches!(self, Self::Early | Self::Marking | Self::Heavy)
    }
}

/// The function of a case; it ends with `?` as soon as the verdict is clear.
pub type Ask<J> = for<'a> fn(&'a mut <J as Judged>::Hands) -> BoxFuture<'a, Outcome>;

/// The data of a case.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Permanent: `group.name`.
    pub id: &'static str,
    /// Counts up when the judgement changes.
    pub revision: u16,
    /// The end that it judges.
    pub side: Side,
    /// The clause of `docs/protocol.md` or `docs/capabilities.md` behind it.
    pub clause: &'static str,
    /// The level of a violation, at most that of its clause.
    pub level: Level,
    /// The clause follows from the letter of the assignment only: no points depend on it.
    pub literal: bool,
    /// The extension that it is about: asked only when the subject claims it.
    pub extension: Option<&'static str>,
    /// Extensions beside it without which the case can't be asked.
    pub also: &'static [&'static str],
    /// The question, in one line.
    pub title: &'static str,
    /// The usual cause of a failure, for a student.
    pub hint: &'static str,
    /// Cases without which this one says nothing.
    pub needs: &'static [&'static str],
    /// Cases whose failure explains that something did not come here: the case is asked all the
    /// same, since something wrong that does come is evidence whatever they say.
    pub excuses: &'static [&'static str],
    /// What it shows comes by chance: a failure stands, since a second try may miss it.
    pub chance: bool,
    /// It passes when nothing comes: all the time that there is belongs to it.
    pub silence: bool,
    /// How much other traffic it tolerates.
    pub isolation: Isolation,
}

impl Row {
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
}

/// One question to a subject of one side; it derefs to its [`Row`].
pub struct Case<J: Judged> {
    row: Row,
    /// Faults of the mutant that this case must notice.
    pub killed_by: &'static [J::Fault],
    ask: Ask<J>,
}

impl<J: Judged> Case<J> {
    /// A case of this level, about this clause.
    #[must_use]
    pub const fn new(id: &'static str, level: Level, clause: &'static str, ask: Ask<J>) -> Self {
        let row = Row {
            id,
            revision: 1,
            side: J::SIDE,
            clause,
            level,
            literal: false,
            extension: None,
            also: &[],
            title: "",
            hint: "",
            needs: &[],
            excuses: &[],
            chance: false,
            silence: false,
            isolation: Isolation::Together,
        };
        Self { row, killed_by: &[], ask }
    }

    /// A case that fails when its clause is broken.
    #[must_use]
    pub const fn must(id: &'static str, clause: &'static str, ask: Ask<J>) -> Self {
        Self::new(id, Level::Must, clause, ask)
    }

    /// A case that fails only under `--strict`.
    #[must_use]
    pub const fn should(id: &'static str, clause: &'static str, ask: Ask<J>) -> Self {
        Self::new(id, Level::Should, clause, ask)
    }

    /// A case that observes.
    #[must_use]
    pub const fn open(id: &'static str, clause: &'static str, ask: Ask<J>) -> Self {
        Self::new(id, Level::Open, clause, ask)
    }

    /// Says what is asked.
    #[must_use]
    pub const fn asks(mut self, title: &'static str) -> Self {
        self.row.title = title;
        self
    }

    /// Asked only of subjects that claim this extension; the name is lower case.
    #[must_use]
    pub const fn extension(mut self, name: &'static str) -> Self {
        self.row.extension = Some(name);
        self
    }

    /// Asked only when these are claimed, too.
    #[must_use]
    pub const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.row.also = names;
        self
    }

    /// Counts how often the judgement has changed.
    #[must_use]
    pub const fn revised(mut self, revision: u16) -> Self {
        self.row.revision = revision;
        self
    }

    /// Says what usually is wrong.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.row.hint = hint;
        self
    }

    /// Names the cases it rests on.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.row.needs = needs;
        self
    }

    /// Names the cases whose failure explains that something does not come here.
    #[must_use]
    pub const fn excused_by(mut self, cases: &'static [&'static str]) -> Self {
        self.row.excuses = cases;
        self
    }

    /// A failure stands: what it shows comes by chance.
    #[must_use]
    pub const fn by_chance(mut self) -> Self {
        self.row.chance = true;
        self
    }

    /// Passes when nothing comes, so that it must not be hurried.
    #[must_use]
    pub const fn by_silence(mut self) -> Self {
        self.row.silence = true;
        self
    }

    /// Names the faults that it must notice.
    #[must_use]
    pub const fn killed_by(mut self, faults: &'static [J::Fault]) -> Self {
        self.killed_by = faults;
        self
    }

    /// Nobody else runs meanwhile.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.row.isolation = Isolation::Alone;
        self
    }

    /// Runs first, where nothing was said.
    #[must_use]
    pub const fn early(mut self) -> Self {
        self.row.isolation = Isolation::Early;
        self
    }

    /// Runs alone, behind what is gentle.
    #[must_use]
    pub const fn rough(mut self) -> Self {
        self.row.isolation = Isolation::Rough;
        self
    }

    /// Runs alone, behind all that counts.
    #[must_use]
    pub const fn marking(mut self) -> Self {
        self.row.isolation = Isolation::Marking;
        self
    }

    /// Runs alone, and after all that is lighter.
    #[must_use]
    pub const fn heavy(mut self) -> Self {
        self.row.isolation = Isolation::Heavy;
        self
    }

    /// Runs when all others are done.
    #[must_use]
    pub const fn last(mut self) -> Self {
        self.row.isolation = Isolation::Last;
        self
    }

    /// No points depend on it.
    #[must_use]
    pub const fn literal(mut self) -> Self {
        self.row.literal = true;
        self
    }

    /// Its data.
    #[must_use]
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Asks.
    #[must_use]
    pub fn ask<'a>(&self, hands: &'a mut J::Hands) -> BoxFuture<'a, Outcome> {
        (self.ask)(hands)
    }
}

impl<J: Judged> Deref for Case<J> {
    type Target = Row;

    fn deref(&self) -> &Row {
        &self.row
    }
}

impl<J: Judged> Clone for Case<J> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<J: Judged> Copy for Case<J> {}

impl<J: Judged> fmt::Debug for Case<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.row.fmt(f)
    }
}
