//! `rooms`: what belongs to an account in its rooms, whatever its session is called: the room of DEFAULT, its level, its name.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    cases::capability::{
        calling::{code, is_ok, nick},
        membership::{
            LOGIN, Room, account, back, done, enter, host, member, resumed, run, token_of, whole,
        },
        told::{joined, left, number, users},
    },
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// DEFAULT in the welcome is this.
fn default_is(peer: &mut Peer, name: &str) -> Result<(), Verdict> {
    let told = peer.welcome().and_then(|welcome| welcome.key("DEFAULT").cloned());
    if told == Some(json!(name)) {
        return Ok(());
    }
    let expected = format!("DEFAULT {name:?} in the welcome of {}", peer.role);
    Err(Verdict::fail(expected, format!("{told:?}")))
}

pub(super) async fn default(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut bob, owner) = account(c, "bob").await?;
    let result = run(c, &mut bob, "default", &[&room.name], &[]).await?;
    if is_ok(&result) || code(&result) != "not-a-member" {
        let expected = "not-a-member for default with a room of others";
        return Ok(Verdict::fail(expected, result.to_string()));
    }
    enter(c, &mut bob, &room).await?;
    done(c, &mut bob, "default", &[&room.name]).await?;
    for gone in [false, true] {
        if gone {
            let result = run(c, &mut ann, "delete-room", &[&room.name], &[&room.name]).await?;
            if !is_ok(&result) {
                return Ok(Verdict::inconclusive(format!("delete-room: {result}")));
            }
        }
        let since = ann.mark();
        bob.close(Closing::Polite).await;
        ann.find_left(since, &owner.name).await;
        bob = back(c, "bob", &owner, LOGIN).await?;
        default_is(&mut bob, if gone { "ALL" } else { &room.name })?;
    }
    Ok(Verdict::Pass)
}

/// Somebody's level in a room, as its owner is told it.
async fn level_of(
    c: &mut ServerHands,
    ann: &mut Peer,
    room: &Room,
    name: &str,
) -> Result<u64, Verdict> {
    let since = ann.mark();
    run(c, ann, "join", &[&room.name], &[]).await?;
    let object = whole(ann, since, &room.name).await?;
    Ok(object.get("STAFF").and_then(|staff| number(staff, name)).unwrap_or_default())
}

pub(super) async fn grant(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut staff, owner) = account(c, "staff").await?;
    enter(c, &mut staff, &room).await?;
    let bob = member(c, "bob", &room).await?;
    done(c, &mut ann, "set-perm", &[&owner.name, "3", &room.name]).await?;
    if level_of(c, &mut ann, &room, &owner.name).await? != 3 {
        let expected = format!("{} in STAFF with level 3, which the owner gave", owner.name);
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    }
    for (name, level, why, now) in [
        (&owner.name, "5", "more than the owner has in the room", 3),
        (&bob.name, "2", "a guest, and levels belong to accounts", 0),
    ] {
        let result = run(c, &mut ann, "set-perm", &[name, level, &room.name], &[]).await?;
        let after = level_of(c, &mut ann, &room, name).await?;
        if is_ok(&result) || after != now {
            let expected = format!("a refusal for set-perm {name} {level}: {why}");
            return Ok(Verdict::fail(expected, format!("{result}, and then level {after}")));
        }
    }
    Ok(Verdict::Pass)
}

/// Waits until one name has given way to another in the roster of a room.
async fn gave_way(
    peer: &mut Peer,
    since: Mark,
    room: &Room,
    (old, new): (&String, &String),
) -> Result<(), Verdict> {
    let gone = |frame: &Frame| left(frame, &room.name).contains(old).then_some(());
    let come = |frame: &Frame| joined(frame, &room.name).contains(new).then_some(());
    if peer.find(since, gone).await.is_some() && peer.find(since, come).await.is_some() {
        return Ok(());
    }
    let expected = format!(
        "ROOM_USERS_LEFT {{\"{room}\": [\"{old}\"]}} and ROOM_USERS_JOINED {{\"{room}\": [\"{new}\"]}}",
        room = room.name
    );
    Err(Verdict::missing(expected, peer.heard(since)))
}

pub(super) async fn nick_away(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut bob, owner) = account(c, "bob").await?;
    enter(c, &mut bob, &room).await?;
    let (token, other) = (token_of(&mut bob)?, c.name("robert"));
    bob.remember(&other);
    let result = nick(c, &mut bob, &other).await?;
    if !is_ok(&result) {
        return Ok(Verdict::inconclusive(format!("nick to a free name: {result}")));
    }
    let since = ann.mark();
    bob.close(Closing::Polite).await;
    gave_way(&mut ann, since, &room, (&other, &owner.name)).await?;
    let since = ann.mark();
    run(c, &mut ann, "join", &[&room.name], &[]).await?;
    let object = whole(&mut ann, since, &room.name).await?;
    let listed = users(&object);
    if !listed.contains(&owner.name) || listed.contains(&other) {
        let expected = format!("{} in the roster, and not {other}, who has gone", owner.name);
        return Ok(Verdict::fail(expected, object.to_string()));
    }
    let since = ann.mark();
    resumed(c, "bob", (&other, &token), LOGIN, 0).await?;
    gave_way(&mut ann, since, &room, (&owner.name, &other)).await?;
    Ok(Verdict::Pass)
}
