//! `roomresume`: rooms in a session that goes on.

use serde_json::json;

use crate::{
    cases::capability::{
        membership::{
            LOGIN, OFFER, account, done, enter, host, make, member, resumed, room_name, said,
            token_of,
        },
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
