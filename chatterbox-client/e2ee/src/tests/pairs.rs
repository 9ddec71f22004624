//! Two users with two devices each, nobody lying.

use super::world::World;
use crate::{Mode, Notice, Unreadable};

#[test]
fn both_ways_and_to_every_device() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.say(a1, "bob", "one");
    world.say(b2, "ann", "two");
    world.say(a2, "bob", "three");
    world.say(b1, "ann", "four");
    for client in [a1, a2, b1, b2] {
        assert_eq!(world.clients[client].texts(), [Ok("one"), Ok("two"), Ok("three"), Ok("four")]);
    }
    assert_eq!(world.server.refused, 0);
    // The server has nothing but what it can't read.
    let stored =
        format!("{:?}", world.server.messages.iter().map(|m| &m.sealed).collect::<Vec<_>>());
    for text in ["one", "two", "three", "four"] {
        assert!(!stored.contains(&format!("\"{text}\"")));
    }
}

#[test]
fn who_was_offline_reads_it_later() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.disconnect(b1);
    for n in 0..30 {
        world.say(if n % 2 == 0 { a1 } else { a2 }, "bob", &format!("m{n}"));
        if n % 3 == 0 {
            world.say(b2, "ann", &format!("r{n}"));
        }
    }
    world.connect(b1);
    assert_eq!(world.clients[b1].texts().len(), 40);
    assert!(world.clients[b1].texts().iter().all(Result::is_ok), "{:?}", world.clients[b1].texts());
    assert_eq!(world.clients[b1].texts(), world.clients[b2].texts());
}

#[test]
fn a_client_goes_on_after_it_was_started_again() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    for n in 0..6 {
        world.say(a1, "bob", &format!("a{n}"));
        world.say(b1, "ann", &format!("b{n}"));
        for client in [a1, b1] {
            world.clients[client].restart();
            world.connect(client);
        }
    }
    assert!(world.clients[a1].texts().iter().all(Result::is_ok));
    assert_eq!(world.clients[a1].texts().len(), 12);
    assert_eq!(world.clients[a1].machine.mode("bob"), Mode::On);
    assert_eq!(world.server.refused, 0);
}

#[test]
fn a_device_that_is_added_is_told_and_reads_what_is_sent_from_then_on() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.say(a1, "bob", "before");
    let code = world.code(b1);
    let b3 = world.join("bob");
    world.run(b3, |machine, _| machine.recover(&code));
    world.deliver();
    // Ann does not know of it yet: the server refuses once, and she encrypts again for all.
    world.say(a1, "bob", "after");
    assert_eq!(world.server.refused, 1);
    assert_eq!(world.clients[b3].texts(), [Ok("after")]);
    for client in [a1, a2, b1, b2] {
        assert_eq!(world.clients[client].texts(), [Ok("before"), Ok("after")]);
    }
    let device = world.clients[b3].machine.device().unwrap().as_str().to_owned();
    let new = |own| Notice::NewDevice { name: "bob".into(), device: device.clone(), own };
    assert!(world.clients[a1].told.contains(&new(false)));
    assert!(!world.clients[b3].told.contains(&new(true)), "one's own device is no news");
    // Bob's other devices are told loudly when they next look.
    world.say(b1, "ann", "hi");
    let own = world.clients[b1].told.iter().find(|notice| **notice == new(true)).unwrap();
    assert!(own.is_loud() && own.to_string().starts_with("YOUR ACCOUNT HAS A NEW DEVICE"));
}

#[test]
fn the_past_is_not_for_a_new_device() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "before");
    let code = world.code(b1);
    let b3 = world.join("bob");
    world.run(b3, |machine, _| machine.recover(&code));
    let message = world.server.messages[0].clone();
    world.bring(b3, &message);
    assert_eq!(world.clients[b3].texts(), [Err(Unreadable::NotForThisDevice)]);
}

#[test]
fn an_identity_that_is_lost_begins_again_and_the_other_side_is_told_loudly() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.say(a1, "bob", "old");
    // Bob loses all devices and the code.
    for lost in [b1, b2] {
        world.disconnect(lost);
    }
    world.server.reset("bob");
    let b3 = world.join("bob");
    world.turn(b3, "ann");
    world.say(a1, "bob", "new");
    assert_eq!(world.clients[b3].texts(), [Ok("new")]);
    for client in [a1, a2] {
        // Ann's other device sees it, too, when it has to look.
        world.say(client, "bob", "look");
        let changed = Notice::Changed { name: "bob".into(), was_verified: false };
        let told = world.clients[client].told.iter().filter(|notice| **notice == changed);
        assert_eq!(told.count(), 1, "{:?}", world.clients[client].told);
        assert!(changed.is_loud() && changed.to_string().contains("HAS CHANGED"));
    }
    // The old devices are told that they are no part of the account any more.
    world.connect(b1);
    assert!(world.clients[b1].told.contains(&Notice::OwnChanged));
    world.say(b1, "ann", "never");
    assert!(world.clients[b1].not_sent.iter().any(|(text, _)| text == "never"));
}

