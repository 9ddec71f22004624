//! `c.join`: from the name to the welcome.

use std::future;

use conformance_kit::{clock, wire::frame::Frame};
use serde_json::json;

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands, ClientSession, Means, Reached, Silence, diagnosis},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

const LONG_HINT: &str = "recv(n) returns up to n bytes: collect until as many are there as the length says. No fixed buffer, no 16-bit length.";

pub const CASES: &[Case] = &[
    Case::new("c.join.first", Level::Must, "NM-1", |c| Box::pin(first(c)))
        .asks("The client asks for the name that the user has chosen before it says anything")
        .hint("Send {\"USERNAME\": name} before any message, with the name as it was typed.")
        .needs(&["c.tls.connect"])
        .killed_by(&[ClientFault::NameInCapitals, ClientFault::SpeaksBeforeName])
        .revised(2),
    Case::new("c.join.extra", Level::Open, "NM-1", |c| Box::pin(extra(c)))
        .asks("What does it send before and beside its name?")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::OtherFrameFirst]),
    Case::new("c.join.ready", Level::Open, "AI-1", |c| Box::pin(future::ready(ready(c))))
        .asks("Does what is typed at once reach the wire?")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::FlushesInputAtStart])
        .last(),
    Case::new("c.join.waits", Level::Should, "AC-1", |c| Box::pin(waits(c)))
        .asks("It sends no messages before its name is accepted")
        .hint("Wait for USERNAME_ACCEPTED before you send what the user types.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::SendsBeforeAnswer]),
    Case::new("c.join.rejected", Level::Must, "ER-1", |c| Box::pin(rejected(c)))
        .asks("The user is told that the name was refused")
        .hint("Look at the value of USERNAME_ACCEPTED; when it is false, print INFO or a text of your own.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::RefusalUntold, ClientFault::RefusalPromptsOnly, ClientFault::RefusalRaises])
        .revised(2),
    Case::new("c.join.rejected-bare", Level::Must, "IN-1", |c| Box::pin(rejected_bare(c)))
        .asks("A refusal without INFO does not make it crash")
        .hint("INFO is optional: frame.get(\"INFO\"), not frame[\"INFO\"].")
        .needs(&["c.join.first"])
        .excused_by(&["c.join.rejected"])
        .killed_by(&[ClientFault::BareRefusalRaises]),
    Case::new("c.join.retry", Level::Should, "TK-3", |c| Box::pin(retry(c)))
        .asks("After a refusal it offers to try another name")
        .hint("Ask for a name in a loop until one is accepted.")
        .needs(&["c.join.first"])
        .excused_by(&["c.join.rejected"])
        .killed_by(&[ClientFault::GivesUpAfterRefusal])
        .revised(2),
    Case::new("c.join.no-info", Level::Must, "IN-1", |c| Box::pin(no_info(c)))
        .asks("A welcome without INFO is a welcome")
        .hint("INFO is optional: frame.get(\"INFO\"), not frame[\"INFO\"].")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::BareWelcomeRaises]),
    Case::new("c.join.users", Level::Should, "UL-1", |c| Box::pin(users(c)))
        .asks("The users who are here are shown")
        .hint("Print the names of USER_LIST; if yours are shown on a command, name it in the profile: users = \"/who\".")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::ListHidden, ClientFault::LastIsSelf])
        .revised(2),
    Case::new("c.join.history", Level::Must, "MD-1", |c| Box::pin(history(c)))
        .asks("Earlier messages are shown, private ones too")
        .hint("The frame with USERNAME_ACCEPTED has MESSAGES: show them like all others.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::HistoryHidden]),
    Case::new("c.join.history-order", Level::Should, "OR-1", |c| Box::pin(history_order(c)))
        .asks("Earlier messages are shown from oldest to newest")
        .hint("MESSAGES is sorted already: show it as it comes.")
        .needs(&["c.join.history"])
        .killed_by(&[ClientFault::HistoryNewestFirst]),
    Case::new("c.join.big", Level::Must, "LG-1", |c| Box::pin(big(c)))
        .asks("A welcome of more than 64 KiB is shown to its end")
        .hint(LONG_HINT)
        .needs(&["c.join.history", "c.recv.split-body"])
        .killed_by(&[ClientFault::CutsAt64KiB]),
];

