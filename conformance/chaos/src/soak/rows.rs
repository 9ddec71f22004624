//! What is asked about a server, in the words of the report.

use crate::{evidence::Fault, judge::Kind};

/// A row of the verdict: what it is called, and what it counts.
#[must_use]
pub const fn row(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Lost => (
            "lost",
            "acknowledged, or seen by somebody, and on no page at the end of its lap or of the next one",
        ),
        Kind::Doubled => {
            ("doubled", "stored twice, told to a user twice, acknowledged with two ids")
        }
        Kind::Missing => ("missing", "not told to a user whose session went on, or not in a past"),
        Kind::Disordered => ("disordered", "told, or stored, in another order than it was said in"),
        Kind::Leaked => ("leaked", "told to a user whom it was not for, live or on a page"),
        Kind::Altered => ("altered", "told with other words, or under another id, than stored"),
        Kind::Invented => ("sent by nobody", "stored, and sent by nobody"),
        Kind::RefusedStored => ("refused and stored", "answered with a refusal, and stored"),
        Kind::Unreachable => {
            ("refused as to nobody", "a private message to a user who was there all the time")
        }
        Kind::Differing => ("pages that differ", "pages of two readers that tell different things"),
        Kind::NameTwice => ("names twice", "two users with one name at the same time"),
        Kind::Presence => ("lists that are wrong", "a list of users that is not who is here"),
        Kind::FalseAccusation => {
            ("gone without reason", "a user who was announced as gone, and was there")
        }
        Kind::SentAway => {
            ("ended without reason", "a connection that ended although nothing had hit the server")
        }
        Kind::Silent => (
            "fell silent",
            "a connection that its user took for dead, although nothing had hit the server",
        ),
        Kind::Ended => ("failed at its end", "told to end, and ended with another code than 0"),
        Kind::Died => ("ended by itself", "the server ended although nobody ended it"),
    }
}

/// The rows in the order in which they are told.
pub const ROWS: [Kind; 17] = [
    Kind::Lost,
    Kind::Doubled,
    Kind::Missing,
    Kind::Disordered,
    Kind::Altered,
    Kind::Leaked,
    Kind::Invented,
    Kind::RefusedStored,
    Kind::Unreachable,
    Kind::Differing,
    Kind::NameTwice,
    Kind::Presence,
    Kind::FalseAccusation,
    Kind::SentAway,
    Kind::Silent,
    Kind::Ended,
    Kind::Died,
];

/// A disturbance: the fault, what it is called where there is one server, and what is done.
#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    /// The fault.
    pub fault: Fault,
    /// Its word.
    pub word: &'static str,
    /// What is done.
    pub what: &'static str,
}

const fn of(fault: Fault, word: &'static str, what: &'static str) -> Disturbance {
    Disturbance { fault, word, what }
}

/// All disturbances of a soak.
pub const DISTURBANCES: [Disturbance; 9] = [
    of(
        Fault::UsersLeave,
        "leaves",
        "a quarter of the users leave; they go on with their session, or begin another one",
    ),
    of(
        Fault::FramesCut,
        "frames-cut",
        "a quarter of the users write a part of a frame, and cut the connection",
    ),
    of(
        Fault::ConnectionsCut,
        "connections-cut",
        "all connections break at once, half way in what they carry",
    ),
    of(
        Fault::Flood,
        "flood",
        "one user writes as much as it can: up to 500 messages of 1,000 characters",
    ),
    of(Fault::SlowReaders, "slow-readers", "a quarter of the users read nothing while one floods"),
    of(
        Fault::ClockStepped,
        "clock-stepped",
        "the server's clock goes an hour ahead or back, and is right again",
    ),
    of(Fault::NodePaused, "paused", "SIGSTOP, later SIGCONT"),
    of(Fault::NodeStopped, "stopped", "SIGTERM, and a start"),
    of(Fault::NodeKilled, "killed", "SIGKILL, and a start"),
];

/// The disturbance with this word.
#[must_use]
pub fn disturbance(word: &str) -> Option<Fault> {
    DISTURBANCES.iter().find(|one| one.word == word).map(|one| one.fault)
}

/// What a fault is called where there is one server.
#[must_use]
pub fn word(fault: Fault) -> &'static str {
    let known = DISTURBANCES.iter().find(|one| one.fault == fault);
    known.map_or_else(|| fault.word_alone(), |one| one.word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everything_is_asked_and_nothing_twice() {
        let rows: BTreeSet<Kind> = ROWS.into_iter().collect();
        assert_eq!(rows, Kind::ALL.into_iter().collect());
        let titles: BTreeSet<&str> = ROWS.into_iter().map(|kind| row(kind).0).collect();
        assert_eq!(titles.len(), ROWS.len());
        for one in DISTURBANCES {
            assert_eq!(disturbance(one.word), Some(one.fault));
            assert_eq!(word(one.fault), one.word);
        }
    }
}
