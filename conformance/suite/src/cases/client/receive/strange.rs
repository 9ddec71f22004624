//! `c.recv`, the unexpected: what other implementations send, and what nobody should.

use conformance_kit::wire::ascii::ascii;
use serde_json::{Value, json};

use crate::{
    client::{ClientHands, ClientSession, Means},
    verdict::{Outcome, Verdict},
};

/// The client shows this and still sends.
async fn goes_on(
    c: &mut ClientHands,
    session: &mut ClientSession,
    text: &str,
    after: &str,
) -> Outcome {
    session.must_show(text, after).await?;
    session.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn unknown_key(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    // Spelled here, since their order is what counts.
    for (before, behind, about) in [
        ("", r#", "X_LATER": ["a", ["b", 1], {"c": null}], "X_NUMBER": 7"#, "before unknown keys"),
        (r#""X_FIRST": ["a", ["b", 1]], "#, "", "behind an unknown key with a list"),
        (r#""X_FIRST": {"a": {"b": [1]}}, "#, "", "behind an unknown key with an object"),
    ] {
        let text = c.text();
        let message = ascii(&session.public(&text));
        session.peer.send_text(&format!("{{{before}\"MESSAGES\": [{message}]{behind}}}")).await;
        session.must_show(&text, about).await?;
    }
    session.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn left_unknown(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let (text, stranger) = (c.text(), c.name("nobody"));
    session.peer.send(&json!({"USERS_LEFT": [stranger]})).await;
    session.hears(&text).await;
    goes_on(c, &mut session, &text, "after USERS_LEFT for somebody who is in no list").await
}

pub(super) async fn control(c: &mut ClientHands) -> Outcome {
    if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::not_applicable("the suite does not see what reaches the screen"));
    }
    let mut session = c.join().await?;
    let nonce = c.text();
    // Would set the title of the window, and is written by nobody else.
    let sequence = format!("\u{1b}]0;{nonce}\u{7}");
    session.hears(&format!("{sequence}behind")).await;
    let sentinel = c.text();
    session.hears(&sentinel).await;
    session.must_show(&sentinel, "a sentinel").await?;
    let raw = session.operator.screen.holds_bytes(format!("\u{1b}]0;{nonce}").as_bytes());
    Ok(Verdict::check(
        !raw,
        "the escape sequence is made visible or left out",
        "the client wrote it to the terminal as it came",
    ))
}

pub(super) async fn bad_json(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    let junk = session.peer.frame(b"this is not JSON");
    session.peer.send_bytes(&junk).await;
    session.peer.send(&Value::from("nor is this an object")).await;
    session.hears(&text).await;
    session.must_show(&text, "after a frame that is not JSON and one that is no object").await?;
    Ok(match session.crash() {
        None => Verdict::Pass,
        Some(sign) => Verdict::fail("a client that goes on", sign),
    })
}
