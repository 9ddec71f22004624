//! `rooms`: who gets what is said in them, and in which order.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    cases::capability::{
        membership::{done, enter, guest, host, make, member, refused, room_name, said, said_as},
        told::{joined, number, object, text},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Whether none of these texts has reached a user.
fn silent(peer: &mut Peer, texts: &[&str]) -> bool {
    texts.iter().all(|text| peer.count(text) == 0)
}

pub(super) async fn message(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut others =
        [guest(c, "carl").await?, c.join("dora").await?, c.join_with("eve", "ids/1").await?];
    let text = c.text();
    ann.tell(&room.name, &text).await;
    let came = bob.expect_content(&text).await?;
    if came.src != ann.name || came.dest != room.name {
        let expected = format!("bob gets it from {} to {}", ann.name, room.name);
        return Ok(Verdict::fail(expected, format!("{came:?}")));
    }
    c.fence(&mut ann, &mut bob).await?;
    let times = bob.count(&text);
    if times != 1 {
        return Ok(Verdict::fail("a member gets it once", format!("{times} times")));
    }
    for other in &mut others {
        c.fence(&mut ann, other).await?;
        if !silent(other, &[&text]) {
            let expected = format!("{}, who is no member, does not get it", other.role);
            return Ok(Verdict::fail(expected, other.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn echo_ack(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let since = ann.mark();
    let (text, tag) = (c.text(), c.nonces.letters(8));
    ann.tagged(&room.name, &text, &tag).await;
    let acked = ann.acked(since, &tag).await?;
    let theirs = bob.id_of(&text).await?;
    c.fence(&mut bob, &mut ann).await?;
    let own: Vec<_> =
        ann.numbered(since).into_iter().filter(|one| one.message.content == text).collect();
    let ids: Vec<_> = own.iter().map(|one| one.id).collect();
    if ids != [Some(acked)] || acked != theirs {
        let expected =
            format!("ann gets her message back once, with the id {theirs}, as bob and in ACKS");
        return Ok(Verdict::fail(expected, format!("ids {ids:?}, ACKS {acked}")));
    }
    let frames = ann.frames(since);
    let ack = frames.iter().position(|frame| frame.ack(&tag).is_some());
    let echo = frames.iter().position(|frame| frame.messages().iter().any(|m| m.content == text));
    if echo > ack {
        let expected = "the message before its acknowledgement, or both in one object";
        return Ok(Verdict::fail(expected, ann.heard(since)));
    }
    // Who is not sure whether it arrived sends it again.
    let since = ann.mark();
    ann.tagged(&room.name, &text, &tag).await;
    let again = ann.acked(since, &tag).await?;
    c.fence(&mut ann, &mut bob).await?;
    let times = bob.count(&text);
    let expected = format!("with the same tag again the id {acked} again, and no second delivery");
    let actual = format!("{again}, delivered {times} time(s)");
    Ok(Verdict::check(again == acked && times == 1, expected, actual))
}

pub(super) async fn roster_first(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    for role in ["bob", "carl", "dora"] {
        let since = ann.mark();
        let mut peer = member(c, role, &room).await?;
        let (text, _) = said(c, &mut peer, &room.name).await?;
        ann.expect_content(&text).await?;
        let frames = ann.frames(since);
        let told = frames.iter().position(|frame| joined(frame, &room.name).contains(&peer.name));
        let said =
            frames.iter().position(|frame| frame.messages().iter().any(|m| m.content == text));
        if told.is_none_or(|told| Some(told) > said) {
            let expected = format!(
                "ROOM_USERS_JOINED {{\"{}\": [\"{}\"]}} before the message of {role}",
                room.name, peer.name
            );
            return Ok(Verdict::fail(expected, ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn not_member(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut carl = guest(c, "carl").await?;
    let (tagged, plain) = (c.text(), c.text());
    refused(c, &mut carl, &room.name, &tagged, "not-a-member").await?;
    let since = carl.mark();
    carl.tell(&room.name, &plain).await;
    carl.expect_error(since, "a message to a room that carl is no member of").await?;
    c.fence(&mut carl, &mut ann).await?;
    let expected = "what is refused reaches nobody";
    let nothing = silent(&mut ann, &[&tagged, &plain]) && silent(&mut carl, &[&tagged, &plain]);
    Ok(Verdict::check(nothing, expected, ann.heard(Mark::START)))
}

pub(super) async fn mixed_frame(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = guest(c, "carl").await?;
    let texts = [c.text(), c.text(), c.text()];
    let tags = [c.nonces.letters(8), c.nonces.letters(8), c.nonces.letters(8)];
    let dests = [room.name.as_str(), "ALL", carl.name.as_str()];
    let messages: Vec<_> = dests
        .iter()
        .zip(&texts)
        .map(|(dest, text)| ServerHands::message(&ann.name, dest, text))
        .collect();
    let since = ann.mark();
    ann.send(&json!({"MESSAGES": messages, "TAGS": tags})).await;
    for tag in &tags {
        ann.acked(since, tag).await?;
    }
    for (peer, due) in [(&mut bob, [1, 1, 0]), (&mut carl, [0, 1, 1])] {
        c.fence(&mut ann, peer).await?;
        let times = texts.each_ref().map(|text| peer.count(text));
        if times != due {
            let expected = format!(
                "of one to the room, one to ALL and one to carl {} gets {due:?}",
                peer.role
            );
            return Ok(Verdict::fail(expected, format!("{times:?}; {}", peer.heard(Mark::START))));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn spoof(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = member(c, "carl", &room).await?;
    let (since, text) = (bob.mark(), c.text());
    let message = ServerHands::message(&ann.name, &room.name, &text);
    bob.send(&json!({"MESSAGES": [message]})).await;
    bob.expect_error(since, "a message to a room under another member's name").await?;
    for peer in [&mut ann, &mut carl] {
        c.fence(&mut bob, peer).await?;
        if !silent(peer, &[&text]) {
            let expected = "a message with the SRC of another member reaches nobody";
            return Ok(Verdict::fail(expected, peer.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

/// How many frames each of two users sends, with some messages to each of four destinations. More frames would be a flood.
const FRAMES: usize = 20;
const A_DEST: usize = 2;

async fn chatter(peer: &mut Peer, dests: &[String], texts: &[Vec<String>]) {
    for some in texts {
        let messages: Vec<Value> = dests
            .iter()
            .cycle()
            .zip(some)
            .map(|(dest, text)| ServerHands::message(&peer.name, dest, text))
            .collect();
        peer.send(&json!({"MESSAGES": messages})).await;
    }
}

pub(super) async fn order(c: &mut ServerHands) -> Outcome {
    let (mut ann, first) = host(c).await?;
    let name = room_name(c);
    let second = make(c, &mut ann, &name, &[]).await?;
    let mut peers = Vec::new();
    for role in ["bob", "carl"] {
        let mut peer = member(c, role, &first).await?;
        enter(c, &mut peer, &second).await?;
        peers.push(peer);
    }
    let [bob, carl] = peers.as_mut_slice() else {
        return Err(Verdict::inconclusive("two users were wanted"));
    };
    let dests = [first.name, "ALL".to_owned(), second.name, bob.name.clone()];
    let mut texts = || -> Vec<Vec<String>> {
        (0..FRAMES).map(|_| (0..A_DEST * dests.len()).map(|_| c.text()).collect()).collect()
    };
    let (of_ann, of_carl) = (texts(), texts());
    let since = bob.mark();
    tokio::join!(chatter(&mut ann, &dests, &of_ann), chatter(carl, &dests, &of_carl));
    let last =
        [of_ann.last(), of_carl.last()].map(|some| some.and_then(|some| some.last()).cloned());
    for text in last.into_iter().flatten() {
        bob.expect_content(&text).await?;
    }
    let sent = 2 * FRAMES * A_DEST * dests.len();
    let got: HashSet<String> = bob.messages(since).into_iter().map(|m| m.content).collect();
    let lost = of_ann.iter().chain(&of_carl).flatten().filter(|text| !got.contains(*text)).count();
    if lost > 0 {
        let expected = format!("all of {sent} messages, of which the last have come");
        return Ok(Verdict::fail(expected, format!("{lost} have not")));
    }
    c.fence(&mut ann, bob).await?;
    // Other cases' messages to all are among them, and no exception.
    let ids: Vec<u64> = bob.numbered(since).iter().filter_map(|one| one.id).collect();
    let falling = ids.windows(2).find(|pair| pair.first() >= pair.last());
    let expected = "rising ids over the lobby, two rooms and private messages";
    let actual = format!("{falling:?} among {} ids", ids.len());
    Ok(Verdict::check(falling.is_none() && ids.len() >= sent, expected, actual))
}

pub(super) async fn topic(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = guest(c, "carl").await?;
    for _ in 0..2 {
        let (since, topic, content) = (bob.mark(), c.text(), c.text());
        done(c, &mut ann, "topic", &[&room.name, &topic]).await?;
        said_as(c, &mut ann, &room.name, &content).await?;
        bob.expect_content(&content).await?;
        let frames = bob.frames(since);
        let told = frames.iter().position(|frame| {
            object(frame, &room.name).is_some_and(|object| {
                number(&object, "NUMBER") == Some(room.number) && text(&object, "TOPIC") == topic
            })
        });
        let said =
            frames.iter().position(|frame| frame.messages().iter().any(|m| m.content == content));
        if told.is_none_or(|told| Some(told) > said) {
            let expected = format!(
                "ROOMS [{{\"ROOM\": \"{}\", \"NUMBER\": {}, \"TOPIC\": \"{topic}\"}}] before the next message of the room",
                room.name, room.number
            );
            return Ok(Verdict::fail(expected, bob.heard(since)));
        }
    }
    c.fence(&mut ann, &mut carl).await?;
    let blind = carl.frames(Mark::START).iter().all(|f| object(f, &room.name).is_none());
    let expected = "who is no member is told nothing of the room";
    Ok(Verdict::check(blind, expected, carl.heard(Mark::START)))
}
