//! `rooms`: what a level is needed for.

use conformance_kit::wire::frame::Frame;
use serde_json::Value;

use crate::{
    cases::capability::{
        calling::{Owner, code, is_ok},
        membership::{
            Room, account, done, enter, guest, host, member, refused, room_name, run, said, whole,
        },
        told::{ended, left, number, text, users},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// A command about a room: its level there, its arguments, and what it may ask.
struct Act {
    level: u64,
    name: &'static str,
    args: Vec<String>,
    answers: Vec<String>,
}

/// Everything that a room's level is needed for: against a member, or somebody with an account.
fn acts(room: &Room, victim: &str, ranked: &str, text: &str) -> Vec<Act> {
    let act = |level, name, args: &[&str], answer: &str| Act {
        level,
        name,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        answers: vec![answer.to_owned()],
    };
    let room = room.name.as_str();
    vec![
        act(2, "topic", &[room, text], ""),
        act(2, "kick-from", &[room, victim], ""),
        act(4, "set-room", &[room, "description", text], ""),
        act(4, "set-room", &[room, "hidden", "on"], ""),
        act(4, "set-room", &[room, "talk", "3"], ""),
        act(4, "set-perm", &[ranked, "2", room], ""),
        act(4, "clear", &[room], "yes"),
        act(4, "delete-room", &[room], room),
    ]
}

/// The room as its owner is told of it, but for what messages change.
async fn state(c: &mut ServerHands, ann: &mut Peer, room: &Room) -> Result<Value, Verdict> {
    let since = ann.mark();
    run(c, ann, "join", &[&room.name], &[]).await?;
    let mut object = whole(ann, since, &room.name).await?;
    if let Some(keys) = object.as_object_mut() {
        keys.remove("LAST");
    }
    Ok(object)
}

/// What somebody below the level of these commands tries is refused, and changes nothing. It is looked at once for all of them,
/// since so many commands in a row of one user may be a flood.
async fn in_vain(
    c: &mut ServerHands,
    ann: &mut Peer,
    actor: &mut Peer,
    acts: &[&Act],
    room: &Room,
) -> Result<(), Verdict> {
    let before = state(c, ann, room).await?;
    for act in acts {
        let args: Vec<&str> = act.args.iter().map(String::as_str).collect();
        let answers: Vec<&str> = act.answers.iter().map(String::as_str).collect();
        let result = run(c, actor, act.name, &args, &answers).await?;
        let strange = actor.role == "carl" && code(&result) == "not-a-member";
        if is_ok(&result) || !(strange || code(&result) == "forbidden") {
            let expected =
                format!("forbidden for {} {:?} called by {}", act.name, args, actor.role);
            return Err(Verdict::fail(expected, result.to_string()));
        }
    }
    let names: Vec<&str> = acts.iter().map(|act| act.name).collect();
    let expected = format!("{names:?}, which were refused to {}, change nothing", actor.role);
    match state(c, ann, room).await {
        Ok(after) if after == before => Ok(()),
        Ok(after) => Err(Verdict::fail(expected, format!("{before}, then {after}"))),
        Err(Verdict::Inconclusive { reason }) => Err(Verdict::fail(expected, reason)),
        Err(verdict) => Err(verdict),
    }
}

/// What somebody of the level tries is done.
async fn with_effect(c: &mut ServerHands, actor: &mut Peer, act: &Act) -> Result<(), Verdict> {
    let args: Vec<&str> = act.args.iter().map(String::as_str).collect();
    let result = run(c, actor, act.name, &args, &[]).await?;
    if is_ok(&result) {
        return Ok(());
    }
    let expected =
        format!("OK for {} {:?} of {}, who has level {}", act.name, args, actor.role, act.level);
    Err(Verdict::fail(expected, result.to_string()))
}

/// Somebody with an account who is a member, and may be given levels.
async fn staff(c: &mut ServerHands, room: &Room) -> Result<(Peer, Owner), Verdict> {
    let (mut peer, owner) = account(c, "mod").await?;
    enter(c, &mut peer, room).await?;
    Ok((peer, owner))
}

pub(super) async fn matrix(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (_, owner) = staff(c, &room).await?;
    let mut bob = member(c, "bob", &room).await?;
    let mut carl = guest(c, "carl").await?;
    let text = c.text();
    // A guest may not make rooms at all.
    let name = room_name(c);
    let result = run(c, &mut carl, "create-room", &[&name], &[]).await?;
    if code(&result) != "forbidden" {
        return Ok(Verdict::fail("forbidden for create-room of a guest", result.to_string()));
    }
    let all = acts(&room, &owner.name, &owner.name, &text);
    for actor in [&mut carl, &mut bob] {
        in_vain(c, &mut ann, actor, &all.iter().collect::<Vec<_>>(), &room).await?;
    }
    // An account has level 1; others are given 2, 3 and 4 in the room.
    let (victim, above) = (bob.name.clone(), ann.name.clone());
    let all = acts(&room, &victim, &above, &text);
    for level in 1..=4 {
        let (mut staff, owner) = staff(c, &room).await?;
        if level > 1 {
            done(c, &mut ann, "set-perm", &[&owner.name, &level.to_string(), &room.name]).await?;
        }
        let (beyond, within): (Vec<&Act>, Vec<&Act>) =
            all.iter().partition(|act| act.level > level);
        in_vain(c, &mut ann, &mut staff, &beyond, &room).await?;
        let harmless =
            |act: &&&Act| act.name == "topic" || act.args.iter().any(|arg| arg == "description");
        for act in within.iter().filter(harmless) {
            with_effect(c, &mut staff, act).await?;
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn rank(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut staff, owner) = staff(c, &room).await?;
    let mut bob = member(c, "bob", &room).await?;
    done(c, &mut ann, "set-perm", &[&owner.name, "4", &room.name]).await?;
    let (since, above) = (ann.mark(), ann.name.clone());
    let tries: [(&str, [&str; 3]); 2] = [
        ("kick-from", [&room.name, &above, "not mine to say"]),
        ("set-perm", [&above, "1", &room.name]),
    ];
    for (name, args) in tries {
        let result = run(c, &mut staff, name, &args, &[]).await?;
        if is_ok(&result) || code(&result) != "forbidden" {
            let expected = format!("forbidden for {name} of level 4 against the owner");
            return Ok(Verdict::fail(expected, result.to_string()));
        }
    }
    let object = state(c, &mut staff, &room).await?;
    let removed = ann.frames(since).iter().any(|frame| ended(frame, &room.name).is_some());
    let levels = object.get("STAFF");
    let level = levels.and_then(|levels| number(levels, &above));
    if removed || !users(&object).contains(&above) || level != Some(4) {
        let expected = "the owner is a member of level 4 as before";
        return Ok(Verdict::fail(expected, object.to_string()));
    }
    // Who is below can be removed, and is told by whom and why.
    let (since, ours, name) = (bob.mark(), ann.mark(), bob.name.clone());
    let why = c.text();
    done(c, &mut staff, "kick-from", &[&room.name, &name, &why]).await?;
    let end = bob.find(since, |frame| ended(frame, &room.name)).await;
    let whole = end.is_some_and(|end| {
        text(&end, "CODE") == "kicked"
            && text(&end, "BY") == owner.name
            && text(&end, "INFO").contains(&why)
    });
    if !whole {
        let expected = format!("ROOMS_LEFT with CODE kicked, BY {} and INFO {why:?}", owner.name);
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    let gone = |frame: &Frame| left(frame, &room.name).contains(&name).then_some(());
    if ann.find(ours, gone).await.is_none() {
        let expected = format!("ROOM_USERS_LEFT {{\"{}\": [\"{name}\"]}}", room.name);
        return Ok(Verdict::missing(expected, ann.heard(ours)));
    }
    let (later, _) = said(c, &mut ann, &room.name).await?;
    c.fence(&mut ann, &mut bob).await?;
    if bob.count(&later) > 0 {
        let expected = "nothing of the room for who was removed";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let mine = c.text();
    refused(c, &mut bob, &room.name, &mine, "not-a-member").await?;
    Ok(Verdict::Pass)
}