async fn first(c: &mut ClientHands) -> Outcome {
    const EXPECTED: &str = "a frame with USERNAME";
    match c.shared.quirks().silence {
        Some(Silence { reached: Reached::Typing, text, .. }) => {
            return Ok(Verdict::inconclusive(format!(
                "nothing that was typed ever reached the wire, so the profile is wrong or the \
                 client is: {text}. The name was typed as the profile says ({:?}), at once and after a \
                 while; if the client takes it from its command line, write {{name}} there; if it wants a \
                 key or a command first, say so with `before` or `name` in a profile",
                c.shared.profile.name.fill(&[])
            )));
        }
        Some(silence) => return Ok(Verdict::fail(EXPECTED, silence.text)),
        None => {}
    }
    let mut session = match c.enter().await {
        Ok(session) => session,
        Err(Verdict::Inconclusive { reason }) => return Ok(Verdict::fail(EXPECTED, reason)),
        Err(other) => return Err(other),
    };
    let expected = format!("{{\"USERNAME\": \"{}\"}}", session.typed);
    let frames = session.peer.frames();
    let named = frames.iter().position(|frame| frame.key("USERNAME").is_some());
    let early = frames.iter().take(named.unwrap_or_default()).any(has_messages);
    let name = named.and_then(|at| frames.get(at)?.key("USERNAME")?.as_str().map(str::to_owned));
    if early {
        let expected = format!("{expected} before any message");
        return Ok(Verdict::fail(expected, session.peer.heard()));
    }
    let holds = name.as_deref() == Some(session.typed.as_str());
    Ok(Verdict::check(holds, expected, session.peer.heard()))
}

/// Whether somebody says something in a frame; an empty list says nothing.
fn has_messages(frame: &Frame) -> bool {
    let list = frame.key("MESSAGES").and_then(serde_json::Value::as_array);
    list.is_some_and(|list| !list.is_empty())
}

async fn extra(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    let frames = session.peer.frames().iter();
    let named = |frame: &&Frame| frame.key("USERNAME").is_some();
    let before: Vec<&Frame> = frames.clone().take_while(|frame| !named(frame)).collect();
    let beside = frames.clone().find(named).and_then(Frame::object);
    let keys = |frame: &Frame| {
        let object = frame.object().map(|object| object.keys().cloned().collect::<Vec<_>>());
        object.map_or_else(|| "no object".to_owned(), |keys| keys.join(", "))
    };
    let mut value = Vec::new();
    if !before.is_empty() {
        let before = before.into_iter().take(5).map(keys).collect::<Vec<_>>();
        value.push(format!("before it: {}", before.join("; ")));
    }
    let more = beside.into_iter().flat_map(|object| object.keys()).filter(|key| *key != "USERNAME");
    let more: Vec<&str> = more.take(5).map(String::as_str).collect();
    if !more.is_empty() {
        value.push(format!("beside it: {}", more.join(", ")));
    }
    if value.is_empty() {
        value.push("nothing".to_owned());
    }
    Ok(Verdict::observed("sent with the name", value.join("; ")))
}

fn ready(c: &ClientHands) -> Outcome {
    if !matches!(c.shared.means, Means::Terminal | Means::Pipe) {
        return Ok(Verdict::not_applicable("nothing is typed"));
    }
    let (profile, quirks) = (c.shared.profile.delay, c.shared.quirks());
    if quirks.silence.is_some() {
        return Ok(Verdict::inconclusive("nothing that was typed arrived at all"));
    }
    let value = match quirks.delay {
        Some(delay) => format!(
            "gets lost; with a delay it arrives: put `delay = {delay}` into the profile (in this run \
             lines were typed so late)"
        ),
        None if profile > 0 => format!("arrives, with the delay of {profile} ms in the profile"),
        None => "arrives".to_owned(),
    };
    Ok(Verdict::observed("what is typed at once", value))
}

async fn waits(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    let text = c.text();
    session.operator.act(Action::Say(text.clone())).await;
    session.settle().await;
    session.settle().await;
    // What was said before the name is the business of c.join.first.
    if session.peer.messages().iter().any(|m| m.content.contains(&text)) {
        return Ok(Verdict::fail("no MESSAGES before USERNAME_ACCEPTED", session.peer.heard()));
    }
    Ok(Verdict::Pass)
}

async fn rejected(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    session.taken_in().await;
    let mark = session.operator.screen.mark();
    let reason = format!("refused {}", c.text());
    session.peer.send(&json!({"USERNAME_ACCEPTED": false, "INFO": reason})).await;
    let told = session.tells(mark, "the name was refused").await;
    session.taken_in().await;
    // What a program prints when it falls over is meant for who wrote it.
    let screen = &session.operator.screen;
    let fell =
        diagnosis::is_accident(&screen.plain_since(mark)) && !screen.written_holds(mark, &reason);
    Ok(Verdict::check(
        told && !fell,
        format!(
            "the client shows INFO (\"{reason}\") or says in its own words that the name was refused"
        ),
        session.shown(),
    ))
}

async fn rejected_bare(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    session.taken_in().await;
    let mark = session.operator.screen.mark();
    session.peer.send(&json!({"USERNAME_ACCEPTED": false})).await;
    // Whether it tells is the business of c.join.rejected.
    let _ = session.tells(mark, "the name was refused").await;
    session.taken_in().await;
    Ok(match session.crash() {
        None => Verdict::Pass,
        // Whoever falls over every refusal copes with none.
        Some(sign) => Verdict::missing("a client that copes with a refusal without INFO", sign),
    })
}

