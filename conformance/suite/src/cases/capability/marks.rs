//! `marks`: how far a user has read, for their own devices.

use std::time::Duration;

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::owner,
    devices::{another, devices},
    membership::{back, make, member, room_name, said},
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const MARKS: &str = "marks";

/// What a device speaks that marks what it has read.
const OFFER: &str = "accounts/1 devices/1 ids/1 marks/1";

/// The same in a room.
const IN_ROOMS: &str = "accounts/1 commands/1 devices/1 ids/1 marks/1 rename/1 rooms/1";

/// How long a mark may wait to be told with others.
const TOGETHER: Duration = Duration::from_secs(5);

/// The greatest id that there can be.
const GREATEST: u64 = (1 << 53) - 1;

const KEEP: &str = "Keep one mark for each account and conversation, the greatest that was said, and not beyond the newest message.";

pub const CASES: &[Case] = &[
    Case::must("marks.agreed", "CP-2", |c| Box::pin(agreed(c, MARKS)))
        .asks("marks/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(MARKS)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("marks.other-device", "MK-1", |c| Box::pin(other_device(c)))
        .asks("A mark is told to the other devices of the account, of the lobby and of a user")
        .hint("Send READ {with: id} to every other connection of the account that agreed to marks.")
        .needs(&["marks.agreed"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkUntold]),
    Case::must("marks.forward-only", "MK-1", |c| Box::pin(forward_only(c)))
        .asks("A mark does not go back")
        .hint(KEEP)
        .needs(&["marks.other-device"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkGoesBack]),
    Case::must("marks.clamped", "MK-1", |c| Box::pin(clamped(c)))
        .asks("A mark does not go beyond the newest message")
        .hint(KEEP)
        .needs(&["marks.other-device"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkUnclamped]),
    Case::must("marks.nobody-else", "MK-1", |c| Box::pin(nobody_else(c)))
        .asks("Nobody else is told of a mark, nor the device that set it")
        .hint("Marks say when somebody reads, which is nobody's business.")
        .needs(&["marks.other-device"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkToEverybody, Fault::MarkToItself]),
    Case::must("marks.own-message", "MK-2", |c| Box::pin(own_message(c)))
        .asks("One's own stored message moves the mark, and the welcome says so")
        .hint("Who answers has read: the mark goes to the id of the message.")
        .needs(&["marks.agreed"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkOfOwnMissing]),
    Case::must("marks.unread-capped", "MK-2", |c| Box::pin(unread_capped(c)))
        .asks("The welcome counts what is unread of the lobby and of private conversations, up to 100")
        .hint("UNREAD {with: n}: the messages of others behind the mark; 100 stands for 100 and more.")
        .needs(&["marks.agreed"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::UnreadUncapped])
        .alone(),
    Case::must("marks.room", "MK-1", |c| Box::pin(of_room(c)))
        .asks("A mark of a room is told to the other devices, and the welcome has it and what is unread behind it")
        .hint("A room is a conversation like the lobby, for who is a member of it.")
        .needs(&["marks.other-device"])
        .extension(MARKS)
        .also(&["devices", "rooms"])
        .killed_by(&[Fault::MarkRoomMissing]),
    Case::must("marks.malformed", "MK-1", |c| Box::pin(malformed(c)))
        .asks("A malformed READ is answered with ERROR")
        .hint("WITH is a string, and UPTO an id.")
        .needs(&["marks.agreed"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkUnchecked]),
    Case::must("marks.guest", "MK-1", |c| Box::pin(guest(c)))
        .asks("The READ of a guest is neither answered nor an error")
        .hint("Pass over it: a client need not know whether its user has an account.")
        .needs(&["marks.agreed"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkOfGuestRefused]),
    Case::must("marks.unknown", "MK-1", |c| Box::pin(unknown(c)))
        .asks("The READ of a conversation that the user has not does nothing")
        .hint("Look up the newest message of the conversation that the user could have got; without one there is nothing to mark.")
        .needs(&["marks.other-device"])
        .extension(MARKS)
        .also(&["devices"])
        .killed_by(&[Fault::MarkOfNothing]),
];

/// Says how far a device has read.
async fn read(peer: &mut Peer, with: &str, upto: u64) {
    peer.send(&json!({"READ": {"WITH": with, "UPTO": upto}})).await;
}

/// What a frame tells of the mark of a conversation; the name of a user is compared without case.
fn mark_of(frame: &Frame, key: &str, with: &str) -> Option<u64> {
    let all = frame.key(key)?.as_object()?;
    all.iter().find(|(name, _)| name.eq_ignore_ascii_case(with))?.1.as_u64()
}

/// Whether a frame is told later, and has a mark.
fn tells(frame: &Frame) -> bool {
    frame.accepted().is_none() && frame.key("READ").is_some()
}

/// Waits until a device is told of a mark.
async fn told(c: &ServerHands, peer: &mut Peer, since: Mark, with: &str) -> Result<u64, Verdict> {
    let found = |frame: &Frame| mark_of(frame, "READ", with).filter(|_| tells(frame));
    if let Some(mark) = peer.find_within(c.patience() + TOGETHER, since, found).await {
        return Ok(mark);
    }
    let expected = format!("{} gets READ {{\"{with}\": id}}", peer.role);
    Err(Verdict::missing(expected, peer.heard(since)))
}

/// A number of the welcome.
fn in_welcome(peer: &mut Peer, key: &str, with: &str) -> Result<u64, Verdict> {
    let number = peer.welcome().and_then(|welcome| mark_of(&welcome, key, with));
    number.ok_or_else(|| {
        let expected = format!("{key} with {with:?} in the welcome of {}", peer.role);
        Verdict::fail(expected, peer.heard(Mark::START))
    })
}

async fn other_device(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (public, private) = (c.text(), c.text());
    bob.say(&public).await;
    let of_public = one.id_of(&public).await?;
    bob.tell(&ann.name, &private).await;
    let of_private = one.id_of(&private).await?;
    let name = bob.name.clone();
    for (with, upto) in [("ALL", of_public), (&*name, of_private)] {
        let since = two.mark();
        read(&mut one, with, upto).await;
        let mark = told(c, &mut two, since, with).await?;
        if mark != upto {
            let expected = format!("READ {{\"{with}\": {upto}}}");
            return Ok(Verdict::fail(expected, mark.to_string()));
        }
        // And whoever comes later finds it.
        let mut three = another(c, "ann3", &ann, OFFER).await?;
        let mark = in_welcome(&mut three, "READ", with)?;
        if mark != upto {
            let expected = format!("READ {{\"{with}\": {upto}}} in the next welcome");
            return Ok(Verdict::fail(expected, mark.to_string()));
        }
        c.dismiss(three).await;
    }
    Ok(Verdict::Pass)
}

async fn forward_only(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (first, second, third) = (c.text(), c.text(), c.text());
    let mut ids = Vec::new();
    for text in [&first, &second, &third] {
        bob.say(text).await;
        ids.push(one.id_of(text).await?);
    }
    let &[early, middle, late] = &*ids else {
        return Ok(Verdict::inconclusive("three ids were wanted"));
    };
    let since = two.mark();
    read(&mut one, "ALL", middle).await;
    told(c, &mut two, since, "ALL").await?;
    let since = two.mark();
    read(&mut one, "ALL", early).await;
    read(&mut one, "ALL", late).await;
    let is_late = |frame: &Frame| mark_of(frame, "READ", "ALL").filter(|mark| *mark == late);
    if two.find_within(c.patience() + TOGETHER, since, is_late).await.is_none() {
        return Ok(Verdict::missing(format!("READ {{\"ALL\": {late}}}"), two.heard(since)));
    }
    let back = two.frames(since).iter().any(|frame| mark_of(frame, "READ", "ALL") == Some(early));
    if back {
        return Ok(Verdict::fail("nobody is told of a mark that goes back", two.heard(since)));
    }
    read(&mut one, "ALL", early).await;
    c.fence(&mut bob, &mut one).await?;
    let mut three = another(c, "ann3", &ann, OFFER).await?;
    let mark = in_welcome(&mut three, "READ", "ALL")?;
    let expected = format!("READ {{\"ALL\": {late}}} in the welcome, whatever was said after it");
    Ok(Verdict::check(mark >= late, expected, mark.to_string()))
}

async fn clamped(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (before, after) = (c.text(), c.text());
    bob.say(&before).await;
    one.id_of(&before).await?;
    let since = two.mark();
    read(&mut one, "ALL", GREATEST).await;
    let mark = told(c, &mut two, since, "ALL").await?;
    bob.say(&after).await;
    let next = two.id_of(&after).await?;
    if mark >= next {
        let expected = format!("a mark below {next}, the id of what was said later");
        return Ok(Verdict::fail(expected, mark.to_string()));
    }
    let mut three = another(c, "ann3", &ann, OFFER).await?;
    let unread = in_welcome(&mut three, "UNREAD", "ALL")?;
    Ok(Verdict::check(unread > 0, "what was said later is unread", "UNREAD {\"ALL\": 0}"))
}

async fn nobody_else(c: &mut ServerHands) -> Outcome {
    let (_, [mut one, mut two]) = devices(c, OFFER).await?;
    let name = c.name("other");
    let other = owner(c, &name).await?;
    let mut bob = back(c, "bob", &other, OFFER).await?;
    let text = c.text();
    bob.say(&text).await;
    let id = one.id_of(&text).await?;
    let (of_bob, of_one) = (bob.mark(), one.mark());
    read(&mut one, "ALL", id).await;
    let since = Mark::START;
    told(c, &mut two, since, "ALL").await?;
    c.fence(&mut two, &mut bob).await?;
    c.fence(&mut two, &mut one).await?;
    // What bob said has moved a mark of his own, of which he has no other device.
    if bob.frames(of_bob).iter().any(tells) {
        return Ok(Verdict::fail("nobody else is told of a mark", bob.heard(of_bob)));
    }
    let itself =
        one.frames(of_one).iter().any(|f| tells(f) && mark_of(f, "READ", "ALL") == Some(id));
    let expected = "the device that set the mark is not told of it";
    Ok(Verdict::check(!itself, expected, one.heard(of_one)))
}

async fn own_message(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one]) = devices(c, OFFER).await?;
    // Whoever says something may get it or not.
    let mut bob = c.join_with("bob", "ids/1").await?;
    for _ in 0..2 {
        let text = c.text();
        bob.say(&text).await;
        one.expect_content(&text).await?;
    }
    let own = c.text();
    one.say(&own).await;
    let id = bob.id_of(&own).await?;
    let mut two = another(c, "ann2", &ann, OFFER).await?;
    let mark = in_welcome(&mut two, "READ", "ALL")?;
    if mark < id {
        let expected =
            format!("READ {{\"ALL\": {id}}} in the welcome, the id of one's own message");
        return Ok(Verdict::fail(expected, mark.to_string()));
    }
    Ok(Verdict::Pass)
}

