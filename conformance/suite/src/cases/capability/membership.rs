//! Users and their rooms: what the cases about rooms have in common.
//!
//! Whatever is no question of the case that asks for it (that a room can be made, that a server has time) ends it without a
//! verdict about the server.

use std::time::Duration;

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    calling::{Came, Owner, call, came, code, is_ok, register},
    told::{number, whole_object},
};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::Verdict,
};

/// What a user of rooms speaks, whatever else is claimed.
pub(super) const OFFER: &str = "commands/1 ids/1 rename/1 rooms/1";
/// The same for who logs in.
pub(super) const LOGIN: &str = "accounts/1 commands/1 ids/1 rename/1 rooms/1";

/// How often a server that has no time is asked again.
const TRIES: u8 = 4;

/// A room that was made for a case.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) name: String,
    pub(super) number: u64,
}

/// A name that no room has.
pub(super) fn room_name(c: &mut ServerHands) -> String {
    format!("#{}", c.nonces.letters(10))
}

/// A guest who speaks rooms.
pub(super) async fn guest(c: &mut ServerHands, role: &str) -> Result<Peer, Verdict> {
    c.join_with(role, OFFER).await
}

/// A user who has just got an account.
pub(super) async fn account(c: &mut ServerHands, role: &str) -> Result<(Peer, Owner), Verdict> {
    account_with(c, role, LOGIN).await
}

/// The same with another offer.
pub(super) async fn account_with(
    c: &mut ServerHands,
    role: &str,
    offer: &str,
) -> Result<(Peer, Owner), Verdict> {
    let mut peer = c.join_with(role, offer).await?;
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, &mut peer, &password).await?;
    let name = peer.name.clone();
    Ok((peer, Owner { name, password }))
}

