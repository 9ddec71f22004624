//! `flood`: whoever goes on is muted, and stays.

use conformance_kit::{
    clock::{Clock, unix_seconds},
    wire::frame::Frame,
};
use serde_json::Value;

use super::volley::{BURST, OFFER, Shot, allowed, only_taken, volley};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// So many refusals within a minute mute; with many more nobody is still unmuted.
const REFUSALS: usize = 20;
const MANY: usize = 2 * REFUSALS;

/// How far from a minute the end of the first mute may be, in seconds from now.
const SOONEST: i64 = 20;
const LATEST: i64 = 180;

/// The server's own time, where it tells it.
fn server_time(peer: &mut Peer) -> Option<i64> {
    let newest =
        |frame: &Frame| frame.key("TIMES")?.as_array()?.iter().rev().find_map(Value::as_i64);
    peer.frames(Mark::START).iter().rev().find_map(newest)
}

pub(super) async fn mute(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let clock = Clock::start();
    // 64 frames, and a few more at a time where tokens have come back.
    let mut shots = volley(c, &mut ann, &bob.name, BURST + REFUSALS + 4).await?;
    let count = |shots: &[Shot], word: &str| shots.iter().filter(|s| s.word() == word).count();
    while count(&shots, "muted") == 0 {
        let floods = count(&shots, "flood");
        if shots.iter().all(Shot::is_taken) && shots.len() > allowed(&clock) {
            let expected = format!("not many more than {BURST} frames are taken");
            return Ok(Verdict::fail(expected, format!("{} are", shots.len())));
        }
        if floods > MANY && clock.elapsed().as_secs() < 45 {
            let expected = format!("muted after {REFUSALS} refusals within a minute");
            return Ok(Verdict::fail(expected, format!("flood {floods} times, and no mute")));
        }
        if clock.elapsed().as_secs() > 45 {
            return Err(Verdict::inconclusive("the server is too slow for so many frames"));
        }
        shots.extend(volley(c, &mut ann, &bob.name, 4).await?);
    }
    let before = shots.iter().take_while(|shot| shot.word() != "muted");
    let floods = before.filter(|shot| !shot.is_taken()).count();
    if floods + 1 < REFUSALS {
        let expected = format!("no mute before {REFUSALS} refusals");
        return Ok(Verdict::fail(expected, format!("after {floods}")));
    }
    let muted = shots.iter().find(|shot| shot.word() == "muted");
    let until = muted.and_then(|shot| shot.refusal.as_ref()?.get("UNTIL")?.as_i64());
    c.fence(&mut carl, &mut ann).await?;
    let now = server_time(&mut ann).unwrap_or_else(unix_seconds);
    let about = until.is_some_and(|until| (SOONEST..=LATEST).contains(&(until - now)));
    if !about {
        let expected = "REFUSED with CODE muted and UNTIL, in about a minute";
        let actual = format!("{}; it is {now}", muted.map(Shot::shown).unwrap_or_default());
        return Ok(Verdict::fail(expected, actual));
    }
    only_taken(c, &mut bob, &mut carl, &shots).await?;
    let expected = "who is muted stays connected";
    Ok(Verdict::check(!ann.is_closed(), expected, ann.heard(Mark::START)))
}
