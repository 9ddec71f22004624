//! `commands`, second part: commands that ask something.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::calling::{Came, OFFER, arguments, call, came, catalogue, code, entry, is_ok};
use crate::{
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

/// Makes the server ask something: calls a command without the secret that it needs, or one that is there for asking. The
/// ID and the question.
async fn asked(c: &mut ServerHands, peer: &mut Peer) -> Result<(String, Value), Verdict> {
    let known = catalogue(peer).await?;
    let secret =
        |entry: &&Value| arguments(entry).first().is_some_and(|(kind, _)| kind == "secret");
    let named = entry(&known, "input-test").or_else(|| entry(&known, "register"));
    let candidates = named.into_iter().chain(known.iter().filter(secret));
    let names: Vec<String> = candidates
        .filter_map(|entry| Some(entry.get("NAME")?.as_str()?.to_owned()))
        .take(3)
        .collect();
    for name in names {
        let since = peer.mark();
        let id = call(c, peer, &name, &[]).await;
        let any = |frame: &Frame| {
            let prompt = frame.key("PROMPT").cloned();
            (prompt.is_some() || frame.key("RESULT").is_some() || frame.error().is_some())
                .then_some(prompt)
        };
        if let Some(Some(prompt)) = peer.find(since, any).await {
            return Ok((id, prompt));
        }
    }
    Err(Verdict::not_applicable("no command that a guest may use asks anything"))
}

async fn answer(peer: &mut Peer, id: &str, text: Value) {
    peer.send(&json!({"ANSWER": {"ID": id, "TEXT": text}})).await;
}

pub(super) async fn cancelled(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let since = ann.mark();
    let (id, prompt) = asked(c, &mut ann).await?;
    let whole = prompt.get("ID") == Some(&json!(id))
        && prompt.get("TEXT").is_some_and(Value::is_string)
        && prompt.get("SECRET").is_some_and(Value::is_boolean);
    if !whole {
        let expected = "PROMPT {\"ID\" of the command, \"TEXT\": string, \"SECRET\": boolean}";
        return Ok(Verdict::fail(expected, prompt.to_string()));
    }
    let mark = ann.mark();
    answer(&mut ann, &id, json!(null)).await;
    match came(&mut ann, mark, &id).await {
        Came::Result(result) if code(&result) == "cancelled" && !is_ok(&result) => {}
        _ => {
            let expected = "RESULT with CODE cancelled after an ANSWER with TEXT null";
            return Ok(Verdict::fail(expected, ann.heard(since)));
        }
    }
    // The question is over.
    let mark = ann.mark();
    answer(&mut ann, &id, json!("late")).await;
    ann.expect_error(mark, "an answer to a question that is over").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn own_answer(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut eve = c.join_with("eve", OFFER).await?;
    let since = ann.mark();
    let (id, _) = asked(c, &mut ann).await?;
    let mark = eve.mark();
    answer(&mut eve, &id, json!("somebody else's answer")).await;
    let told = eve.find(mark, |frame: &Frame| {
        let result = frame.key("RESULT").is_some();
        (result || frame.error().is_some()).then_some(result)
    });
    if told.await != Some(false) {
        let expected = "ERROR for an answer from another connection";
        return Ok(Verdict::fail(expected, eve.heard(mark)));
    }
    c.fence(&mut eve, &mut ann).await?;
    if ann.frames(since).iter().any(|frame| frame.key("RESULT").is_some()) {
        let expected = "the question stays open for the connection that was asked";
        return Ok(Verdict::fail(expected, ann.heard(since)));
    }
    answer(&mut ann, &id, json!(null)).await;
    match came(&mut ann, since.next(), &id).await {
        Came::Nothing => Ok(Verdict::fail("the one who was asked can answer", ann.heard(since))),
        _ => Ok(Verdict::Pass),
    }
}

pub(super) async fn to_nothing(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for odd in [json!({"ID": "1", "TEXT": "x"}), json!({"ID": "1", "TEXT": null}), json!(5)] {
        let since = ann.mark();
        ann.send(&json!({"ANSWER": odd})).await;
        ann.expect_error(since, &format!("ANSWER {odd} where nothing was asked")).await?;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn waiting(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (id, _) = asked(c, &mut ann).await?;
    let since = ann.mark();
    let mut ids = Vec::new();
    for _ in 0..17 {
        ids.push(call(c, &mut ann, "no-command-has-this-name", &[]).await);
    }
    let last = ids.pop().unwrap_or_default();
    let busy = came(&mut ann, since, &last).await;
    if !matches!(&busy, Came::Result(result) if code(result) == "busy") {
        let expected = "busy for the 17th command that waits";
        return Ok(Verdict::fail(expected, format!("{busy}; {}", ann.heard(since))));
    }
    c.fence(&mut bob, &mut ann).await?;
    let early = ann.frames(since).iter().filter(|frame| frame.key("RESULT").is_some()).count();
    if early != 1 {
        let expected = "no RESULT of a command that waits while another one asks";
        return Ok(Verdict::fail(expected, format!("{early} results, with the busy one")));
    }
    let mark = ann.mark();
    answer(&mut ann, &id, json!(null)).await;
    let last = ids.last().cloned().unwrap_or_default();
    came(&mut ann, mark, &last).await;
    let of = |frame: &Frame| Some(frame.key("RESULT")?.get("ID")?.as_str()?.to_owned());
    let results: Vec<String> = ann.frames(mark).iter().filter_map(of).collect();
    ids.insert(0, id);
    let expected =
        "the result of the one that asked, then those of the 16 that waited, in their order";
    Ok(Verdict::check(results == ids, expected, format!("{results:?}")))
}
