//! `rooms`: memberships over connections.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    cases::capability::{
        membership::{
            LOGIN, OFFER, account, back, host, make, member, rejoined, resumed, room_name, said,
            token_of,
        },
        page::ask,
        told::{complaint, joined, left, number, object},
    },
    server::{
        hands::ServerHands,
        peer::{Closing, Mark},
    },
    verdict::{Outcome, Verdict},
};

pub(super) async fn persist(c: &mut ServerHands) -> Outcome {
    let (mut ann, owner) = account(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut carl = member(c, "carl", &room).await?;
    ann.close(Closing::Polite).await;
    carl.find_left(Mark::START, &owner.name).await;
    let (meanwhile, _) = said(c, &mut carl, &room.name).await?;
    let mut ann = back(c, "ann", &owner, LOGIN).await?;
    let again = ann.welcome().and_then(|welcome| object(&welcome, &room.name));
    let Some(again) = again.filter(|again| number(again, "NUMBER") == Some(room.number)) else {
        let expected =
            format!("ROOMS with {name}, of which the account is a member, on its next connection");
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    };
    if let Some(key) = complaint(&again) {
        let expected = format!("every key of a room in the welcome, {key} too");
        return Ok(Verdict::fail(expected, again.to_string()));
    }
    let page = ask(&mut ann, &json!({"WITH": room.name})).await?;
    if !page.contents().contains(&meanwhile.as_str()) {
        let expected = "what was said meanwhile is in the history of the room";
        return Ok(Verdict::fail(expected, page.shown));
    }
    let (text, _) = said(c, &mut carl, &room.name).await?;
    ann.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn guest_session(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let (name, token) = (bob.name.clone(), token_of(&mut bob)?);
    let (_, last) = said(c, &mut bob, &room.name).await?;
    let here = ann.mark();
    bob.close(Closing::Reset).await;
    ann.find_left(Mark::START, &name).await;
    let gone = |frame: &Frame| left(frame, &room.name).contains(&name).then_some(());
    if ann.find(here, gone).await.is_none() {
        let expected = format!("ROOM_USERS_LEFT with {name}, a guest who has gone");
        return Ok(Verdict::missing(expected, ann.heard(here)));
    }
    let away = ann.mark();
    let (mut bob, welcome) = resumed(c, "bob", (&name, &token), OFFER, last).await?;
    if object(&welcome, &room.name).is_none() {
        let expected = format!("ROOMS with {} for a guest whose session was resumed", room.name);
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let come = |frame: &Frame| joined(frame, &room.name).contains(&name).then_some(());
    if ann.find(away, come).await.is_none() {
        let expected = format!("ROOM_USERS_JOINED with {name}, a guest whose session goes on");
        return Ok(Verdict::missing(expected, ann.heard(away)));
    }
    let (text, _) = said(c, &mut bob, &room.name).await?;
    ann.expect_content(&text).await?;
    let since = ann.mark();
    bob.close(Closing::Polite).await;
    ann.find_left(since, &name).await;
    // Somebody else, as far as the server knows.
    let mut other = rejoined(c, "other", &name, OFFER, &[]).await?;
    if other.welcome().is_some_and(|welcome| object(&welcome, &room.name).is_some()) {
        let expected = "no room for who joins anew under the name of a guest who was a member";
        return Ok(Verdict::fail(expected, other.heard(Mark::START)));
    }
    let (text, _) = said(c, &mut ann, &room.name).await?;
    c.fence(&mut ann, &mut other).await?;
    let silent = other.count(&text) == 0;
    let expected = "nothing of the room for who is no member";
    Ok(Verdict::check(silent, expected, other.heard(Mark::START)))
}

pub(super) async fn reconnect_quiet(c: &mut ServerHands) -> Outcome {
    let (mut ann, owner) = account(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut carl = member(c, "carl", &room).await?;
    let since = carl.mark();
    for round in 0..2 {
        let token = token_of(&mut ann)?;
        let here = carl.mark();
        ann.close(if round == 0 { Closing::Polite } else { Closing::Reset }).await;
        carl.find_left(here, &owner.name).await;
        ann = match round {
            0 => back(c, "ann", &owner, LOGIN).await?,
            _ => resumed(c, "ann", (&owner.name, &token), LOGIN, 0).await?.0,
        };
        let (text, _) = said(c, &mut ann, &room.name).await?;
        carl.expect_content(&text).await?;
    }
    // What is told of comings and goings may come a second later (RM-9).
    c.settle().await;
    c.fence(&mut ann, &mut carl).await?;
    let told = |frame: &Frame| {
        joined(frame, &room.name).contains(&owner.name)
            || left(frame, &room.name).contains(&owner.name)
    };
    let quiet = !carl.frames(since).iter().any(told);
    let expected = "an account that goes and comes again is no news in its rooms";
    Ok(Verdict::check(quiet, expected, carl.heard(since)))
}
