//! `c.send`: what the user types, on the wire.

use conformance_kit::{clock, wire::message::Message};

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands, ClientSession, Means, Setup, Speaks},
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
        .killed_by(&[ClientFault::SaysToEverybody, ClientFault::OwnNameWrong])
        .revised(2),
    Case::new("c.send.private", Level::Must, "DE-1", |c| Box::pin(private(c)))
        .asks("A private message goes to its user")
        .hint("DEST is the user, and nobody else gets the text; if private messages are sent in another way than \"@user text\", say so in a profile: private = \"/w {user} {text}\".")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::PrivateToAll])
        .revised(2),
    Case::new("c.send.private-text", Level::Must, "DE-1", |c| Box::pin(private_text(c)))
        .asks("A private text with blanks, braces, quotes and @ arrives whole, at its user")
        .hint("Split the line at its first blank only: line[1:].split(\" \", 1) in Python.")
        .needs(&["c.send.private"])
        .killed_by(&[ClientFault::PrivateFirstWord]),
    Case::new("c.send.address", Level::Must, "DE-1", |c| Box::pin(address(c)))
        .asks("A line with an address (user@host) in the middle goes to everybody")
        .hint("Only a line that begins with @ is private: line.startswith(\"@\"), not \"@\" in line.")
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::PrivateOnAnyAt]),
    Case::new("c.send.exact", Level::Open, "T4-1", |c| Box::pin(exact(c)))
        .asks("Is CONTENT exactly what was typed?")
        .needs(&["c.send.private"])
        .killed_by(&[ClientFault::PrivateDecorated]),
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
    let sent = arrives(&mut session, &text).await;
    let expected = format!("[\"{}\", \"ALL\", now, \"{text}\"]", session.name);
    Ok(match sent {
        // What a client adds to the text is its own business, where it goes is not.
        Some(m) => Verdict::check(m.src == session.name && m.dest == "ALL", expected, written(&m)),
        None => missed(&mut session, expected),
    })
}

/// A message with this text, whatever the client has added to it.
async fn arrives(session: &mut ClientSession, text: &str) -> Option<Message> {
    let patience = session.patience();
    session.peer.find_message(patience, |m| m.content.contains(text)).await
}

/// The failure of a case whose message did not come.
fn missed(session: &mut ClientSession, expected: impl AsRef<str>) -> Verdict {
    session.peer.in_vain(expected.as_ref());
    Verdict::missing(expected, format!("{}; {}", session.peer.heard(), session.shown()))
}

/// A message as it stands on the wire.
fn written(m: &Message) -> String {
    format!("[{:?}, {:?}, {}, {:?}]", m.src, m.dest, m.time, m.content)
}

/// Says something to one user, of which the nonce has to arrive at least.
async fn tell(
    c: &mut ClientHands,
    text: &str,
    nonce: &str,
) -> Result<(ClientSession, Message), Verdict> {
    let mut session = c.join().await?;
    let user = session.other.clone();
    session.operator.act(Action::Tell { user: user.clone(), text: text.to_owned() }).await;
    if let Some(message) = arrives(&mut session, nonce).await {
        return Ok((session, message));
    }
    let typed = c.shared.profile.private.fill(&[("user", &user), ("text", text)]);
    let expected = format!("[\"{}\", \"{user}\", now, {text:?}] for {typed:?}", session.name);
    Err(missed(&mut session, expected))
}

async fn private(c: &mut ClientHands) -> Outcome {
    let text = c.text();
    let (session, m) = tell(c, &text, &text).await?;
    let typed = c.shared.profile.private.fill(&[("user", &session.other), ("text", &text)]);
    let expected = format!("[\"{}\", \"{}\", now, \"{text}\"]", session.name, session.other);
    // A wrong SRC in everything is charged to c.send.public.
    let charged = c.shared.quirks().speaks == Speaks::AsSomebodyElse;
    let from = m.src == session.name || charged;
    let actual = format!("{} for {typed:?}", written(&m));
    Ok(Verdict::check(from && m.dest == session.other, expected, actual))
}

async fn private_text(c: &mut ClientHands) -> Outcome {
    let nonce = c.text();
    let text = format!("{nonce} two  words }} {{ \"q\" @carl \\b a@b.example end");
    let (session, m) = tell(c, &text, &nonce).await?;
    let holds = m.dest == session.other && m.content.contains(&text);
    Ok(Verdict::check(holds, format!("{text} to {} only", session.other), written(&m)))
}

async fn address(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let nonce = c.text();
    let text = format!("{nonce} write to {}@host.example soon", session.other);
    session.operator.act(Action::Say(text.clone())).await;
    let Some(m) = arrives(&mut session, &nonce).await else {
        return Ok(missed(&mut session, format!("{text} to ALL")));
    };
    let holds = m.dest == "ALL" && m.content.contains(&text);
    Ok(Verdict::check(holds, format!("{text} to ALL"), written(&m)))
}

async fn exact(c: &mut ClientHands) -> Outcome {
    let text = c.text();
    let (mut session, private) = tell(c, &text, &text).await?;
    session.operator.act(Action::Say(text.clone())).await;
    let patience = session.patience();
    let public = |m: &Message| m.dest == "ALL" && m.content.contains(&text);
    let public = session.peer.find_message(patience, public).await;
    // The texts of a run differ; what stands around them does not.
    let around = |m: &Message| m.content.replace(&text, "TEXT").replace(&session.other, "USER");
    let private = around(&private);
    let public = public.as_ref().map_or_else(|| "nothing".to_owned(), around);
    let value = if private == "TEXT" && public == "TEXT" {
        "what was typed".to_owned()
    } else {
        format!("{public:?} to all, {private:?} to one user")
    };
    Ok(Verdict::observed("CONTENT", value))
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
    let sent = arrives(&mut session, &nonce).await;
    Ok(match sent {
        Some(m) => Verdict::check(m.content.contains(&text), text, m.content),
        None => missed(&mut session, text),
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
    let sent = arrives(&mut session, &nonce).await;
    let expected = format!("the line of {} characters, whole", text.len());
    Ok(match sent {
        Some(m) => {
            let got = format!("{} characters of it", m.content.chars().count());
            Verdict::check(m.content.contains(&text), expected, got)
        }
        None => missed(&mut session, expected),
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
    let times = texts.each_ref().map(|text| order.iter().filter(|m| m.contains(text)).count());
    Ok(Verdict::check(times == [1, 1], "each line once", format!("{times:?} times")))
}
