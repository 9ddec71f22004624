//! `rooms`: who is listed in them, who is hidden from whom, and under which name.

use std::time::Duration;

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::{Value, json};

use crate::{
    cases::capability::{
        calling::{code, is_ok, nick},
        membership::{Room, done, enter, guest, host, member, run, said, set, whole},
        page::ask,
        told::{comings_and_goings, joined, left, number, object, objects, users},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// The object of a room as it is now: who joins again gets it (`RM-6`).
async fn now(c: &mut ServerHands, peer: &mut Peer, room: &Room) -> Result<Value, Verdict> {
    let since = peer.mark();
    run(c, peer, "join", &[&room.name], &[]).await?;
    whole(peer, since, &room.name).await
}

/// Waits until a user is told that the roster is there, or not.
async fn roster_told(peer: &mut Peer, since: Mark, room: &Room, on: bool) -> Result<(), Verdict> {
    let told = |frame: &Frame| {
        let object = object(frame, &room.name)?;
        (object.get("ROSTER") == Some(&json!(on))).then_some(())
    };
    match peer.find(since, told).await {
        Some(()) => Ok(()),
        None => Err(Verdict::missing(format!("ROOMS with ROSTER {on}"), peer.heard(since))),
    }
}

/// The time in which COUNT may come again.
const COUNTED_EVERY: Duration = Duration::from_secs(30);

pub(super) async fn none(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut carl = member(c, "carl", &room).await?;
    let since = carl.mark();
    set(c, &mut ann, &room, "roster", "off").await?;
    roster_told(&mut carl, since, &room, false).await?;
    // Carl's own coming may be told a second late.
    c.fence(&mut ann, &mut carl).await?;
    let (since, clock) = (carl.mark(), Clock::start());
    for n in 0..5 {
        let mut bob = guest(c, &format!("guest{n}")).await?;
        for _ in 0..2 {
            let object = enter(c, &mut bob, &room).await?;
            let bare = object.get("ROSTER") == Some(&json!(false))
                && object.get("USERS").is_none()
                && number(&object, "COUNT").is_some();
            if !bare {
                let expected = "ROSTER false and COUNT, and no USERS, for who joins";
                return Ok(Verdict::fail(expected, object.to_string()));
            }
            done(c, &mut bob, "leave", &[&room.name]).await?;
        }
    }
    c.settle().await;
    c.fence(&mut ann, &mut carl).await?;
    let times = 2 + clock.elapsed().as_secs() / COUNTED_EVERY.as_secs();
    if carl.frames(since).iter().any(|frame| comings_and_goings(frame, &room.name)) {
        let expected = "no ROOM_USERS_JOINED and no ROOM_USERS_LEFT where there is no roster";
        return Ok(Verdict::fail(expected, carl.heard(since)));
    }
    let told = objects(&mut carl, since, &room.name);
    let listed = told.iter().any(|object| object.get("USERS").is_some());
    let counts = told.iter().filter(|object| object.get("COUNT").is_some()).count();
    if listed || u64::try_from(counts).is_ok_and(|counts| counts > times) {
        let expected = "no USERS, and COUNT once in 30 seconds, over ten joins";
        return Ok(Verdict::fail(expected, format!("{told:?}")));
    }
    let since = carl.mark();
    set(c, &mut ann, &room, "roster", "on").await?;
    roster_told(&mut carl, since, &room, true).await?;
    let object = now(c, &mut carl, &room).await?;
    let listed = users(&object).contains(&carl.name);
    Ok(Verdict::check(listed, "USERS where there is a roster again", object.to_string()))
}

pub(super) async fn block(c: &mut ServerHands) -> Outcome {
    // Neither of the two may have a level in the room: its staff sees everything.
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut eve = member(c, "eve", &room).await?;
    let (before, _) = said(c, &mut eve, &room.name).await?;
    bob.expect_content(&before).await?;
    let name = eve.name.clone();
    let result = run(c, &mut bob, "block", &[&name], &[]).await?;
    match code(&result) {
        "no-such-command" => return Ok(Verdict::not_applicable("no command block")),
        _ if is_ok(&result) => {}
        _ => return Ok(Verdict::inconclusive(format!("block: {result}"))),
    }
    let (of_eve, _) = said(c, &mut eve, &room.name).await?;
    let (of_bob, _) = said(c, &mut bob, &room.name).await?;
    let (of_ann, _) = said(c, &mut ann, &room.name).await?;
    for text in [&of_eve, &of_bob] {
        ann.expect_content(text).await?;
    }
    for (peer, hidden, why) in [
        (&mut bob, [&of_eve, &before], "bob, who blocks eve, gets nothing of her"),
        (&mut eve, [&of_bob, &of_bob], "eve, whom bob blocks, gets nothing of him"),
    ] {
        peer.expect_content(&of_ann).await?;
        let [live, _] = hidden;
        if peer.count(live) > 0 {
            let expected = format!("{why} in the room");
            return Ok(Verdict::fail(expected, peer.heard(Mark::START)));
        }
        let page = ask(peer, &json!({"WITH": room.name})).await?;
        let contents = page.contents();
        if hidden.iter().any(|text| contents.contains(&text.as_str()))
            || !contents.contains(&of_ann.as_str())
        {
            let expected = format!("{why} in the pages of the room, and all the rest");
            return Ok(Verdict::fail(expected, page.shown));
        }
    }
    let both = [bob.name.clone(), eve.name.clone()];
    for peer in [&mut bob, &mut eve] {
        let object = now(c, peer, &room).await?;
        let listed = users(&object);
        if !both.iter().all(|name| listed.contains(name)) {
            let expected = format!("the whole roster for {}, whoever blocks whom", peer.role);
            return Ok(Verdict::fail(expected, object.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn rename(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    // His coming may be told a second late.
    let first = bob.name.clone();
    ann.find(Mark::START, |frame| joined(frame, &room.name).contains(&first).then_some(())).await;
    let (since, old, new) = (ann.mark(), bob.name.clone(), c.name("robert"));
    bob.remember(&new);
    let result = nick(c, &mut bob, &new).await?;
    if !is_ok(&result) {
        return Ok(Verdict::inconclusive(format!("nick to a free name: {result}")));
    }
    // Under the old name, as somebody does who has not read the notice yet (RN-3).
    let early = c.text();
    let message = ServerHands::message(&old, &room.name, &early);
    bob.send(&json!({"MESSAGES": [message]})).await;
    new.clone_into(&mut bob.name);
    let (text, _) = said(c, &mut bob, &room.name).await?;
    let came = ann.expect_content(&text).await?;
    let sources: Vec<String> = ann
        .messages(since)
        .into_iter()
        .filter(|message| message.content == early)
        .map(|message| message.src)
        .collect();
    if came.src != new || sources.iter().any(|src| *src != new) {
        let expected = format!("SRC {new} in the room, whatever was written");
        return Ok(Verdict::fail(expected, format!("{} and {sources:?}", came.src)));
    }
    let object = now(c, &mut ann, &room).await?;
    let listed = users(&object);
    if !listed.contains(&new) || listed.contains(&old) {
        let expected = format!("{new} in the place of {old} in the roster");
        return Ok(Verdict::fail(expected, object.to_string()));
    }
    c.fence(&mut bob, &mut ann).await?;
    let news = |frame: &Frame| {
        [joined(frame, &room.name), left(frame, &room.name)]
            .iter()
            .any(|names| names.contains(&old) || names.contains(&new))
    };
    let quiet = !ann.frames(since).iter().any(news);
    let expected = "USERS_RENAMED is all that is told: nobody has left or joined the room";
    Ok(Verdict::check(quiet, expected, ann.heard(since)))
}
