//! `c.quit`: leaving is closing.

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands, Means},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::new("c.quit", Level::Must, "QT-1", |c| Box::pin(quit(c)))
        .asks("Quitting closes the connection")
        .hint("Close the socket when the user quits, or end the program; a thread that still reads keeps both open. If the client has another command, say so in a profile: quit = [\"/bye\"].")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::QuitKeepsConnection]),
    Case::new("c.quit.eof", Level::Open, "QT-1", |c| {
        Box::pin(ends(c, Action::EndInput, "the end of the input (Ctrl-D)"))
    })
    .asks("What does the end of the input do?")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::StaysAtEnd]),
    Case::new("c.quit.sigint", Level::Open, "QT-1", |c| {
        Box::pin(ends(c, Action::Interrupt, "an interrupt (Ctrl-C)"))
    })
    .asks("What does an interrupt do?")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::IgnoresInterrupt]),
];

async fn quit(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let ways = c.shared.profile.quit.clone();
    for way in &ways {
        session.operator.act(Action::Quit(way.clone())).await;
        let patience = session.patience();
        if session.peer.find_closed(patience).await {
            return Ok(Verdict::Pass);
        }
        // An adapter and a person have one way.
        if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
            break;
        }
    }
    Ok(Verdict::fail(
        format!("the connection is closed after one of {}", ways.join(", ")),
        format!("it stays open; {}; {}", session.peer.heard(), session.shown()),
    ))
}

async fn ends(c: &mut ClientHands, action: Action, what: &str) -> Outcome {
    if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::not_applicable("there is no keyboard"));
    }
    let mut session = c.join().await?;
    session.operator.act(action).await;
    let patience = session.patience();
    let closed = session.peer.find_closed(patience).await;
    let value = match (closed, session.operator.exit()) {
        (true, _) => "ends the session",
        (false, Some(_)) => "ends the client, and the connection stays open",
        (false, None) => "changes nothing",
    };
    Ok(Verdict::observed(what, value))
}
