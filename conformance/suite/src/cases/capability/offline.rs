//! `accounts`: private messages to who has an account and is not here. A server may refuse them all (AN-7); what it
//! acknowledges has to be there at the next join.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    calling::{Owner, code, owner, register},
    membership::back,
};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Who writes: a message to who is away is for users with an account.
const WRITER: &str = "accounts/1 commands/1 ids/1";
const READER: &str = "accounts/1 ids/1";

/// So many wait for one recipient at most.
const MOST: usize = 200;
/// Messages of one frame: a few more, and 14 tokens where messages are counted.
const MANY: usize = MOST + 10;

/// Somebody with an account who is here.
async fn writer(c: &mut ServerHands) -> Result<Peer, Verdict> {
    let mut ann = c.join_with("ann", WRITER).await?;
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, &mut ann, &password).await?;
    Ok(ann)
}

/// What becomes of messages to who is not here, in one frame: each text, and the refusal of it.
async fn leave(
    c: &mut ServerHands,
    ann: &mut Peer,
    bob: &Owner,
    count: usize,
) -> Result<Vec<(String, Option<Value>)>, Verdict> {
    let sent: Vec<_> = (0..count).map(|_| (c.text(), c.nonces.letters(10))).collect();
    let messages: Vec<_> =
        sent.iter().map(|(text, _)| ServerHands::message(&ann.name, &bob.name, text)).collect();
    let tags: Vec<_> = sent.iter().map(|(_, tag)| tag).collect();
    let since = ann.mark();
    ann.send(&json!({"MESSAGES": messages, "TAGS": tags})).await;
    let mut left = Vec::new();
    for (text, tag) in sent {
        let answer = |frame: &Frame| match (frame.ack(&tag), frame.refusal(&tag)) {
            (Some(_), _) => Some(None),
            (None, refusal) => refusal.cloned().map(Some),
        };
        let Some(refusal) = ann.find(since, answer).await else {
            let expected = "ACKS or REFUSED for a message to who is not here";
            return Err(Verdict::missing(expected, ann.heard(since)));
        };
        left.push((text, refusal));
    }
    Ok(left)
}

/// The owner joins, and has all that was acknowledged.
async fn found(
    c: &mut ServerHands,
    bob: &Owner,
    left: &[(String, Option<Value>)],
) -> Result<(), Verdict> {
    let mut peer = back(c, "bob", bob, READER).await?;
    let got: Vec<String> = peer.messages(Mark::START).into_iter().map(|m| m.content).collect();
    let got: Vec<&String> =
        got.iter().filter(|text| left.iter().any(|(one, _)| one == *text)).collect();
    let due: Vec<&String> =
        left.iter().filter(|(_, refusal)| refusal.is_none()).map(|(text, _)| text).collect();
    if got == due {
        return Ok(());
    }
    let expected = format!("the {} that were acknowledged, at the next join, in order", due.len());
    Err(Verdict::fail(expected, format!("{} of them; {}", got.len(), peer.heard(Mark::START))))
}

pub(super) async fn private(c: &mut ServerHands) -> Outcome {
    let name = c.name("own");
    let bob = owner(c, &name).await?;
    let mut ann = writer(c).await?;
    let left = leave(c, &mut ann, &bob, 2).await?;
    // A refusal is an answer, too; then nothing may be there.
    found(c, &bob, &left).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn full(c: &mut ServerHands) -> Outcome {
    let name = c.name("own");
    let bob = owner(c, &name).await?;
    let mut ann = writer(c).await?;
    let left = leave(c, &mut ann, &bob, MANY).await?;
    let kept = left.iter().filter(|(_, refusal)| refusal.is_none()).count();
    if kept > MOST {
        let expected = format!("at most {MOST} wait for one recipient, then busy");
        return Ok(Verdict::fail(expected, format!("{kept} are acknowledged")));
    }
    let refused = left.iter().find_map(|(_, refusal)| refusal.as_ref());
    if let Some(refusal) = refused.filter(|refusal| kept > 0 && code(refusal) != "busy") {
        let expected = "REFUSED with CODE busy where too many wait";
        return Ok(Verdict::fail(expected, refusal.to_string()));
    }
    found(c, &bob, &left).await?;
    Ok(Verdict::Pass)
}
