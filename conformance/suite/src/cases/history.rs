//! `history`: what a newcomer is told of the time before.

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
    Case::must("history.public", "HI-1", |c| Box::pin(public(c)))
        .asks("A newcomer gets the earlier public messages")
        .hint("Keep every public message in a list and send it with the acceptance.")
        .needs(&["bcast.all-others", "join.after-talk"])
        .killed_by(&[Fault::NoHistory]),
    Case::must("history.sixty", "HI-1", |c| Box::pin(sixty(c)))
        .asks("A newcomer gets all of sixty messages")
        .hint("The history goes back to the start of the server: keep all messages, not the last few.")
        .needs(&["bcast.all-others", "join.after-talk"])
        .excused_by(&["history.public"])
        .killed_by(&[Fault::HistoryOfTen]),
    Case::must("history.private-own", "HI-2", |c| Box::pin(private_own(c)))
        .asks("A later session of a user gets the private messages to that user")
        .hint("Keep private messages too, and select by DEST when somebody joins.")
        .needs(&["private.delivered", "join.rejoin", "join.after-talk"])
        .killed_by(&[Fault::NoPrivateHistory]),
    Case::must("history.no-leak", "HI-3", |c| Box::pin(no_leak(c)))
        .asks("A newcomer does not get the private messages of others")
        .hint("Filter the history for everybody who joins: DEST is ALL or the newcomer's name.")
        .needs(&["private.delivered", "join.after-talk"])
        .killed_by(&[Fault::HistoryLeaksPrivate]),
    Case::must("history.after-leave", "HI-1", |c| Box::pin(after_leave(c)))
        .asks("Messages of users who have left are kept")
        .hint(
            "The history belongs to the server, not to the user: don't drop it when a user leaves.",
        )
        .needs(&["bcast.all-others", "join.after-talk"])
        .excused_by(&["history.public"])
        .killed_by(&[Fault::HistoryDropsLeavers]),
    Case::must("history.order", "OR-1", |c| Box::pin(order(c)))
        .asks("The history runs from oldest to newest")
        .hint("Append new messages at the end and send the list as it is.")
        .needs(&["bcast.all-others", "join.after-talk"])
        .excused_by(&["history.public"])
        .killed_by(&[Fault::HistoryNewestFirst]),
    Case::should("history.once", "HI-4", |c| Box::pin(once(c)))
        .asks("The history holds no message twice")
        .hint("Store a message once, when it comes in, not once for every receiver.")
        .needs(&["history.public"])
        .killed_by(&[Fault::HistoryDoubles]),
    Case::open("history.own-sent-private", "HI-5", |c| Box::pin(own_sent_private(c)))
        .asks("Does the history hold the private messages that the user sent?")
        .needs(&["private.delivered", "join.rejoin"])
        .killed_by(&[Fault::HistoryWithSentPrivate]),
    Case::must("history.rejected-absent", "SR-4", |c| Box::pin(rejected_absent(c)))
        .asks("A message that was refused is not in the history")
        .hint("Check SRC before storing the message.")
        .needs(&["bcast.all-others", "history.public"])
        .killed_by(&[Fault::RefusedIsStored]),
];

/// One user says something that another one gets, so that it is certainly part of the past.
async fn said(c: &mut ServerHands, from: &mut Peer, to: &mut Peer) -> Result<String, Verdict> {
    let text = c.text();
    from.say(&text).await;
    arrived(to, &text).await?;
    Ok(text)
}

/// The same, in private.
async fn told(c: &mut ServerHands, from: &mut Peer, to: &mut Peer) -> Result<String, Verdict> {
    let text = c.text();
    from.tell(&to.name, &text).await;
    arrived(to, &text).await?;
    Ok(text)
}

async fn arrived(to: &mut Peer, text: &str) -> Result<(), Verdict> {
    match to.find_message(Mark::START, |m| m.content == text).await {
        Some(_) => Ok(()),
        None => Err(Verdict::missing(
            format!("{} gets \"{text}\", which is looked for later", to.role),
            to.heard(Mark::START),
        )),
    }
}

