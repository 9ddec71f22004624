//! `c.recv`, the messages: what is said is shown, however its bytes arrive. Only this file splits,
//! glues and uses trap lengths.

use std::time::Duration;

use conformance_kit::wire::ascii::ascii;
use serde_json::{Value, json};

use crate::{
    client::{ClientHands, ClientSession, Means, operator::person, profile},
    verdict::{Outcome, Verdict},
};

pub(super) async fn message(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let (text, mark) = (c.text(), session.operator.screen.mark());
    session.hears(&text).await;
    let from = session.other.clone();
    session.must_show(&text, &format!("a message of {from} to ALL")).await?;
    if let Means::Person(person) = session.operator.means() {
        let question = format!("Does the client show that it was {from} who said {text:?}?");
        let told = person::ask(person, question).await;
        return Ok(Verdict::check(told, "who says it", "the person says no"));
    }
    // The name may be drawn a moment before or after the text.
    let screen = &session.operator.screen;
    let patience = session.patience() / 2;
    let pattern = c.shared.profile.message.clone();
    let wanted = pattern.map(|p| profile::fill(&p, &[("from", &from), ("text", &text)]));
    let named = screen
        .wait(patience, |screen| match &wanted {
            Some(wanted) => screen.shows(mark, wanted),
            // A program that has the whole screen writes only what differs from before.
            None => {
                screen.written_holds(mark, &from)
                    || (screen.is_full_screen() && screen.shows_together(&[&from, &text]))
            }
        })
        .await;
    let expected = wanted.unwrap_or_else(|| format!("\"{text}\" with its sender {from}"));
    Ok(Verdict::check(named, expected, session.shown()))
}

