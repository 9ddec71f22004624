//! `devices`: several connections of one account under one name.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::{self, Owner, is_ok, owner},
    membership::{back, token_of},
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const DEVICES: &str = "devices";

/// What a device speaks.
pub(super) const OFFER: &str = "accounts/1 devices/1 ids/1";

/// The same for one that changes its name.
const RENAMING: &str = "accounts/1 commands/1 devices/1 ids/1 rename/1";

/// What a client speaks that knows of no devices.
const ALONE: &str = "accounts/1 ids/1";

/// So many devices of a user are here at most.
const MOST: usize = 5;

const ONE_USER: &str = "Keep the connections of one name together: a name is in USER_LIST once, comes with its first connection and goes with its last.";

pub const CASES: &[Case] = &[
    Case::must("devices.agreed", "CP-2", |c| Box::pin(agreed(c, DEVICES)))
        .asks("devices/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(DEVICES)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("devices.one-name", "DV-1", |c| Box::pin(one_name(c)))
        .asks("A second connection that proves the account is let in, and USER_LIST has the name once")
        .hint(ONE_USER)
        .needs(&["devices.agreed"])
        .extension(DEVICES)
        .killed_by(&[Fault::DeviceTaken, Fault::DevicesListed]),
    Case::must("devices.no-notices", "DV-1", |c| Box::pin(no_notices(c)))
        .asks("The others see neither that a further device comes nor that it goes")
        .hint(ONE_USER)
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .killed_by(&[Fault::DevicesAnnounced, Fault::DevicesLeave]),
    Case::must("devices.copies", "DV-2", |c| Box::pin(copies(c)))
        .asks("Every device gets every message once, and what another one says in private")
        .hint("Deliver a private message to all connections of its recipient, and to those of its sender but the one that sent it.")
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .killed_by(&[Fault::DeviceFirstAlone, Fault::DeviceCopiesMissing]),
    Case::must("devices.last-leaves", "DV-1", |c| Box::pin(last_leaves(c)))
        .asks("The name is in use until the last device has gone, and USERS_LEFT comes then")
        .hint(ONE_USER)
        .needs(&["devices.one-name", "leave.fin"])
        .extension(DEVICES)
        .killed_by(&[Fault::DevicesLeave]),
    Case::must("devices.limit", "DV-1", |c| Box::pin(limit(c)))
        .asks("Five devices are let in, and the sixth is refused with too-many")
        .hint("Count the connections of the name before you let in another one.")
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .killed_by(&[Fault::DevicesUnlimited]),
    Case::must("devices.not-without-proof", "DV-1", |c| Box::pin(not_without_proof(c)))
        .asks("Who does not prove the account, or does not speak of devices at both ends, does not get the name")
        .hint("Compare the accounts, and look at what every connection of the name agreed to.")
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .killed_by(&[Fault::DeviceUnproven, Fault::DeviceOfNoOffer]),
    Case::must("devices.own-private-history", "DV-2", |c| Box::pin(own_private_history(c)))
        .asks("Welcomes and resumed sessions hold the private messages that the user sent")
        .hint("For who agreed to devices: the messages from the account beside those to it, in the order of their ids.")
        .needs(&["devices.copies", "resume.missed"])
        .extension(DEVICES)
        .killed_by(&[Fault::DeviceWithoutOwnPrivate, Fault::DeviceResumedWithoutOwn]),
    Case::must("devices.nick", "DV-2", |c| Box::pin(nick(c)))
        .asks("A name that one device takes is the name of all of them")
        .hint("Change the name of the user, and let each connection look it up there; tell the other devices as everybody.")
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .also(&["commands", "rename"])
        .killed_by(&[Fault::DeviceNickAlone]),
    Case::must("devices.kick", "DV-2", |c| Box::pin(kick(c)))
        .asks("Who is kicked is put out with all devices, and USERS_LEFT comes once")
        .hint("End every connection of the user.")
        .needs(&["devices.one-name"])
        .extension(DEVICES)
        .also(&["moderation"])
        .alone()
        .killed_by(&[Fault::DeviceKickAlone]),
    Case::must("devices.resumed", "DV-1", |c| Box::pin(resumed(c)))
        .asks("A session goes on beside other devices as a device, and not without devices")
        .hint("Ask RESUME the same as a name: all connections of the user, this one as well, have to speak of devices.")
        .needs(&["devices.one-name", "resume.missed"])
        .extension(DEVICES)
        .killed_by(&[Fault::DeviceResumedOfNoOffer, Fault::DeviceResumedAnew]),
];

/// Asks for a name with its password; the connection, and the answer.
async fn ask(
    c: &mut ServerHands,
    role: &str,
    owner: &Owner,
    offer: &str,
) -> Result<(Peer, Option<Frame>), Verdict> {
    let mut peer = c.connect(role).await?;
    let proof = [("PASSWORD", json!(owner.password))];
    let answer = peer.offer(&owner.name, offer, &proof).await;
    Ok((peer, answer))
}

/// Another device of a user who is here.
pub(super) async fn another(
    c: &mut ServerHands,
    role: &str,
    owner: &Owner,
    offer: &str,
) -> Result<Peer, Verdict> {
    let (mut peer, answer) = ask(c, role, owner, offer).await?;
    if answer.is_some_and(|answer| answer.accepted() == Some(true)) {
        return Ok(peer);
    }
    let expected =
        format!("{role}, with the password of {}, is let in beside the others", owner.name);
    Err(Verdict::fail(expected, peer.heard(Mark::START)))
}

/// A user with an account, and so many devices.
pub(super) async fn devices<const N: usize>(
    c: &mut ServerHands,
    offer: &str,
) -> Result<(Owner, [Peer; N]), Verdict> {
    let name = c.name("own");
    let ann = owner(c, &name).await?;
    let mut all = Vec::new();
    for n in 0..N {
        let role = format!("ann{}", n + 1);
        all.push(match n {
            0 => back(c, &role, &ann, offer).await?,
            _ => another(c, &role, &ann, offer).await?,
        });
    }
    match all.try_into() {
        Ok(all) => Ok((ann, all)),
        Err(_) => Err(Verdict::inconclusive("so many devices were wanted")),
    }
}

/// Whether a name was refused.
fn refused(answer: Option<Frame>) -> bool {
    answer.is_some_and(|answer| answer.accepted() == Some(false))
}

/// How often a name is in a list of users.
fn listed(peer: &mut Peer, name: &str) -> usize {
    let list = peer.find_now(Frame::user_list).unwrap_or_default();
    list.iter().filter(|user| *user == name).count()
}

/// Whether somebody was told that a name has come or gone.
fn told_of(peer: &mut Peer, since: Mark, name: &str) -> bool {
    let named =
        |names: Option<Vec<String>>| names.is_some_and(|names| names.iter().any(|n| n == name));
    peer.frames(since).iter().any(|frame| named(frame.joined()) || named(frame.left()))
}

async fn one_name(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    // Whether one's own name is in one's own list is open.
    for (peer, is_open) in [(&mut two, true), (&mut bob, false)] {
        let times = listed(peer, &ann.name);
        if times > 1 || (times == 0 && !is_open) {
            let expected = format!("{} in the USER_LIST of {} once", ann.name, peer.role);
            return Ok(Verdict::fail(expected, format!("{times} times")));
        }
    }
    // Both are the user.
    for peer in [&mut one, &mut two] {
        let text = c.text();
        peer.say(&text).await;
        bob.expect_content(&text).await?;
    }
    Ok(Verdict::Pass)
}

async fn no_notices(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let since = bob.mark();
    let two = another(c, "ann2", &ann, OFFER).await?;
    c.fence(&mut one, &mut bob).await?;
    if told_of(&mut bob, since, &ann.name) {
        return Ok(Verdict::fail("nobody is told of a further device", bob.heard(since)));
    }
    two.close(Closing::Polite).await;
    c.settle().await;
    c.fence(&mut one, &mut bob).await?;
    if told_of(&mut bob, since, &ann.name) {
        return Ok(Verdict::fail("nobody is told that a device has gone", bob.heard(since)));
    }
    Ok(Verdict::Pass)
}

async fn copies(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (to_bob, to_ann, to_all) = (c.text(), c.text(), c.text());
    one.tell(&bob.name, &to_bob).await;
    bob.expect_content(&to_bob).await?;
    bob.tell(&ann.name, &to_ann).await;
    bob.say(&to_all).await;
    for peer in [&mut one, &mut two] {
        let expected = format!("{} gets what is said to its user, and to all", peer.role);
        for text in [&to_ann, &to_all] {
            if peer.find_message(Mark::START, |m| m.content == *text).await.is_none() {
                return Ok(Verdict::missing(expected, peer.heard(Mark::START)));
            }
        }
    }
    if two.find_message(Mark::START, |m| m.content == to_bob).await.is_none() {
        let expected = "what one device says in private comes to the other one";
        return Ok(Verdict::missing(expected, two.heard(Mark::START)));
    }
    c.fence(&mut bob, &mut one).await?;
    c.fence(&mut bob, &mut two).await?;
    for (peer, texts) in
        [(&mut one, &[&to_ann, &to_all][..]), (&mut two, &[&to_bob, &to_ann, &to_all][..])]
    {
        for text in texts {
            let times = peer.count(text);
            if times != 1 {
                let expected = format!("each message once for {}", peer.role);
                return Ok(Verdict::fail(expected, format!("{times} times")));
            }
        }
    }
    Ok(Verdict::Pass)
}

async fn last_leaves(c: &mut ServerHands) -> Outcome {
    let (ann, [one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let since = bob.mark();
    // The first one goes: the name stays with the other.
    one.close(Closing::Polite).await;
    c.settle().await;
    c.fence(&mut two, &mut bob).await?;
    if told_of(&mut bob, since, &ann.name) {
        return Ok(Verdict::fail("no USERS_LEFT while a device is here", bob.heard(since)));
    }
    let text = c.text();
    bob.tell(&ann.name, &text).await;
    two.expect_content(&text).await?;
    two.close(Closing::Polite).await;
    if !bob.find_left(since, &ann.name).await {
        let expected = "USERS_LEFT with the name when the last device goes";
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    Ok(Verdict::Pass)
}

async fn limit(c: &mut ServerHands) -> Outcome {
    let (ann, all) = devices::<MOST>(c, OFFER).await?;
    let (mut sixth, answer) = ask(c, "ann6", &ann, OFFER).await?;
    let heard = sixth.heard(Mark::START);
    c.dismiss(sixth).await;
    let code = answer.as_ref().filter(|answer| answer.accepted() == Some(false));
    let code = code.and_then(|answer| answer.key("CODE")).and_then(Value::as_str);
    if code != Some("too-many") {
        let expected = "USERNAME_ACCEPTED: false with CODE too-many for the sixth device";
        return Ok(Verdict::fail(expected, heard));
    }
    // There is room again when one has gone.
    let [first, ..] = all;
    first.close(Closing::Polite).await;
    drop(back(c, "ann7", &ann, OFFER).await?);
    Ok(Verdict::Pass)
}

async fn not_without_proof(c: &mut ServerHands) -> Outcome {
    let (ann, [one]) = devices(c, OFFER).await?;
    let mut eve = c.connect("eve").await?;
    let answer = eve.offer(&ann.name, OFFER, &[]).await;
    let heard = eve.heard(Mark::START);
    c.dismiss(eve).await;
    if !refused(answer) {
        return Ok(Verdict::fail("false for who does not prove the account", heard));
    }
    let (mut old, answer) = ask(c, "old", &ann, ALONE).await?;
    let heard = old.heard(Mark::START);
    c.dismiss(old).await;
    if !refused(answer) {
        return Ok(Verdict::fail("false for who does not speak of devices", heard));
    }
    one.close(Closing::Polite).await;
    let _alone = back(c, "alone", &ann, ALONE).await?;
    let (mut two, answer) = ask(c, "ann2", &ann, OFFER).await?;
    let heard = two.heard(Mark::START);
    c.dismiss(two).await;
    let expected = "false where the connection that is here does not speak of devices";
    Ok(Verdict::check(refused(answer), expected, heard))
}

async fn own_private_history(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (before, missed) = (c.text(), c.text());
    one.tell(&bob.name, &before).await;
    let last = two.id_of(&before).await?;
    let has =
        |frame: &Frame, text: &str| frame.messages().iter().any(|message| message.content == text);
    let mut three = another(c, "ann3", &ann, OFFER).await?;
    if !three.welcome().is_some_and(|welcome| has(&welcome, &before)) {
        let expected = "the private message that the user sent in the welcome of another device";
        return Ok(Verdict::fail(expected, three.heard(Mark::START)));
    }
    let token = two.welcome().and_then(|w| Some(w.key("RESUME")?.as_str()?.to_owned()));
    let Some(token) = token else { return Ok(Verdict::inconclusive("no RESUME in the welcome")) };
    two.close(Closing::Polite).await;
    one.tell(&bob.name, &missed).await;
    bob.expect_content(&missed).await?;
    let mut again = c.connect("ann2").await?;
    let more =
        [("RESUME", json!({"TOKEN": token, "AFTER": last})), ("PASSWORD", json!(ann.password))];
    let answer = again.offer(&ann.name, OFFER, &more).await;
    let resumed = answer.filter(|answer| answer.key("RESUMED") == Some(&json!(true)));
    let sound = resumed.is_some_and(|frame| has(&frame, &missed) && !has(&frame, &before));
    let expected = "the private message that the user sent meanwhile, and no earlier one, in a resumed session";
    Ok(Verdict::check(sound, expected, again.heard(Mark::START)))
}

async fn nick(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, RENAMING).await?;
    let mut bob = c.join("bob").await?;
    let (old, new) = (ann.name, c.name("anna"));
    one.remember(&new);
    let since = two.mark();
    let result = calling::nick(c, &mut one, &new).await?;
    if !is_ok(&result) {
        return Ok(Verdict::inconclusive(format!("nick to a free name: {result}")));
    }
    let renamed = |frame: &Frame| {
        let to = frame.key("USERS_RENAMED")?.get(&old)?.as_str()?;
        (to == new).then_some(())
    };
    if two.find(since, renamed).await.is_none() {
        let expected =
            format!("{{\"USERS_RENAMED\": {{\"{old}\": \"{new}\"}}}} for the other device");
        return Ok(Verdict::missing(expected, two.heard(since)));
    }
    for peer in [&mut one, &mut two] {
        new.clone_into(&mut peer.name);
        let text = c.text();
        peer.say(&text).await;
        let message = bob.expect_content(&text).await?;
        if message.src != new {
            let expected = format!("SRC {new} in what {} says", peer.role);
            return Ok(Verdict::fail(expected, message.src));
        }
    }
    let text = c.text();
    bob.tell(&new, &text).await;
    for peer in [&mut one, &mut two] {
        peer.expect_content(&text).await?;
    }
    Ok(Verdict::Pass)
}

async fn kick(c: &mut ServerHands) -> Outcome {
    // Where nobody can kick, nobody need be made.
    c.staff().await?;
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let since = bob.mark();
    let result = c.staff().await?.command("kick", &[&ann.name, "with all devices"]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::inconclusive(format!("the staff calls kick: {result}")));
    }
    for peer in [&mut one, &mut two] {
        if !peer.find_closed().await {
            let expected = format!("the connection of {} ends", peer.role);
            return Ok(Verdict::missing(expected, peer.heard(Mark::START)));
        }
    }
    if !bob.find_left(since, &ann.name).await {
        let expected = "USERS_LEFT with the name of who was kicked";
        return Ok(Verdict::missing(expected, bob.heard(since)));
    }
    let mut carl = c.join("carl").await?;
    c.fence(&mut carl, &mut bob).await?;
    let left = bob.frames(since).iter().filter_map(Frame::left).flatten();
    let times = left.filter(|name| *name == ann.name).count();
    let expected = "USERS_LEFT once";
    Ok(Verdict::check(times == 1, expected, format!("{times} times")))
}

async fn resumed(c: &mut ServerHands) -> Outcome {
    let (ann, [mut one, mut two]) = devices(c, OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (start, missed, text) = (c.text(), c.text(), c.text());
    bob.say(&start).await;
    let last = one.id_of(&start).await?;
    let token = token_of(&mut one)?;
    let since = bob.mark();
    one.close(Closing::Polite).await;
    c.settle().await;
    bob.tell(&ann.name, &missed).await;
    two.expect_content(&missed).await?;
    let more =
        [("RESUME", json!({"TOKEN": token, "AFTER": last})), ("PASSWORD", json!(ann.password))];
    let mut old = c.connect("old").await?;
    let answer = old.offer(&ann.name, ALONE, &more).await;
    let heard = old.heard(Mark::START);
    c.dismiss(old).await;
    if !refused(answer) {
        let expected = "false for a session that would go on without devices beside a device";
        return Ok(Verdict::fail(expected, heard));
    }
    let mut again = c.connect("ann1").await?;
    let answer = again.offer(&ann.name, OFFER, &more).await;
    let goes_on = answer.filter(|answer| answer.key("RESUMED") == Some(&json!(true)));
    let whole = goes_on.is_some_and(|f| f.messages().iter().any(|m| m.content == missed));
    if !whole {
        let expected = "RESUMED: true with what was missed, while another device is here";
        return Ok(Verdict::fail(expected, again.heard(Mark::START)));
    }
    bob.tell(&ann.name, &text).await;
    for peer in [&mut again, &mut two] {
        peer.expect_content(&text).await?;
    }
    c.fence(&mut two, &mut bob).await?;
    let told = told_of(&mut bob, since, &ann.name);
    let expected = "nobody is told that a device has gone and goes on";
    Ok(Verdict::check(!told, expected, bob.heard(since)))
}