/// Ann, who has an account, and a room of hers.
pub(super) async fn host(c: &mut ServerHands) -> Result<(Peer, Room), Verdict> {
    let (mut ann, _) = account(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    Ok((ann, room))
}

/// Calls a command, and answers what it asks, one after the other; its RESULT. A server that has no time is asked again
/// after the time that it names.
pub(super) async fn run(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
    answers: &[&str],
) -> Result<Value, Verdict> {
    for _ in 0..TRIES {
        let result = once(c, peer, name, args, answers).await?;
        if !matches!(code(&result), "throttled" | "flood" | "busy" | "timeout" | "not-stored") {
            return Ok(result);
        }
        let wait = result.get("WAIT").and_then(Value::as_f64).unwrap_or(0.5);
        sleep(Duration::from_secs_f64(wait.clamp(0.1, 5.0))).await;
    }
    Err(Verdict::inconclusive(format!("the server has no time for {name}")))
}

async fn once(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
    answers: &[&str],
) -> Result<Value, Verdict> {
    let since = peer.mark();
    let id = call(c, peer, name, args).await;
    let (mut seen, mut answers) = (since, answers.iter());
    loop {
        match came(peer, seen, &id).await {
            Came::Result(result) => return Ok(result),
            Came::Prompt(prompt) => {
                let Some(answer) = answers.next() else {
                    peer.send(&json!({"ANSWER": {"ID": id, "TEXT": null}})).await;
                    return Err(Verdict::inconclusive(format!("{name} asks {prompt}")));
                };
                seen = peer.mark();
                peer.send(&json!({"ANSWER": {"ID": id, "TEXT": answer}})).await;
            }
            Came::Error(_) => {
                let expected = format!("RESULT of the command {name} {args:?}");
                return Err(Verdict::fail(expected, peer.heard(since)));
            }
            Came::Nothing => {
                let expected = format!("RESULT of the command {name} {args:?}");
                return Err(Verdict::missing(expected, peer.heard(since)));
            }
        }
    }
}

/// The same, when it has to be done.
pub(super) async fn done(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
) -> Result<Value, Verdict> {
    let result = run(c, peer, name, args, &[]).await?;
    if is_ok(&result) {
        return Ok(result);
    }
    Err(Verdict::inconclusive(format!("{} {name} {args:?}: {result}", peer.role)))
}

/// The whole object of a room, which a user is told since a mark.
pub(super) async fn whole(peer: &mut Peer, since: Mark, room: &str) -> Result<Value, Verdict> {
    let found = peer.find(since, |frame| whole_object(frame, room)).await;
    found.ok_or_else(|| Verdict::inconclusive(format!("no ROOMS; {}", peer.heard(since))))
}

/// Makes a room; its maker is a member.
pub(super) async fn make(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    more: &[&str],
) -> Result<Room, Verdict> {
    let since = peer.mark();
    done(c, peer, "create-room", &[&[name], more].concat()).await?;
    let object = whole(peer, since, name).await?;
    match number(&object, "NUMBER") {
        Some(number) => Ok(Room { name: name.to_owned(), number }),
        None => Err(Verdict::inconclusive(format!("no NUMBER in {object}"))),
    }
}

/// Joins a room; its object.
pub(super) async fn enter(
    c: &mut ServerHands,
    peer: &mut Peer,
    room: &Room,
) -> Result<Value, Verdict> {
    let since = peer.mark();
    done(c, peer, "join", &[&room.name]).await?;
    whole(peer, since, &room.name).await
}

/// A guest who is a member of a room.
pub(super) async fn member(c: &mut ServerHands, role: &str, room: &Room) -> Result<Peer, Verdict> {
    let mut peer = guest(c, role).await?;
    enter(c, &mut peer, room).await?;
    Ok(peer)
}

/// Changes a setting of a room.
pub(super) async fn set(
    c: &mut ServerHands,
    peer: &mut Peer,
    room: &Room,
    setting: &str,
    value: &str,
) -> Result<(), Verdict> {
    done(c, peer, "set-room", &[&room.name, setting, value]).await.map(|_| ())
}

/// Says something that the server takes; the text and its id.
pub(super) async fn said(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
) -> Result<(String, u64), Verdict> {
    let text = c.text();
    let id = said_as(c, from, dest, &text).await?;
    Ok((text, id))
}

/// The same with this text.
pub(super) async fn said_as(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    text: &str,
) -> Result<u64, Verdict> {
    let (since, tag) = (from.mark(), c.nonces.letters(8));
    from.tagged(dest, text, &tag).await;
    let answer = |frame: &Frame| {
        let ack = frame.ack(&tag);
        (ack.is_some() || frame.refusal(&tag).is_some()).then_some(ack)
    };
    match from.find(since, answer).await {
        Some(Some(id)) => Ok(id),
        Some(None) => {
            let heard = from.heard(since);
            let what = format!("a message of {} to {dest} was refused; {heard}", from.role);
            Err(Verdict::inconclusive(what))
        }
        None => Err(Verdict::missing(
            format!("{} gets ACKS for a message to {dest}", from.role),
            from.heard(since),
        )),
    }
}

/// Says something that has to be refused with this word; the refusal.
///
/// # Errors
/// A failure when it is taken or refused otherwise; nothing is said of a server that is busy.
pub(super) async fn refused(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    text: &str,
    word: &str,
) -> Result<Value, Verdict> {
    let (since, tag) = (from.mark(), c.nonces.letters(8));
    from.tagged(dest, text, &tag).await;
    let answer = from.find(since, |frame| match (frame.refusal(&tag), frame.ack(&tag)) {
        (Some(refusal), _) => Some(Some((refusal.clone(), frame.error().is_some()))),
        (None, Some(_)) => Some(None),
        (None, None) => None,
    });
    let answer = answer.await;
    let expected =
        format!("REFUSED with CODE {word}, and ERROR, for a message of {} to {dest}", from.role);
    let heard = from.heard(since);
    match answer {
        Some(Some((refusal, with_error))) => match code(&refusal) {
            given if given == word && with_error => Ok(refusal),
            "flood" | "room-busy" | "throttled" | "not-stored" => Err(Verdict::inconclusive(heard)),
            _ => Err(Verdict::fail(expected, heard)),
        },
        Some(None) => Err(Verdict::fail(expected, heard)),
        None => Err(Verdict::missing(expected, heard)),
    }
}

/// Logs in to an account whose connection has ended; the welcome is asked for with [`Peer::welcome`].
pub(super) async fn back(
    c: &mut ServerHands,
    role: &str,
    owner: &Owner,
    offer: &str,
) -> Result<Peer, Verdict> {
    rejoined(c, role, &owner.name, offer, &[("PASSWORD", json!(owner.password))]).await
}

/// Joins under a name whose user has just left, trying again while it is not free yet.
pub(super) async fn rejoined(
    c: &mut ServerHands,
    role: &str,
    name: &str,
    offer: &str,
    more: &[(&str, Value)],
) -> Result<Peer, Verdict> {
    let mut last = String::new();
    for _ in 0..20 {
        let mut peer = c.connect(role).await?;
        let answer = peer.offer(name, offer, more).await;
        if answer.is_some_and(|frame| frame.accepted() == Some(true)) {
            return Ok(peer);
        }
        last = peer.heard(Mark::START);
        c.dismiss(peer).await;
        c.settle().await;
    }
    Err(Verdict::inconclusive(format!("{role} can't join again: {last}")))
}

/// The token of a session.
pub(super) fn token_of(peer: &mut Peer) -> Result<String, Verdict> {
    let welcome = peer.welcome();
    let token = welcome.and_then(|welcome| Some(welcome.key("RESUME")?.as_str()?.to_owned()));
    token.ok_or_else(|| Verdict::inconclusive("no RESUME in the welcome"))
}

/// Goes on with a session, which has to succeed.
pub(super) async fn resumed(
    c: &mut ServerHands,
    role: &str,
    (name, token): (&str, &str),
    offer: &str,
    after: u64,
) -> Result<(Peer, Frame), Verdict> {
    let mut peer = c.connect(role).await?;
    let resume = json!({"TOKEN": token, "AFTER": after});
    let answer = peer.offer(name, offer, &[("RESUME", resume)]).await;
    let goes_on = |frame: &Frame| {
        frame.accepted() == Some(true) && frame.key("RESUMED") == Some(&json!(true))
    };
    match answer.filter(goes_on) {
        Some(frame) => Ok((peer, frame)),
        None => Err(Verdict::inconclusive(format!(
            "the session can't be resumed; {}",
            peer.heard(Mark::START)
        ))),
    }
}

/// The number of a column of the table in the DATA of a RESULT, by its name: all its values.
pub(super) fn column(result: &Value, name: &str) -> Vec<Value> {
    let table = |key: &str| result.get("DATA")?.get(key)?.as_array();
    let at = table("COLUMNS").and_then(|names| names.iter().position(|one| one == name));
    let (Some(at), Some(rows)) = (at, table("ROWS")) else { return Vec::new() };
    rows.iter().filter_map(|row| row.get(at).cloned()).collect()
}
