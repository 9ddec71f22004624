//! `rooms`: who does not speak them sees nothing of them.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    cases::capability::{
        membership::{Room, account, back, done, enter, guest, host, member, refused, said},
        page::ask,
        told::mentions,
    },
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Life in a room: somebody comes and goes, something is said, a setting changes.
async fn life(c: &mut ServerHands, ann: &mut Peer, room: &Room) -> Result<String, Verdict> {
    let mut bob = guest(c, "bob").await?;
    enter(c, &mut bob, room).await?;
    let (text, _) = said(c, &mut bob, &room.name).await?;
    let topic = c.text();
    done(c, ann, "topic", &[&room.name, &topic]).await?;
    done(c, &mut bob, "leave", &[&room.name]).await?;
    Ok(text)
}

/// A frame that tells of rooms.
fn told(peer: &mut Peer, room: &Room) -> Option<String> {
    let found = peer.frames(Mark::START).iter().find(|frame| mentions(frame, &room.name))?;
    Some(conformance_kit::escape::bytes(&found.body, 200))
}

pub(super) async fn base(c: &mut ServerHands) -> Outcome {
    let mut dora = c.join("dora").await?;
    let (mut ann, room) = host(c).await?;
    let mut carl = member(c, "carl", &room).await?;
    life(c, &mut ann, &room).await?;
    // What becomes of a message to nobody is open (DE-2); it reaches nobody else.
    let text = c.text();
    dora.tell(&room.name, &text).await;
    for peer in [&mut ann, &mut carl] {
        c.fence(&mut dora, peer).await?;
        if peer.count(&text) > 0 {
            let expected = "a base client's message to the name of a room reaches nobody";
            return Ok(Verdict::fail(expected, peer.heard(Mark::START)));
        }
    }
    c.fence(&mut ann, &mut dora).await?;
    // And nothing is in the history of who comes later.
    let mut late = c.join("late").await?;
    c.fence(&mut ann, &mut late).await?;
    for peer in [&mut dora, &mut late] {
        if let Some(found) = told(peer, &room) {
            let expected = format!("{}, a base client, sees nothing of a room", peer.role);
            return Ok(Verdict::fail(expected, found));
        }
    }
    Ok(Verdict::Pass)
}

/// What is spoken beside `rooms`.
const WITHOUT: &str = "accounts/1 commands/1 ids/1 rename/1";

pub(super) async fn undeclared(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    // An account that is a member, and comes without the capability.
    let (mut own, owner) = account(c, "own").await?;
    enter(c, &mut own, &room).await?;
    own.close(Closing::Polite).await;
    ann.find_left(Mark::START, &owner.name).await;
    let mut own = back(c, "own", &owner, WITHOUT).await?;
    let mut carl = c.join_with("carl", "ids/1").await?;
    life(c, &mut ann, &room).await?;
    let texts = [c.text(), c.text()];
    for (peer, text) in [&mut own, &mut carl].into_iter().zip(&texts) {
        refused(c, peer, &room.name, text, "no-such-user").await?;
        c.fence(peer, &mut ann).await?;
        c.fence(&mut ann, peer).await?;
        if let Some(found) = told(peer, &room) {
            let expected = format!("{}, without rooms, sees nothing of a room", peer.role);
            return Ok(Verdict::fail(expected, found));
        }
        let page = ask(peer, &json!({"WITH": room.name})).await?;
        if !page.messages.is_empty() || page.code.is_some() {
            let expected = "the page of a name that nobody has had";
            return Ok(Verdict::fail(expected, page.shown));
        }
    }
    let heard = |frame: &Frame| frame.messages().iter().any(|m| texts.contains(&m.content));
    let silent = !ann.frames(Mark::START).iter().any(heard);
    let expected = "what is refused reaches nobody";
    Ok(Verdict::check(silent, expected, ann.heard(Mark::START)))
}
