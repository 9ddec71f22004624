//! Every act for every pair of levels, against a table: who is below the level of a command, or not above the one that it
//! is about, is refused, and nothing changes.

use super::scene::{account, guest, must, ranked};
use crate::{
    cases::capability::{
        calling::{code, is_ok},
        membership::{done, enter, host, run, said},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// The acts on a user, on the server and in a room, with the level that each takes.
const ON_USERS: [(&str, &str, usize); 3] =
    [("kick", "kick-from", 2), ("mute", "mute", 3), ("ban", "ban-from", 3)];
/// The others, with arguments for which nothing happens to anybody where they are done in spite of all.
const OTHERS: [(&str, &[&str], usize); 5] = [
    ("banned-users", &[], 3),
    ("reports", &[], 3),
    ("audit", &[], 3),
    ("guests", &["on"], 4),
    ("server-broadcast", &["not mine to say"], 5),
];

/// A command with its arguments.
type Act = (&'static str, Vec<String>);

/// An act on somebody, on the server or in a room.
fn act((server, inside): (&'static str, &'static str), name: &str, room: Option<&str>) -> Act {
    let own = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect();
    match (inside, room) {
        ("kick-from", None) => (server, own(&[name])),
        (_, None) => (server, own(&[name, "1m"])),
        ("mute", Some(room)) => (inside, own(&[name, "1m", room])),
        ("kick-from", Some(room)) => (inside, own(&[room, name])),
        (_, Some(room)) => (inside, own(&[room, name, "1m"])),
    }
}

/// Calls a command of one level about another, which has to be refused.
async fn in_vain(
    c: &mut ServerHands,
    actor: &mut Peer,
    (name, args): &Act,
    (own, other): (usize, Option<usize>),
) -> Result<(), Verdict> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = run(c, actor, name, &args, &[]).await?;
    // A ban of who is not below may be refused for what it would do, too.
    let words: &[&str] =
        if name.starts_with("ban") { &["forbidden", "would-lock-out"] } else { &["forbidden"] };
    if !is_ok(&result) && words.contains(&code(&result)) {
        return Ok(());
    }
    let about = other.map_or_else(String::new, |other| format!(" about one of level {other}"));
    let expected = format!("{} for {name} {args:?} by level {own}{about}", words.join(" or "));
    Err(Verdict::fail(expected, result.to_string()))
}

/// Every act of everybody on everybody: what is not allowed is refused, and mutes that are allowed are done, and undone.
async fn each_on_each(
    c: &mut ServerHands,
    all: &mut [Peer],
    room: Option<&str>,
) -> Result<(), Verdict> {
    // The staff is nobody's target: a server that is wrong would keep out who puts everything back.
    let names: Vec<String> = all.iter().map(|peer| peer.name.clone()).collect();
    for (own, actor) in all.iter_mut().enumerate() {
        for (other, name) in names.iter().enumerate() {
            for (server, inside, level) in ON_USERS {
                if own < level || own <= other {
                    let act = act((server, inside), name, room);
                    in_vain(c, actor, &act, (own, Some(other))).await?;
                }
            }
            if own >= 3 && own > other {
                let place: Vec<&str> = room.into_iter().collect();
                must(c, actor, "mute", &[&[name.as_str(), "1m"], place.as_slice()].concat())
                    .await?;
                must(c, actor, "unmute", &[&[name.as_str()], place.as_slice()].concat()).await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn pairs(c: &mut ServerHands) -> Outcome {
    let mut all = vec![guest(c, "guest").await?, account(c, "user").await?.0];
    for (level, role) in [(2, "helper"), (3, "mod"), (4, "operator")] {
        all.push(ranked(c, role, level).await?);
    }
    each_on_each(c, &mut all, None).await?;
    for (own, actor) in all.iter_mut().enumerate() {
        for (name, args, level) in OTHERS {
            // Level 3 may look at its own rooms.
            if own < level && !(name == "audit" && own == 3) {
                let args = args.iter().map(|arg| (*arg).to_owned()).collect();
                in_vain(c, actor, &(name, args), (own, None)).await?;
            }
        }
    }
    unchanged(c, &mut all, "ALL").await?;
    // A level is enough for the one below it.
    let names: Vec<String> = all.iter().map(|peer| peer.name.clone()).collect();
    for (own, other) in [(2, 1), (3, 2), (4, 3)] {
        let (Some(actor), Some(name)) = (all.get_mut(own), names.get(other)) else { continue };
        must(c, actor, "kick", &[name]).await?;
        if let Some(target) = all.get_mut(other)
            && !target.find_closed().await
        {
            let expected = format!("level {own} can kick level {other}");
            return Ok(Verdict::missing(expected, target.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn pairs_in_room(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut all = vec![guest(c, "guest").await?];
    for (role, level) in [("user", None), ("helper", Some("2")), ("mod", Some("3"))] {
        let (peer, owner) = account(c, role).await?;
        all.push(peer);
        if let (Some(peer), Some(level)) = (all.last_mut(), level) {
            enter(c, peer, &room).await?;
            done(c, &mut ann, "set-perm", &[&owner.name, level, &room.name]).await?;
        }
    }
    for peer in all.iter_mut().take(2) {
        enter(c, peer, &room).await?;
    }
    all.push(ann);
    each_on_each(c, &mut all, Some(&room.name)).await?;
    for (own, actor) in all.iter_mut().enumerate() {
        let banned_users = ("banned-users", vec![room.name.clone()], 3);
        let broadcast = ("broadcast", vec![room.name.clone(), "not mine to say".to_owned()], 4);
        for (name, args, level) in [banned_users, broadcast] {
            if own < level {
                in_vain(c, actor, &(name, args), (own, None)).await?;
            }
        }
    }
    unchanged(c, &mut all, &room.name).await?;
    Ok(Verdict::Pass)
}

/// Everybody is here, and heard by the first.
async fn unchanged(c: &mut ServerHands, all: &mut [Peer], dest: &str) -> Result<(), Verdict> {
    let mut texts = Vec::new();
    for peer in all.iter_mut() {
        match said(c, peer, dest).await {
            Ok((text, _)) => texts.push(text),
            Err(_) => {
                let expected = format!("{} is here, and not muted: all was refused", peer.role);
                return Err(Verdict::fail(expected, peer.heard(Mark::START)));
            }
        }
    }
    if let Some(first) = all.first_mut() {
        // Its own need not come back.
        for text in texts.iter().skip(1) {
            first.expect_content(text).await?;
        }
    }
    Ok(())
}
