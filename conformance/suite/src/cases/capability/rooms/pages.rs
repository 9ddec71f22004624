//! `roompages`: the history of rooms, for who may read it.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    cases::capability::{
        calling::{code, is_ok},
        membership::{
            OFFER, Room, done, enter, guest, host, member, resumed, room_name, run, said, set,
            token_of,
        },
        page::{Page, ask},
        told::{number, object},
    },
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const ROOMS: &str = "rooms";

pub const CASES: &[Case] = &[
    Case::must("roompages.members", "RH-1", |c| Box::pin(members(c)))
        .asks("Members get the pages of a room, others an empty one with CODE")
        .hint("Ask for the membership where the page is made, also of who was a member before; answer {\"MESSAGES\": [], \"IDS\": [], \"MORE\": false, \"CODE\": \"not-a-member\"}.")
        .needs(&["rooms.message", "rooms.leave"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomPagesForAll, Fault::RoomPagesAfterLeaving]),
    Case::must("roompages.keep", "RH-2", |c| Box::pin(keep(c)))
        .asks("A room keeps as many messages as KEEP says, or none; who missed them is told by GAP")
        .hint("With KEEP off a message is delivered and forgotten, its id is used up; a session that is resumed gets GAP true instead of it.")
        .needs(&["roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomKeepIgnored, Fault::RoomGapUntold]),
    Case::must("roompages.show", "RH-1", |c| Box::pin(show(c)))
        .asks("With SHOW joined, nobody reads what was said before they joined")
        .hint("Keep with each membership the id behind which it began.")
        .needs(&["roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomShowIgnored]),
    Case::must("roompages.clear", "RH-4", |c| Box::pin(clear(c)))
        .asks("What was cleared is never sent again: not in pages, not to who resumes")
        .hint("Raise FLOOR to the newest id, tell the members, and look at it wherever messages are read.")
        .needs(&["roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomClearLeaves, Fault::RoomClearUntold]),
    Case::must("roompages.unasked", "RH-5", |c| Box::pin(unasked(c)))
        .asks("Who joins is not sent the room's history; LAST says that there is one")
        .hint("Send the object with LAST, and wait for HISTORY.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomHistoryUnasked]),
    Case::must("roompages.more", "RH-3", |c| Box::pin(more(c)))
        .asks("Messages that are hidden from a user do not end the paging")
        .hint("MORE is about what is left behind the page, however few messages are in it.")
        .needs(&["roompages.members", "rooms.block"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomMoreEnds]),
];

async fn page(peer: &mut Peer, room: &str) -> Result<Page, Verdict> {
    ask(peer, &json!({"WITH": room, "LIMIT": 500})).await
}

/// A page holds just these.
fn holds(page: &Page, texts: &[&str], what: &str) -> Result<(), Verdict> {
    if page.contents() == texts {
        return Ok(());
    }
    Err(Verdict::fail(format!("{what}: {texts:?}"), page.shown.clone()))
}

async fn members(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = guest(c, "carl").await?;
    let mut texts = Vec::new();
    for peer in [&mut ann, &mut bob] {
        texts.push(said(c, peer, &room.name).await?);
    }
    texts.push(said(c, &mut ann, &room.name).await?);
    let contents: Vec<&str> = texts.iter().map(|(text, _)| text.as_str()).collect();
    let ids: Vec<u64> = texts.iter().map(|(_, id)| *id).collect();
    for peer in [&mut ann, &mut bob] {
        let page = page(peer, &room.name).await?;
        holds(&page, &contents, "the messages of the room")?;
        if page.ids() != ids || page.code.is_some() {
            return Ok(Verdict::fail(format!("the ids {ids:?}, and no CODE"), page.shown));
        }
    }
    done(c, &mut bob, "leave", &[&room.name]).await?;
    let nowhere = room_name(c);
    for (peer, name, word) in [
        (&mut carl, &room.name, "not-a-member"),
        (&mut bob, &room.name, "not-a-member"),
        (&mut ann, &nowhere, "no-such-room"),
    ] {
        let page = page(peer, name).await?;
        let empty = page.messages.is_empty() && !page.more;
        if !empty || page.code.as_deref() != Some(word) {
            let expected = format!("an empty page, MORE false and CODE {word} for {}", peer.role);
            return Ok(Verdict::fail(expected, page.shown));
        }
    }
    Ok(Verdict::Pass)
}

async fn keep(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    set(c, &mut ann, &room, "keep", "2").await?;
    let mut texts = Vec::new();
    for _ in 0..4 {
        texts.push(said(c, &mut ann, &room.name).await?.0);
    }
    let newest: Vec<&str> = texts.iter().skip(2).map(String::as_str).collect();
    holds(&page(&mut bob, &room.name).await?, &newest, "with KEEP 2 the newest two")?;
    set(c, &mut ann, &room, "keep", "off").await?;
    let (text, last) = said(c, &mut ann, &room.name).await?;
    if bob.id_of(&text).await? != last {
        let expected = "an id for a message of a room that keeps nothing";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let shown = page(&mut bob, &room.name).await?;
    if shown.contents().contains(&text.as_str()) {
        let expected = "with KEEP off no page has what was said since";
        return Ok(Verdict::fail(expected, shown.shown));
    }
    let (name, token) = (bob.name.clone(), token_of(&mut bob)?);
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    let (missed, _) = said(c, &mut ann, &room.name).await?;
    let (mut bob, welcome) = resumed(c, "bob", (&name, &token), OFFER, last).await?;
    if bob.count(&missed) > 0 {
        let expected = "with KEEP off nothing is sent again to who missed it";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let gap = object(&welcome, &room.name).and_then(|object| object.get("GAP").cloned());
    let expected =
        "GAP true in the object of a room of which something was missed that is not kept";
    Ok(Verdict::check(gap == Some(json!(true)), expected, bob.heard(Mark::START)))
}

async fn show(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    set(c, &mut ann, &room, "show", "joined").await?;
    let (before, _) = said(c, &mut ann, &room.name).await?;
    let mut bob = member(c, "bob", &room).await?;
    let (since, _) = said(c, &mut ann, &room.name).await?;
    bob.expect_content(&since).await?;
    let page_of_bob = page(&mut bob, &room.name).await?;
    holds(&page_of_bob, &[&since], "with SHOW joined what was said since bob joined")?;
    let page_of_ann = page(&mut ann, &room.name).await?;
    holds(&page_of_ann, &[&before, &since], "all of it for ann, who was there")?;
    Ok(Verdict::Pass)
}

/// Clears a room, as its owner.
async fn cleared(c: &mut ServerHands, ann: &mut Peer, room: &Room) -> Result<(), Verdict> {
    let result = run(c, ann, "clear", &[&room.name], &["yes"]).await?;
    if is_ok(&result) {
        return Ok(());
    }
    let expected = format!("OK for clear of the owner, not {}", code(&result));
    Err(Verdict::fail(expected, result.to_string()))
}

async fn clear(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = member(c, "carl", &room).await?;
    let (first, start) = said(c, &mut ann, &room.name).await?;
    carl.expect_content(&first).await?;
    let (name, token) = (carl.name.clone(), token_of(&mut carl)?);
    carl.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    let (second, floor) = said(c, &mut ann, &room.name).await?;
    bob.expect_content(&second).await?;
    let since = bob.mark();
    cleared(c, &mut ann, &room).await?;
    let raised = |frame: &Frame| {
        let object = object(frame, &room.name)?;
        (number(&object, "FLOOR")? >= floor).then_some(())
    };
    if bob.find(since, raised).await.is_none() {
        let expected = format!("ROOMS with FLOOR, at least {floor}, for the members");
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    let (third, _) = said(c, &mut ann, &room.name).await?;
    for peer in [&mut ann, &mut bob] {
        let page = page(peer, &room.name).await?;
        holds(&page, &[&third], "only what was said since the room was cleared")?;
    }
    let (mut carl, welcome) =
        resumed(c, "carl", (&name, &token), OFFER, start.saturating_sub(1)).await?;
    let again: Vec<String> = welcome.messages().into_iter().map(|m| m.content).collect();
    let old = again.iter().any(|text| [&first, &second].contains(&text));
    let expected = "nothing of what was cleared is sent to who resumes, and what was said since is";
    Ok(Verdict::check(!old && again.contains(&third), expected, carl.heard(Mark::START)))
}

async fn unasked(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (first, _) = said(c, &mut ann, &room.name).await?;
    let (second, last) = said(c, &mut ann, &room.name).await?;
    let mut bob = guest(c, "bob").await?;
    let object = enter(c, &mut bob, &room).await?;
    c.fence(&mut ann, &mut bob).await?;
    if bob.count(&first) + bob.count(&second) > 0 {
        let expected = "no message of before for who joins, unless they ask";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let told = number(&object, "LAST") == Some(last);
    Ok(Verdict::check(told, format!("LAST {last} in the object"), object.to_string()))
}

async fn more(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut eve = member(c, "eve", &room).await?;
    let mut wanted = Vec::new();
    for round in 0..3 {
        wanted.push(said(c, &mut ann, &room.name).await?.0);
        for _ in 0..if round < 2 { 4 } else { 0 } {
            said(c, &mut eve, &room.name).await?;
        }
    }
    let name = eve.name.clone();
    let result = run(c, &mut bob, "block", &[&name], &[]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::not_applicable(format!("nobody can be hidden: {result}")));
    }
    let mut found: Vec<String> = Vec::new();
    let mut before: Option<u64> = None;
    for _ in 0..12 {
        let mut asked = json!({"WITH": room.name, "LIMIT": 1});
        if let (Some(asked), Some(id)) = (asked.as_object_mut(), before) {
            asked.insert("BEFORE".to_owned(), json!(id));
        }
        let page = ask(&mut bob, &asked).await?;
        found.splice(0..0, page.contents().into_iter().map(str::to_owned));
        before = page.ids().first().copied().or(before);
        if !page.more || page.messages.is_empty() {
            break;
        }
    }
    let expected = format!(
        "going back by one as long as there is MORE, bob, who blocks eve, comes by {wanted:?}"
    );
    Ok(Verdict::check(found == wanted, expected, format!("{found:?}")))
}
