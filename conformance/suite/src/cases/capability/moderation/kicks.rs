//! Kicks: the connection ends, and who was kicked stays out for half a minute.

use std::time::Duration;

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::{Value, json};

use super::scene::{OFFER, account, ended, guest, kept_out, must, must_not, ranked};
use crate::{
    cases::capability::membership::token_of,
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// For how long who was kicked is refused, less a moment for what is on its way.
const OUT: Duration = Duration::from_secs(28);
/// The seconds of RETRY.
const RETRY: f64 = 30.0;

/// A refusal that did not come says nothing when the time is over in which it was due.
fn in_time(clock: Clock, verdict: Verdict) -> Verdict {
    if clock.elapsed() < OUT {
        return verdict;
    }
    Verdict::inconclusive("it took longer than the time for which who was kicked stays out")
}

pub(super) async fn closes(c: &mut ServerHands) -> Outcome {
    let mut helper = ranked(c, "helper", 2).await?;
    let mut ann = guest(c, "ann").await?;
    let mut bob = c.join("bob").await?;
    let (since, here, why) = (ann.mark(), bob.mark(), c.text());
    let (name, clock) = (ann.name.clone(), Clock::start());
    must(c, &mut helper, "kick", &[&name, &why]).await?;
    let closed = ended(&mut ann, since, "kicked", &why).await?;
    if closed.get("RETRY").and_then(Value::as_f64) != Some(RETRY) {
        return Ok(Verdict::fail("RETRY 30 in CLOSED of who was kicked", closed.to_string()));
    }
    if !bob.find_left(here, &name).await {
        let expected = format!("USERS_LEFT [\"{name}\"] for a base client");
        return Ok(Verdict::missing(expected, bob.heard(here)));
    }
    let refused = kept_out(c, ("ann", &name), &[], "kicked").await;
    let refused = refused.map_err(|verdict| in_time(clock, verdict))?;
    let until = refused.key("UNTIL").is_some_and(|until| until.as_u64().is_some());
    let expected = "UNTIL, a number, beside CODE kicked";
    Ok(Verdict::check(until, expected, String::from_utf8_lossy(&refused.body)))
}

/// Tries to go on with a session: who was kicked or banned is refused, or joins anew.
async fn goes_on(
    c: &mut ServerHands,
    role: &str,
    name: &str,
    token: &str,
) -> Result<bool, Verdict> {
    let mut peer = c.connect(role).await?;
    let resume = json!({"TOKEN": token, "AFTER": 0});
    let answer = peer.offer(name, OFFER, &[("RESUME", resume)]).await;
    let resumed = |frame: &Frame| {
        frame.accepted() == Some(true) && frame.key("RESUMED") == Some(&json!(true))
    };
    Ok(answer.as_ref().is_some_and(resumed))
}

pub(super) async fn no_resume(c: &mut ServerHands) -> Outcome {
    let mut helper = ranked(c, "helper", 2).await?;
    let mut ann = guest(c, "ann").await?;
    let (mut eve, _) = account(c, "eve").await?;
    for peer in [&mut ann, &mut eve] {
        let (token, name, why) = (token_of(peer)?, peer.name.clone(), c.text());
        must(c, &mut helper, "kick", &[&name, &why]).await?;
        if !peer.find_closed().await {
            let expected = "the connection of who was kicked ends";
            return Ok(Verdict::missing(expected, peer.heard(Mark::START)));
        }
        let role = peer.role.clone();
        if goes_on(c, &role, &name, &token).await? {
            let expected = format!("the session of {role}, who was kicked, can't be resumed");
            return Ok(Verdict::fail(expected, "RESUMED true"));
        }
    }
    Ok(Verdict::Pass)
}

/// All of these are still here, and heard.
async fn still_here(
    c: &mut ServerHands,
    all: &mut [&mut Peer],
    bob: &mut Peer,
    about: &str,
) -> Result<(), Verdict> {
    for peer in all {
        let heard = c.fence(peer, bob).await.is_ok();
        if !heard || peer.is_closed() {
            let expected = format!("{} is here as before, after {about}", peer.role);
            return Err(Verdict::fail(expected, peer.heard(Mark::START)));
        }
    }
    Ok(())
}

pub(super) async fn rank(c: &mut ServerHands) -> Outcome {
    let mut helper = ranked(c, "helper", 2).await?;
    let mut equal = ranked(c, "equal", 2).await?;
    let mut above = ranked(c, "above", 4).await?;
    let mut bob = c.join("bob").await?;
    let own = helper.name.clone();
    for name in [equal.name.clone(), above.name.clone(), own] {
        let args: &[&str] = &[&name, "not mine to do"];
        must_not(c, &mut helper, ("kick", args), &["forbidden"]).await?;
    }
    let mut all = [&mut helper, &mut equal, &mut above];
    still_here(c, &mut all, &mut bob, "a kick that was refused").await?;
    Ok(Verdict::Pass)
}
