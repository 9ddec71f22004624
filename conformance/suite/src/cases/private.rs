//! `private`: messages to one user.

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

pub const CASES: &[Case] = &[
    Case::must("private.delivered", "DE-1", |c| Box::pin(delivered(c)))
        .asks("A private message reaches its recipient")
        .hint("Keep a map from name to connection and look DEST up in it.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::PrivateLost]),
    Case::must("private.text", "T4-2", |c| Box::pin(text(c)))
        .asks("The text of a private message arrives as it was sent, whatever signs are in it")
        .hint("DEST says for whom it is; don't search CONTENT for names, braces or commands.")
        .needs(&["private.delivered"])
        .excused_by(&["framing.escapes"])
        .killed_by(&[Fault::PrivateTextCut]),
    Case::must("private.not-others", "RT-2", |c| Box::pin(not_others(c)))
        .asks("A private message reaches no third user")
        .hint("Send to everybody only when DEST is ALL.")
        .needs(&["private.delivered"])
        .killed_by(&[Fault::PrivateToAll]),
    Case::must("private.once", "RT-2", |c| Box::pin(once(c)))
        .asks("A private message arrives exactly once")
        .hint("One connection for each name; beware of sending in the loop over all users, too.")
        .needs(&["private.delivered"])
        .killed_by(&[Fault::PrivateTwice]),
    Case::open("private.echo", "RT-7", |c| Box::pin(echo(c)))
        .asks("Does the sender of a private message get a copy?")
        .needs(&["private.delivered"])
        .killed_by(&[Fault::PrivateCopyToSender]),
    Case::open("private.self", "RT-7", |c| Box::pin(to_self(c)))
        .asks("What happens to a message to oneself?")
        .needs(&["private.delivered"])
        .killed_by(&[Fault::SelfMessageRefused])
        .marking(),
    Case::open("private.unknown-dest", "DE-2", |c| Box::pin(unknown_dest(c)))
        .asks("What happens to a private message to nobody?")
        .needs(&["private.delivered"])
        .killed_by(&[Fault::UnknownDestIgnored])
        .marking(),
    Case::must("private.mixed-frame", "MM-1", |c| Box::pin(mixed_frame(c)))
        .revised(2)
        .asks("A public and a private message in one frame each go where they belong")
        .hint("Look at DEST of every message, not at that of the first one.")
        .needs(&["private.not-others"])
        .excused_by(&["bcast.multi"])
        .killed_by(&[Fault::FrameRoutedByFirst]),
];

async fn delivered(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    ann.tell(&bob.name, &text).await;
    let got = bob.expect_content(&text).await?;
    let addressed = (got.src.as_str(), got.dest.as_str());
    let expected = (ann.name.as_str(), bob.name.as_str());
    // Where case makes no difference, another spelling is the same name.
    let same = expected.0.eq_ignore_ascii_case(addressed.0)
        && expected.1.eq_ignore_ascii_case(addressed.1);
    Ok(Verdict::check(same, format!("SRC and DEST {expected:?}"), format!("{addressed:?}")))
}

async fn text(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let text = format!("{nonce} a  b }}{{ @{} \"q\" 'q' /x : ALL, [1] end", ann.name);
    ann.tell(&bob.name, &text).await;
    let came = bob.find_message(Mark::START, |m| m.content.contains(&nonce)).await;
    Ok(match came {
        Some(message) => Verdict::check(message.content == text, text, message.content),
        None => Verdict::missing(format!("bob gets {text:?}"), bob.heard(Mark::START)),
    })
}

async fn not_others(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let text = c.text();
    ann.tell(&bob.name, &text).await;
    bob.find_message(Mark::START, |m| m.content == text).await;
    let fence = c.fence(&mut ann, &mut carl).await;
    let expected = "carl does not get what ann tells bob in private";
    if carl.count(&text) > 0 {
        return Ok(Verdict::fail(expected, format!("carl got \"{text}\"")));
    }
    fence?;
    Ok(Verdict::Pass)
}

async fn once(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    ann.tell(&bob.name, &text).await;
    bob.expect_content(&text).await?;
    c.fence(&mut ann, &mut bob).await?;
    let times = bob.count(&text);
    Ok(Verdict::check(times == 1, "bob gets the message once", format!("{times} times")))
}

async fn echo(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    ann.tell(&bob.name, &text).await;
    bob.find_message(Mark::START, |m| m.content == text).await;
    c.fence(&mut bob, &mut ann).await?;
    let value = if ann.count(&text) > 0 { "yes" } else { "no" };
    Ok(Verdict::observed("a private message comes back to its sender", value))
}

async fn to_self(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let since = ann.mark();
    ann.tell(&ann.name.clone(), &text).await;
    let seen = |f: &Frame| {
        (f.error().is_some() || f.messages().iter().any(|m| m.content == text)).then_some(())
    };
    ann.find(since, seen).await;
    c.fence(&mut bob, &mut ann).await?;
    let errors = ann.frames(since).iter().any(|frame| frame.error().is_some());
    let value = match (ann.count(&text), errors) {
        (0, true) => "ERROR".to_owned(),
        (0, false) => "nothing".to_owned(),
        (times, _) => format!("delivered {times} time(s)"),
    };
    Ok(Verdict::observed("a message to oneself", value))
}

async fn unknown_dest(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let (nobody, text) = (c.name("nobody"), c.text());
    let since = ann.mark();
    ann.tell(&nobody, &text).await;
    let answered = ann.find(since, Frame::error).await.is_some();
    c.fence(&mut ann, &mut bob).await?;
    let value = match (bob.count(&text) > 0, answered) {
        (true, _) => "it reaches somebody else",
        (false, true) => "ERROR",
        (false, false) => "nothing",
    };
    Ok(Verdict::observed("a private message to nobody", value))
}

/// Waits for each of these texts.
async fn all_come(peer: &mut Peer, texts: &[&str]) -> Result<(), Verdict> {
    for text in texts {
        peer.expect_content(text).await?;
    }
    Ok(())
}

async fn mixed_frame(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let (public, private, later) = (c.text(), c.text(), c.text());
    ann.send(&json!({"MESSAGES": [
        ServerHands::message(&ann.name, "ALL", &public),
        ServerHands::message(&ann.name, &bob.name, &private),
        ServerHands::message(&ann.name, "ALL", &later),
    ]}))
    .await;
    let to_bob = all_come(&mut bob, &[&public, &private, &later]).await;
    let to_carl = all_come(&mut carl, &[&public, &later]).await;
    c.settle().await;
    // What went to the wrong place is evidence, whatever else did not come.
    if carl.count(&private) > 0 {
        let expected = "carl gets the public messages of the frame and not the private one";
        return Ok(Verdict::fail(expected, format!("carl got \"{private}\"")));
    }
    to_bob?;
    to_carl?;
    c.fence(&mut ann, &mut carl).await?;
    let expected = "carl gets the public messages of the frame and not the private one";
    Ok(Verdict::check(carl.count(&private) == 0, expected, format!("carl got \"{private}\"")))
}