pub(super) async fn private(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    let message =
        json!([session.other, session.name, conformance_kit::clock::unix_seconds(), text]);
    session.peer.send_messages(&[message]).await;
    let about = format!("a message of {} to {} only", session.other, session.name);
    session.must_show(&text, &about).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn unlisted(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let (text, stranger) = (c.text(), c.name("server"));
    let message = json!([stranger, "ALL", conformance_kit::clock::unix_seconds(), text]);
    session.peer.send_messages(&[message]).await;
    session.must_show(&text, &format!("a message of {stranger}, who is in no list")).await?;
    Ok(Verdict::Pass)
}

/// The frame of a public message of the other user.
fn saying(session: &ClientSession, text: &str) -> Vec<u8> {
    session.peer.frame(ascii(&json!({"MESSAGES": [session.public(text)]})).as_bytes())
}

pub(super) async fn bytewise(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    session.peer.until_read().await;
    for byte in saying(&session, &text) {
        session.peer.send_piece(&[byte]).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    session.must_show(&text, "which came byte by byte").await?;
    Ok(Verdict::Pass)
}

/// A frame in two pieces, of which the first is read before the second is sent.
async fn in_two(c: &mut ClientHands, at: usize, about: &str) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    let bytes = saying(&session, &text);
    let (head, tail) = bytes.split_at(at.min(bytes.len()));
    session.peer.send_bytes(head).await;
    session.peer.send_bytes(tail).await;
    session.must_show(&text, about).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn split_header(c: &mut ClientHands) -> Outcome {
    in_two(c, 2, "whose length came in two pieces").await
}

pub(super) async fn split_body(c: &mut ClientHands) -> Outcome {
    in_two(c, 30, "whose body came in two pieces").await
}

/// All of these must be shown.
async fn all(session: &ClientSession, texts: &[String], about: &str) -> Outcome {
    let missing = session.missing(texts).await;
    Ok(Verdict::check(
        missing.is_empty(),
        format!("{} {about}", texts.join(", ")),
        format!("not shown: {}; {}", missing.join(", "), session.shown()),
    ))
}

pub(super) async fn coalesced(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let texts = [c.text(), c.text()];
    let glued: Vec<u8> = texts.iter().flat_map(|text| saying(&session, text)).collect();
    session.peer.send_bytes(&glued).await;
    all(&session, &texts, "from two frames in one write").await
}

pub(super) async fn len_123(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    let body = |text: &str| ascii(&json!({"MESSAGES": [session.public(text)]})).into_bytes();
    let missing = 123_usize.saturating_sub(body(&text).len());
    let body = body(&format!("{text} {}", "x".repeat(missing.saturating_sub(1))));
    // Not through `Peer::frame`, which avoids exactly this length.
    let bytes = c.shared.prefix().frame(&body);
    session.peer.send_bytes(&bytes).await;
    session.must_show(&text, "in a body of 123 bytes").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn multi(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let texts = [c.text(), c.text(), c.text()];
    let messages: Vec<Value> = texts.iter().map(|text| session.public(text)).collect();
    session.peer.send_messages(&messages).await;
    all(&session, &texts, "from one frame").await
}

/// Exactly this must be shown; a client that makes control characters visible may double a backslash for
/// that, since what it has understood is still to be seen.
async fn exactly(session: &ClientSession, nonce: &str, text: &str, about: &str) -> Outcome {
    if let Means::Person(person) = session.operator.means() {
        let shown = person::ask(person, format!("Does the client show exactly {text} ?")).await;
        return Ok(Verdict::check(shown, text, "the person says no"));
    }
    let _ = session.shows(nonce).await;
    let patience = session.patience() / 2;
    let quoted = text.replace('\\', "\\\\");
    let shown = session
        .operator
        .screen
        .wait(patience, |screen| screen.shows_exactly(text) || screen.shows_exactly(&quoted))
        .await;
    Ok(Verdict::came(shown, format!("{text} {about}"), session.shown()))
}

pub(super) async fn escapes(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let (nonce, now) = (c.text(), conformance_kit::clock::unix_seconds());
    // What they stand for is ASCII, so that the terminal's font is not what is judged.
    let body = format!(
        r#"{{"MESSAGES": [["{}", "ALL", {now}, "{nonce}\u0041\u007a\"q\"\\b\/s"]]}}"#,
        session.other
    );
    session.peer.send_text(&body).await;
    exactly(&session, &nonce, &format!("{nonce}Az\"q\"\\b/s"), "for \\u0041\\u007a\\\"q\\\"...")
        .await
}

pub(super) async fn raw_utf8(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let nonce = c.text();
    let text = format!("{nonce}na\u{ef}ve\u{e9}");
    let body = json!({"MESSAGES": [session.public(&text)]}).to_string();
    session.peer.send_text(&body).await;
    exactly(&session, &nonce, &text, "in unescaped UTF-8").await
}

pub(super) async fn whitespace(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    let message = session.public(&text);
    let body = format!(" \n\t{{ \"MESSAGES\" :\r\n [ {message} ] }}\n ");
    session.peer.send_text(&body).await;
    session.must_show(&text, "from an object with white space around it and in it").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn braces(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let nonce = c.text();
    let text = format!("{nonce} two  words }} {{ }}] @carl a@b.example end");
    session.hears(&text).await;
    session
        .must_show(&format!("{nonce} two words"), &format!("with the rest of it: {text}"))
        .await?;
    session.must_show("@carl a@b.example end", &format!("the end of {text}")).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn echo(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    session.still_sends(&text).await?;
    session.taken_in().await;
    let mark = session.operator.screen.mark();
    let own = json!([session.name, "ALL", conformance_kit::clock::unix_seconds(), text]);
    session.peer.send_messages(&[own]).await;
    let sentinel = c.text();
    session.hears(&sentinel).await;
    session.must_show(&sentinel, "a sentinel").await?;
    session.settle().await;
    let again = session.peer.messages().iter().filter(|m| m.content.contains(&text)).count() > 1;
    let value = match (again, session.operator.screen.shows(mark, &text)) {
        (true, _) => "sends it again",
        (false, true) => "shows it",
        (false, false) => "does not show it again",
    };
    Ok(Verdict::observed("an own message that the server returns", value))
}
