//! `c.err`: when there is no server, or no more.

use std::time::Duration;

use crate::{
    clause::Level,
    client::{
        Action, Case, ClientHands, Means, ScreenMark, Setup, Where,
        operator::{Operator, person},
        session,
    },
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

/// A word, and not a prompt that is drawn again.
const A_WORD: usize = 4;

pub const CASES: &[Case] = &[
    Case::new("c.err.refused", Level::Should, "ER-2", |c| Box::pin(refused(c)))
        .asks("The user is told when nobody listens at the server's port")
        .hint("Catch the error of connect(), print it, and end.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::RefusedUntold]),
    Case::new("c.err.server-gone", Level::Should, "ER-2", |c| Box::pin(server_gone(c)))
        .asks("The user is told when the server closes the connection, and the client ends")
        .hint("recv() returns no bytes when the connection is closed: say so, and end, instead of calling it again.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::EndUntold, ClientFault::WaitsForEver]),
];

async fn refused(c: &mut ClientHands) -> Outcome {
    let arrival = c.start(&Setup { place: Where::Nowhere, ..Setup::default() }).await?;
    let operator = &arrival.operator;
    let pace = c.shared.pace();
    if let Means::Person(person) = operator.means() {
        let question = "Does the client tell you that it can't connect?".to_owned();
        let told = person::ask(person, question).await;
        return Ok(Verdict::check(told, "a word about it", "the person says no"));
    }
    // Some connect first, some want a name before: what is said after the name counts for these.
    operator.ready(std::future::pending(), pace.settle, pace.patience).await;
    let mut since = ScreenMark::START;
    if operator.exit().is_none() && !c.shared.name_is_argument() {
        since = operator.screen.mark();
        operator.act(Action::Name(arrival.name.clone())).await;
    }
    let ended = has_ended(operator, pace.patience).await;
    // The keys that were typed stand on the screen of most terminals.
    let echo = if since == ScreenMark::START { 0 } else { arrival.name.len() };
    let told = operator
        .screen
        .wait(pace.patience, |screen| screen.news(since, &arrival.name) >= A_WORD)
        .await
        // What stood there before the name may have been the error already, with a prompt to try again.
        || (ended && operator.screen.written(ScreenMark::START) >= echo + A_WORD * 3);
    Ok(Verdict::check(
        told,
        "the client says that it can't connect",
        session::describe(operator, ScreenMark::START),
    ))
}

async fn server_gone(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let mark = session.operator.screen.mark();
    session.peer.close().await;
    if !session.tells(mark, "the server has closed the connection").await {
        return Ok(Verdict::fail(
            "the client says that the server has closed the connection",
            session.shown(),
        ));
    }
    if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::Pass);
    }
    let patience = session.patience();
    for _ in 0..2 {
        if has_ended(&session.operator, patience).await || session.listener.contact().connected > 1
        {
            return Ok(Verdict::Pass);
        }
        // A thread may wait for the user's next line before it can end.
        session.operator.act(Action::Line(String::new())).await;
    }
    let ended = has_ended(&session.operator, patience).await;
    Ok(Verdict::check(
        ended || session.listener.contact().connected > 1,
        "the client ends, or connects again",
        format!("it goes on waiting; {}", session.shown()),
    ))
}

async fn has_ended(operator: &Operator, patience: Duration) -> bool {
    tokio::time::timeout(patience, operator.ended()).await.is_ok()
}
