//! `files`: downloads.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use super::transfer::{
    CHUNK, OFFER, begin, come_to, extend, fetch, granted, is_done, piece, received, send_up_to,
    sender, sent, sha256, share,
};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Closing, Mark},
    },
    verdict::{Outcome, Verdict},
};

const LARGE: usize = 1024 * 1024;

pub(super) async fn resume(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let sent = sent(c, LARGE);
    let token = share(c, &mut ann, "ALL", &sent).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = granted(c, &mut bob, &token, 0, LARGE).await?;
    let cut = CHUNK * (1 + usize::try_from(c.nonces.number() % 20).unwrap_or_default());
    come_to(&mut bob, &token, since, cut).await?;
    let mut bytes = received(&mut bob, &token, since, 0)?;
    bob.close(Closing::Reset).await;
    // Whoever had a part goes on in the middle of a piece, too.
    bytes.truncate(cut + 5);
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = granted(c, &mut bob, &token, bytes.len(), LARGE).await?;
    is_done(&mut bob, &token, since).await?;
    bytes.extend(received(&mut bob, &token, since, bytes.len())?);
    let expected = format!("{LARGE} bytes with SHA-256 {}", sha256(&sent.bytes));
    let found = format!("{} with {}", bytes.len(), sha256(&bytes));
    Ok(Verdict::check(bytes == sent.bytes, expected, found))
}

pub(super) async fn credit(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let sent = sent(c, 5 * CHUNK);
    let token = share(c, &mut ann, "ALL", &sent).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut limit = CHUNK + 100;
    let since = granted(c, &mut bob, &token, 0, limit).await?;
    for more in [0, 1, 2 * CHUNK] {
        limit += more;
        if more > 0 {
            extend(&mut bob, &token, limit).await;
        }
        come_to(&mut bob, &token, since, limit).await?;
        c.settle().await;
        let got = received(&mut bob, &token, since, 0)?.len();
        if got > limit {
            let expected = format!("{limit} bytes, as far as the credit goes");
            return Ok(Verdict::fail(expected, format!("{got}")));
        }
    }
    extend(&mut bob, &token, sent.bytes.len()).await;
    is_done(&mut bob, &token, since).await?;
    let bytes = received(&mut bob, &token, since, 0)?;
    Ok(Verdict::check(bytes == sent.bytes, "the whole file at last", sha256(&bytes)))
}

/// A message has to come before so many pieces of a file of so many.
const PIECES: usize = 512;
const BEFORE: usize = PIECES / 4;

pub(super) async fn chat_first(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let sent = sent(c, PIECES * CHUNK);
    let token = share(c, &mut ann, "ALL", &sent).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (since, text, tag) = (bob.mark(), c.text(), c.nonces.letters(12));
    let get = json!({"FILE_GET": {"ID": "g1", "FILE": token, "AT": 0, "CREDIT": sent.bytes.len()}});
    let message = ServerHands::message(&bob.name, "ALL", &text);
    // In one write, so that the message is at the server when the fetch begins.
    let mut bytes = bob.frame(get.to_string().as_bytes());
    bytes.extend(bob.frame(json!({"MESSAGES": [message], "TAGS": [tag]}).to_string().as_bytes()));
    bob.send_bytes(&bytes).await;
    // Not every server sends somebody's own messages back.
    let said = |frame: &Frame| frame.ack(&tag).is_some();
    if bob.find(since, |frame| said(frame).then_some(())).await.is_none() {
        return Ok(Verdict::missing("ACKS of the own message during a fetch", bob.heard(since)));
    }
    let before = bob
        .frames(since)
        .iter()
        .take_while(|frame| !said(frame))
        .filter(|frame| piece(frame, &token).is_some())
        .count();
    let expected =
        format!("a message that is sent during a fetch comes before {BEFORE} of {PIECES} chunks");
    Ok(Verdict::check(before <= BEFORE, expected, format!("behind {before}")))
}

pub(super) async fn slow_getter(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let sent = sent(c, PIECES * CHUNK);
    let token = share(c, &mut ann, "ALL", &sent).await?;
    let mut cyd = c.join_with("cyd", OFFER).await?;
    granted(c, &mut cyd, &token, 0, sent.bytes.len()).await?;
    cyd.stop_reading();
    let mut bob = c.join_with("bob", OFFER).await?;
    // What somebody does not read delays nobody else: neither messages nor another fetch.
    for _ in 0..3 {
        c.fence(&mut ann, &mut bob).await?;
    }
    let bytes = fetch(c, &mut bob, &token, sent.bytes.len()).await?;
    Ok(Verdict::check(bytes == sent.bytes, "the file for another one", sha256(&bytes)))
}

pub(super) async fn abort(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let sent = sent(c, 20 * CHUNK);
    // An upload that is given up is not there any more.
    let mut begun = begin(c, &mut ann, "ALL", &sent).await?;
    send_up_to(&mut ann, &mut begun, &sent, 3 * CHUNK).await?;
    ann.send(&json!({"FILE_STOP": {"FILE": begun.token}})).await;
    let again = begin(c, &mut ann, "ALL", &sent).await?;
    if again.at != 0 {
        let expected = "AT 0 behind FILE_STOP of an upload";
        return Ok(Verdict::fail(expected, format!("{}", again.at)));
    }
    ann.send(&json!({"FILE_STOP": {"FILE": again.token}})).await;
    // A fetch that is given up sends nothing more.
    let token = share(c, &mut ann, "ALL", &sent).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = granted(c, &mut bob, &token, 0, 2 * CHUNK).await?;
    come_to(&mut bob, &token, since, 2 * CHUNK).await?;
    bob.send(&json!({"FILE_STOP": {"FILE": token}})).await;
    extend(&mut bob, &token, sent.bytes.len()).await;
    c.fence(&mut ann, &mut bob).await?;
    c.settle().await;
    let got = received(&mut bob, &token, since, 0)?.len();
    if got != 2 * CHUNK {
        let expected = format!("{} bytes, and nothing behind FILE_STOP", 2 * CHUNK);
        return Ok(Verdict::fail(expected, format!("{got}")));
    }
    // It can be fetched anew.
    let since = granted(c, &mut bob, &token, 0, sent.bytes.len()).await?;
    is_done(&mut bob, &token, since).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn two_at_a_time(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let sent = sent(c, 2 * CHUNK);
        tokens.push(share(c, &mut ann, "ALL", &sent).await?);
    }
    let mut bob = c.join_with("bob", OFFER).await?;
    let [one, two, three] = tokens.as_slice() else { return Ok(Verdict::Pass) };
    granted(c, &mut bob, one, 0, CHUNK).await?;
    let since = granted(c, &mut bob, two, 0, CHUNK).await?;
    let (file, _) = super::transfer::get(c, &mut bob, three, 0, CHUNK).await?;
    if super::transfer::code(&file) != Some("busy") {
        let expected = "busy for a third transfer of one connection";
        return Ok(Verdict::fail(expected, file.to_string()));
    }
    extend(&mut bob, two, 2 * CHUNK).await;
    is_done(&mut bob, two, since).await?;
    granted(c, &mut bob, three, 0, CHUNK).await?;
    // Another connection has transfers of its own.
    let mut cyd = c.join_with("cyd", OFFER).await?;
    let bytes = fetch(c, &mut cyd, one, 2 * CHUNK).await?;
    let expected = "another connection fetches";
    let is_whole = bytes.len() == 2 * CHUNK && cyd.mark() != Mark::START;
    Ok(Verdict::check(is_whole, expected, format!("{}", bytes.len())))
}
