//! `join`: asking for a name, getting it or not.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("join.accept", "AC-1", |c| Box::pin(accept(c)))
        .asks("A fresh name is accepted")
        .hint("Read 4 bytes, then exactly as many as they say, parse the JSON, and answer {\"USERNAME_ACCEPTED\": true, ...} behind its own length. Flush after writing.")
        .needs(&["tls.handshake"])
        .killed_by(&[Fault::NeverAccepts, Fault::NoAnswerToName]),
    Case::must("join.second-user", "AS-1", |c| Box::pin(second_user(c)))
        .asks("While one user is in the chat, a second one can join")
        .hint("Serve each connection in its own thread or task; a server that waits for one client can't take the next.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::OneAtATime]),
    Case::must("join.after-talk", "AC-1", |c| Box::pin(after_talk(c)))
        .asks("A newcomer is welcomed after something was said")
        .hint("The first message changes what a welcome holds: look what your server does with the history when somebody joins.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::NoWelcomeAfterTalk]),
    Case::must("join.has-user-list", "UL-1", |c| Box::pin(has_user_list(c)))
        .asks("Acceptance comes with USER_LIST")
        .hint("Send USER_LIST with USERNAME_ACCEPTED, an empty list too.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::NoUserList])
        .early(),
    Case::must("join.has-messages", "HI-1", |c| Box::pin(has_messages(c)))
        .asks("Acceptance comes with MESSAGES, a list even when nobody has said anything")
        .hint("Send MESSAGES with USERNAME_ACCEPTED; when there is no history, send [].")
        .needs(&["join.accept"])
        .killed_by(&[Fault::NoMessagesKey, Fault::NoMessagesWhenEmpty])
        .early(),
    Case::must("join.taken", "TK-1", |c| Box::pin(taken(c)))
        .asks("A name that is in use is refused")
        .hint("Answer {\"USERNAME_ACCEPTED\": false}; no answer at all leaves the other client waiting for ever.")
        .needs(&["join.second-user"])
        .killed_by(&[Fault::DuplicateAccepted, Fault::NoAnswerToDuplicate]),
    Case::must("join.taken-keeps-first", "TK-2", |c| Box::pin(taken_keeps_first(c)))
        .asks("Whoever holds a name keeps their session when somebody else asks for it")
        .hint("Enter the new connection under the name only after it was accepted; otherwise it replaces the holder's.")
        .needs(&["join.taken", "bcast.all-others"])
        .killed_by(&[Fault::DuplicateStealsRoute]),
    Case::should("join.retry", "TK-3", |c| Box::pin(retry(c)))
        .asks("After a refusal another name can be asked for on the same connection")
        .hint("Loop until a name is accepted instead of closing after the first refusal.")
        .needs(&["join.taken"])
        .killed_by(&[Fault::RefusedForGood]),
    Case::open("join.reject-conn", "TK-4", |c| Box::pin(reject_conn(c)))
        .asks("Does the connection stay open after a refusal?")
        .needs(&["join.taken"])
        .killed_by(&[Fault::ClosesAfterRefusal]),
    Case::must("join.race", "TK-5", |c| Box::pin(race(c)))
        .asks("Of two that ask for one free name at the same moment exactly one gets it")
        .hint("Checking that a name is free and taking it must be one step: hold one lock over both.")
        .needs(&["join.taken"])
        .killed_by(&[Fault::RaceBothAccepted])
        .alone()
        .by_chance(),
    Case::must("join.rejoin", "TK-6", |c| Box::pin(rejoin(c)))
        .asks("A name is free again once its user has left")
        .hint("Remove the name when the connection ends, however it ends: use try/finally.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::NameNeverFreed]),
    Case::open("join.case", "NM-4", |c| Box::pin(case(c)))
        .asks("Are names that differ only in case the same?")
        .needs(&["join.taken"])
        .killed_by(&[Fault::CaseSensitiveNames])
        .marking(),
    Case::open("join.empty-name", "NM-2", |c| Box::pin(empty_name(c)))
        .asks("What happens to an empty name?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::EmptyNameAccepted])
        .marking(),
    Case::open("join.name-ALL", "DE-3", |c| Box::pin(name_all(c)))
        .asks("Can a user be called ALL?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::AllAccepted])
        .marking(),
    Case::must("join.not-string", "IV-1", |c| Box::pin(not_string(c)))
        .asks("A name that is not a string is not accepted")
        .hint("Check isinstance(name, str) before using it; answer with ERROR or with USERNAME_ACCEPTED: false.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::NumberNameAccepted, Fault::NumberNameIgnored])
        .literal()
        .marking(),
    Case::open("join.twice", "NM-3", |c| Box::pin(twice(c)))
        .asks("What happens to a second USERNAME on a joined connection?")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::SecondNameIgnored])
        .marking(),
];

async fn accept(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let name = c.name("ann");
    let answer = ann.ask_for(&name).await;
    let expected = format!("{{\"USERNAME_ACCEPTED\": true}} for the fresh name {name}");
    Ok(Verdict::came(answer == Some(true), expected, ann.heard(Mark::START)))
}

async fn second_user(c: &mut ServerHands) -> Outcome {
    let _ann = c.join("ann").await?;
    let name = c.name("bob");
    let expected = "bob can join while ann is in the chat";
    let (address, transport) = (c.shared.address(), c.shared.transport());
    let mut bob = match c.dial("bob", address, &transport).await {
        Ok(bob) => bob,
        Err(error) => {
            return Ok(Verdict::missing(expected, format!("bob could not connect: {error}")));
        }
    };
    let answer = bob.ask_for(&name).await;
    Ok(Verdict::came(answer == Some(true), expected, bob.heard(Mark::START)))
}

async fn after_talk(c: &mut ServerHands) -> Outcome {
    let expected = "carl is welcomed, who comes after something was said";
    // In a chat in which others have spoken before, everybody is who comes after.
    let late = |verdict| match verdict {
        Verdict::Inconclusive { reason } => Verdict::missing(expected, reason),
        other => other,
    };
    let mut ann = c.join("ann").await.map_err(late)?;
    let mut bob = c.join("bob").await.map_err(late)?;
    c.fence(&mut ann, &mut bob).await?;
    c.join("carl").await.map_err(late)?;
    Ok(Verdict::Pass)
}

async fn has_user_list(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let list = ann.find(Mark::START, |frame| frame.key("USER_LIST").cloned()).await;
    Ok(Verdict::came(list.is_some(), "USER_LIST with the acceptance", ann.heard(Mark::START)))
}

async fn has_messages(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let is_list = |frame: &Frame| frame.key("MESSAGES")?.is_array().then_some(());
    let list = ann.find(Mark::START, is_list).await;
    let expected = "MESSAGES, a list, with the acceptance";
    Ok(Verdict::came(list.is_some(), expected, ann.heard(Mark::START)))
}

async fn taken(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let mut thief = c.connect("thief").await?;
    let answer = thief.ask_for(&ann.name).await;
    let expected = "{\"USERNAME_ACCEPTED\": false} for a name in use";
    let heard = thief.heard(Mark::START);
    c.dismiss(thief).await;
    Ok(match answer {
        Some(false) => Verdict::Pass,
        Some(true) => Verdict::fail(expected, heard),
        None => Verdict::missing(expected, heard),
    })
}

async fn taken_keeps_first(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut thief = c.connect("thief").await?;
    thief.ask_for(&ann.name).await;
    // Under a name of its own the thief is an ordinary user: what a connection without one does to
    // the others is the business of `conc.idle`.
    let own = c.name("thief");
    thief.ask_for(&own).await;
    let (to_ann, to_bob) = (c.text(), c.text());
    bob.say(&to_ann).await;
    ann.expect_content(&to_ann).await?;
    ann.say(&to_bob).await;
    bob.expect_content(&to_bob).await?;
    thief.close(Closing::Polite).await;
    Ok(Verdict::Pass)
}

async fn retry(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let mut other = c.connect("other").await?;
    other.ask_for(&ann.name).await;
    let since = other.mark();
    let name = c.name("other");
    let answer = other.ask_for(&name).await;
    let expected = "a second, free name is accepted after a refusal";
    Ok(Verdict::came(answer == Some(true), expected, other.heard(since)))
}

async fn reject_conn(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let mut other = c.connect("other").await?;
    other.ask_for(&ann.name).await;
    c.settle().await;
    c.settle().await;
    let value = if other.is_closed() { "closed" } else { "open" };
    c.dismiss(other).await;
    Ok(Verdict::observed("the connection after a refused name", value))
}

async fn race(c: &mut ServerHands) -> Outcome {
    for round in 1..=5 {
        let (mut one, mut two) = (c.connect("one").await?, c.connect("two").await?);
        let name = c.name("ann");
        let answers = tokio::join!(one.ask_for(&name), two.ask_for(&name));
        if !matches!(answers, (Some(true), Some(false)) | (Some(false), Some(true))) {
            let heard = format!("{}; {}", one.heard(Mark::START), two.heard(Mark::START));
            let expected = "one true and one false for two who ask at the same moment";
            return Ok(Verdict::fail(expected, format!("in round {round}: {heard}")));
        }
        let loser = if answers.0 == Some(true) { two } else { one };
        c.dismiss(loser).await;
    }
    Ok(Verdict::Pass)
}

async fn rejoin(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let name = ann.name.clone();
    ann.close(Closing::Polite).await;
    match c.join_again("ann", &name).await {
        Ok(_) => Ok(Verdict::Pass),
        Err(heard) => Ok(Verdict::missing("the name is free again after its user left", heard)),
    }
}

async fn case(c: &mut ServerHands) -> Outcome {
    let upper = c.name("Ann");
    let _ann = c.join_as("ann", &upper).await?;
    let mut other = c.connect("other").await?;
    let value = match other.ask_for(&upper.to_ascii_lowercase()).await {
        Some(true) => "two different names",
        Some(false) => "the same name",
        None => "no answer",
    };
    c.dismiss(other).await;
    Ok(Verdict::observed("names that differ only in case", value))
}

async fn empty_name(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let value = answer_to(&mut ann, &json!({"USERNAME": ""})).await;
    c.dismiss(ann).await;
    Ok(Verdict::observed("an empty name", value))
}

async fn name_all(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let value = answer_to(&mut ann, &json!({"USERNAME": "ALL"})).await;
    c.dismiss(ann).await;
    Ok(Verdict::observed("a user called ALL", value))
}

async fn not_string(c: &mut ServerHands) -> Outcome {
    let number = c.shared.invariants.number();
    let mut ann = c.connect("ann").await?;
    let value = answer_to(&mut ann, &json!({"USERNAME": number})).await;
    let expected = "ERROR, or USERNAME_ACCEPTED: false, for a name that is a number";
    let good = matches!(value, "ERROR" | "refused");
    let actual = format!("{value}: {}", ann.heard(Mark::START));
    c.dismiss(ann).await;
    Ok(Verdict::check(good, expected, actual))
}

async fn twice(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let second = c.name("ann");
    let value = answer_to(&mut ann, &json!({"USERNAME": second})).await;
    let text = c.text();
    ann.say(&text).await;
    let goes_on = bob.find_message(Mark::START, |m| m.content == text).await.is_some();
    let session = if goes_on { "goes on under the first name" } else { "does not go on" };
    Ok(Verdict::observed("a second USERNAME", format!("{value}; the session {session}")))
}

/// Sends something about names and says in a word what the answer was.
async fn answer_to(peer: &mut Peer, object: &serde_json::Value) -> &'static str {
    let since = peer.mark();
    peer.send(object).await;
    let answer = |frame: &Frame| match frame.accepted() {
        Some(true) => Some("accepted"),
        Some(false) => Some("refused"),
        None => frame.error().map(|_| "ERROR"),
    };
    match peer.find(since, answer).await {
        Some(word) => word,
        None if peer.is_closed() => "connection closed",
        None => "no answer",
    }
}
