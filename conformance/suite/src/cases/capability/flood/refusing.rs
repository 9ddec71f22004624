//! `flood`: what is refused, and until when.

use conformance_kit::clock::Clock;
use tokio::time::sleep;

use super::volley::{BURST, OFFER, Shot, allowed, only_taken, until_refused, volley, wait_of};
use crate::{
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// Frames at once, three times as many as may be: about 15 KB, all private.
const FRAMES: usize = 120;

pub(super) async fn refused(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let clock = Clock::start();
    let shots = volley(c, &mut ann, &bob.name, FRAMES).await?;
    let most = allowed(&clock);
    let early = shots.iter().take(BURST).find(|shot| !shot.is_taken());
    if let Some(early) = early {
        let expected = format!("{BURST} frames of one message are taken at once");
        return Ok(Verdict::fail(expected, format!("one of them: {}", early.shown())));
    }
    let taken = shots.iter().filter(|shot| shot.is_taken()).count();
    if taken > most {
        let expected = format!("of {FRAMES} frames at once not many more than {BURST} are taken");
        return Ok(Verdict::fail(expected, format!("{taken} are")));
    }
    let mut refused = shots.iter().filter(|shot| !shot.is_taken());
    let Some(first) = refused.next() else {
        return Err(Verdict::inconclusive("the server is slower than what it counts"));
    };
    let waits = |shot: &Shot| shot.refusal.as_ref().is_some_and(|why| wait_of(why).is_some());
    let flood = |shot: &Shot| shot.word() == "flood" && waits(shot);
    // Who goes on all the same is muted.
    let odd = refused.find(|shot| !flood(shot) && shot.word() != "muted");
    if let Some(odd) = Some(first).filter(|first| !flood(first)).or(odd) {
        let expected = "REFUSED {\"CODE\": \"flood\", \"ERROR\": text, \"WAIT\": seconds}";
        return Ok(Verdict::fail(expected, odd.shown()));
    }
    for listener in [&mut bob, &mut carl] {
        if listener.role == "carl" {
            let heard = shots.iter().any(|shot| listener.count(&shot.text) > 0);
            return Ok(Verdict::check(
                !heard,
                "nothing of it for anybody else",
                listener.heard(Mark::START),
            ));
        }
        let mut crier = c.join("crier").await?;
        only_taken(c, listener, &mut crier, &shots).await?;
    }
    Ok(Verdict::Pass)
}

/// Longer than any message of one token may have to wait, where a token comes each second.
const LONGEST: u64 = 10;

pub(super) async fn wait(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let shots = until_refused(c, &mut ann, &bob.name).await?;
    let refused = shots.iter().rev().find(|shot| !shot.is_taken());
    let Some((shot, why)) = refused.and_then(|shot| Some((shot, shot.refusal.as_ref()?))) else {
        return Err(Verdict::inconclusive("nothing was refused"));
    };
    let expected = format!("WAIT, 1 to {LONGEST} seconds, where a token comes back each second");
    let Some(wait) = wait_of(why).filter(|wait| wait.as_secs() <= LONGEST) else {
        return Ok(Verdict::fail(expected, why.to_string()));
    };
    sleep(wait).await;
    let since = ann.mark();
    ann.tagged(&bob.name, &shot.text, &shot.tag).await;
    let taken = |frame: &conformance_kit::wire::frame::Frame| match frame.ack(&shot.tag) {
        Some(_) => Some(true),
        None => frame.refusal(&shot.tag).map(|_| false),
    };
    let expected = format!("{wait:?} later, as WAIT says, the message is taken under the same tag");
    match ann.find(since, taken).await {
        Some(true) => {}
        Some(false) => return Ok(Verdict::fail(expected, ann.heard(since))),
        None => return Ok(Verdict::missing(expected, ann.heard(since))),
    }
    bob.expect_content(&shot.text).await?;
    c.fence(&mut carl, &mut bob).await?;
    let times = bob.count(&shot.text);
    Ok(Verdict::check(times == 1, "bob gets it once", format!("{times} times")))
}
