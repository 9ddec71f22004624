//! `commands`, third part: blocking.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::calling::{catalogue, entry, is_ok, result_of};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// One blocks the other, with the command `block`.
async fn block(c: &mut ServerHands, peer: &mut Peer, other: &str) -> Result<(), Verdict> {
    let known = catalogue(peer).await?;
    if entry(&known, "block").is_none() {
        return Err(Verdict::not_applicable("no command block in the catalogue"));
    }
    let result = result_of(c, peer, "block", &[other]).await?;
    if is_ok(&result) {
        return Ok(());
    }
    Err(Verdict::inconclusive(format!("block: {result}")))
}

/// One says something to everybody; it has to reach a third user. The text.
async fn said(c: &mut ServerHands, from: &mut Peer, third: &mut Peer) -> Result<String, Verdict> {
    let text = c.text();
    from.say(&text).await;
    third.expect_content(&text).await?;
    Ok(text)
}

pub(super) async fn both_ways(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", "commands/1").await?;
    let mut eve = c.join_with("eve", "commands/1").await?;
    let mut carl = c.join("carl").await?;
    block(c, &mut ann, &eve.name.clone()).await?;
    let of_eve = said(c, &mut eve, &mut carl).await?;
    let of_ann = said(c, &mut ann, &mut carl).await?;
    let names = (ann.name.clone(), eve.name.clone());
    let whispers = [c.text(), c.text()];
    let [to_eve, to_ann] = &whispers;
    for (from, dest, text) in [(&mut ann, &names.1, to_eve), (&mut eve, &names.0, to_ann)] {
        let since = from.mark();
        from.tell(dest, text).await;
        from.expect_error(since, "a private message between the two").await?;
    }
    c.fence(&mut carl, &mut ann).await?;
    c.fence(&mut carl, &mut eve).await?;
    let seen = |peer: &mut Peer, public: &str, whisper: &str| {
        peer.count(public) > 0 || peer.count(whisper) > 0
    };
    if seen(&mut ann, &of_eve, to_ann) {
        let expected = "ann, who blocks eve, sees nothing of her";
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    }
    let expected = "eve, whom ann blocks, sees nothing of ann";
    Ok(Verdict::check(!seen(&mut eve, &of_ann, to_eve), expected, eve.heard(Mark::START)))
}

pub(super) async fn base_hears(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", "commands/1").await?;
    let mut eve = c.join("eve").await?;
    block(c, &mut ann, &eve.name.clone()).await?;
    let text = c.text();
    ann.say(&text).await;
    eve.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn past(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", "commands/1 ids/1").await?;
    let (mut eve, mut carl) = (c.join("eve").await?, c.join("carl").await?);
    let of_eve = said(c, &mut eve, &mut carl).await?;
    let first = ann.id_of(&of_eve).await?;
    let of_carl = said(c, &mut carl, &mut eve).await?;
    ann.expect_content(&of_carl).await?;
    block(c, &mut ann, &eve.name.clone()).await?;
    let since = ann.mark();
    let asked = json!({"WITH": "ALL", "AFTER": first.saturating_sub(1), "LIMIT": 500});
    ann.send(&json!({"HISTORY": asked})).await;
    let page = ann.find(since, |frame: &Frame| frame.key("HISTORY").cloned()).await;
    let messages = page.as_ref().and_then(|page| page.get("MESSAGES")).and_then(Value::as_array);
    let holds =
        |text: &str| messages.is_some_and(|all| all.iter().any(|m| m.get(3) == Some(&json!(text))));
    let expected = "in ann's history what carl said, and nothing of eve, whom she blocks";
    Ok(Verdict::check(holds(&of_carl) && !holds(&of_eve), expected, ann.heard(since)))
}