async fn retry(c: &mut ClientHands) -> Outcome {
    if c.shared.name_is_argument() {
        return Ok(Verdict::not_applicable("the name comes from the command line"));
    }
    let mut session = c.enter().await?;
    session.taken_in().await;
    let mark = session.operator.screen.mark();
    session.peer.send(&json!({"USERNAME_ACCEPTED": false, "INFO": "This name is taken"})).await;
    let _ = session.tells(mark, "the name was refused").await;
    session.taken_in().await;
    let again = c.name("ann");
    session.operator.act(Action::Name(again.clone())).await;
    let patience = session.patience();
    let first = session.name.clone();
    // Whether it is the name that was typed is the business of c.join.first.
    let asked = |frame: &Frame| (frame.key("USERNAME")?.as_str()? != first).then_some(());
    let ClientSession { operator, listener, peer, .. } = &mut session;
    let elsewhere = async {
        // Some clients connect anew for every attempt.
        while let Some(mut peer) = listener.next(patience).await {
            if peer.find(patience, asked).await.is_some() {
                return true;
            }
        }
        false
    };
    let here = async {
        if peer.find(patience, asked).await.is_some() {
            return true;
        }
        // Closed: the other place is the one to look at, unless the client is gone, too.
        if operator.exit().is_none() {
            tokio::time::sleep(patience).await;
        }
        false
    };
    let found = tokio::select! {
        found = here => found,
        found = elsewhere => found,
    };
    let expected = format!("{{\"USERNAME\": \"{again}\"}}, the second name that was typed");
    Ok(Verdict::came(found, expected, format!("{}; {}", session.peer.heard(), session.shown())))
}

async fn no_info(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    let frame = json!({
        "USERNAME_ACCEPTED": true, "USER_LIST": [session.name, session.other], "MESSAGES": []
    });
    session.accept(&frame).await;
    session.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

async fn users(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    let names = [c.name("carl"), c.name("dora")];
    let frame = json!({
        "USERNAME_ACCEPTED": true,
        "INFO": "Welcome",
        // Servers add the user who joins wherever they like.
        "USER_LIST": [names[0], session.name, names[1]],
        "MESSAGES": [],
    });
    session.accept(&frame).await;
    if let Some(command) = c.shared.profile.users.clone() {
        session.operator.act(Action::Users(command)).await;
    }
    let missing = session.missing(&names).await;
    let expected = format!("the names {} and {}", names[0], names[1]);
    Ok(Verdict::check(missing.is_empty(), expected, session.shown()))
}

/// Accepts with a history of these texts, the last one private.
async fn with_history(c: &mut ClientHands, texts: &[String]) -> Result<ClientSession, Verdict> {
    let mut session = c.enter().await?;
    let now = clock::unix_seconds() - 600;
    let history: Vec<_> = (0..)
        .zip(texts)
        .map(|(number, text)| {
            let last = number + 1 == texts.len();
            let dest = if last { session.name.as_str() } else { "ALL" };
            json!([session.other, dest, now + i64::try_from(number).unwrap_or(0), text])
        })
        .collect();
    let frame = session.welcome_frame(&history);
    session.accept(&frame).await;
    Ok(session)
}

async fn history(c: &mut ClientHands) -> Outcome {
    let texts = [c.text(), c.text(), c.text()];
    let session = with_history(c, &texts).await?;
    let missing = session.missing(&texts).await;
    Ok(Verdict::check(
        missing.is_empty(),
        format!("the three messages of the history: {}", texts.join(", ")),
        format!("{} missing; {}", missing.join(", "), session.shown()),
    ))
}

async fn history_order(c: &mut ClientHands) -> Outcome {
    let texts = [c.text(), c.text(), c.text()];
    let session = with_history(c, &texts).await?;
    let missing = session.missing(&texts).await;
    if !missing.is_empty() {
        return Ok(Verdict::inconclusive(format!("not shown: {}", missing.join(", "))));
    }
    let places: Vec<_> = texts.iter().map(|text| session.operator.screen.position(text)).collect();
    let expected = format!("in this order: {}", texts.join(", "));
    Ok(Verdict::check(places.is_sorted(), expected, session.shown()))
}

async fn big(c: &mut ClientHands) -> Outcome {
    let texts: Vec<String> = (0..700)
        .map(|number| format!("{} {number:04} {}", c.text(), "0123456789".repeat(6)))
        .collect();
    let session = with_history(c, &texts).await?;
    let last = texts.last().and_then(|text| text.split(' ').next()).unwrap_or_default();
    let shown = session.shows(last).await;
    let expected = format!("\"{last}\", the last of 700 messages in a welcome of 80 kB");
    Ok(Verdict::check(shown, expected, session.shown()))
}
