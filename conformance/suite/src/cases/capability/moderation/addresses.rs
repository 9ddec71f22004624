//! Bans of addresses: those that would hit others ask first, and those that would hit their author are refused.
//!
//! All users of the suite come from one address. A server that sees another one (behind a translation of addresses) is not
//! judged by bans of it, which hit nobody there.

use std::net::IpAddr;

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::scene::{guest, must, must_not, ranked};
use crate::{
    cases::capability::{
        calling::{Came, call, came, code, is_ok},
        membership::column,
        told::text,
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Reserved, so that nobody has an address in it.
const NOBODYS_HALF: &str = "240.0.0.0/8";
/// A ban that a server makes in spite of everything ends soon.
const SHORT: &str = "1m";

fn own_address(peer: &Peer) -> Result<IpAddr, Verdict> {
    peer.address().ok_or_else(|| Verdict::inconclusive("the connection has no address any more"))
}

/// Calls `ban` with an address; a question is answered with null, so that nothing is done.
async fn tried(c: &mut ServerHands, peer: &mut Peer, args: &[&str]) -> Result<Came, Verdict> {
    let since = peer.mark();
    let id = call(c, peer, "ban", args).await;
    let first = came(peer, since, &id).await;
    if !matches!(first, Came::Prompt(_)) {
        return Ok(first);
    }
    let mark = peer.mark();
    peer.send(&json!({"ANSWER": {"ID": id, "TEXT": null}})).await;
    match came(peer, mark, &id).await {
        Came::Result(result) if code(&result) == "cancelled" && !is_ok(&result) => Ok(first),
        other => {
            let expected = "cancelled, after null was the answer to what a ban asks";
            Err(Verdict::fail(expected, format!("{other}; {}", peer.heard(since))))
        }
    }
}

/// The greatest number in a text that is no part of an address.
fn greatest(text: &str, address: &str) -> u64 {
    let text = text.replace(address, " ");
    let words = text.split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':' | '/'));
    words.filter_map(|word| word.trim_end_matches(['.', ':']).parse().ok()).max().unwrap_or(0)
}

/// None of these was sent away.
async fn all_there(
    c: &mut ServerHands,
    moderator: &mut Peer,
    all: &mut [Peer],
) -> Result<(), Verdict> {
    for one in all {
        let heard = c.fence(moderator, one).await.is_ok();
        if !heard || one.is_closed() {
            let expected = format!("{} stays, as nothing was banned", one.role);
            return Err(Verdict::fail(expected, one.heard(Mark::START)));
        }
    }
    Ok(())
}

fn elsewhere(address: IpAddr) -> Verdict {
    Verdict::not_applicable(format!("the server does not see us under {address}"))
}

pub(super) async fn asks(c: &mut ServerHands) -> Outcome {
    let mut operator = ranked(c, "operator", 4).await?;
    let mut guests = vec![c.join("bob").await?, c.join("carl").await?, guest(c, "dora").await?];
    let (address, why) = (own_address(&operator)?, c.text());
    let shown = address.to_string();
    let least = u64::try_from(guests.len()).unwrap_or(u64::MAX);
    let expected = format!(
        "PROMPT that says how many connections a ban of the guests at {shown} would end, at least {least}"
    );
    match tried(c, &mut operator, &[&shown, SHORT, "guests", &why]).await? {
        Came::Prompt(prompt) => {
            let count = greatest(text(&prompt, "TEXT"), &shown);
            if count < least {
                return Ok(Verdict::fail(expected, prompt.to_string()));
            }
        }
        Came::Result(result) if is_ok(&result) => {
            c.settle().await;
            let hit = guests.iter_mut().any(Peer::is_closed);
            let unasked = Verdict::fail(expected, format!("{result}, and they are gone"));
            return Ok(if hit { unasked } else { elsewhere(address) });
        }
        other => return Ok(Verdict::fail(expected, other.to_string())),
    }
    all_there(c, &mut operator, &mut guests).await?;
    // Nothing is left of it, either.
    guests.push(c.join("eve").await?);
    Ok(Verdict::Pass)
}

