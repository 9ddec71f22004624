//! `errors`: what is no valid message is answered with ERROR, and hurts nobody.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const HINT: &str = "Wrap parsing and checking in try/except, answer {\"ERROR\": \"what is wrong\"} to this client, and go on reading.";

pub const CASES: &[Case] = &[
    Case::must("errors.not-json", "IV-1", |c| {
        Box::pin(answered(c, b"xyz", "a body that is no JSON"))
    })
    .revised(2)
    .asks("A body that is not JSON is answered with ERROR")
    .hint(HINT)
    .needs(&["join.accept"])
    .killed_by(&[Fault::JunkIgnored, Fault::JunkKillsServer])
    .rough(),
    Case::must("errors.array", "IV-1", |c| {
        Box::pin(answered(c, b"[1]", "a body that is an array"))
    })
    .asks("A body that is JSON but no object is answered with ERROR")
    .hint("json.loads succeeds for [1]; check that the result is a dict.")
    .needs(&["join.accept"])
    .killed_by(&[Fault::ArrayIgnored])
    .rough(),
    Case::open("errors.missing-key", "IV-4", |c| Box::pin(missing_key(c)))
        .asks("How is an empty object answered?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::EmptyObjectIgnored])
        .marking(),
    Case::must("errors.tuple-3", "IV-1", |c| Box::pin(tuple_3(c)))
        .asks("A message of three elements is answered with ERROR")
        .hint("Check len(message) == 4 before unpacking it.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::ShortTupleIgnored])
        .rough(),
    Case::must("errors.types", "IV-1", |c| Box::pin(types(c)))
        .asks("A message whose time is a string is answered with ERROR")
        .hint("Check the type of every element; note that in Python a bool is an int.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::StringTimeAccepted])
        .literal()
        .marking(),
    Case::must("errors.reaches-sender", "IV-1", |c| Box::pin(reaches_sender(c)))
        .asks("ERROR reaches who caused it, also when others came and spoke later")
        .hint("Answer on the connection that the bad frame came from, not on one that a variable of the whole program remembers.")
        .needs(&["errors.not-json", "bcast.all-others"])
        .killed_by(&[Fault::ErrorToLast])
        .rough(),
    Case::should("errors.to-sender-only", "RT-6", |c| Box::pin(to_sender_only(c)))
        .asks("ERROR goes to nobody else")
        .hint("Errors are about one frame of one client: answer that one, don't broadcast.")
        .needs(&["errors.not-json", "bcast.all-others"])
        .killed_by(&[Fault::ErrorToEverybody])
        .rough(),
    Case::open("errors.tuple-5", "IV-4", |c| Box::pin(tuple_5(c)))
        .asks("What happens to a message of five elements?")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::LongTupleDelivered])
        .marking(),
    Case::open("errors.unknown-key", "IV-4", |c| Box::pin(unknown_key(c)))
        .asks("How is an object with only an unknown key answered?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::UnknownKeyIgnored])
        .marking(),
    Case::should("errors.keeps-connection", "IV-2", |c| Box::pin(keeps_connection(c)))
        .asks("After an ERROR the connection is still good")
        .hint("Answer and go on reading; the length said where the bad frame ended.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::ClosesAfterError])
        .rough(),
    Case::must("errors.others-unaffected", "RT-6", |c| Box::pin(others_unaffected(c)))
        .revised(2)
        .asks("What one user sends wrongly disturbs no other user")
        .hint(
            "An exception in one client's thread must not end the others or hold a lock for ever.",
        )
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::BadFrameKicksEverybody])
        .rough(),
];

/// Somebody makes a mistake after another user has come and spoken.
async fn mistake(c: &mut ServerHands) -> Result<(Peer, Peer, Mark), Verdict> {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    c.fence(&mut bob, &mut ann).await?;
    let since = ann.mark();
    ann.send_body(b"xyz").await;
    Ok((ann, bob, since))
}

async fn reaches_sender(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob, since) = mistake(c).await?;
    let about = "a body that is no JSON, though bob came and spoke later";
    if let Err(verdict) = ann.expect_error(since, about).await {
        return Ok(match (verdict, bob.find_now(Frame::error)) {
            (_, Some(text)) => {
                Verdict::fail("ann, who made the mistake, gets ERROR", format!("bob got {text:?}"))
            }
            (verdict, None) => verdict,
        });
    }
    Ok(Verdict::Pass)
}

