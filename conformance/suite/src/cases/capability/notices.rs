//! `notices`: what a user should know and did not ask for, and why a connection ends.
//!
//! That a server says `shutdown` before it ends is not asked: nothing by which the suite ends a subject is bound to be a
//! gentle end, so its silence would prove nothing.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    membership::{OFFER, done, guest, host, resumed, set, token_of},
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const NOTICES: &str = "notices";

const REPLACED: &str = "Where the server closes a connection it writes a last frame: ERROR, and CLOSED {\"CODE\", \"INFO\", \"UNTIL\", \"RETRY\"} beside it for who agreed on notices.";

pub const CASES: &[Case] = &[
    Case::must("notices.agreed", "CP-2", |c| Box::pin(agreed(c, NOTICES)))
        .asks("notices/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(NOTICES)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("notices.closed-replaced", "NO-3", |c| Box::pin(replaced(c)))
        .asks("A connection whose session goes on elsewhere is told by CLOSED, with RETRY null")
        .hint(REPLACED)
        .needs(&["notices.agreed", "resume.half-open"])
        .extension(NOTICES)
        .also(&["ids"])
        .killed_by(&[Fault::ReplacedWithoutClosed, Fault::ReplacedRetries]),
    Case::must("notices.base", "NO-2", |c| Box::pin(base(c)))
        .asks("Who did not agree on notices is told by ERROR alone")
        .hint("Look at what that connection agreed on; ERROR is for everybody.")
        .needs(&["notices.agreed", "resume.half-open"])
        .extension(NOTICES)
        .also(&["ids"])
        .killed_by(&[Fault::ClosedToEverybody]),
    Case::must("notices.order", "CP-10", |c| Box::pin(order(c)))
        .asks("CLOSED is in the last frame, beside ERROR, and nothing comes behind it")
        .hint("Write what waits for the connection first, then the reason, and close behind that.")
        .needs(&["notices.closed-replaced"])
        .extension(NOTICES)
        .also(&["ids"])
        .killed_by(&[Fault::ClosedOvertakes]),
    Case::must("notices.invited", "NO-1", |c| Box::pin(invited(c)))
        .asks("Who is invited to a room is told by NOTICES, who did not agree on them is not")
        .hint("{\"NOTICES\": [{\"CODE\": \"invited\", \"ROOM\": ..., \"BY\": ..., \"INFO\": ...}]}")
        .needs(&["notices.agreed", "rooms.closed-invite"])
        .extension(NOTICES)
        .also(&["rooms"])
        .killed_by(&[Fault::InvitationUntold]),
];

/// A session that goes on elsewhere: the connection that it had before, which has ended.
async fn ended(c: &mut ServerHands, offer: &str) -> Result<Peer, Verdict> {
    let mut old = c.join_with("old", offer).await?;
    let mut bob = c.join("bob").await?;
    let (name, token) = (old.name.clone(), token_of(&mut old)?);
    for _ in 0..20 {
        let text = c.text();
        bob.say(&text).await;
    }
    resumed(c, "new", (&name, &token), offer, 0).await?;
    if !old.find_closed().await {
        return Err(Verdict::inconclusive("the connection before stays open"));
    }
    Ok(old)
}

/// The reason in a frame.
fn reason(frame: &Frame) -> Option<Value> {
    frame.key("CLOSED").cloned()
}

async fn replaced(c: &mut ServerHands) -> Outcome {
    let mut old = ended(c, "ids/1 notices/1").await?;
    let told = old.frames(Mark::START).iter().find_map(reason);
    let fits = told.as_ref().is_some_and(|told| {
        told.get("CODE") == Some(&json!("replaced"))
            && told.get("INFO").is_some_and(Value::is_string)
            && told.get("RETRY") == Some(&json!(null))
    });
    let expected =
        "CLOSED {\"CODE\": \"replaced\", \"INFO\": text, \"UNTIL\": null, \"RETRY\": null}";
    Ok(Verdict::check(fits, expected, format!("{told:?}; {}", old.heard(Mark::START))))
}

async fn base(c: &mut ServerHands) -> Outcome {
    let mut old = ended(c, "ids/1").await?;
    let frames = old.frames(Mark::START);
    let told = frames.iter().any(|frame| frame.error().is_some());
    let keys = frames.iter().any(|frame| reason(frame).is_some() || frame.key("NOTICES").is_some());
    let expected = "ERROR, and no CLOSED, for who did not agree on notices";
    Ok(Verdict::check(told && !keys, expected, old.heard(Mark::START)))
}

async fn order(c: &mut ServerHands) -> Outcome {
    let mut old = ended(c, "ids/1 notices/1").await?;
    let last = old.frames(Mark::START).last().cloned();
    let fits = last.is_some_and(|last| reason(&last).is_some() && last.error().is_some());
    let expected = "CLOSED in the last frame of the connection, with ERROR in the same object";
    Ok(Verdict::check(fits, expected, old.heard(Mark::START)))
}

async fn invited(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    set(c, &mut ann, &room, "closed", "on").await?;
    let mut bob = c.join_with("bob", &format!("{OFFER} notices/1")).await?;
    let mut carl = guest(c, "carl").await?;
    let since = bob.mark();
    for name in [bob.name.clone(), carl.name.clone()] {
        done(c, &mut ann, "invite", &[&room.name, &name]).await?;
    }
    let notice = |frame: &Frame| {
        let list = frame.key("NOTICES")?.as_array()?;
        list.iter().find(|one| one.get("CODE") == Some(&json!("invited"))).cloned()
    };
    let told = bob.find(since, notice).await;
    let fits = told.as_ref().is_some_and(|told| {
        told.get("ROOM") == Some(&json!(room.name))
            && told.get("BY") == Some(&json!(ann.name))
            && told.get("INFO").is_some_and(Value::is_string)
    });
    if !fits {
        let expected = format!(
            "NOTICES [{{\"CODE\": \"invited\", \"ROOM\": \"{}\", \"BY\": \"{}\", \"INFO\": text}}]",
            room.name, ann.name
        );
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    c.fence(&mut ann, &mut carl).await?;
    let silent = carl.frames(Mark::START).iter().all(|frame| frame.key("NOTICES").is_none());
    let expected = "no NOTICES for who did not agree on them";
    Ok(Verdict::check(silent, expected, carl.heard(Mark::START)))
}