pub(super) async fn lock_out(c: &mut ServerHands) -> Outcome {
    let mut operator = ranked(c, "operator", 4).await?;
    let mut moderator = ranked(c, "mod", 3).await?;
    let equal = ranked(c, "equal", 3).await?;
    let why = c.text();
    // A user may be out of reach by the rank, whatever is banned.
    let words = ["would-lock-out", "forbidden"];
    for name in [&equal.name, &operator.name] {
        must_not(c, &mut moderator, ("ban", &[name, SHORT, &why]), &words).await?;
    }
    let address = own_address(&operator)?;
    let shown = address.to_string();
    let answer = tried(c, &mut operator, &[&shown, SHORT, &why]).await?;
    let mut all = [equal, moderator];
    match answer {
        Came::Result(result) if code(&result) == "would-lock-out" && !is_ok(&result) => {}
        Came::Result(result) if is_ok(&result) => {
            c.settle().await;
            if operator.is_closed() || all.iter_mut().any(Peer::is_closed) {
                let expected = format!("would-lock-out for a ban of the own address, {shown}");
                return Ok(Verdict::fail(expected, result.to_string()));
            }
            return Ok(elsewhere(address));
        }
        other => {
            let expected = format!("would-lock-out for a ban of the own address, {shown}");
            return Ok(Verdict::fail(expected, other.to_string()));
        }
    }
    all_there(c, &mut operator, &mut all).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn wide(c: &mut ServerHands) -> Outcome {
    let mut operator = ranked(c, "operator", 4).await?;
    let expected = format!("no ban of {NOBODYS_HALF} by level 4: nothing wider than /16");
    match tried(c, &mut operator, &[NOBODYS_HALF, SHORT]).await? {
        Came::Result(result) if !is_ok(&result) => Ok(Verdict::Pass),
        other => Ok(Verdict::fail(expected, other.to_string())),
    }
}

/// A text in anything that SERVER says, or that is no message at all.
fn shows(frame: &Frame, wanted: &str) -> bool {
    let others = frame.messages().iter().any(|message| message.src != "SERVER");
    !others && String::from_utf8_lossy(&frame.body).contains(wanted)
}

pub(super) async fn unseen(c: &mut ServerHands) -> Outcome {
    /// Reserved, as above.
    const NOBODYS: &str = "240.1.2.3";
    let mut operator = ranked(c, "operator", 4).await?;
    let mut moderator = ranked(c, "mod", 3).await?;
    let (mut bob, mut carl) = (c.join("bob").await?, guest(c, "carl").await?);
    let own = own_address(&operator)?.to_string();
    let marks = [moderator.mark(), bob.mark(), carl.mark()];
    let why = c.text();
    must(c, &mut operator, "ban", &[NOBODYS, SHORT, &why]).await?;
    must(c, &mut operator, "kick", &[&carl.name.clone(), &why]).await?;
    carl.find_closed().await;
    for (name, args) in [("banned-users", &[][..]), ("audit", &[]), ("users", &[]), ("help", &[])] {
        let since = moderator.mark();
        let id = call(c, &mut moderator, name, args).await;
        let answer = came(&mut moderator, since, &id).await;
        if name == "banned-users" && !matches!(&answer, Came::Result(result) if is_ok(result)) {
            let expected = "OK for banned-users of level 3";
            return Ok(Verdict::fail(expected, answer.to_string()));
        }
    }
    c.fence(&mut operator, &mut bob).await?;
    c.fence(&mut operator, &mut moderator).await?;
    for (peer, since) in [&mut moderator, &mut bob, &mut carl].into_iter().zip(marks) {
        for wanted in [NOBODYS, own.as_str()] {
            let shown = peer.frames(since).iter().find(|frame| shows(frame, wanted)).cloned();
            if let Some(frame) = shown {
                let expected = format!("no address in any frame for {}, below level 4", peer.role);
                return Ok(Verdict::fail(expected, String::from_utf8_lossy(&frame.body)));
            }
        }
    }
    // Whoever may see it does.
    let result = must(c, &mut operator, "banned-users", &[]).await?;
    let listed = column(&result, "VALUE");
    let expected = format!("{NOBODYS} in the column VALUE of banned-users, for level 4");
    let there = listed
        .iter()
        .any(|value| value.as_str().and_then(|value| value.split('/').next()) == Some(NOBODYS));
    Ok(Verdict::check(there, expected, Value::Array(listed).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_question_are_found_beside_an_address() {
        assert_eq!(greatest("127.0.0.1: it would end 3 connections.", "127.0.0.1"), 3);
        assert_eq!(greatest("Ban 127.0.0.1/32? That hits 12.", "127.0.0.1"), 12);
        assert_eq!(greatest("Ban ::1 and all others?", "::1"), 0);
    }
}
