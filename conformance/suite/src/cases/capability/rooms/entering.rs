//! `rooms`: making, joining and leaving them.

use serde_json::{Value, json};

use crate::{
    cases::capability::{
        calling::{code, is_ok},
        membership::{
            Room, account, done, enter, guest, host, make, member, refused, room_name, run, said_as,
        },
        page::ask,
        told::{complaint, ended, flag, joined, left, number, object, text, users, whole_object},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// The object of a room that came with a RESULT or before it.
fn in_time(peer: &mut Peer, since: Mark, room: &str) -> Result<Value, Verdict> {
    let frames = peer.frames(since);
    let result = frames.iter().rposition(|frame| frame.key("RESULT").is_some());
    let told =
        frames.iter().enumerate().find_map(|(at, frame)| Some((at, whole_object(frame, room)?)));
    match (told, result) {
        (Some((at, object)), Some(result)) if at <= result => Ok(object),
        _ => {
            let expected = format!(
                "ROOMS with {room} in the object of the RESULT, or before it, for {}",
                peer.role
            );
            Err(Verdict::fail(expected, peer.heard(since)))
        }
    }
}

pub(super) async fn create_join(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = account(c, "ann").await?;
    let mut bob = guest(c, "bob").await?;
    let (name, since) = (room_name(c), ann.mark());
    let result = run(c, &mut ann, "create-room", &[&name], &[]).await?;
    if code(&result) == "too-many" {
        return Ok(Verdict::inconclusive("the server has no place for another room"));
    }
    if !is_ok(&result) {
        let expected = "OK for create-room with a free name, called by a user with an account";
        return Ok(Verdict::fail(expected, result.to_string()));
    }
    let made = in_time(&mut ann, since, &name)?;
    let own = complaint(&made).is_none()
        && number(&made, "LEVEL") == Some(4)
        && text(&made, "OWNER") == ann.name
        && users(&made) == [ann.name.clone()];
    if !own {
        let expected = "the whole object of a room that ann owns, LEVEL 4, and that has her alone";
        return Ok(Verdict::fail(expected, made.to_string()));
    }
    let (since, ours) = (bob.mark(), ann.mark());
    let result = run(c, &mut bob, "join", &[&name], &[]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::fail("OK for join of an open room", result.to_string()));
    }
    let seen = in_time(&mut bob, since, &name)?;
    let mut both = [ann.name.clone(), bob.name.clone()];
    both.sort_unstable();
    let mut listed = users(&seen);
    listed.sort_unstable();
    let whole = complaint(&seen).is_none() && number(&seen, "NUMBER") == number(&made, "NUMBER");
    if !whole || listed != both || number(&seen, "COUNT") != Some(2) {
        let expected =
            format!("for bob the whole object of the same room, USERS {both:?}, COUNT 2");
        return Ok(Verdict::fail(expected, seen.to_string()));
    }
    let other = bob.name.clone();
    let told = ann.find(ours, |frame| joined(frame, &name).contains(&other).then_some(())).await;
    let expected = format!("ann gets ROOM_USERS_JOINED {{\"{name}\": [\"{other}\"]}}");
    Ok(Verdict::came(told.is_some(), expected, ann.heard(ours)))
}

pub(super) async fn case(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = account(c, "ann").await?;
    let name = format!("#Lab{}", c.nonces.letters(8));
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut bob = guest(c, "bob").await?;
    let (upper, lower) = (name.to_uppercase(), name.to_lowercase());
    let since = bob.mark();
    let result = run(c, &mut bob, "join", &[&upper], &[]).await?;
    let same = bob.frames(since).iter().find_map(|frame| object(frame, &name));
    let same = same.and_then(|object| number(&object, "NUMBER")) == Some(room.number);
    if !is_ok(&result) || !same {
        let expected = format!("{upper} is the room {name}, in its own spelling");
        return Ok(Verdict::fail(expected, bob.heard(since)));
    }
    let content = c.text();
    said_as(c, &mut bob, &lower, &content).await.map_err(|_| {
        Verdict::fail(format!("{lower} as DEST is the room {name}"), bob.heard(since))
    })?;
    for peer in [&mut ann, &mut bob] {
        let came = peer.expect_content(&content).await?;
        if came.dest != name {
            let expected =
                format!("DEST {name}, the room's spelling, for what was sent to {lower}");
            return Ok(Verdict::fail(expected, came.dest));
        }
    }
    let page = ask(&mut ann, &json!({"WITH": upper})).await?;
    let holds = page.contents().contains(&content.as_str());
    Ok(Verdict::check(holds, format!("the page WITH {upper} is that of the room"), page.shown))
}

pub(super) async fn bad_names(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = account(c, "ann").await?;
    let stem = c.nonces.letters(8);
    let long = c.nonces.letters(32);
    // A server that has no place for another room shows it here.
    let room = format!("#{stem}a");
    make(c, &mut ann, &room, &[]).await?;
    let bad = [
        "#".to_owned(),
        format!("#{stem} x"),
        format!("#{stem}\tx"),
        format!("#{stem}\u{1b}[1m"),
        format!("#{stem}\u{200b}x"),
        format!("#{stem}\u{202e}x"),
        format!("#{long}x"),
    ];
    for name in &bad {
        let result = run(c, &mut ann, "create-room", &[name], &[]).await?;
        if is_ok(&result) || !matches!(code(&result), "bad-name" | "bad-arguments") {
            let expected = format!("bad-name for the room {name:?}");
            return Ok(Verdict::fail(expected, result.to_string()));
        }
        let result = run(c, &mut ann, "join", &[name], &[]).await?;
        if is_ok(&result) {
            let expected = format!("no room of the name {name:?}, which was refused");
            return Ok(Verdict::fail(expected, result.to_string()));
        }
    }
    let longest = format!("#{long}");
    let result = run(c, &mut ann, "create-room", &[&longest], &[]).await?;
    if code(&result) == "too-many" {
        return Ok(Verdict::inconclusive("the server has no place for another room"));
    }
    if !is_ok(&result) {
        let expected = "OK for # and 32 letters";
        return Ok(Verdict::fail(expected, result.to_string()));
    }
    // A name that looks like another room's: with a Cyrillic letter.
    let alike = format!("#{stem}\u{430}");
    let result = run(c, &mut ann, "create-room", &[&alike], &[]).await?;
    let refused = !is_ok(&result);
    let expected = format!("a refusal for {alike:?}, which looks like the room {room:?}");
    Ok(Verdict::check(refused, expected, result.to_string()))
}

pub(super) async fn leave(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let (since, ours) = (bob.mark(), ann.mark());
    done(c, &mut bob, "leave", &[&room.name]).await?;
    let end = bob.find(since, |frame| ended(frame, &room.name)).await;
    let whole = end.as_ref().is_some_and(|end| {
        number(end, "NUMBER") == Some(room.number) && text(end, "CODE") == "left"
    });
    if !whole {
        let expected = format!(
            "ROOMS_LEFT [{{\"ROOM\": \"{}\", \"NUMBER\": {}, \"CODE\": \"left\"}}]",
            room.name, room.number
        );
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    let other = bob.name.clone();
    let told = ann.find(ours, |frame| left(frame, &room.name).contains(&other).then_some(()));
    if told.await.is_none() {
        let expected = format!("ROOM_USERS_LEFT {{\"{}\": [\"{other}\"]}} for ann", room.name);
        return Ok(Verdict::missing(expected, ann.heard(ours)));
    }
    let content = c.text();
    said_as(c, &mut ann, &room.name, &content).await?;
    c.fence(&mut ann, &mut bob).await?;
    let frames = bob.frames(since);
    let at = frames.iter().position(|frame| ended(frame, &room.name).is_some());
    let late = frames.iter().skip(at.map_or(0, |at| at + 1)).any(|frame| {
        let told = object(frame, &room.name).is_some();
        told || frame.messages().iter().any(|message| message.dest == room.name)
    });
    if late {
        let expected = "nothing of the room behind ROOMS_LEFT";
        return Ok(Verdict::fail(expected, bob.heard(since)));
    }
    refused(c, &mut bob, &room.name, &content, "not-a-member").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn rejoin(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    c.fence(&mut bob, &mut ann).await?;
    let (since, ours) = (bob.mark(), ann.mark());
    let result = run(c, &mut bob, "join", &[&room.name], &[]).await?;
    if !is_ok(&result) || code(&result) != "already" {
        let expected = "OK true with CODE already for who joins a room again";
        return Ok(Verdict::fail(expected, result.to_string()));
    }
    let again = in_time(&mut bob, since, &room.name)?;
    if let Some(key) = complaint(&again) {
        let expected = format!("the whole object of the room, with {key}, for who joins it again");
        return Ok(Verdict::fail(expected, again.to_string()));
    }
    c.fence(&mut bob, &mut ann).await?;
    let other = bob.name.clone();
    let told = |frame: &conformance_kit::wire::frame::Frame| {
        joined(frame, &room.name).contains(&other) || left(frame, &room.name).contains(&other)
    };
    let quiet = !ann.frames(ours).iter().any(told);
    Ok(Verdict::check(quiet, "nobody is told of who joins again", ann.heard(ours)))
}

/// Says it all in frames of two, so that it is no flood.
async fn talk(peer: &mut Peer, room: &Room, texts: &[String]) {
    for two in texts.chunks(2) {
        let messages: Vec<_> =
            two.iter().map(|text| ServerHands::message(&peer.name, &room.name, text)).collect();
        peer.send(&json!({"MESSAGES": messages})).await;
    }
}

pub(super) async fn no_gap(c: &mut ServerHands) -> Outcome {
    let (_ann, room) = host(c).await?;
    let mut all: Vec<String> = Vec::new();
    for role in ["bob", "carl", "dora"] {
        let mut talker = member(c, "talker", &room).await?;
        let mut peer = guest(c, role).await?;
        let texts: Vec<String> = (0..40).map(|_| c.text()).collect();
        let since = peer.mark();
        let (entered, ()) =
            tokio::join!(enter(c, &mut peer, &room), talk(&mut talker, &room, &texts));
        let last = number(&entered?, "LAST").unwrap_or_default();
        all.extend(texts);
        let behind = c.text();
        said_as(c, &mut talker, &room.name, &behind).await?;
        all.push(behind.clone());
        c.fence(&mut talker, &mut peer).await?;
        let live: Vec<_> =
            peer.numbered(since).into_iter().filter(|one| one.message.dest == room.name).collect();
        let page = ask(&mut peer, &json!({"WITH": room.name, "AFTER": 0, "LIMIT": 500})).await?;
        let early = live.iter().any(|one| one.id.is_none_or(|id| id <= last));
        let past = page.messages.iter().filter(|one| one.id.is_some_and(|id| id <= last));
        let got: Vec<&str> = past.chain(&live).map(|one| one.message.content.as_str()).collect();
        if got != all || early {
            let expected = format!(
                "up to LAST {last} in the history, and behind it live: all {} messages, each once",
                all.len()
            );
            let ids: Vec<_> = live.iter().filter_map(|one| one.id).collect();
            let missing: Vec<_> = all.iter().filter(|text| !got.contains(&text.as_str())).collect();
            let actual =
                format!("{} of them, without {missing:?}; ids that came live: {ids:?}", got.len());
            return Ok(Verdict::fail(expected, actual));
        }
    }
    // Between which messages somebody came in above is chance; who comes when all is said shows a wrong LAST for sure.
    let mut late = guest(c, "late").await?;
    let last = number(&enter(c, &mut late, &room).await?, "LAST");
    let page = ask(&mut late, &json!({"WITH": room.name})).await?;
    let newest = page.messages.iter().filter_map(|one| one.id).max();
    let expected =
        format!("LAST {newest:?}, the id of the newest message, for who comes behind it");
    Ok(Verdict::check(last == newest, expected, format!("{last:?}")))
}

pub(super) async fn deleted(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = member(c, "bob", &room).await?;
    let old = c.text();
    said_as(c, &mut ann, &room.name, &old).await?;
    let marks = [ann.mark(), bob.mark()];
    let result = run(c, &mut ann, "delete-room", &[&room.name], &[&room.name]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::fail("OK for delete-room of the owner", result.to_string()));
    }
    for (peer, since) in [&mut ann, &mut bob].into_iter().zip(marks) {
        let end = peer.find(since, |frame| ended(frame, &room.name)).await;
        let whole = end.is_some_and(|end| {
            number(&end, "NUMBER") == Some(room.number) && text(&end, "CODE") == "deleted"
        });
        if !whole {
            let expected = format!("ROOMS_LEFT with CODE deleted for {}", peer.role);
            return Ok(Verdict::missing(expected, peer.heard(since)));
        }
    }
    let since = ann.mark();
    let next = make(c, &mut ann, &room.name, &[]).await?;
    let object = ann.frames(since).iter().find_map(|frame| object(frame, &room.name));
    if next.number == room.number {
        let expected = format!("another NUMBER than {} for another room", room.number);
        return Ok(Verdict::fail(expected, format!("{object:?}")));
    }
    let page = ask(&mut ann, &json!({"WITH": room.name})).await?;
    if !page.messages.is_empty() {
        return Ok(Verdict::fail("no history in a room that is new", page.shown));
    }
    if object.is_some_and(|object| flag(&object, "password") || users(&object).len() != 1) {
        return Ok(Verdict::fail("nobody but its maker in a room that is new", ann.heard(since)));
    }
    let fresh = c.text();
    said_as(c, &mut ann, &room.name, &fresh).await?;
    c.fence(&mut ann, &mut bob).await?;
    let silent = bob.count(&fresh) == 0;
    let expected = "who was in the old room is in the new one only by joining it";
    Ok(Verdict::check(silent, expected, bob.heard(marks[1])))
}
