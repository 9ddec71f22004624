//! `c.async`: what arrives while the user does nothing, or types.

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands, Means, ScreenMark},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::new("c.async.idle", Level::Must, "AI-1", |c| Box::pin(idle(c)))
        .asks("A message is shown without a key being pressed")
        .hint("Read from the network in a thread of its own (or with select), not between two calls of input().")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::ShowsOnKeyOnly]),
    Case::new("c.async.typing", Level::Should, "AI-2", |c| Box::pin(typing(c)))
        .asks("What arrives meanwhile leaves a half-typed line intact")
        .hint("Don't clear the input when something is printed; in a full-screen program, draw it again.")
        .needs(&["c.async.idle", "c.send.public"])
        .killed_by(&[ClientFault::ArrivalEatsLine]),
];

async fn idle(c: &mut ClientHands) -> Outcome {
    if c.shared.quirks().needs_a_key() {
        return Ok(Verdict::fail(
            "messages are shown as they come",
            "the client shows what arrived only after a key was pressed; in all other cases one was",
        ));
    }
    let mut session = c.join().await?;
    session.settle().await;
    let text = c.text();
    session.hears(&text).await;
    session.must_show(&text, "with no key pressed").await?;
    Ok(Verdict::Pass)
}

async fn typing(c: &mut ClientHands) -> Outcome {
    if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::not_applicable("there is no line to type"));
    }
    let (first, second) = (c.text(), c.text());
    let line = format!("{first} {second}");
    // The user types what the profile says for a message to all, in two halves.
    let lines = c.shared.profile.public.fill(&[("text", &line)]);
    let [typed] = lines.as_slice() else {
        return Ok(Verdict::not_applicable("a message takes several lines in this profile"));
    };
    let Some((head, tail)) =
        typed.split_once(&second).map(|(head, tail)| (head.to_owned(), format!("{second}{tail}")))
    else {
        return Ok(Verdict::not_applicable("the profile changes the text"));
    };
    let mut session = c.join().await?;
    session.operator.act(Action::Part(head)).await;
    session.settle().await;
    let text = c.text();
    session.hears(&text).await;
    let shown = session
        .operator
        .screen
        .wait(session.patience(), |screen| screen.shows(ScreenMark::START, &text));
    if !shown.await {
        return Ok(Verdict::fail(
            format!("\"{text}\" is shown while a line is half typed"),
            session.shown(),
        ));
    }
    session.operator.act(Action::Rest(tail)).await;
    session.must_send(&line).await?;
    Ok(Verdict::Pass)
}
