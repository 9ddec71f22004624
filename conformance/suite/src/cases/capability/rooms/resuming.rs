//! `roomresume`: rooms in a session that goes on.

use std::collections::HashSet;

use serde_json::json;

use crate::{
    cases::capability::{
        membership::{
            LOGIN, OFFER, account, done, enter, host, make, member, resumed, room_name, said,
            token_of,
        },
        page::ask,
        told::{complaint, ended, number, object, text},
    },
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark},
    },
    verdict::{Outcome, Verdict},
};

const ROOMS: &str = "rooms";

pub const CASES: &[Case] = &[
    Case::must("roomresume.missed", "RH-6", |c| Box::pin(missed(c)))
        .asks("Lobby, rooms and private messages that were missed come in one list that rises")
        .hint("Go through one history by id, and keep what the user may see; send ROOMS with every key beside it.")
        .needs(&["rooms.guest-session", "rooms.order"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomResumeWithout, Fault::RoomResumeUnsorted]),
    Case::must("roomresume.gap", "RH-6", |c| Box::pin(gap(c)))
        .asks("Of much that was missed in a room at most the newest 500 messages come, and GAP")
        .hint("Take the end of what was missed, and say so with GAP true; HISTORY has the rest.")
        .needs(&["roomresume.missed", "roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomReplayUnbounded, Fault::RoomGapUntold]),
    Case::must("roomresume.left", "RH-6", |c| Box::pin(removed(c)))
        .asks("Who was removed from a room meanwhile is told by ROOMS_LEFT, and gets nothing of it")
        .hint("Keep with the session how its memberships have ended since its connection did.")
        .needs(&["rooms.guest-session", "rooms.rank"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomLeftUntold, Fault::RoomLeftReplayed]),
];

async fn missed(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let name = room_name(c);
    let other = make(c, &mut ann, &name, &[]).await?;
    let mut bob = member(c, "bob", &room).await?;
    let (name, token) = (bob.name.clone(), token_of(&mut bob)?);
    let (_, mut last) = said(c, &mut bob, &room.name).await?;
    // First while he is there as far as the server knows, then when he is not.
    for round in 0..2 {
        if round == 1 {
            bob.close(Closing::Polite).await;
            ann.find_left(Mark::START, &name).await;
        }
        let (mut wanted, mut dests) = (Vec::new(), vec![room.name.as_str(), "ALL", &other.name]);
        if round == 0 {
            dests.push(&name);
        }
        dests.push(&room.name);
        for dest in dests {
            let (text, id) = said(c, &mut ann, dest).await?;
            if dest != other.name {
                wanted.push((id, text));
            }
        }
        let (peer, welcome) = resumed(c, "bob", (&name, &token), OFFER, last).await?;
        bob = peer;
        let all =
            welcome.numbered().map_err(|why| Verdict::fail("sound IDS in the welcome", why))?;
        let ids: Vec<u64> = all.iter().filter_map(|one| one.id).collect();
        // Other cases talk in the lobby at the same time.
        let ours = |content: &str| wanted.iter().any(|(_, text)| text == content);
        let got: Vec<(u64, String)> = all
            .iter()
            .filter(|one| one.message.dest != "ALL" || ours(&one.message.content))
            .filter_map(|one| Some((one.id?, one.message.content.clone())))
            .collect();
        if got != wanted || !ids.is_sorted_by(|a, b| a < b) || ids.iter().any(|id| *id <= last) {
            let expected =
                format!("of what came after {last} just what bob missed, rising: {wanted:?}");
            return Ok(Verdict::fail(expected, format!("{got:?}; ids {ids:?}")));
        }
        let Some(told) = object(&welcome, &room.name) else {
            let expected = format!("ROOMS with {} in the welcome", room.name);
            return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
        };
        if complaint(&told).is_some() || told.get("GAP") == Some(&json!(true)) {
            let expected = "every key of the room, and no GAP, since all of it was sent";
            return Ok(Verdict::fail(expected, told.to_string()));
        }
        last = ids.last().copied().unwrap_or(last);
    }
    // And he is there again.
    let (text, _) = said(c, &mut ann, &room.name).await?;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

/// How many messages are missed, in frames of so many. Two users say half of them each, since all would nearly be a flood.
const MUCH: usize = 600;
const A_FRAME: usize = 96;
/// How many of them are sent again at most.
const MOST: usize = 500;

async fn gap(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut dora = member(c, "dora", &room).await?;
    let (name, token) = (bob.name.clone(), token_of(&mut bob)?);
    let (_, last) = said(c, &mut bob, &room.name).await?;
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    let mut texts: Vec<String> = Vec::new();
    for talker in [&mut ann, &mut dora] {
        let half: Vec<String> = (1..MUCH / 2).map(|_| c.text()).collect();
        for some in half.chunks(A_FRAME) {
            let messages: Vec<_> = some
                .iter()
                .map(|text| ServerHands::message(&talker.name, &room.name, text))
                .collect();
            talker.send(&json!({"MESSAGES": messages})).await;
        }
        texts.extend(half);
        // When this is acknowledged, all before it is in the room.
        texts.push(said(c, talker, &room.name).await?.0);
    }
    if let Some(last) = texts.last() {
        ann.expect_content(last).await?;
    }
    let echoed: HashSet<String> =
        ann.messages(Mark::START).into_iter().map(|m| m.content).collect();
    if !texts.iter().all(|text| echoed.contains(text)) {
        return Ok(Verdict::inconclusive("not all of so many messages were taken"));
    }
    let (mut bob, welcome) = resumed(c, "bob", (&name, &token), OFFER, last).await?;
    let all = welcome.numbered().map_err(|why| Verdict::fail("sound IDS in the welcome", why))?;
    let ours: Vec<_> = all.iter().filter(|one| one.message.dest == room.name).collect();
    let contents: Vec<&str> = ours.iter().map(|one| one.message.content.as_str()).collect();
    let newest = texts.iter().skip(MUCH.saturating_sub(contents.len()));
    if contents.len() > MOST || !newest.eq(&contents) {
        let expected = format!("of {MUCH} messages that bob missed the newest, at most {MOST}");
        let actual = format!("{} messages, the first one {:?}", contents.len(), contents.first());
        return Ok(Verdict::fail(expected, actual));
    }
    let told = object(&welcome, &room.name).and_then(|object| object.get("GAP").cloned());
    if told != Some(json!(true)) {
        let expected = "GAP true in the object of the room";
        return Ok(Verdict::fail(expected, format!("{told:?}")));
    }
    // The rest can be asked for.
    let before = ours.first().and_then(|one| one.id);
    let mut asked = json!({"WITH": room.name, "LIMIT": 20});
    if let (Some(asked), Some(id)) = (asked.as_object_mut(), before) {
        asked.insert("BEFORE".to_owned(), json!(id));
    }
    let page = ask(&mut bob, &asked).await?;
    let behind = texts.iter().rev().skip(contents.len()).take(20).rev();
    let fits = behind.eq(page.contents());
    Ok(Verdict::check(fits, "the 20 messages before them in the history", page.shown))
}

async fn removed(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut bob, owner) = account(c, "bob").await?;
    enter(c, &mut bob, &room).await?;
    let token = token_of(&mut bob)?;
    let (_, last) = said(c, &mut bob, &room.name).await?;
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &owner.name).await;
    let (before, _) = said(c, &mut ann, &room.name).await?;
    done(c, &mut ann, "kick-from", &[&room.name, &owner.name, "gone too long"]).await?;
    let (behind, _) = said(c, &mut ann, &room.name).await?;
    let (mut bob, welcome) = resumed(c, "bob", (&owner.name, &token), LOGIN, last).await?;
    let end = ended(&welcome, &room.name);
    let whole = end.as_ref().is_some_and(|end| {
        number(end, "NUMBER") == Some(room.number) && text(end, "CODE") == "kicked"
    });
    if !whole || object(&welcome, &room.name).is_some() {
        let expected = format!(
            "ROOMS_LEFT [{{\"ROOM\": \"{}\", \"NUMBER\": {}, \"CODE\": \"kicked\"}}] in the welcome, and the room not in ROOMS",
            room.name, room.number
        );
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let (later, _) = said(c, &mut ann, &room.name).await?;
    c.fence(&mut ann, &mut bob).await?;
    let nothing = [&before, &behind, &later].iter().all(|text| bob.count(text) == 0);
    let expected = "no message of a room that bob is no member of any more";
    Ok(Verdict::check(nothing, expected, bob.heard(Mark::START)))
}