/// A few messages more than are counted.
const MANY: usize = 104;
/// Of the private ones.
const FEW: usize = 3;

async fn unread_capped(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    // The mark is behind everything that others have said before.
    let first = c.text();
    one.tell(&bob.name, &first).await;
    bob.expect_content(&first).await?;
    let texts: Vec<String> = (0..MANY).map(|_| c.text()).collect();
    for some in texts.chunks(20) {
        let messages: Vec<_> =
            some.iter().map(|text| ServerHands::message(&bob.name, "ALL", text)).collect();
        bob.send(&json!({"MESSAGES": messages})).await;
        let last = some.last().cloned().unwrap_or_default();
        one.expect_content(&last).await?;
    }
    for _ in 0..FEW {
        let text = c.text();
        bob.tell(&ann.name, &text).await;
        one.expect_content(&text).await?;
    }
    let mut two = another(c, "ann2", &ann, OFFER).await?;
    let name = bob.name.clone();
    for (with, due) in [("ALL", 100), (&*name, FEW as u64)] {
        let unread = in_welcome(&mut two, "UNREAD", with)?;
        if unread != due {
            let expected = format!("UNREAD {{\"{with}\": {due}}}");
            return Ok(Verdict::fail(expected, Value::from(unread).to_string()));
        }
    }
    Ok(Verdict::Pass)
}

