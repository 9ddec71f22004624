//! Mutes on the server: what is refused, to whom who is muted may write, and what a mute outlives.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::scene::{OFFER, account, guest, leaves, must, notices, ranked};
use crate::{
    cases::capability::{
        calling::{is_ok, nick},
        membership::{refused, rejoined, resumed, said, token_of},
        told::number,
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const LONG: &str = "5m";

/// What somebody says is refused with `muted`, and says until when.
pub(super) async fn hushed(
    c: &mut ServerHands,
    peer: &mut Peer,
    dest: &str,
) -> Result<String, Verdict> {
    let text = c.text();
    let refusal = refused(c, peer, dest, &text, "muted").await?;
    if number(&refusal, "UNTIL").is_none() {
        let expected = "UNTIL, a number, beside CODE muted";
        return Err(Verdict::fail(expected, refusal.to_string()));
    }
    Ok(text)
}

/// A notice of this word with an end.
pub(super) async fn noticed(peer: &mut Peer, since: Mark, word: &str) -> Result<(), Verdict> {
    let of_it = |frame: &Frame| {
        let all = notices(frame, word);
        all.iter().any(|one| one.get("UNTIL").is_some_and(Value::is_u64)).then_some(())
    };
    match peer.find(since, of_it).await {
        Some(()) => Ok(()),
        None => {
            let expected = format!("{} gets NOTICES with CODE {word} and UNTIL", peer.role);
            Err(Verdict::missing(expected, peer.heard(since)))
        }
    }
}

pub(super) async fn refuses(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut ann = guest(c, "ann").await?;
    let mut dora = c.join("dora").await?;
    let mut bob = c.join("bob").await?;
    let (since, name) = (ann.mark(), ann.name.clone());
    must(c, &mut moderator, "mute", &[&name, LONG]).await?;
    noticed(&mut ann, since, "muted").await?;
    let mut lost = vec![hushed(c, &mut ann, "ALL").await?];
    // A base client is told by ERROR, both of the mute and of what is refused.
    let since = dora.mark();
    must(c, &mut moderator, "mute", &[&dora.name, LONG]).await?;
    dora.expect_error(since, "being muted").await?;
    let (since, text) = (dora.mark(), c.text());
    dora.say(&text).await;
    dora.expect_error(since, "a message of who is muted").await?;
    lost.push(text);
    c.fence(&mut moderator, &mut bob).await?;
    if lost.iter().any(|text| bob.count(text) > 0) {
        let expected = "nothing of who is muted reaches anybody";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    must(c, &mut moderator, "unmute", &[&name]).await?;
    let (text, _) = said(c, &mut ann, "ALL").await?;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn appeal(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let helper = ranked(c, "helper", 2).await?;
    let mut ann = guest(c, "ann").await?;
    let mut bob = c.join("bob").await?;
    must(c, &mut moderator, "mute", &[&ann.name, LONG]).await?;
    let (since, text, tag) = (ann.mark(), c.text(), c.nonces.letters(8));
    ann.tagged(&moderator.name, &text, &tag).await;
    let taken = ann.find(since, |frame| {
        let refused = frame.refusal(&tag).is_some();
        (refused || frame.ack(&tag).is_some()).then_some(!refused)
    });
    if taken.await != Some(true) {
        let expected = "who is muted can write to a moderator (level 3) in private";
        return Ok(Verdict::fail(expected, ann.heard(since)));
    }
    moderator.expect_content(&text).await?;
    let mut lost = Vec::new();
    for name in [bob.name.clone(), helper.name.clone()] {
        lost.push(hushed(c, &mut ann, &name).await?);
    }
    c.fence(&mut moderator, &mut bob).await?;
    let arrived = lost.iter().any(|text| bob.count(text) > 0);
    let expected = "a private message of who is muted to somebody below level 3 does not arrive";
    Ok(Verdict::check(!arrived, expected, bob.heard(Mark::START)))
}

pub(super) async fn survives(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let (mut ann, before) = (guest(c, "ann").await?, c.name("anna"));
    let (token, name) = (token_of(&mut ann)?, ann.name.clone());
    must(c, &mut moderator, "mute", &[&name, LONG]).await?;
    renamed(c, &mut ann, &before).await?;
    hushed(c, &mut ann, "ALL").await?;
    leaves(ann, &mut moderator).await;
    let (mut ann, _) = resumed(c, "ann", (&before, &token), OFFER, 0).await?;
    hushed(c, &mut ann, "ALL").await?;
    // A guest's mute is on the name, too.
    leaves(ann, &mut moderator).await;
    let mut again = rejoined(c, "ann", &name, OFFER, &[]).await?;
    hushed(c, &mut again, "ALL").await?;
    // That of an account is on the account.
    let (mut eve, owner) = account(c, "eve").await?;
    must(c, &mut moderator, "mute", &[&owner.name, LONG]).await?;
    let other = c.name("eva");
    renamed(c, &mut eve, &other).await?;
    hushed(c, &mut eve, "ALL").await?;
    leaves(eve, &mut moderator).await;
    let password = [("PASSWORD", json!(owner.password))];
    let mut eve = rejoined(c, "eve", &owner.name, OFFER, &password).await?;
    hushed(c, &mut eve, "ALL").await?;
    Ok(Verdict::Pass)
}

/// Gives somebody another name.
pub(super) async fn renamed(
    c: &mut ServerHands,
    peer: &mut Peer,
    new: &str,
) -> Result<(), Verdict> {
    peer.remember(new);
    let result = nick(c, peer, new).await?;
    if !is_ok(&result) {
        return Err(Verdict::inconclusive(format!("nick to a free name: {result}")));
    }
    new.clone_into(&mut peer.name);
    Ok(())
}