async fn to_sender_only(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob, since) = mistake(c).await?;
    ann.find(since, Frame::error).await;
    c.settle().await;
    let error = bob.find_now(Frame::error);
    let expected = "errors go to the one who made them";
    let actual = format!("bob got ERROR {:?}", error.as_deref().unwrap_or_default());
    Ok(Verdict::check(error.is_none(), expected, actual))
}

async fn answered(c: &mut ServerHands, body: &[u8], about: &str) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    ann.send_body(body).await;
    ann.expect_error(since, about).await?;
    Ok(Verdict::Pass)
}

async fn tuple_3(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    let text = c.malformed_text();
    ann.send(&json!({"MESSAGES": [[ann.name, "ALL", text]]})).await;
    ann.expect_error(since, "a message of three elements").await?;
    Ok(Verdict::Pass)
}

async fn types(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    let text = c.malformed_text();
    ann.send(&json!({"MESSAGES": [[ann.name, "ALL", "noon", text]]})).await;
    ann.expect_error(since, "a message whose time is a string").await?;
    Ok(Verdict::Pass)
}

async fn missing_key(c: &mut ServerHands) -> Outcome {
    let value = reaction(c, &json!({})).await?;
    Ok(Verdict::observed("an empty object", value))
}

async fn unknown_key(c: &mut ServerHands) -> Outcome {
    let value = reaction(c, &json!({"X_COLOR": "blue"})).await?;
    Ok(Verdict::observed("an object with only an unknown key", value))
}

async fn tuple_5(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let text = c.malformed_text();
    let since = ann.mark();
    let now = conformance_kit::clock::unix_seconds();
    ann.send(&json!({"MESSAGES": [[ann.name, "ALL", now, text, "extra"]]})).await;
    let error = ann.find(since, Frame::error).await.is_some();
    c.fence(&mut carl, &mut bob).await?;
    let value = match (error, bob.count(&text) > 0) {
        (true, true) => "ERROR, and delivered",
        (true, false) => "ERROR",
        (false, true) => "delivered",
        (false, false) => "nothing",
    };
    Ok(Verdict::observed("a message of five elements", value))
}

async fn reaction(
    c: &mut ServerHands,
    object: &serde_json::Value,
) -> Result<&'static str, Verdict> {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    ann.send(object).await;
    Ok(match ann.find(since, Frame::error).await {
        Some(_) => "ERROR",
        None if ann.is_closed() => "connection closed",
        None => "nothing",
    })
}

async fn keeps_connection(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = ann.mark();
    ann.send_body(b"xyz").await;
    ann.find(since, Frame::error).await;
    let text = c.text();
    ann.say(&text).await;
    if bob.find_message(Mark::START, |m| m.content == text).await.is_some() {
        return Ok(Verdict::Pass);
    }
    Ok(Verdict::missing("ann's next message after an ERROR is delivered", ann.heard(since)))
}

async fn others_unaffected(c: &mut ServerHands) -> Outcome {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    for body in [&b"xyz"[..], b"[1]", br#"{"MESSAGES": 5}"#, br#"{"MESSAGES": [[]]}"#, b"\"x\""] {
        // Each from its own connection: whether one survives its mistake is another case.
        // That nobody else can join any more is seen below, if the others can't go on either.
        let Ok(mut ann) = c.join("ann").await else { continue };
        let mark = ann.mark();
        ann.send_body(body).await;
        tokio::select! {
            _ = ann.find(mark, Frame::error) => {}
            () = c.settle() => {}
        }
    }
    for _ in 0..2 {
        let text = c.text();
        bob.say(&text).await;
        carl.expect_content(&text).await?;
        std::mem::swap(&mut bob, &mut carl);
    }
    Ok(Verdict::Pass)
}