async fn of_room(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, IN_ROOMS).await?;
    let name = room_name(c);
    let room = make(c, &mut one, &name, &[]).await?;
    let mut bob = member(c, "bob", &room).await?;
    let (text, id) = said(c, &mut bob, &name).await?;
    for peer in [&mut one, &mut two] {
        peer.expect_content(&text).await?;
    }
    let since = two.mark();
    read(&mut one, &name, id).await;
    let mark = told(c, &mut two, since, &name).await?;
    if mark != id {
        return Ok(Verdict::fail(format!("READ {{\"{name}\": {id}}}"), mark.to_string()));
    }
    said(c, &mut bob, &name).await?;
    let mut three = another(c, "ann3", &ann, IN_ROOMS).await?;
    for (key, due) in [("READ", id), ("UNREAD", 1)] {
        let number = in_welcome(&mut three, key, &name)?;
        if number != due {
            let expected = format!("{key} {{\"{name}\": {due}}} in the welcome");
            return Ok(Verdict::fail(expected, number.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let (_, [mut one]) = devices(c, OFFER).await?;
    let bad = [
        json!(5),
        json!("ALL"),
        json!([]),
        json!({}),
        json!({"WITH": "ALL"}),
        json!({"UPTO": 1}),
        json!({"WITH": 5, "UPTO": 1}),
        json!({"WITH": ["ALL"], "UPTO": 1}),
        json!({"WITH": "ALL", "UPTO": "1"}),
        json!({"WITH": "ALL", "UPTO": 1.5}),
        json!({"WITH": "ALL", "UPTO": -1}),
    ];
    for read in bad {
        let since = one.mark();
        one.send(&json!({"READ": read})).await;
        one.expect_error(since, &format!("READ {read}")).await?;
    }
    Ok(Verdict::Pass)
}

async fn guest(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let text = c.text();
    bob.say(&text).await;
    let id = ann.id_of(&text).await?;
    let since = ann.mark();
    read(&mut ann, "ALL", id).await;
    // To the one and back: what would come of it has come then.
    c.fence(&mut ann, &mut bob).await?;
    c.fence(&mut bob, &mut ann).await?;
    let answered = ann.frames(since).iter().any(|frame| tells(frame) || frame.error().is_some());
    let expected = "neither READ nor ERROR for a guest who marks";
    Ok(Verdict::check(!answered, expected, ann.heard(since)))
}

async fn unknown(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let text = c.text();
    bob.say(&text).await;
    let id = one.id_of(&text).await?;
    // Nobody, somebody who has said nothing in private, and a room that there is not.
    let none = [c.name("nobody"), bob.name.clone(), room_name(c)];
    let (of_one, of_two) = (one.mark(), two.mark());
    for with in &none {
        read(&mut one, with, id).await;
    }
    read(&mut one, "ALL", id).await;
    told(c, &mut two, of_two, "ALL").await?;
    c.fence(&mut one, &mut bob).await?;
    c.fence(&mut bob, &mut one).await?;
    if one.frames(of_one).iter().any(|frame| frame.error().is_some()) {
        return Ok(Verdict::fail("no ERROR for a mark that does nothing", one.heard(of_one)));
    }
    let mut three = another(c, "ann3", &ann, OFFER).await?;
    for with in &none {
        let of_it = |frame: &Frame| mark_of(frame, "READ", with).is_some_and(|mark| mark > 0);
        for (peer, since) in [(&mut two, of_two), (&mut three, Mark::START)] {
            if peer.frames(since).iter().any(of_it) {
                let expected = format!("{} is told of no mark of {with}", peer.role);
                return Ok(Verdict::fail(expected, peer.heard(since)));
            }
        }
    }
    Ok(Verdict::Pass)
}
