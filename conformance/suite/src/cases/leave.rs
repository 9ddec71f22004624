//! `leave`: connections end in many ways, and all of them are leaving.

use conformance_kit::wire::frame::Frame;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("leave.fin", "QT-1", |c| Box::pin(leaves(c, Closing::Polite)))
        .asks("Closing the connection is announced with USERS_LEFT")
        .hint("When reading returns nothing, remove the user and send {\"USERS_LEFT\": [name]} to the others.")
        .needs(&["join.second-user"])
        .killed_by(&[Fault::NoLeftNotice, Fault::LeftNamesLast]),
    Case::must("leave.all-others", "UX-1", |c| Box::pin(all_others(c)))
        .revised(2)
        .asks("Every other user is told who left")
        .hint("Send USERS_LEFT to everybody in the list of users, and go through a copy of it: a list that changes while you go through it skips its next element.")
        .needs(&["leave.fin"])
        .killed_by(&[Fault::LeftSkipsOne]),
    Case::must("leave.no-close-notify", "LV-1", |c| Box::pin(leaves(c, Closing::Fin)))
        .asks("So is a TCP connection that ends without closing TLS")
        .hint("An SSL error while reading (SSLEOFError, unexpected EOF) means that the client is gone, too.")
        .needs(&["leave.fin"])
        .killed_by(&[Fault::BareFinUnnoticed])
        .rough(),
    Case::must("leave.rst", "LV-1", |c| Box::pin(leaves(c, Closing::Reset)))
        .asks("So is a connection that is reset")
        .hint("ConnectionResetError (ECONNRESET) while reading means that the client is gone, too: clean up in finally.")
        .needs(&["leave.fin"])
        .killed_by(&[Fault::ResetUnnoticed])
        .rough(),
    Case::must("leave.rejected-conn", "UX-2", |c| Box::pin(rejected_conn(c)))
        .asks("When a connection closes whose name was refused, the holder is not announced as gone")
        .hint("Remember on each connection whether it has joined; only then does its end remove a name.")
        .needs(&["join.taken", "bcast.all-others"])
        .killed_by(&[Fault::RefusedCloseRemovesHolder])
        .rough(),
    Case::must("leave.unjoined", "UX-2", |c| Box::pin(unjoined(c)))
        .asks("A connection that never joined leaves without a trace")
        .hint("Announce USERS_LEFT only for a connection that has a name, and don't let the missing name raise an exception.")
        .needs(&["leave.fin", "bcast.all-others"])
        .killed_by(&[Fault::UnjoinedCloseAnnounced, Fault::UnjoinedCloseKills])
        .rough(),
];

async fn leaves(c: &mut ServerHands, how: Closing) -> Outcome {
    let (ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = bob.mark();
    let name = ann.name.clone();
    ann.close(how).await;
    let told = bob.find_left(since, &name).await;
    Ok(Verdict::came(told, format!("bob gets USERS_LEFT with {name}"), bob.heard(since)))
}

async fn all_others(c: &mut ServerHands) -> Outcome {
    // Neither the first nor the last one is who leaves.
    let mut others = vec![c.join("bob").await?];
    let ann = c.join("ann").await?;
    for role in ["carl", "dora"] {
        others.push(c.join(role).await?);
    }
    let name = ann.name.clone();
    let names: Vec<String> = others.iter().map(|other| other.name.clone()).collect();
    let marks: Vec<Mark> = others.iter_mut().map(Peer::mark).collect();
    ann.close(Closing::Polite).await;
    for (other, since) in others.iter_mut().zip(marks) {
        if !other.find_left(since, &name).await {
            let expected = format!("{} gets USERS_LEFT with {name}, as the others do", other.role);
            return Ok(Verdict::missing(expected, other.heard(since)));
        }
        let staying = others_named(other, since, &names);
        if let Some(who) = staying {
            let expected = format!("{} is told that {name} left, and nobody else", other.role);
            return Ok(Verdict::fail(expected, format!("USERS_LEFT names {who}, who is here")));
        }
    }
    Ok(Verdict::Pass)
}

/// One of these that a peer was told of as gone.
fn others_named(peer: &mut Peer, since: Mark, names: &[String]) -> Option<String> {
    let mut gone = peer.frames(since).iter().filter_map(Frame::left).flatten();
    gone.find(|name| names.contains(name))
}

async fn rejected_conn(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = bob.mark();
    let mut thief = c.connect("thief").await?;
    thief.ask_for(&ann.name).await;
    thief.close(Closing::Polite).await;
    let holder = ann.name.clone();
    c.settle().await;
    let fence = c.fence(&mut ann, &mut bob).await;
    let announced = |frame: &Frame| frame.left().is_some_and(|names| names.contains(&holder));
    if bob.frames(since).iter().any(announced) {
        let expected = "the holder of the name is still there and not announced as gone";
        return Ok(Verdict::fail(expected, bob.heard(since)));
    }
    fence?;
    Ok(Verdict::Pass)
}

async fn unjoined(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    for how in [Closing::Polite, Closing::Fin, Closing::Reset] {
        // A server that died of the one before is noticed below.
        if let Ok(lurker) = c.connect("lurker").await {
            lurker.close(how).await;
        }
    }
    let text = c.text();
    c.settle().await;
    ann.say(&text).await;
    if bob.find_message(Mark::START, |m| m.content == text).await.is_none() {
        let expected = "the others are served after connections closed without joining";
        return Ok(Verdict::missing(expected, bob.heard(Mark::START)));
    }
    c.settle().await;
    // A name that bob was never told of, and that the suite never asked for, is an invention.
    let shared = std::sync::Arc::clone(&c.shared);
    let mut known = Vec::new();
    for frame in bob.frames(Mark::START) {
        known.extend(frame.user_list().unwrap_or_default());
        known.extend(frame.joined().unwrap_or_default());
        let left = frame.left().unwrap_or_default();
        let nameless = frame
            .key("USERS_LEFT")
            .and_then(|v| v.as_array())
            .is_some_and(|list| list.iter().any(serde_json::Value::is_null));
        let invented = left.iter().find(|name| !known.contains(name) && !shared.asked_for(name));
        if let Some(what) = invented.cloned().or_else(|| nameless.then(|| "null".to_owned())) {
            let expected = "USERS_LEFT names only users who had joined";
            return Ok(Verdict::fail(expected, format!("USERS_LEFT names {what:?}")));
        }
    }
    Ok(Verdict::Pass)
}
