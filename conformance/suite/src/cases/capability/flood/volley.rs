//! Many frames at once, and what becomes of each.

use std::time::Duration;

use conformance_kit::{
    clock::Clock,
    wire::{ascii::ascii, frame::Frame},
};
use serde_json::{Value, json};

use crate::{
    cases::capability::calling::code,
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::Verdict,
};

/// Who counts is asked for with this: tags say which message was refused.
pub(super) const OFFER: &str = "ids/1";

/// So many frames of one message go through at once (FL-1).
pub(super) const BURST: usize = 40;

/// One message in a frame of its own, and its answer.
#[derive(Debug)]
pub(super) struct Shot {
    pub(super) text: String,
    pub(super) tag: String,
    /// The refusal; `None` where it was taken.
    pub(super) refusal: Option<Value>,
}

impl Shot {
    pub(super) fn is_taken(&self) -> bool {
        self.refusal.is_none()
    }

    /// The word of the refusal, or none.
    pub(super) fn word(&self) -> &str {
        self.refusal.as_ref().map_or("", code)
    }

    /// What is known of it, for a report.
    pub(super) fn shown(&self) -> String {
        self.refusal.as_ref().map_or_else(|| "taken".to_owned(), Value::to_string)
    }
}

/// The seconds after which it may be said again.
pub(super) fn wait_of(refusal: &Value) -> Option<Duration> {
    let wait = refusal.get("WAIT")?.as_f64()?;
    Duration::try_from_secs_f64(wait).ok().filter(|wait| !wait.is_zero())
}

/// Sends so many frames of one message in one write, without waiting for anything; their texts and tags.
pub(super) async fn fire(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    count: usize,
) -> Vec<(String, String)> {
    let sent: Vec<_> = (0..count).map(|_| (c.text(), c.nonces.letters(10))).collect();
    let mut bytes = Vec::new();
    for (text, tag) in &sent {
        let message = ServerHands::message(&from.name, dest, text);
        let object = json!({"MESSAGES": [message], "TAGS": [tag]});
        bytes.extend(from.frame(ascii(&object).as_bytes()));
    }
    from.send_bytes(&bytes).await;
    sent
}

/// Waits for the answer to each of them.
pub(super) async fn answers(
    from: &mut Peer,
    since: Mark,
    sent: Vec<(String, String)>,
) -> Result<Vec<Shot>, Verdict> {
    let mut shots = Vec::new();
    for (text, tag) in sent {
        let answer = |frame: &Frame| match (frame.ack(&tag), frame.refusal(&tag)) {
            (Some(_), _) => Some(None),
            (None, refusal) => refusal.cloned().map(Some),
        };
        let Some(refusal) = from.find(since, answer).await else {
            let expected = format!("{} gets ACKS or REFUSED for each of them", from.role);
            return Err(Verdict::missing(expected, from.heard(since)));
        };
        shots.push(Shot { text, tag, refusal });
    }
    Ok(shots)
}

/// Sends so many frames of one message at once; what became of each.
pub(super) async fn volley(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    count: usize,
) -> Result<Vec<Shot>, Verdict> {
    let since = from.mark();
    let sent = fire(c, from, dest, count).await;
    answers(from, since, sent).await
}

/// How many frames may have been taken after so long, with much to spare.
pub(super) fn allowed(clock: &Clock) -> usize {
    BURST + 10 + usize::try_from(clock.elapsed().as_secs()).unwrap_or(usize::MAX / 2)
}

/// Most frames with which a refusal is looked for; a machine that needs more of them is too slow for it.
const MOST: usize = 200;

/// Sends what may be said at once and then a few more at a time, until something is refused: all that was sent, in which a few
/// are refused. Whoever is refused often is muted, which is another case's business.
pub(super) async fn until_refused(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
) -> Result<Vec<Shot>, Verdict> {
    let clock = Clock::start();
    let mut shots = volley(c, from, dest, BURST).await?;
    while shots.iter().all(Shot::is_taken) {
        if shots.len() > MOST {
            return Err(Verdict::inconclusive("the server is slower than what it counts"));
        }
        shots.extend(volley(c, from, dest, 4).await?);
        if shots.iter().all(Shot::is_taken) && shots.len() > allowed(&clock) {
            let expected = format!("a frame is refused with flood before {}", shots.len());
            return Err(Verdict::fail(expected, "all of them are taken"));
        }
    }
    Ok(shots)
}

/// Makes sure that what was taken has arrived, once each, and what was refused has not. Somebody else says when to look.
pub(super) async fn only_taken(
    c: &mut ServerHands,
    to: &mut Peer,
    crier: &mut Peer,
    shots: &[Shot],
) -> Result<(), Verdict> {
    if let Some(last) = shots.iter().rev().find(|shot| shot.is_taken()) {
        to.expect_content(&last.text).await?;
    }
    c.fence(crier, to).await?;
    for shot in shots {
        let (times, due) = (to.count(&shot.text), usize::from(shot.is_taken()));
        if times != due {
            let expected =
                format!("{} gets what was taken once, and what was refused never", to.role);
            let actual = format!("{times} times one that was {}", shot.shown());
            return Err(if times < due {
                Verdict::missing(expected, actual)
            } else {
                Verdict::fail(expected, actual)
            });
        }
    }
    Ok(())
}
