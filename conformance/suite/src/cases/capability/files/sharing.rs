//! `files`: what others are told of a file.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::transfer::{OFFER, Sent, announce, announced, sender, sent, sha256, upload, with_meta};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Waits for a message, and judges what META says of its file.
async fn told(peer: &mut Peer, text: &str, token: &str, sent: &Sent) -> Result<(), Verdict> {
    let Some(file) = peer.find(Mark::START, |frame| announced(frame, text)).await else {
        return Err(Verdict::missing("the message with META", peer.heard(Mark::START)));
    };
    let is_right = file.get("FILE") == Some(&json!(token))
        && file.get("NAME") == Some(&json!(sent.name))
        && file.get("SIZE") == Some(&json!(sent.bytes.len()))
        && file.get("SHA256") == Some(&json!(sha256(&sent.bytes)))
        && file.get("UNTIL").is_some_and(Value::is_i64);
    if is_right {
        return Ok(());
    }
    let expected = format!(
        "META FILE {{\"FILE\": \"{token}\", \"NAME\": \"{}\", \"SIZE\": {}, \"SHA256\", \"UNTIL\"}}",
        sent.name,
        sent.bytes.len()
    );
    Err(Verdict::fail(expected, file.to_string()))
}

pub(super) async fn announces(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let sent = sent(c, 1000);
    let token = upload(c, &mut ann, "ALL", &sent).await?;
    let text = announce(c, &mut ann, "ALL", &token).await?;
    told(&mut bob, &text, &token, &sent).await?;
    // Who comes later finds it in the welcome.
    let mut late = c.join_with("late", OFFER).await?;
    told(&mut late, &text, &token, &sent).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn spoofed(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let sent = sent(c, 1000);
    let token = upload(c, &mut ann, "ALL", &sent).await?;
    // Only a token may stand there. Whether all of it is refused, or the rest is ignored: nobody is told what it says.
    let text = c.text();
    let spoofed = json!({"FILE": {"FILE": token, "NAME": "harmless.txt", "SIZE": 1, "SHA256": "00".repeat(32)}});
    with_meta(c, &mut ann, "ALL", &text, &spoofed).await;
    c.fence(&mut ann, &mut bob).await?;
    let got = bob.find_now(|frame| announced(frame, &text));
    match got {
        None => {
            let text = announce(c, &mut ann, "ALL", &token).await?;
            told(&mut bob, &text, &token, &sent).await?;
        }
        Some(file) if file.is_null() => {}
        Some(_) => told(&mut bob, &text, &token, &sent).await?,
    }
    Ok(Verdict::Pass)
}

pub(super) async fn base_text(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut base = c.join("base").await?;
    let sent = sent(c, 1000);
    let token = upload(c, &mut ann, "ALL", &sent).await?;
    let text = announce(c, &mut ann, "ALL", &token).await?;
    let message = base.expect_content(&text).await?;
    let more = |frame: &Frame| {
        let keys = ["META", "FILE", "FILE_CHUNK", "FILE_CREDIT"];
        keys.into_iter().find(|key| frame.key(key).is_some())
    };
    let found = base.find_now(more);
    let expected = "a base client gets the text and no key of files";
    Ok(Verdict::check(found.is_none(), expected, format!("{found:?} beside {:?}", message.content)))
}
