//! Whose fault it is when two programs don't understand each other.

use conformance_kit::{
    escape,
    wire::{frame::Frame, prefix::Prefix},
};
use serde::Serialize;

use super::proxy::{Proxy, Way};
use crate::{
    case::Side,
    client::{ScreenMark, diagnosis, operator::Operator, session},
    invariants::{Invariant, Invariants},
};

/// The most characters of an observation.
const LONGEST: usize = 600;

/// The side that is to blame, and the clause that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blame {
    /// The side.
    pub side: Side,
    /// The clause.
    pub clause: &'static str,
    /// The observation, escaped.
    pub what: String,
}

/// How one step came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Works,
    /// It does not.
    Fails(Blame),
    /// A step before did not work.
    NotTried,
}

/// A step that fails, by this side's fault.
pub(super) fn fails(side: Side, clause: &'static str, what: &str) -> Outcome {
    let what = escape::shorten(&escape::visible(what), LONGEST);
    Outcome::Fails(Blame { side, clause, what })
}

/// The fault when the two ends write lengths in different ways: that of the one who is not like the
/// others.
pub(super) fn dialects(proxy: &Proxy) -> Option<Blame> {
    let (client, server) = (proxy.state().prefix?, proxy.reads());
    if client == server {
        return None;
    }
    let side = if client == Prefix::NETWORK { Side::Server } else { Side::Client };
    let counts = client.counts_itself != server.counts_itself;
    let what = format!(
        "lengths: the client's are {}, the server's {}",
        client.describe(),
        server.describe()
    );
    Some(Blame { side, clause: if counts { "FR-1" } else { "FR-2" }, what })
}

/// The fault when a connection is over, or a client is, before anybody wanted to leave; the frames since the last step
/// that worked say what it was about.
pub(super) fn over(
    proxy: &Proxy,
    operator: &Operator,
    since: usize,
    failed: bool,
) -> Option<Blame> {
    let (way, end) = match proxy.state().closed_first {
        Some(way) => (way, "closed the connection"),
        // A thread of it may be gone, and another one keeps the connection open: only where a step has failed
        // since, or what it caught and printed would be held against it.
        None if failed => session::crash(operator).map(|_| (Way::Up, "fell over"))?,
        None => return None,
    };
    let frames = proxy.since(since);
    let (who, side, clauses): (_, _, fn(&Frame) -> &'static str) = match way {
        Way::Up => ("the client", Side::Client, that_clients_take),
        Way::Down => ("the server", Side::Server, that_servers_take),
    };
    let last = frames.iter().rfind(|passed| passed.way != way);
    let after = last.map_or_else(
        || "before anything was sent to it".to_owned(),
        |passed| {
            let pieces = if passed.in_pieces { ", in several pieces" } else { "" };
            format!("after it got {}{pieces}", escape::bytes(&passed.frame.body, 160))
        },
    );
    let exception = diagnosis::exception(&operator.screen.plain_end());
    let shown = exception.map_or_else(
        || session::describe(operator, ScreenMark::START),
        |exception| format!("the client's exception: {exception}"),
    );
    let what = escape::shorten(&escape::visible(&format!("{who} {end} {after}; {shown}")), LONGEST);
    let blame = Blame { side, clause: last.map_or("QT-1", |passed| clauses(&passed.frame)), what };
    Some(provoked(proxy, since, blame))
}

/// The fault of a side that got nonsense since a mark is the fault of who sent the nonsense: whoever is
/// not understood for that reason, or falls over it, is not the one to mend it first.
pub(super) fn provoked(proxy: &Proxy, since: usize, blame: Blame) -> Blame {
    let (way, other) = match blame.side {
        Side::Client => (Way::Down, Side::Server),
        Side::Server => (Way::Up, Side::Client),
    };
    let invariants = Invariants::new(proxy.client.mark().to_owned(), proxy.client.number());
    let frames = proxy.since(since);
    let sent = frames.iter().filter(|passed| passed.way == way);
    sent.for_each(|passed| invariants.look("the matrix", &passed.frame));
    match broken(other, &invariants).into_iter().next() {
        Some(nonsense) => {
            let what = escape::shorten(&format!("{}; {}", nonsense.what, blame.what), LONGEST);
            Blame { what, ..nonsense }
        }
        None => blame,
    }
}

/// The clause by which a client takes such a frame.
fn that_clients_take(frame: &Frame) -> &'static str {
    let has = |key: &str| frame.key(key).is_some();
    let kinds = ["MESSAGES", "USERS_JOINED", "USERS_LEFT", "ERROR"];
    match kinds.into_iter().filter(|key| has(key)).count() {
        _ if has("USERNAME_ACCEPTED") => "IN-1",
        2.. => "PB-1",
        _ if frame.messages().len() > 1 => "MM-1",
        _ if has("MESSAGES") => "MD-1",
        _ if has("ERROR") => "DS-1",
        _ if has("USERS_JOINED") => "UJ-1",
        _ if has("USERS_LEFT") => "UX-1",
        _ => "BN-2",
    }
}

/// The clause by which a server takes such a frame.
fn that_servers_take(frame: &Frame) -> &'static str {
    let has = |key: &str| frame.key(key).is_some();
    match () {
        () if has("USERNAME") => "AC-1",
        () if frame.messages().iter().any(|message| message.dest != "ALL") => "RT-2",
        () if has("MESSAGES") => "RT-1",
        () => "BN-2",
    }
}

/// Everything that the two did wrong, seen from between them.
pub(super) fn everything(proxy: &Proxy) -> Vec<Blame> {
    let state = proxy.state();
    let plain = |side| {
        let what = "it speaks without TLS".to_owned();
        Blame { side, clause: "TL-1", what }
    };
    let mut blames = broken(Side::Client, &proxy.client);
    blames.extend(state.client_plain.then(|| plain(Side::Client)));
    blames.extend(broken(Side::Server, &proxy.server));
    blames.extend(state.server_plain.then(|| plain(Side::Server)));
    blames
}

/// The invariants that a side broke.
pub(super) fn broken(side: Side, invariants: &Invariants) -> Vec<Blame> {
    const ALL: [(Invariant, &str); 9] = [
        (Invariant::Length, "FR-1"),
        (Invariant::JsonObject, "JS-1"),
        (Invariant::AcceptedBool, "AC-1"),
        (Invariant::UserListStrings, "UL-1"),
        (Invariant::JoinedList, "UJ-1"),
        (Invariant::LeftList, "UX-1"),
        (Invariant::Tuple, "T4-1"),
        (Invariant::TimestampInt, "TS-1"),
        (Invariant::ErrorString, "IV-1"),
    ];
    let first = |(invariant, clause)| Some((clause, invariants.tally(invariant).first?.1));
    ALL.into_iter().filter_map(first).map(|(clause, what)| Blame { side, clause, what }).collect()
}
