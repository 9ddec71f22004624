//! `bcast`: messages to everybody.

use conformance_kit::clock;
use serde_json::json;

use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("bcast.all-others", "RT-1", |c| Box::pin(all_others(c)))
        .asks("A public message reaches every other user")
        .hint("Go through all joined connections when DEST is ALL, and write to each of them.")
        .needs(&["join.second-user"])
        .killed_by(&[Fault::BroadcastSkipsOne, Fault::EchoOnly])
        // So much rests on it that nobody else's users may stand in for the one who is left out.
        .alone(),
    Case::must("bcast.fields", "T4-2", |c| Box::pin(fields(c)))
        .asks("SRC, DEST and CONTENT arrive as they were sent")
        .hint("Pass the message on unchanged: no strip(), no lower(), no HTML escaping.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::ContentStripped]),
    Case::open("bcast.echo", "RT-3", |c| Box::pin(echo(c)))
        .asks("Does the sender of a public message get it too?")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::NoEcho]),
    Case::open("bcast.timestamp", "TS-2", |c| Box::pin(timestamp(c)))
        .asks("Does the server keep the client's time?")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::Restamps])
        .marking(),
    Case::must("bcast.once", "RT-1", |c| Box::pin(once(c)))
        .asks("A public message arrives exactly once")
        .hint("One list of connections, one pass over it; beware of adding a connection twice.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::DeliversTwice]),
    Case::should("bcast.fifo", "RT-4", |c| Box::pin(fifo(c)))
        .asks("Messages of one sender arrive in the order in which they were sent")
        .hint(
            "Handle the messages of one connection one after the other, not in a new thread each.",
        )
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.coalesced"])
        .killed_by(&[Fault::Reorders]),
    Case::must("bcast.multi", "MM-1", |c| Box::pin(multi(c)))
        .revised(2)
        .asks("Three messages in one frame are three messages")
        .hint("Loop over the list in MESSAGES; don't look at its first element only.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::FirstMessageOnly]),
    Case::must("bcast.address", "DE-1", |c| Box::pin(address(c)))
        .asks("A public text that addresses a user is public all the same")
        .hint(
            "DEST alone decides who gets a message; leave CONTENT alone, whatever @ stands in it.",
        )
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::AtMakesPrivate]),
    Case::should("bcast.not-to-unjoined", "RT-5", |c| Box::pin(not_to_unjoined(c)))
        .asks("A connection that has not joined hears nothing of the chat")
        .hint("Add a connection to the list of receivers after its name was accepted.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::UnjoinedHear]),
];

async fn all_others(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut others = Vec::new();
    for role in ["bob", "carl", "dora"] {
        others.push(c.join(role).await?);
    }
    let text = c.text();
    ann.say(&text).await;
    for other in &mut others {
        other.expect_content(&text).await?;
    }
    Ok(Verdict::Pass)
}

async fn fields(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let text = format!("  <b>{nonce}</b> & 'x' /me  @you\t ");
    ann.say(&text).await;
    let Some(got) = bob.find_message(Mark::START, |m| m.content.contains(&nonce)).await else {
        return Ok(Verdict::missing("bob gets the message", bob.heard(Mark::START)));
    };
    let names = [("SRC", ann.name.as_str(), &got.src), ("DEST", "ALL", &got.dest)];
    for (what, sent, arrived) in names {
        // Where case makes no difference, another spelling is the same name.
        if !sent.eq_ignore_ascii_case(arrived) {
            return Ok(Verdict::fail(format!("{what} {sent:?}"), format!("{what} {arrived:?}")));
        }
    }
    let expected = format!("CONTENT {text:?}");
    Ok(Verdict::check(got.content == text, expected, format!("CONTENT {:?}", got.content)))
}

async fn echo(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    ann.say(&text).await;
    bob.find_message(Mark::START, |m| m.content == text).await;
    c.fence(&mut bob, &mut ann).await?;
    let value = if ann.count(&text) > 0 { "yes" } else { "no" };
    Ok(Verdict::observed("a public message comes back to its sender", value))
}

async fn timestamp(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let now = clock::unix_seconds();
    let sent = now - 1_000;
    ann.send(&json!({"MESSAGES": [[ann.name, "ALL", sent, text]]})).await;
    let got = bob
        .expect_content(&text)
        .await
        .map_err(|_| Verdict::inconclusive("the message did not arrive"))?;
    let value = match got.time.as_i64() {
        Some(time) if time == sent => "kept",
        Some(time) if (time - now).abs() <= 300 => "replaced by the server's time",
        _ => "something else",
    };
    Ok(Verdict::observed("the time of a message", value))
}

async fn once(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    ann.say(&text).await;
    bob.expect_content(&text).await?;
    c.fence(&mut ann, &mut bob).await?;
    let times = bob.count(&text);
    Ok(Verdict::check(times == 1, "bob gets the message once", format!("{times} times")))
}

async fn fifo(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let sent: Vec<String> = (0..20).map(|n| format!("{nonce} {n}")).collect();
    for text in &sent {
        ann.say(text).await;
    }
    for text in &sent {
        if bob.find_message(Mark::START, |m| m.content == *text).await.is_none() {
            let expected = format!("bob gets \"{text}\", the one of 20 messages");
            return Ok(Verdict::missing(expected, bob.heard(Mark::START)));
        }
    }
    let order = |content: &String| sent.iter().position(|text| text == content);
    let arrived: Vec<usize> =
        bob.messages(Mark::START).iter().filter_map(|m| order(&m.content)).collect();
    Ok(Verdict::check(arrived.is_sorted(), "20 messages in their order", format!("{arrived:?}")))
}

async fn multi(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let texts = [c.text(), c.text(), c.text()];
    let messages: Vec<_> =
        texts.iter().map(|t| ServerHands::message(&ann.name, "ALL", t)).collect();
    ann.send(&json!({"MESSAGES": messages})).await;
    for text in &texts {
        bob.expect_content(text).await?;
    }
    let usual = c.counted_fence(&mut ann, &mut bob).await?;
    let times: Vec<_> = texts.iter().map(|text| bob.count(text)).collect();
    let expected = "each of three messages as often as a single one";
    Ok(Verdict::check(times == [usual; 3], expected, format!("{times:?} times, and not {usual}")))
}

async fn address(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    for text in [
        format!("@{} {} look", bob.name, c.text()),
        format!("{} mail {}@example.org, or ask @{}", c.text(), ann.name, bob.name),
    ] {
        ann.say(&text).await;
        for other in [&mut bob, &mut carl] {
            other.expect_content(&text).await?;
        }
    }
    Ok(Verdict::Pass)
}

async fn not_to_unjoined(c: &mut ServerHands) -> Outcome {
    let mut lurker = c.connect("lurker").await?;
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    c.fence(&mut ann, &mut bob).await?;
    let chat = ["MESSAGES", "USER_LIST", "USERS_JOINED", "USERS_LEFT"];
    let told = lurker.frames(Mark::START).iter().any(|f| chat.iter().any(|k| f.key(k).is_some()));
    let expected = "nothing of the chat on a connection that has not joined";
    let heard = lurker.heard(Mark::START);
    c.dismiss(lurker).await;
    Ok(Verdict::check(!told, expected, heard))
}
