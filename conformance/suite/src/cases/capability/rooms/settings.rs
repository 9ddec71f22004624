//! `rooms`: what may be said in them, as their settings have it.

use std::time::Duration;

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    cases::capability::membership::{host, member, refused, said, said_as, set},
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// What was refused has reached nobody.
async fn lost(c: &mut ServerHands, from: &mut Peer, to: &mut Peer, text: &str) -> Outcome {
    c.fence(from, to).await?;
    let expected = "what is refused reaches nobody";
    Ok(Verdict::check(to.count(text) == 0, expected, to.heard(Mark::START)))
}

pub(super) async fn talk(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    set(c, &mut ann, &room, "talk", "3").await?;
    let text = c.text();
    refused(c, &mut bob, &room.name, &text, "read-only").await?;
    let verdict = lost(c, &mut bob, &mut ann, &text).await?;
    if verdict != Verdict::Pass {
        return Ok(verdict);
    }
    let (text, _) = said(c, &mut ann, &room.name).await.map_err(may_talk)?;
    bob.expect_content(&text).await?;
    set(c, &mut ann, &room, "talk", "0").await?;
    let (text, _) = said(c, &mut bob, &room.name).await.map_err(may_talk)?;
    ann.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

/// A refusal where nothing is to be refused.
fn may_talk(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Inconclusive { reason } => {
            Verdict::fail("who has the level of TALK, or the room has none, may write", reason)
        }
        other => other,
    }
}

pub(super) async fn length(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    set(c, &mut ann, &room, "length", "20").await?;
    // Characters, not bytes.
    let fits = format!("\u{e9}\u{20ac}\u{1f642}{}", c.nonces.letters(17));
    let long = format!("\u{e9}\u{20ac}\u{1f642}{}", c.nonces.letters(18));
    refused(c, &mut bob, &room.name, &long, "too-long").await?;
    let verdict = lost(c, &mut bob, &mut ann, &long).await?;
    if verdict != Verdict::Pass {
        return Ok(verdict);
    }
    said_as(c, &mut bob, &room.name, &fits).await.map_err(|verdict| match verdict {
        Verdict::Inconclusive { reason } => {
            Verdict::fail("20 characters are taken where LENGTH is 20", reason)
        }
        other => other,
    })?;
    ann.expect_content(&fits).await?;
    Ok(Verdict::Pass)
}

/// The seconds between two messages, so many that a slow machine does not use them up.
const SLOW: u32 = 120;

fn wait_of(refusal: &Value) -> Option<f64> {
    refusal.get("WAIT")?.as_f64().filter(|wait| (0.0..=f64::from(SLOW) + 1.0).contains(wait))
}

/// What becomes of a message with a tag: `None` when it is taken, otherwise the refusal.
async fn tried(
    peer: &mut Peer,
    room: &str,
    text: &str,
    tag: &str,
) -> Result<Option<Value>, Verdict> {
    let since = peer.mark();
    peer.tagged(room, text, tag).await;
    let answer = peer.find(since, |frame: &Frame| match frame.ack(tag) {
        Some(_) => Some(None),
        None => frame.refusal(tag).cloned().map(Some),
    });
    let answer = answer.await;
    answer.ok_or_else(|| Verdict::missing("ACKS or REFUSED", peer.heard(since)))
}

pub(super) async fn slow(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    set(c, &mut ann, &room, "slow", "2").await?;
    // Who has waited may write, with the tag that was refused as well.
    for _ in 0..2 {
        in_the_end(c, &mut bob, &room.name).await?;
    }
    set(c, &mut ann, &room, "slow", &SLOW.to_string()).await?;
    let (text, tag) = (c.text(), c.nonces.letters(8));
    // Whether the new time counts from the last message on, or from the next, is the server's choice.
    tried(&mut bob, &room.name, &text, &tag).await?;
    let clock = Clock::start();
    let (text, mut waits) = (c.text(), Vec::new());
    let expected = format!("WAIT, at most {SLOW} seconds, in the refusal of the slow mode");
    // The second refusal shows that time goes on, the third that the second did not begin it anew.
    for round in 0..3 {
        let refusal = refused(c, &mut bob, &room.name, &text, "slow-mode").await;
        if clock.elapsed() >= Duration::from_secs(SLOW.into()) {
            return Ok(Verdict::inconclusive("the time of the slow mode was over"));
        }
        let refusal = refusal?;
        match wait_of(&refusal) {
            Some(wait) => waits.push(wait),
            None => return Ok(Verdict::fail(expected, refusal.to_string())),
        }
        if round == 0 {
            // Longer than the unit in which WAIT may be rounded.
            sleep(Duration::from_millis(2_100)).await;
        }
    }
    if waits.first() <= waits.last() {
        let expected =
            "a message that was refused costs no waiting time: two seconds later WAIT is less";
        return Ok(Verdict::fail(expected, format!("WAIT {waits:?}")));
    }
    for _ in 0..2 {
        said(c, &mut ann, &room.name).await.map_err(staff_waits)?;
    }
    lost(c, &mut bob, &mut ann, &text).await
}

fn staff_waits(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Inconclusive { reason } => {
            Verdict::fail("the slow mode is for who is below level 2 in the room", reason)
        }
        other => other,
    }
}

/// Says something that is taken at the latest when the time is over that its refusal names.
async fn in_the_end(c: &mut ServerHands, peer: &mut Peer, room: &str) -> Result<(), Verdict> {
    let (text, tag) = (c.text(), c.nonces.letters(8));
    let since = peer.mark();
    for _ in 0..4 {
        let Some(refusal) = tried(peer, room, &text, &tag).await? else { return Ok(()) };
        let wait = wait_of(&refusal).unwrap_or(1.0);
        sleep(Duration::from_secs_f64(wait.clamp(0.1, 3.0))).await;
    }
    let expected = "a message with the tag of a refused one is taken when the time of WAIT is over";
    Err(Verdict::fail(expected, peer.heard(since)))
}
