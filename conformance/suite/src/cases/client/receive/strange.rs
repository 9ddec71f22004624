//! `c.recv`, the unexpected: what other implementations send, and what nobody should.

use serde_json::{Value, json};

use crate::{
    client::{Means, Stage, Visit},
    verdict::{Outcome, Verdict},
};

/// The client shows this and still sends.
async fn goes_on(c: &mut Stage, visit: &mut Visit, text: &str, after: &str) -> Outcome {
    visit.must_show(text, after).await?;
    visit.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn unknown_key(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    let frame = json!({
        "X_LATER": ["a", ["b", 1], {"c": null}],
        "MESSAGES": [visit.public(&text)],
        "X_NUMBER": 7,
    });
    visit.link.send(&frame).await;
    goes_on(c, &mut visit, &text, "beside keys that nobody knows").await
}

pub(super) async fn left_unknown(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let (text, stranger) = (c.text(), c.name("nobody"));
    visit.link.send(&json!({"USERS_LEFT": [stranger]})).await;
    visit.hears(&text).await;
    goes_on(c, &mut visit, &text, "after USERS_LEFT for somebody who is in no list").await
}

pub(super) async fn control(c: &mut Stage) -> Outcome {
    if !matches!(c.lobby.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::not_applicable("the suite does not see what reaches the screen"));
    }
    let mut visit = c.join().await?;
    let nonce = c.text();
    // Would set the title of the window, and is written by nobody else.
    let sequence = format!("\u{1b}]0;{nonce}\u{7}");
    visit.hears(&format!("{sequence}behind")).await;
    let sentinel = c.text();
    visit.hears(&sentinel).await;
    visit.must_show(&sentinel, "a sentinel").await?;
    let raw = visit.actor.screen.holds_bytes(format!("\u{1b}]0;{nonce}").as_bytes());
    Ok(Verdict::check(
        !raw,
        "the escape sequence is made visible or left out",
        "the client wrote it to the terminal as it came",
    ))
}

pub(super) async fn bad_json(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    let junk = visit.link.frame(b"this is not JSON");
    visit.link.send_bytes(&junk).await;
    visit.link.send(&Value::from("nor is this an object")).await;
    visit.hears(&text).await;
    visit.must_show(&text, "after a frame that is not JSON and one that is no object").await?;
    Ok(match visit.crash() {
        None => Verdict::Pass,
        Some(sign) => Verdict::fail("a client that goes on", sign),
    })
}
