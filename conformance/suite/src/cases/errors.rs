//! `errors`: what is no valid message is answered with ERROR, and hurts nobody.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

const HINT: &str = "Wrap parsing and checking in try/except, answer {\"ERROR\": \"what is wrong\"} to this client, and go on reading.";

pub const CASES: &[Case] = &[
    Case::must("errors.not-json", "IV-1", |c| Box::pin(not_json(c)))
        .asks("A body that is not JSON is answered with ERROR")
        .hint(HINT)
        .needs(&["join.accept"])
        .killed_by(&[Fault::JunkIgnored, Fault::JunkKillsServer])
        .alone(),
    Case::must("errors.array", "IV-1", |c| {
        Box::pin(answered(c, b"[1]", "a body that is an array"))
    })
    .asks("A body that is JSON but no object is answered with ERROR")
    .hint("json.loads succeeds for [1]; check that the result is a dict.")
    .needs(&["errors.not-json"])
    .killed_by(&[Fault::ArrayIgnored])
    .alone(),
    Case::open("errors.missing-key", "IV-4", |c| Box::pin(missing_key(c)))
        .asks("How is an empty object answered?")
        .needs(&["errors.not-json"])
        .killed_by(&[Fault::EmptyObjectIgnored])
        .alone(),
    Case::must("errors.tuple-3", "IV-1", |c| Box::pin(tuple_3(c)))
        .asks("A message of three elements is answered with ERROR")
        .hint("Check len(message) == 4 before unpacking it.")
        .needs(&["errors.not-json"])
        .killed_by(&[Fault::ShortTupleIgnored])
        .alone(),
    Case::must("errors.types", "IV-1", |c| Box::pin(types(c)))
        .asks("A message whose time is a string is answered with ERROR")
        .hint("Check the type of every element; note that in Python a bool is an int.")
        .needs(&["errors.not-json"])
        .killed_by(&[Fault::StringTimeAccepted])
        .literal()
        .alone(),
    Case::open("errors.tuple-5", "IV-4", |c| Box::pin(tuple_5(c)))
        .asks("What happens to a message of five elements?")
        .needs(&["errors.not-json", "bcast.all-others"])
        .killed_by(&[Fault::LongTupleDelivered])
        .alone(),
    Case::open("errors.unknown-key", "IV-4", |c| Box::pin(unknown_key(c)))
        .asks("How is an object with only an unknown key answered?")
        .needs(&["errors.not-json"])
        .killed_by(&[Fault::UnknownKeyIgnored])
        .alone(),
    Case::should("errors.keeps-connection", "IV-2", |c| Box::pin(keeps_connection(c)))
        .asks("After an ERROR the connection is still good")
        .hint("Answer and go on reading; the length said where the bad frame ended.")
        .needs(&["errors.not-json", "bcast.all-others"])
        .killed_by(&[Fault::ClosesAfterError])
        .alone(),
    Case::must("errors.others-unaffected", "RT-6", |c| Box::pin(others_unaffected(c)))
        .asks("What one user sends wrongly disturbs no other user")
        .hint(
            "An exception in one client's thread must not end the others or hold a lock for ever.",
        )
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::BadFrameKicksEverybody, Fault::ErrorToEverybody])
        .alone(),
];

async fn not_json(c: &mut ServerHands) -> Outcome {
    match answered(c, b"xyz", "a body that is no JSON").await {
        // Whoever is disconnected with everybody else can't get an answer: one bug, charged there.
        Err(Verdict::Fail(_)) if everybody_is_kicked(c).await => {
            Ok(Verdict::Blocked { by: "errors.others-unaffected".to_owned() })
        }
        outcome => outcome,
    }
}

/// Whether a bystander loses the connection over a bad frame, though the server goes on.
async fn everybody_is_kicked(c: &mut ServerHands) -> bool {
    let (Ok(mut bob), Ok(mut ann)) = (c.join("bob").await, c.join("ann").await) else {
        return false;
    };
    ann.send_body(b"xyz").await;
    ann.find_closed().await && bob.find_closed().await && c.is_answered().await
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
    Ok(Verdict::fail("ann's next message after an ERROR is delivered", ann.heard(since)))
}

async fn others_unaffected(c: &mut ServerHands) -> Outcome {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let since = bob.mark();
    for body in [&b"xyz"[..], b"[1]", br#"{"MESSAGES": 5}"#, br#"{"MESSAGES": [[]]}"#, b"\"x\""] {
        // Each from its own connection: whether one survives its mistake is another case.
        let mut ann = c.join("ann").await?;
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
    let error = bob.frames(since).iter().find_map(Frame::error);
    Ok(match error {
        Some(text) => {
            Verdict::fail("errors go to the one who made them", format!("bob got ERROR {text:?}"))
        }
        None => Verdict::Pass,
    })
}
