//! `c.send`: what the user types, on the wire.

use conformance_kit::clock;

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands, Means, Setup},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

/// How far a clock may be off.
const FIVE_MINUTES: f64 = 300.0;

pub const CASES: &[Case] = &[
    Case::new("c.send.public", Level::Must, "DE-1", |c| Box::pin(public(c)))
        .asks("What the user types goes to ALL, under the user's name")
        .hint("{\"MESSAGES\": [[name, \"ALL\", int(time.time()), text]]}; if a message to all is sent in another way, say so in a profile: public = \"...\".")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::SaysToEverybody, ClientFault::OwnNameWrong]),
    Case::new("c.send.private", Level::Must, "DE-1", |c| Box::pin(private(c)))
        .asks("A private message goes to its user, without the command")
        .hint("DEST is the user, CONTENT only the text; if private messages are sent in another way than \"@user text\", say so in a profile: private = \"/w {user} {text}\".")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::PrivateToAll]),
    Case::new("c.send.time", Level::Must, "TS-1", |c| Box::pin(time(c)))
        .asks("TIMESTAMP is the time now, in seconds, UTC, wherever the user lives")
        .hint("int(time.time()): not milliseconds, not local time, not the time at which the program was started.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::Milliseconds, ClientFault::LocalTime]),
    Case::new("c.send.quotes", Level::Must, "JS-1", |c| Box::pin(quotes(c)))
        .asks("Quotes, backslashes, accents and emoji survive")
        .hint("Use json.dumps (or your language's JSON library), and UTF-8; don't put JSON together by hand.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::QuotesUnescaped]),
    Case::new("c.send.long", Level::Should, "LG-1", |c| Box::pin(long(c)))
        .asks("A long line arrives whole")
        .hint("No fixed buffer for a line; sendall, not send.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::LineCut]),
    Case::new("c.send.empty", Level::Open, "T4-1", |c| Box::pin(empty(c)))
        .asks("What does it do with an empty line?")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::SendsEmpty]),
    Case::new("c.send.two", Level::Must, "FR-1", |c| Box::pin(two(c)))
        .asks("Two lines in quick succession are two messages")
        .hint("Each frame has its own length in front; read the input line by line.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::SecondLineLost]),
];

async fn public(c: &mut ClientHands) -> Outcome {
    if let (Some(instead), true) = (c.shared.quirks().unheard, c.shared.name_is_argument()) {
        return Ok(Verdict::inconclusive(format!(
            "nothing that was typed ever reached the wire, so the profile is wrong or the client \
             is: {instead}. Lines were typed as the profile says ({:?})",
            c.shared.profile.public.fill(&[])
        )));
    }
    let mut session = c.join().await?;
    let text = c.text();
    session.operator.act(Action::Say(text.clone())).await;
    let patience = session.patience();
    let sent = session.peer.find_message(patience, |m| m.content.contains(&text)).await;
    let expected = format!("[\"{}\", \"ALL\", now, \"{text}\"]", session.name);
    Ok(match sent {
        Some(m) => Verdict::check(
            m.src == session.name && m.dest == "ALL" && m.content == text,
            expected,
            format!("[{:?}, {:?}, {}, {:?}]", m.src, m.dest, m.time, m.content),
        ),
        None => Verdict::fail(expected, format!("{}; {}", session.peer.heard(), session.shown())),
    })
}

async fn private(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    session.operator.act(Action::Tell { user: session.other.clone(), text: text.clone() }).await;
    let patience = session.patience();
    let sent = session.peer.find_message(patience, |m| m.content.contains(&text)).await;
    let expected = format!("[\"{}\", \"{}\", now, \"{text}\"]", session.name, session.other);
    let typed = c.shared.profile.private.fill(&[("user", &session.other), ("text", &text)]);
    Ok(match sent {
        Some(m) => Verdict::check(
            m.src == session.name && m.dest == session.other && m.content == text,
            expected,
            format!("[{:?}, {:?}, {}, {:?}] for {typed:?}", m.src, m.dest, m.time, m.content),
        ),
        None => Verdict::fail(
            expected,
            format!("{} for {typed:?}; {}", session.peer.heard(), session.shown()),
        ),
    })
}

async fn time(c: &mut ClientHands) -> Outcome {
    // Fourteen hours east of Greenwich, as POSIX writes it; no database of time zones is needed.
    let env = vec![("TZ".to_owned(), "EAST-14".to_owned())];
    let mut session = c.enter_with(&Setup { env, ..Setup::default() }).await?;
    session.welcome().await;
    let text = c.text();
    session.operator.act(Action::Say(text.clone())).await;
    let message = session.must_send(&text).await?;
    let now = clock::unix_seconds();
    let seconds = message.seconds();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in an f64")]
    let near = seconds.is_some_and(|seconds| (seconds - now as f64).abs() <= FIVE_MINUTES);
    Ok(Verdict::check(
        near,
        format!("about {now}, with TZ=EAST-14 in the environment"),
        message.time.to_string(),
    ))
}

async fn quotes(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let nonce = c.text();
    let text = format!("{nonce} \"q\" \\b {{}} \u{e9}\u{1f600}");
    session.operator.act(Action::Say(text.clone())).await;
    let patience = session.patience();
    let sent = session.peer.find_message(patience, |m| m.content.contains(&nonce)).await;
    Ok(match sent {
        Some(m) => Verdict::check(m.content == text, text, m.content),
        None => Verdict::fail(text, format!("{}; {}", session.peer.heard(), session.shown())),
    })
}

async fn long(c: &mut ClientHands) -> Outcome {
    if matches!(c.shared.means, Means::Person(_)) {
        return Ok(Verdict::not_applicable("nobody types that much"));
    }
    let mut session = c.join().await?;
    // A terminal in its ordinary mode takes 4,095 bytes a line.
    let length = if matches!(c.shared.means, Means::Terminal) { 3_000 } else { 5_000 };
    let nonce = c.text();
    let text = format!("{nonce} {} end", "0123456789".repeat(length / 10));
    session.operator.act(Action::Say(text.clone())).await;
    let patience = session.patience();
    let sent = session.peer.find_message(patience, |m| m.content.starts_with(&nonce)).await;
    let expected = format!("the line of {} characters, whole", text.len());
    Ok(match sent {
        Some(m) => {
            let got = format!("{} characters of it", m.content.chars().count());
            Verdict::check(m.content == text, expected, got)
        }
        None => Verdict::fail(expected, format!("{}; {}", session.peer.heard(), session.shown())),
    })
}

async fn empty(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    session.operator.act(Action::Line(String::new())).await;
    session.settle().await;
    session.operator.act(Action::Say(text.clone())).await;
    let value = match session.must_send(&text).await {
        Err(_) => "sends nothing any more",
        Ok(_) if session.peer.messages().iter().any(|m| m.content.is_empty()) => {
            "sends an empty message"
        }
        Ok(_) => "sends nothing",
    };
    Ok(Verdict::observed("an empty line", value))
}

async fn two(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let texts = [c.text(), c.text()];
    for text in &texts {
        session.operator.act(Action::Say(text.clone())).await;
    }
    for text in &texts {
        session.must_send(text).await?;
    }
    let order: Vec<String> = session.peer.messages().into_iter().map(|m| m.content).collect();
    let times = texts.each_ref().map(|text| order.iter().filter(|m| *m == text).count());
    Ok(Verdict::check(times == [1, 1], "each line once", format!("{times:?} times")))
}
