//! `robust`: garbage that neither stops nor stalls a server.

use conformance_kit::wire::frame::Frame;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::should("robust.zero-length", "FR-6", |c| Box::pin(zero_length(c)))
        .asks("A frame of length zero ends neither the server nor its connection")
        .hint("Zero bytes of body are an invalid message; only a read that returns nothing is the end.")
        .needs(&["bcast.all-others"])
        .excused_by(&["errors.keeps-connection"])
        .killed_by(&[Fault::ZeroLengthCloses])
        .rough(),
    Case::should("robust.bad-utf8", "IV-3", |c| Box::pin(bad_utf8(c)))
        .asks("Bytes that are no UTF-8 hurt nobody")
        .hint("UnicodeDecodeError is an invalid message like any other: answer ERROR.")
        .needs(&["bcast.all-others"])
        .excused_by(&["errors.others-unaffected"])
        .killed_by(&[Fault::BadUtf8Kills])
        .rough(),
    Case::should("robust.deep-json", "JS-5", |c| Box::pin(deep_json(c)))
        .asks("JSON nested 10,000 deep hurts nobody")
        .hint("RecursionError is an invalid message like any other: answer ERROR.")
        .needs(&["bcast.all-others"])
        .excused_by(&["errors.others-unaffected"])
        .killed_by(&[Fault::DeepJsonKills])
        .rough(),
    Case::should("robust.huge-length", "FR-5", |c| Box::pin(huge_length(c)))
        .asks("A length of 4 GiB hurts nobody")
        .hint("Refuse lengths above a limit before allocating anything for them.")
        .needs(&["bcast.all-others"])
        .excused_by(&["errors.others-unaffected"])
        .killed_by(&[Fault::HugeLengthStalls])
        .rough(),
    Case::should("robust.huge-length-refused", "FR-5", |c| Box::pin(huge_length_refused(c)))
        .asks("A length of 4 GiB is answered with ERROR, or ends the connection")
        .hint("Don't wait for bytes that will never come: compare the length with a limit, answer ERROR, and close.")
        .needs(&["robust.huge-length"])
        .killed_by(&[Fault::HugeLengthAwaited])
        .rough(),
];

async fn zero_length(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = ann.mark();
    ann.send_body(b"").await;
    pause(c, &mut ann, since).await;
    let text = c.text();
    ann.say(&text).await;
    if bob.find_message(Mark::START, |m| m.content == text).await.is_none() {
        let expected = "ann's next message after a frame of length zero is delivered";
        return Ok(Verdict::missing(expected, ann.heard(since)));
    }
    Ok(Verdict::Pass)
}

/// Gives a server the time to answer, or to fall over.
async fn pause(c: &ServerHands, peer: &mut Peer, since: Mark) {
    tokio::select! {
        _ = peer.find(since, Frame::error) => {}
        () = c.settle() => {}
    }
}

async fn bad_utf8(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    let mut body = format!(r#"{{"MESSAGES": [["{}", "ALL", 1, "{} "#, ann.name, c.malformed_text());
    body.push('"');
    let mut bytes = body.into_bytes();
    let end = bytes.len().saturating_sub(1);
    bytes.splice(end..end, [0xFF, 0xFE, 0xC0, 0x80]);
    bytes.extend(b"]]}");
    ann.send_body(&bytes).await;
    pause(c, &mut ann, since).await;
    c.others_are_served("after bytes that are no UTF-8").await
}

async fn deep_json(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    let body = format!(r#"{{"MESSAGES": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    ann.send_body(body.as_bytes()).await;
    pause(c, &mut ann, since).await;
    c.others_are_served("after JSON nested 10,000 deep").await
}

async fn huge_length(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    ann.send_bytes(b"\xFF\xFF\xFF\xFF{\"MESSAGES\": [").await;
    pause(c, &mut ann, since).await;
    c.others_are_served("while a peer announces 4 GiB").await
}

async fn huge_length_refused(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    ann.send_bytes(b"\xFF\xFF\xFF\xFF{\"MESSAGES\": [").await;
    // Ends early when the connection does: its end is an answer, too.
    let refused = ann.find(since, Frame::error).await.is_some() || ann.is_closed();
    let expected = "ann gets ERROR for a length of 4 GiB, or the connection is closed";
    Ok(Verdict::came(refused, expected, ann.heard(since)))
}