#[test]
fn what_was_refused_together_is_said_again_in_its_order() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "old");
    let mut tags = Vec::new();
    for text in ["one", "two", "three"] {
        let now = world.now;
        for action in world.clients[a1].machine.say("bob", text, None, now) {
            let crate::Action::Say { ticket, .. } = action else { continue };
            tags.push(format!("under way {ticket}"));
            world.clients[a1].machine.sent(ticket, tags.last().cloned());
        }
    }
    assert_eq!(tags.len(), 3);
    world.run(a1, |machine, now| {
        let follows = |tag: &String| machine.rejected(tag, "devices-changed", now);
        tags.iter().filter_map(follows).flatten().collect()
    });
    world.deliver();
    let texts = ["old", "one", "two", "three"].map(Ok);
    assert_eq!(world.clients[b1].texts(), texts);
}

#[test]
fn who_was_verified_and_changed_gets_nothing_until_verified_again() {
    let (mut world, [a1, _, b1, b2]) = World::pair();
    world.say(a1, "bob", "old");
    world.verify(a1, "bob");
    for lost in [b1, b2] {
        world.disconnect(lost);
    }
    world.server.reset("bob");
    let b3 = world.join("bob");
    world.turn(b3, "ann");
    world.say(a1, "bob", "not yet");
    assert_eq!(world.clients[a1].not_sent, [("not yet".to_owned(), crate::NotSent::Changed)]);
    assert!(
        world.clients[a1]
            .told
            .contains(&Notice::Changed { name: "bob".into(), was_verified: true })
    );
    assert_eq!(world.clients[b3].texts(), []);
    // What the new identity says can't be read either, and not because nobody had signed it.
    world.say(b3, "ann", "it's me");
    assert_eq!(world.clients[a1].texts(), [Ok("old"), Err(Unreadable::Changed)]);
    let number = |world: &World, client: usize| {
        let notice = world.clients[client].told.iter().rev().find_map(|notice| match notice {
            Notice::Safety { number, verified, .. } => Some((number.clone(), *verified)),
            _ => None,
        });
        notice.unwrap()
    };
    world.run(a1, |machine, now| machine.verify("bob", false, now));
    world.run(b3, |machine, now| machine.verify("ann", false, now));
    assert_eq!(number(&world, a1), number(&world, b3), "the same at both ends");
    world.run(a1, |machine, now| machine.verify("bob", true, now));
    world.say(a1, "bob", "now");
    assert_eq!(world.clients[b3].texts(), [Ok("it's me"), Ok("now")]);
    world.run(a1, |machine, now| machine.verify("bob", false, now));
    assert!(number(&world, a1).1, "verified again");
}

#[test]
fn one_key_is_for_one_claimant_and_the_fallback_key_for_the_rest() {
    let (mut world, [a1, _, b1, b2]) = World::pair();
    for device in [b1, b2] {
        let device = world.clients[device].machine.device().unwrap().as_str().to_owned();
        world.server.stock.get_mut(&device).unwrap().one_time.clear();
    }
    world.say(a1, "bob", "over the fallback key");
    assert_eq!(world.clients[b1].texts(), [Ok("over the fallback key")]);
    let mut claimed = world.server.claimed.clone();
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), world.server.claimed.len());
}

#[test]
fn what_is_off_stays_off_and_what_came_encrypted_is_answered_so() {
    let mut world = World::of(&["ann", "bob"]);
    let (a, b) = (world.join("ann"), world.join("bob"));
    assert_eq!(world.clients[a].machine.mode("bob"), Mode::Unset);
    world.turn(b, "nobody-yet");
    world.turn(a, "bob");
    assert_eq!(world.clients[b].machine.mode("ann"), Mode::Unset);
    world.say(a, "bob", "hi");
    assert_eq!(world.clients[b].machine.mode("ann"), Mode::On);
    assert!(world.clients[b].told.contains(&Notice::Encrypts { name: "ann".into() }));
    world.run(b, |machine, now| machine.turn("ann", false, now));
    world.say(a, "bob", "again");
    assert_eq!(world.clients[b].machine.mode("ann"), Mode::Off, "the user has said so");
    assert_eq!(world.clients[b].texts(), [Ok("hi"), Ok("again")]);
}
