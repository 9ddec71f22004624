//! Bans from a room: its owner makes them, and nothing else changes for who is banned.

use conformance_kit::wire::frame::Frame;

use super::scene::{guest, must, must_not};
use crate::{
    cases::capability::{
        membership::{enter, host, refused, run, said},
        told::{ended, left, text},
    },
    server::hands::ServerHands,
    verdict::{Outcome, Verdict},
};

pub(super) async fn from_room(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = guest(c, "bob").await?;
    enter(c, &mut bob, &room).await?;
    let (since, ours, name, why) = (bob.mark(), ann.mark(), bob.name.clone(), c.text());
    must(c, &mut ann, "ban-from", &[&room.name, &name, "5m", &why]).await?;
    let end = bob.find(since, |frame| ended(frame, &room.name)).await;
    let whole =
        end.is_some_and(|end| text(&end, "CODE") == "banned" && text(&end, "INFO").contains(&why));
    if !whole {
        let expected = format!("ROOMS_LEFT with CODE banned and INFO {why:?}");
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    let gone = |frame: &Frame| left(frame, &room.name).contains(&name).then_some(());
    if ann.find(ours, gone).await.is_none() {
        let expected = format!("ROOM_USERS_LEFT {{\"{}\": [\"{name}\"]}}", room.name);
        return Ok(Verdict::missing(expected, ann.heard(ours)));
    }
    let mine = c.text();
    refused(c, &mut bob, &room.name, &mine, "not-a-member").await?;
    // The chat goes on.
    let expected = "who is banned from a room goes on in the chat";
    if c.fence(&mut bob, &mut ann).await.is_err() {
        return Ok(Verdict::fail(expected, bob.heard(since)));
    }
    let join: &[&str] = &[&room.name];
    must_not(c, &mut bob, ("join", join), &["banned"]).await?;
    // Whether it is refused or useless, an invitation does not help.
    run(c, &mut ann, "invite", &[&room.name, &name], &[]).await?;
    must_not(c, &mut bob, ("join", join), &["banned"]).await?;
    must(c, &mut ann, "unban", &[&name, &room.name]).await?;
    must(c, &mut bob, "join", join).await?;
    let (after, _) = said(c, &mut bob, &room.name).await?;
    ann.expect_content(&after).await?;
    Ok(Verdict::Pass)
}
