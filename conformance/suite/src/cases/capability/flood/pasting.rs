//! `flood`: a paste is no flood.

use serde_json::json;

use super::volley::OFFER;
use crate::{
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// The lines of a paste: 38 tokens of 40, of about 15 KB of text.
const LINES: usize = 600;

pub(super) async fn paste(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join_with("ann", OFFER).await?, c.join("bob").await?);
    let nonce = c.text();
    let lines: Vec<String> = (1..=LINES).map(|n| format!("{nonce} {n}")).collect();
    let messages: Vec<_> =
        lines.iter().map(|line| ServerHands::message(&ann.name, &bob.name, line)).collect();
    let since = ann.mark();
    ann.send(&json!({"MESSAGES": messages})).await;
    let last = lines.last().cloned().unwrap_or_default();
    let expected = format!("bob gets all {LINES} lines of one frame, in their order");
    let came = bob.find_message(Mark::START, |m| m.content == last).await.is_some();
    let got: Vec<String> = bob.messages(Mark::START).into_iter().map(|m| m.content).collect();
    let got: Vec<&String> = got.iter().filter(|text| text.starts_with(&nonce)).collect();
    if !came {
        let actual = format!("{} of them; {}", got.len(), ann.heard(since));
        return Ok(Verdict::missing(expected, actual));
    }
    if !lines.iter().eq(got.iter().copied()) {
        let actual = format!("{} of them, or in another order", got.len());
        return Ok(Verdict::fail(expected, actual));
    }
    // A bucket of 40 tokens is not empty by that.
    let (since, text) = (ann.mark(), c.text());
    ann.tell(&bob.name, &text).await;
    let taken = bob.find_message(Mark::START, |m| m.content == text).await.is_some();
    let expected =
        "one message more is taken at once, since 600 lines of one frame are 38 tokens of 40";
    Ok(Verdict::came(taken, expected, ann.heard(since)))
}
