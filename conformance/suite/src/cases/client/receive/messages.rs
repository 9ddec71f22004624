//! `c.recv`, the messages: what is said is shown, however its bytes arrive. Only this file splits,
//! glues and uses trap lengths.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{Means, Stage, Visit, operator::person, profile},
    verdict::{Outcome, Verdict},
};
use conformance_kit::wire::ascii::ascii;

pub(super) async fn message(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let (text, mark) = (c.text(), visit.actor.screen.mark());
    visit.hears(&text).await;
    let from = visit.other.clone();
    visit.must_show(&text, &format!("a message of {from} to ALL")).await?;
    if let Means::Person(person) = visit.actor.means() {
        let question = format!("Does the client show that it was {from} who said {text:?}?");
        let told = person::ask(person, question).await;
        return Ok(Verdict::check(told, "who says it", "the person says no"));
    }
    // The name may be drawn a moment before or after the text.
    let screen = &visit.actor.screen;
    let patience = visit.patience() / 2;
    let pattern = c.lobby.profile.message.clone();
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
    Ok(Verdict::check(named, expected, visit.shown()))
}

pub(super) async fn private(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    let message = json!([visit.other, visit.name, conformance_kit::clock::unix_seconds(), text]);
    visit.link.send_messages(&[message]).await;
    let about = format!("a message of {} to {} only", visit.other, visit.name);
    visit.must_show(&text, &about).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn unlisted(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let (text, stranger) = (c.text(), c.name("server"));
    let message = json!([stranger, "ALL", conformance_kit::clock::unix_seconds(), text]);
    visit.link.send_messages(&[message]).await;
    visit.must_show(&text, &format!("a message of {stranger}, who is in no list")).await?;
    Ok(Verdict::Pass)
}

/// The frame of a public message of the other user.
fn saying(visit: &Visit, text: &str) -> Vec<u8> {
    visit.link.frame(ascii(&json!({"MESSAGES": [visit.public(text)]})).as_bytes())
}

pub(super) async fn bytewise(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    for byte in saying(&visit, &text) {
        visit.link.send_bytes(&[byte]).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    visit.must_show(&text, "which came byte by byte").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn split_header(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    let bytes = saying(&visit, &text);
    let (head, tail) = bytes.split_at(2.min(bytes.len()));
    visit.link.send_bytes(head).await;
    // Long enough that the first piece is read alone.
    visit.settle().await;
    visit.link.send_bytes(tail).await;
    visit.must_show(&text, "whose length came in two pieces").await?;
    Ok(Verdict::Pass)
}

/// All of these must be shown.
async fn all(visit: &Visit, texts: &[String], about: &str) -> Outcome {
    let missing = visit.missing(texts).await;
    Ok(Verdict::check(
        missing.is_empty(),
        format!("{} {about}", texts.join(", ")),
        format!("not shown: {}; {}", missing.join(", "), visit.shown()),
    ))
}

pub(super) async fn coalesced(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let texts = [c.text(), c.text()];
    let glued: Vec<u8> = texts.iter().flat_map(|text| saying(&visit, text)).collect();
    visit.link.send_bytes(&glued).await;
    all(&visit, &texts, "from two frames in one write").await
}

pub(super) async fn len_123(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    let body = |text: &str| ascii(&json!({"MESSAGES": [visit.public(text)]})).into_bytes();
    let missing = 123_usize.saturating_sub(body(&text).len());
    let body = body(&format!("{text} {}", "x".repeat(missing.saturating_sub(1))));
    // Not through `Link::frame`, which avoids exactly this length.
    let bytes = c.lobby.prefix().frame(&body);
    visit.link.send_bytes(&bytes).await;
    visit.must_show(&text, "in a body of 123 bytes").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn multi(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let texts = [c.text(), c.text(), c.text()];
    let messages: Vec<Value> = texts.iter().map(|text| visit.public(text)).collect();
    visit.link.send_messages(&messages).await;
    all(&visit, &texts, "from one frame").await
}

/// Exactly this must be shown.
async fn exactly(visit: &Visit, nonce: &str, text: &str, about: &str) -> Outcome {
    if let Means::Person(person) = visit.actor.means() {
        let shown = person::ask(person, format!("Does the client show exactly {text} ?")).await;
        return Ok(Verdict::check(shown, text, "the person says no"));
    }
    let _ = visit.shows(nonce).await;
    let patience = visit.patience() / 2;
    let shown = visit.actor.screen.wait(patience, |screen| screen.shows_exactly(text)).await;
    Ok(Verdict::check(shown, format!("{text} {about}"), visit.shown()))
}

pub(super) async fn escapes(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let (nonce, now) = (c.text(), conformance_kit::clock::unix_seconds());
    // What they stand for is ASCII, so that the terminal's font is not what is judged.
    let body = format!(
        r#"{{"MESSAGES": [["{}", "ALL", {now}, "{nonce}\u0041\u007a\"q\"\\b\/s"]]}}"#,
        visit.other
    );
    let bytes = visit.link.frame(body.as_bytes());
    visit.link.send_bytes(&bytes).await;
    exactly(&visit, &nonce, &format!("{nonce}Az\"q\"\\b/s"), "for \\u0041\\u007a\\\"q\\\"...").await
}

pub(super) async fn raw_utf8(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let nonce = c.text();
    let text = format!("{nonce}na\u{ef}ve\u{e9}");
    let body = json!({"MESSAGES": [visit.public(&text)]}).to_string();
    let bytes = visit.link.frame(body.as_bytes());
    visit.link.send_bytes(&bytes).await;
    exactly(&visit, &nonce, &text, "in unescaped UTF-8").await
}

pub(super) async fn echo(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    visit.still_sends(&text).await?;
    visit.taken_in().await;
    let mark = visit.actor.screen.mark();
    let own = json!([visit.name, "ALL", conformance_kit::clock::unix_seconds(), text]);
    visit.link.send_messages(&[own]).await;
    let sentinel = c.text();
    visit.hears(&sentinel).await;
    visit.must_show(&sentinel, "a sentinel").await?;
    visit.settle().await;
    let again = visit.link.messages().iter().filter(|m| m.content == text).count() > 1;
    let value = match (again, visit.actor.screen.shows(mark, &text)) {
        (true, _) => "sends it again",
        (false, true) => "shows it",
        (false, false) => "does not show it again",
    };
    Ok(Verdict::observed("an own message that the server returns", value))
}
