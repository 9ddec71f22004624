//! `flood`: what a base client is told.

use std::time::Duration;

use conformance_kit::{
    clock::Clock,
    wire::{ascii::ascii, frame::Frame},
};
use serde_json::json;
use tokio::time::sleep;

use super::volley::{BURST, allowed};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// How long a base client waits before it tries again, which nobody tells it; and how often it does.
const PAUSE: Duration = Duration::from_secs(2);
const TRIES: usize = 6;

/// Sends so many frames of one message in one write; their texts.
async fn fire(c: &mut ServerHands, from: &mut Peer, dest: &str, count: usize) -> Vec<String> {
    let texts: Vec<String> = (0..count).map(|_| c.text()).collect();
    let mut bytes = Vec::new();
    for text in &texts {
        let message = ServerHands::message(&from.name, dest, text);
        bytes.extend(from.frame(ascii(&json!({"MESSAGES": [message]})).as_bytes()));
    }
    from.send_bytes(&bytes).await;
    texts
}

/// Whether a frame brings this text.
fn brings(frame: &Frame, text: &str) -> Option<()> {
    frame.messages().iter().any(|message| message.content == text).then_some(())
}

pub(super) async fn base(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let clock = Clock::start();
    let since = ann.mark();
    let mut sent = fire(c, &mut ann, &bob.name, BURST + 4).await;
    // The last one comes unless it was refused, or the server has no time.
    while let Some(last) = sent.last()
        && bob
            .find_within(c.patience() / 4, Mark::START, |frame| brings(frame, last))
            .await
            .is_some()
    {
        if ann.find_now(Frame::error).is_some() {
            break;
        }
        if sent.len() > allowed(&clock) {
            let expected = format!("ERROR for one of {} frames", sent.len());
            return Ok(Verdict::fail(expected, "all of them are delivered"));
        }
        sent.extend(fire(c, &mut ann, &bob.name, 4).await);
    }
    ann.expect_error(since, "more than may be said at once").await?;
    c.fence(&mut bob, &mut ann).await?;
    let taken = sent.iter().filter(|text| bob.count(text) == 1).count();
    if taken < BURST || taken == sent.len() {
        let expected = format!("{BURST} of them delivered, and not all {}", sent.len());
        return Ok(Verdict::fail(expected, format!("{taken} are delivered")));
    }
    for _ in 0..TRIES {
        sleep(PAUSE).await;
        let text = c.text();
        ann.tell(&bob.name, &text).await;
        if bob.find_within(PAUSE, Mark::START, |frame| brings(frame, &text)).await.is_some() {
            return Ok(Verdict::Pass);
        }
    }
    let expected = "after a while what the base client says is delivered again";
    Ok(Verdict::missing(expected, ann.heard(since)))
}