async fn public(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = said(c, &mut ann, &mut bob).await?;
    c.join("carl").await?.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn sixty(c: &mut ServerHands) -> Outcome {
    let mut bob = c.join("bob").await?;
    // Each says a third of them, since so many in a row of one user may be a flood.
    let mut talkers = [c.join("ann").await?, c.join("carl").await?, c.join("dora").await?];
    let nonce = c.text();
    let texts: Vec<String> = (1..=60).map(|number| format!("{nonce} no. {number}.")).collect();
    for three in texts.chunks(talkers.len()) {
        for (talker, text) in talkers.iter_mut().zip(three) {
            talker.say(text).await;
            // One after the other, so that no two of them are in one read.
            arrived(&mut bob, text).await?;
        }
    }
    let mut eve = c.join("eve").await?;
    let last = texts.last().cloned().unwrap_or_default();
    eve.find_message(Mark::START, |m| m.content == last).await;
    let past = eve.messages(Mark::START);
    let missing = texts.iter().filter(|text| !past.iter().any(|m| m.content == **text)).count();
    let expected = "all 60 messages in the history of eve, who joined later";
    Ok(Verdict::came(missing == 0, expected, format!("{missing} of them are not in it")))
}

async fn private_own(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = told(c, &mut ann, &mut bob).await?;
    let name = bob.name.clone();
    bob.close(Closing::Polite).await;
    let mut bob = c.join_again("bob", &name).await.map_err(Verdict::inconclusive)?;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn no_leak(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = told(c, &mut ann, &mut bob).await?;
    let mut carl = c.join("carl").await?;
    let fence = c.fence(&mut ann, &mut carl).await;
    let expected = "carl, who joined later, does not get what ann told bob in private";
    if carl.count(&text) > 0 {
        return Ok(Verdict::fail(expected, format!("carl got \"{text}\"")));
    }
    fence?;
    Ok(Verdict::Pass)
}

async fn after_leave(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = said(c, &mut ann, &mut bob).await?;
    let gone = ann.name.clone();
    ann.close(Closing::Polite).await;
    // Whether the leaving is announced is judged elsewhere; here it only has to be over.
    bob.find_left(Mark::START, &gone).await;
    c.join("carl").await?.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn order(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut sent = Vec::new();
    for round in 0..3 {
        if round > 0 {
            // The times have whole seconds: what is sorted by them needs different ones.
            tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        }
        let (from, to) = if round == 1 { (&mut bob, &mut ann) } else { (&mut ann, &mut bob) };
        sent.push(said(c, from, to).await?);
    }
    let mut carl = c.join("carl").await?;
    for text in &sent {
        if carl.find_message(Mark::START, |m| m.content == *text).await.is_none() {
            let expected = "a history with all three messages";
            return Ok(Verdict::missing(expected, format!("\"{text}\" is not in it")));
        }
    }
    let mut past: Vec<_> =
        carl.messages(Mark::START).into_iter().filter(|m| sent.contains(&m.content)).collect();
    // What comes twice is the business of `history.once`.
    let mut seen = std::collections::HashSet::new();
    past.retain(|message| seen.insert(message.content.clone()));
    let contents: Vec<_> = past.iter().map(|m| m.content.clone()).collect();
    let times: Vec<_> =
        past.iter().filter_map(conformance_kit::wire::message::Message::seconds).collect();
    if contents != sent {
        let expected =
            format!("the messages in the order in which they were sent: {}", sent.join(", "));
        return Ok(Verdict::fail(expected, contents.join(", ")));
    }
    let sorted = times.is_sorted_by(|a, b| a <= b);
    Ok(Verdict::check(sorted, "times that do not decrease", format!("{times:?}")))
}

async fn once(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = said(c, &mut ann, &mut bob).await?;
    let mut carl = c.join("carl").await?;
    c.fence(&mut ann, &mut carl).await?;
    let times = carl.count(&text);
    Ok(Verdict::check(times <= 1, "the message once in carl's history", format!("{times} times")))
}

async fn own_sent_private(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = told(c, &mut ann, &mut bob).await?;
    let name = ann.name.clone();
    ann.close(Closing::Polite).await;
    let mut ann = c.join_again("ann", &name).await.map_err(Verdict::inconclusive)?;
    c.fence(&mut bob, &mut ann).await?;
    let value = if ann.count(&text) > 0 { "yes" } else { "no" };
    Ok(Verdict::observed("own private messages in one's history", value))
}

async fn rejected_absent(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let spoof = ServerHands::message(&bob.name, "ALL", &text);
    ann.send(&serde_json::json!({"MESSAGES": [spoof]})).await;
    c.settle().await;
    let mut carl = c.join("carl").await?;
    let mut dora = c.join("dora").await?;
    let fence = c.fence(&mut dora, &mut carl).await;
    let expected = "a message with somebody else's SRC is not in carl's history";
    if carl.count(&text) > 0 {
        return Ok(Verdict::fail(expected, format!("carl got \"{text}\"")));
    }
    fence?;
    Ok(Verdict::Pass)
}
