//! `rooms`: who may come in: a limit, a password, an invitation, and a room that is hidden.

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::{Value, json};

use crate::{
    cases::capability::{
        calling::{Came, call, came, code, is_ok},
        membership::{
            Room, account, column, done, guest, host, make, room_name, run, said, set, whole,
        },
        told::{ended, flag, number, object, users},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub(super) async fn limit_race(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    set(c, &mut ann, &room, "limit", "3").await?;
    let mut peers = Vec::new();
    for n in 0..10 {
        peers.push(guest(c, &format!("guest{n}")).await?);
    }
    let mut ids = Vec::new();
    for peer in &mut peers {
        ids.push(call(c, peer, "join", &[&room.name]).await);
    }
    let (mut entered, mut words) = (0, Vec::new());
    for (peer, id) in peers.iter_mut().zip(&ids) {
        match came(peer, Mark::START, id).await {
            Came::Result(result) => {
                entered += usize::from(is_ok(&result));
                words.push(code(&result).to_owned());
            }
            _ => return Ok(Verdict::missing("RESULT of join", peer.heard(Mark::START))),
        }
    }
    if words.iter().any(|word| word == "throttled" || word == "busy") && entered <= 3 {
        return Ok(Verdict::inconclusive(format!("the server has no time: {words:?}")));
    }
    let full = words.iter().filter(|word| *word == "full").count();
    if (entered, full) != (3, 7) {
        let expected = "of ten who join a room with LIMIT 3 at once three come in, the others get full; its owner does not count";
        return Ok(Verdict::fail(expected, format!("{words:?}")));
    }
    let since = ann.mark();
    run(c, &mut ann, "join", &[&room.name], &[]).await?;
    let object = whole(&mut ann, since, &room.name).await?;
    let right = number(&object, "COUNT") == Some(4) && users(&object).len() == 4;
    Ok(Verdict::check(right, "four members: the owner and three more", object.to_string()))
}

pub(super) async fn password(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = account(c, "ann").await?;
    let (name, first, second) = (room_name(c), c.nonces.text("first"), c.nonces.text("second"));
    let room = make(c, &mut ann, &name, &[&first]).await?;
    let mut bob = guest(c, "bob").await?;
    try_in(c, &mut bob, &room, &[&name, "certainly not this one"], false).await?;
    try_in(c, &mut bob, &room, &[&name, &first], true).await?;
    // Who gives none is asked for it.
    let mut carl = guest(c, "carl").await?;
    let result = run(c, &mut carl, "join", &[&name], &[&first]).await?;
    if !is_ok(&result) {
        let expected = "who joins without the password is asked, and comes in with it";
        return Ok(Verdict::fail(expected, result.to_string()));
    }
    let since = bob.mark();
    set(c, &mut ann, &room, "password", &second).await?;
    let (text, _) = said(c, &mut ann, &name).await?;
    c.fence(&mut ann, &mut bob).await?;
    let removed = bob.frames(since).iter().any(|frame| ended(frame, &name).is_some());
    if removed || bob.count(&text) != 1 {
        let expected = "who is in the room stays in when its password changes";
        return Ok(Verdict::fail(expected, bob.heard(since)));
    }
    let mut dora = guest(c, "dora").await?;
    try_in(c, &mut dora, &room, &[&name, &first], false).await?;
    try_in(c, &mut dora, &room, &[&name, &second], true).await?;
    Ok(Verdict::Pass)
}

/// Joins with a password that is right or wrong.
async fn try_in(
    c: &mut ServerHands,
    peer: &mut Peer,
    room: &Room,
    args: &[&str],
    right: bool,
) -> Result<(), Verdict> {
    let since = peer.mark();
    let result = run(c, peer, "join", args, &[]).await?;
    let told = peer.frames(since).iter().any(|frame| object(frame, &room.name).is_some());
    let fits = match right {
        true => is_ok(&result) && told,
        false => !is_ok(&result) && code(&result) == "wrong-password" && !told,
    };
    let expected = if right {
        "OK and the room's object for the right password"
    } else {
        "wrong-password, and nothing of the room, for a wrong one"
    };
    if fits { Ok(()) } else { Err(Verdict::fail(expected, result.to_string())) }
}

/// The keys of an answer and its word, whatever its texts say.
fn outline(value: &Value) -> String {
    let keys: Vec<&String> =
        value.as_object().map(|object| object.keys().collect()).unwrap_or_default();
    format!("{} {keys:?}", code(value))
}

/// The answers to everything that can be asked about a room by who is no member.
async fn asked(
    c: &mut ServerHands,
    peer: &mut Peer,
    room: &str,
) -> Result<Vec<(String, String)>, Verdict> {
    let wrong = [room, "certainly not this one"];
    let value = [room, "description", "mine"];
    let calls: [(&str, &[&str]); 7] = [
        ("join", &[room]),
        ("join", &wrong),
        ("list", &[room]),
        ("leave", &[room]),
        ("say", &wrong),
        ("topic", &wrong),
        ("set-room", &value),
    ];
    let mut answers = Vec::new();
    for (name, args) in calls {
        let since = peer.mark();
        let id = call(c, peer, name, args).await;
        let answer = match came(peer, since, &id).await {
            Came::Result(result) => match code(&result) {
                "throttled" | "busy" => {
                    return Err(Verdict::inconclusive(format!("{name}: {result}")));
                }
                _ => outline(&result),
            },
            Came::Prompt(_) => {
                peer.send(&json!({"ANSWER": {"ID": id, "TEXT": null}})).await;
                "PROMPT".to_owned()
            }
            Came::Error(_) => "ERROR".to_owned(),
            Came::Nothing => return Err(Verdict::missing("RESULT", peer.heard(since))),
        };
        answers.push((format!("{name} {}", args.len()), answer));
    }
    let (since, tag, text) = (peer.mark(), c.nonces.letters(8), c.text());
    peer.tagged(room, &text, &tag).await;
    let refusal = peer.find(since, |frame| frame.refusal(&tag).cloned()).await;
    let refusal = refusal.ok_or_else(|| Verdict::missing("REFUSED", peer.heard(since)))?;
    answers.push(("a message".to_owned(), outline(&refusal)));
    let since = peer.mark();
    peer.send(&json!({"HISTORY": {"WITH": room}})).await;
    let page = peer.find(since, |frame: &Frame| frame.key("HISTORY").cloned()).await;
    let page = page.ok_or_else(|| Verdict::missing("HISTORY", peer.heard(since)))?;
    answers.push(("HISTORY".to_owned(), outline(&page)));
    Ok(answers)
}

/// Whether a room is in the list of who asks.
async fn listed(c: &mut ServerHands, peer: &mut Peer, room: &str) -> Result<bool, Verdict> {
    let result = done(c, peer, "rooms", &[]).await?;
    Ok(column(&result, "NAME").iter().any(|name| name == room))
}

pub(super) async fn hidden(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = account(c, "ann").await?;
    let (name, secret) = (room_name(c), c.nonces.text("secret"));
    let room = make(c, &mut ann, &name, &[&secret]).await?;
    let mut eve = guest(c, "eve").await?;
    if !listed(c, &mut eve, &name).await? {
        return Ok(Verdict::fail("a room that is not hidden is in the table of rooms", name));
    }
    set(c, &mut ann, &room, "hidden", "on").await?;
    if listed(c, &mut eve, &name).await? {
        let expected = "a hidden room is not in the table of rooms for who is no member";
        return Ok(Verdict::fail(expected, name));
    }
    if !listed(c, &mut ann, &name).await? {
        return Ok(Verdict::fail("a hidden room is in its member's table of rooms", name));
    }
    let nowhere = room_name(c);
    let (about, nothing) = (asked(c, &mut eve, &name).await?, asked(c, &mut eve, &nowhere).await?);
    let differs = about.iter().zip(&nothing).find(|(one, other)| one != other);
    if let Some(((what, one), (_, other))) = differs {
        let expected = format!("{what}: as about a room that is not there, {other}");
        return Ok(Verdict::fail(expected, one));
    }
    // And it is told to nobody that it is there, but by its password.
    let result = run(c, &mut eve, "join", &[&name, &secret], &[]).await?;
    Ok(Verdict::check(
        is_ok(&result) || code(&result) == "no-such-room",
        "OK, or the word for no room, with the right password",
        result.to_string(),
    ))
}

pub(super) async fn closed_invite(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = guest(c, "bob").await?;
    set(c, &mut ann, &room, "closed", "on").await?;
    shut(c, &mut bob, &room, "an invitation").await?;
    let name = bob.name.clone();
    done(c, &mut ann, "invite", &[&room.name, &name]).await?;
    let since = bob.mark();
    let result = run(c, &mut bob, "join", &[&room.name], &[]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::fail("OK for who was invited", result.to_string()));
    }
    let object = whole(&mut bob, since, &room.name).await?;
    if !flag(&object, "closed") {
        return Ok(Verdict::fail("closed among the FLAGS of the room", object.to_string()));
    }
    done(c, &mut bob, "leave", &[&room.name]).await?;
    shut(c, &mut bob, &room, "another invitation").await?;
    Ok(Verdict::Pass)
}

async fn shut(
    c: &mut ServerHands,
    peer: &mut Peer,
    room: &Room,
    what: &str,
) -> Result<(), Verdict> {
    let result = run(c, peer, "join", &[&room.name], &[]).await?;
    if !is_ok(&result) && code(&result) == "closed" {
        return Ok(());
    }
    Err(Verdict::fail(format!("closed for who has not {what}"), result.to_string()))
}

/// The memberships that a user may have where the server does not say.
const MEMBERSHIPS: usize = 50;

pub(super) async fn too_many(c: &mut ServerHands) -> Outcome {
    let clock = Clock::start();
    let (mut bob, _) = account(c, "bob").await?;
    let limit = bob.welcome().and_then(|welcome| welcome.key("LIMITS")?.get("ROOMS")?.as_u64());
    let most = limit.and_then(|most| usize::try_from(most).ok()).unwrap_or(MEMBERSHIPS);
    if most > 200 {
        return Ok(Verdict::not_applicable(format!("{most} rooms are too many for a test")));
    }
    let (mut rooms, mut mine) = (Vec::new(), 0);
    let mut maker = None;
    while rooms.len() <= most {
        let name = room_name(c);
        // Bob's own first: each of his is one that he need not join.
        let peer = maker.as_mut().unwrap_or(&mut bob);
        let result = run(c, peer, "create-room", &[&name], &[]).await.map_err(slowed)?;
        match code(&result) {
            "ok" => {
                mine += usize::from(maker.is_none());
                rooms.push(name);
            }
            "too-many" if rooms.is_empty() => return Ok(Verdict::inconclusive(result.to_string())),
            "too-many" => maker = Some(account(c, "maker").await?.0),
            _ => return Ok(Verdict::inconclusive(result.to_string())),
        }
        if maker.is_none() && mine == most {
            maker = Some(account(c, "maker").await?.0);
        }
        if clock.elapsed() > c.patience() * 20 {
            return Ok(Verdict::not_applicable("the server takes its time with so many rooms"));
        }
    }
    let mut words = Vec::new();
    for name in rooms.iter().skip(mine) {
        let result = run(c, &mut bob, "join", &[name], &[]).await.map_err(slowed)?;
        words.push(code(&result).to_owned());
        if clock.elapsed() > c.patience() * 20 {
            return Ok(Verdict::not_applicable("the server takes its time with so many joins"));
        }
    }
    let last = words.pop();
    let before = words.iter().all(|word| word == "ok");
    let expected = format!("OK for {most} memberships, too-many for one more");
    let actual = format!("{words:?}, then {last:?}");
    Ok(Verdict::check(before && last.as_deref() == Some("too-many"), expected, actual))
}

/// A server that slows down who joins so many rooms is right.
fn slowed(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Inconclusive { reason } => Verdict::not_applicable(reason),
        other => other,
    }
}
