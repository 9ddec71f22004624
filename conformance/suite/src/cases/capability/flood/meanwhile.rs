//! `flood`: one user's flood is nobody else's.

use conformance_kit::wire::frame::Frame;

use super::volley::{OFFER, Shot, answers, fire, only_taken};
use crate::{
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// Frames at once: more than may be said, and too few to be muted.
const FRAMES: usize = 56;

pub(super) async fn others(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let since = ann.mark();
    let sent = fire(c, &mut ann, &bob.name, FRAMES).await;
    // A server reads her frames beside those of the others: only when it has judged the last one, her count is used up.
    if let Some((_, last)) = sent.last() {
        let judged = |frame: &Frame| {
            (frame.ack(last).is_some() || frame.refusal(last).is_some()).then_some(())
        };
        let _ = ann.find(since, judged).await;
    }
    // To the one who is flooded, and to somebody else.
    let texts = [c.text(), c.text()];
    carl.tell(&bob.name, &texts[0]).await;
    bob.tell(&carl.name, &texts[1]).await;
    for (peer, text) in [(&mut bob, &texts[0]), (&mut carl, &texts[1])] {
        if peer.find_message(Mark::START, |m| m.content == *text).await.is_none() {
            let expected = format!("{} gets what another user says meanwhile", peer.role);
            return Ok(Verdict::missing(expected, peer.heard(Mark::START)));
        }
    }
    let shots = answers(&mut ann, since, sent).await?;
    if shots.iter().all(Shot::is_taken) {
        return Err(Verdict::inconclusive("the server is slower than what it counts"));
    }
    // Each destination is counted by itself: the lobby has heard nothing of her yet.
    let (since, text, tag) = (ann.mark(), c.text(), c.nonces.letters(10));
    ann.tagged("ALL", &text, &tag).await;
    let answer = |frame: &Frame| match (frame.ack(&tag), frame.refusal(&tag)) {
        (Some(_), _) => Some(String::new()),
        (None, refusal) => Some(refusal?.get("CODE")?.as_str()?.to_owned()),
    };
    let expected = "a message of ann to ALL is taken, who has only flooded bob";
    match ann.find(since, answer).await.as_deref() {
        Some("") => {}
        Some("room-busy") => return Err(Verdict::inconclusive("others fill the lobby")),
        Some(_) => return Ok(Verdict::fail(expected, ann.heard(since))),
        None => return Ok(Verdict::missing(expected, ann.heard(since))),
    }
    carl.expect_content(&text).await?;
    only_taken(c, &mut bob, &mut carl, &shots).await?;
    Ok(Verdict::Pass)
}
