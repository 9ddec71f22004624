//! `files`: who may fetch a file.

use serde_json::json;

use super::transfer::{
    CHUNK, MEMBER, OFFER, announce, fetch, is_expired, is_refused, owner_of_rooms, sender, sent,
    share, upload, with_meta,
};
use crate::{
    cases::capability::{
        calling::is_ok,
        membership::{done, enter, make, room_name, run},
    },
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

pub(super) async fn foreign_token(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (mut eve, _) = sender(c, "eve").await?;
    let (sent, to) = (sent(c, CHUNK), bob.name.clone());
    let token = share(c, &mut ann, &to, &sent).await?;
    let found = is_expired(c, &mut eve, &token, "the message was not for them").await?;
    let mut unknown = token.clone();
    unknown.replace_range(..1, if token.starts_with('A') { "B" } else { "A" });
    let none = is_expired(c, &mut eve, &unknown, "there is no such file").await?;
    if found.get("INFO") != none.get("INFO") {
        let expected = "the same answer for a file of others as for none";
        return Ok(Verdict::fail(expected, format!("{found} and {none}")));
    }
    // Nobody announces what another one has put.
    let other = super::transfer::sent(c, 7);
    let own = upload(c, &mut ann, &to, &other).await?;
    let text = c.text();
    let said = with_meta(c, &mut eve, &to, &text, &json!({"FILE": own})).await;
    is_refused(&mut eve, &mut bob, c, said, &text, "somebody else has put the file").await?;
    for peer in [&mut bob, &mut ann] {
        if fetch(c, peer, &token, CHUNK).await? != sent.bytes {
            return Ok(Verdict::fail("sender and recipient fetch the file", peer.role.clone()));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn once(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut cyd = c.join_with("cyd", OFFER).await?;
    let (to, other) = (bob.name.clone(), cyd.name.clone());
    let sent = sent(c, 100);
    let token = upload(c, &mut ann, &to, &sent).await?;
    let text = c.text();
    let said = with_meta(c, &mut ann, &other, &text, &json!({"FILE": token})).await;
    is_refused(&mut ann, &mut cyd, c, said, &text, "the file was put for somebody else").await?;
    announce(c, &mut ann, &to, &token).await?;
    let text = c.text();
    let said = with_meta(c, &mut ann, &to, &text, &json!({"FILE": token})).await;
    is_refused(&mut ann, &mut bob, c, said, &text, "another message has announced it").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn non_member(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = owner_of_rooms(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut bob = c.join_with("bob", MEMBER).await?;
    enter(c, &mut bob, &room).await?;
    let mut eve = c.join_with("eve", MEMBER).await?;
    let sent = sent(c, CHUNK);
    let token = share(c, &mut ann, &name, &sent).await?;
    is_expired(c, &mut eve, &token, "they are no member of the room").await?;
    let bytes = fetch(c, &mut bob, &token, CHUNK).await?;
    Ok(Verdict::check(bytes == sent.bytes, "the file for a member", format!("{}", bytes.len())))
}

pub(super) async fn left(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = owner_of_rooms(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut bob = c.join_with("bob", MEMBER).await?;
    enter(c, &mut bob, &room).await?;
    let sent = sent(c, CHUNK);
    let token = share(c, &mut ann, &name, &sent).await?;
    fetch(c, &mut bob, &token, CHUNK).await?;
    done(c, &mut bob, "leave", &[&name]).await?;
    is_expired(c, &mut bob, &token, "they have left the room").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn cleared(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = owner_of_rooms(c, "ann").await?;
    let name = room_name(c);
    let room = make(c, &mut ann, &name, &[]).await?;
    let mut bob = c.join_with("bob", MEMBER).await?;
    enter(c, &mut bob, &room).await?;
    let first = sent(c, CHUNK);
    let token = share(c, &mut ann, &name, &first).await?;
    fetch(c, &mut bob, &token, CHUNK).await?;
    asked_for(c, &mut ann, "clear", &name, "yes").await?;
    is_expired(c, &mut bob, &token, "its message was cleared").await?;
    is_expired(c, &mut ann, &token, "its message was cleared").await?;
    let second = sent(c, CHUNK);
    let token = share(c, &mut ann, &name, &second).await?;
    fetch(c, &mut bob, &token, CHUNK).await?;
    asked_for(c, &mut ann, "delete-room", &name, &name).await?;
    is_expired(c, &mut bob, &token, "its room is gone").await?;
    is_expired(c, &mut ann, &token, "its room is gone").await?;
    Ok(Verdict::Pass)
}

/// Has a command done for a room whose answer confirms it.
async fn asked_for(
    c: &mut ServerHands,
    ann: &mut Peer,
    command: &str,
    room: &str,
    answer: &str,
) -> Result<(), Verdict> {
    let result = run(c, ann, command, &[room], &[answer]).await?;
    if is_ok(&result) {
        return Ok(());
    }
    Err(Verdict::inconclusive(format!("{command} {room}: {result}")))
}

pub(super) async fn blocked(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let (mut bob, _) = sender(c, "bob").await?;
    let (sent, to, name) = (sent(c, CHUNK), bob.name.clone(), ann.name.clone());
    let token = share(c, &mut ann, &to, &sent).await?;
    fetch(c, &mut bob, &token, CHUNK).await?;
    done(c, &mut bob, "block", &[&name]).await?;
    is_expired(c, &mut bob, &token, "they block who has sent it").await?;
    let (file, _) = super::transfer::put(c, &mut ann, &to, &sent).await?;
    let expected = "a CODE for an upload between users of whom one blocks the other";
    let code = super::transfer::code(&file);
    Ok(Verdict::check(code.is_some(), expected, file.to_string()))
}
