//! What is broadcast: a notice where that was agreed, a message of SERVER elsewhere, and no part of the history.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use super::scene::{OFFER, guest, hears_of, must, notices};
use crate::{
    cases::capability::{
        calling::is_ok,
        membership::{self, enter, host},
        page::ask,
        told,
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Who agreed on notices gets one, and no message.
async fn by_notice(peer: &mut Peer, since: Mark, wanted: &str) -> Result<(), Verdict> {
    let of_it = |frame: &Frame| {
        let all = notices(frame, "announcement");
        all.iter().any(|one| told::text(one, "INFO").contains(wanted)).then_some(())
    };
    let expected =
        format!("NOTICES with CODE announcement and INFO {wanted:?} for who agreed on them");
    if peer.find(since, of_it).await.is_none() {
        return Err(Verdict::missing(expected, peer.heard(since)));
    }
    Ok(())
}

/// Everybody else gets a message of SERVER, whose id is null where ids were agreed.
async fn by_message(
    peer: &mut Peer,
    since: Mark,
    (wanted, dest): (&str, &str),
    numbered: bool,
) -> Result<(), Verdict> {
    let expected = format!("a message of SERVER to {dest}, {wanted:?}, for {}", peer.role);
    let its = |frame: &Frame| {
        let messages = frame.messages();
        let its = messages
            .iter()
            .any(|m| m.src == "SERVER" && m.dest == dest && m.content.contains(wanted));
        its.then(|| frame.numbered())
    };
    let Some(found) = peer.find(since, its).await else {
        return Err(Verdict::missing(expected, peer.heard(since)));
    };
    if !numbered {
        return Ok(());
    }
    let found = found.unwrap_or_default();
    let with_null =
        found.iter().any(|one| one.message.content.contains(wanted) && one.id.is_none());
    if with_null {
        return Ok(());
    }
    Err(Verdict::fail(format!("{expected}, with the id null"), peer.heard(since)))
}

/// No message with this text came to who was told by a notice.
fn not_both(peer: &mut Peer, since: Mark, wanted: &str) -> Result<(), Verdict> {
    if peer.messages(since).iter().any(|message| message.content.contains(wanted)) {
        let expected = format!("{} is told once, by the notice", peer.role);
        return Err(Verdict::fail(expected, peer.heard(since)));
    }
    Ok(())
}

pub(super) async fn in_room(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = guest(c, "bob").await?;
    let mut carl = membership::member(c, "carl", &room).await?;
    let mut dora = guest(c, "dora").await?;
    enter(c, &mut bob, &room).await?;
    let text = c.text();
    let marks = [bob.mark(), carl.mark(), dora.mark()];
    must(c, &mut ann, "broadcast", &[&room.name, &text]).await?;
    by_notice(&mut bob, marks[0], &text).await?;
    by_message(&mut carl, marks[1], (&text, &room.name), true).await?;
    for peer in [&mut bob, &mut dora] {
        c.fence(&mut ann, peer).await?;
    }
    not_both(&mut bob, marks[0], &text)?;
    if hears_of(&mut dora, marks[2], &text) {
        let expected = "nothing of what is broadcast in a room for who is no member";
        return Ok(Verdict::fail(expected, dora.heard(marks[2])));
    }
    let page = ask(&mut bob, &json!({"WITH": room.name, "LIMIT": 50})).await?;
    let kept = page.contents().iter().any(|content| content.contains(&text));
    Ok(Verdict::check(!kept, "what was broadcast is on no page", page.shown))
}

pub(super) async fn everywhere(c: &mut ServerHands) -> Outcome {
    c.staff().await?;
    let (mut bob, mut carl) = (c.join("bob").await?, guest(c, "carl").await?);
    let mut dora = c.join_with("dora", "ids/1").await?;
    let text = c.text();
    let marks = [bob.mark(), carl.mark(), dora.mark()];
    let result = c.staff().await?.command("server-broadcast", &[&text]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::fail("OK for server-broadcast of level 5", result.to_string()));
    }
    by_message(&mut bob, marks[0], (&text, "ALL"), false).await?;
    by_notice(&mut carl, marks[1], &text).await?;
    by_message(&mut dora, marks[2], (&text, "ALL"), true).await?;
    c.fence(&mut bob, &mut carl).await?;
    not_both(&mut carl, marks[1], &text)?;
    let mut late = c.join_with("late", OFFER).await?;
    let kept = hears_of(&mut late, Mark::START, &text);
    Ok(Verdict::check(
        !kept,
        "what was broadcast is no part of the history",
        late.heard(Mark::START),
    ))
}
