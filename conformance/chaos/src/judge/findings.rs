//! What the judge found, counted by kind, with some examples of each.

use std::collections::BTreeMap;

use serde::Serialize;

/// So many examples of a kind are kept.
const EXAMPLES: usize = 10;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Acknowledged, or seen by somebody, and on no page at the end.
    Lost,
    /// Stored under two ids, or told twice to one user.
    Doubled,
    /// Not told to somebody who had to get it.
    Missing,
    /// Told in another order than that of the ids, or stored in another order than its sender sent it in.
    Disordered,
    /// Told to somebody whom it was not for.
    Leaked,
    /// Two users had one name.
    NameTwice,
    /// A user was announced as gone that was not.
    FalseAccusation,
    /// A list of users that is not who is here.
    Presence,
    /// A node's pages are not those of the others.
    Differing,
    /// Told with other words, or under another id, than stored.
    Altered,
    /// Refused, and stored all the same.
    RefusedStored,
    /// Refused as to nobody, although the recipient was there.
    Unreachable,
    /// Stored, and sent by nobody.
    Invented,
    /// A node that was told to end in order ended as one that has failed.
    Ended,
    /// A node ended although nobody ended it.
    Died,
    /// A server that is alone, and that nothing had hit, ended a connection without telling its user why.
    SentAway,
    /// A server that is alone, and that nothing had hit, answered a user nothing for so long that this one took the connection for dead.
    Silent,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 17] = [
        Self::Lost,
        Self::Doubled,
        Self::Missing,
        Self::Disordered,
        Self::Leaked,
        Self::NameTwice,
        Self::FalseAccusation,
        Self::Presence,
        Self::Differing,
        Self::Altered,
        Self::RefusedStored,
        Self::Unreachable,
        Self::Invented,
        Self::Ended,
        Self::Died,
        Self::SentAway,
        Self::Silent,
    ];

    /// What it is called in a report.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Missing => "missing",
            Self::Disordered => "disordered",
            Self::Leaked => "leaked",
            Self::NameTwice => "names twice",
            Self::FalseAccusation => "false accusations",
            Self::Presence => "lists of users that are wrong",
            Self::Differing => "differing between nodes",
            Self::Altered => "altered",
            Self::RefusedStored => "refused and stored",
            Self::Unreachable => "refused as to nobody",
            Self::Invented => "sent by nobody",
            Self::Ended => "nodes that failed at their end",
            Self::Died => "nodes that ended by themselves",
            Self::SentAway => "connections that ended without reason",
            Self::Silent => "connections that fell silent",
        }
    }
}

/// How often something was wrong, and how it looked the first times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How often.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// All that was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings(BTreeMap<Kind, Finding>);

impl Findings {
    /// Something is wrong.
    pub(super) fn add(&mut self, kind: Kind, example: impl FnOnce() -> String) {
        let finding = self.0.entry(kind).or_default();
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example());
        }
    }

    /// How often something of this kind was wrong.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.0.get(&kind).map_or(0, |finding| finding.count)
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.0.is_empty()
    }

    /// What was wrong, by kind.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &Finding)> {
        self.0.iter().map(|(kind, finding)| (*kind, finding))
    }
}
