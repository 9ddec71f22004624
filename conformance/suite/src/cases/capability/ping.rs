//! `ping`: whether the other end is there.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::agreed::{AGREED_HINT, agreed};
use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands},
    verdict::{Outcome, Verdict},
};

const PING: &str = "ping";
const OFFER: &str = "ping/1";

pub const CASES: &[Case] = &[
    Case::must("ping.agreed", "CP-2", |c| Box::pin(agreed(c, PING)))
        .asks("ping/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(PING)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("ping.pong", "PI-1", |c| Box::pin(pong(c)))
        .asks("PING n is answered with PONG n, for every integer of 64 bits")
        .hint("Send the number back as it came; a float can't hold all of them.")
        .needs(&["ping.agreed"])
        .extension(PING)
        .killed_by(&[Fault::NoPong, Fault::PongAsFloat]),
    Case::must("ping.order", "PI-1", |c| Box::pin(order(c)))
        .asks("PONG comes behind the answers to everything before it")
        .hint("Take frames in order and put PONG into the same queue as everything else.")
        .needs(&["ping.pong", "errors.keeps-connection"])
        .extension(PING)
        .killed_by(&[Fault::PongOvertakes]),
    Case::must("ping.beside", "PI-1", |c| Box::pin(beside(c)))
        .asks("A PING beside messages is answered behind what they are answered with")
        .hint("Messages first, PING last, whatever the order of the keys.")
        .needs(&["ping.pong", "src.spoof"])
        .extension(PING)
        .killed_by(&[Fault::PongOvertakes]),
    Case::must("ping.malformed", "PI-1", |c| Box::pin(malformed(c)))
        .asks("A PING that is no integer of 64 bits is answered with ERROR")
        .hint("Check the type before you answer.")
        .needs(&["ping.pong"])
        .extension(PING)
        .killed_by(&[Fault::PingUnchecked, Fault::BadPingIgnored]),
];

async fn pong(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for number in [1, 0, -1, i64::MAX, i64::MIN, (1 << 53) + 1] {
        let since = ann.mark();
        ann.send(&json!({"PING": number})).await;
        let answer = ann.find(since, |frame| frame.key("PONG").cloned()).await;
        if answer.as_ref().and_then(Value::as_i64) != Some(number) {
            let expected = format!("{{\"PONG\": {number}}}");
            return Ok(Verdict::fail(expected, ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

async fn order(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for number in 0..5 {
        let since = ann.mark();
        // In one write, so that the server has both at the same time.
        let mut bytes = ann.frame(b"xyz");
        bytes.extend(ann.frame(json!({"PING": number}).to_string().as_bytes()));
        ann.send_bytes(&bytes).await;
        let first = ann.find(since, |frame| {
            let pong = frame.key("PONG").is_some();
            (pong || frame.error().is_some()).then_some(pong && frame.error().is_none())
        });
        if first.await != Some(false) {
            let expected = "the ERROR for a malformed frame before the PONG for the PING behind it";
            return Ok(Verdict::fail(expected, ann.heard(since)));
        }
        let pong = ann.find(since, |frame| frame.key("PONG").cloned()).await;
        if pong != Some(json!(number)) {
            return Ok(Verdict::fail(format!("PONG {number} behind it"), ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

async fn beside(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (mut bob, text) = (c.join("bob").await?, c.text());
    let since = ann.mark();
    let messages = [
        ServerHands::message(&ann.name, "ALL", &text),
        ServerHands::message(&bob.name, "ALL", "somebody else's"),
    ];
    ann.send(&json!({"PING": 9, "MESSAGES": messages})).await;
    let pong = ann.find(since, |frame| frame.key("PONG").cloned()).await;
    let frames = ann.frames(since);
    let at = |wanted: &dyn Fn(&Frame) -> bool| frames.iter().position(wanted);
    let (error, answer) =
        (at(&|frame| frame.error().is_some()), at(&|frame| frame.key("PONG").is_some()));
    let expected =
        "ERROR for a message with somebody else's SRC, and behind it PONG for the PING beside it";
    if pong != Some(json!(9)) || error.is_none() || error > answer {
        return Ok(Verdict::fail(expected, ann.heard(since)));
    }
    c.fence(&mut ann, &mut bob).await?;
    Ok(Verdict::Pass)
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let bad = ["\"x\"", "\"1\"", "1.5", "null", "true", "[]", "[1]", "{}", "9223372036854775808"];
    for value in bad {
        let since = ann.mark();
        ann.send_body(format!("{{\"PING\": {value}}}").as_bytes()).await;
        ann.expect_error(since, &format!("PING {value}")).await?;
        if let Some(pong) = ann.frames(since).iter().find_map(|frame: &Frame| frame.key("PONG")) {
            return Ok(Verdict::fail(format!("no PONG for PING {value}"), pong.to_string()));
        }
    }
    Ok(Verdict::Pass)
}
