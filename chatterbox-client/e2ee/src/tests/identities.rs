//! Identity keys that are swapped, lost, begun anew, and back again: what is believed, told, read and not sent (EE-7).

use super::world::{Stored, World, other_key};
use crate::{Mode, NotSent, Notice, Unreadable};

#[test]
fn a_swapped_identity_is_told_loudly_and_a_verified_one_is_kept() {
    for verified in [false, true] {
        let (mut world, [a1, _, _, _]) = World::pair();
        world.say(a1, "bob", "one");
        if verified {
            world.verify(a1, "bob");
        }
        world.server.lie = Some(|name, keys| {
            if name == "bob" {
                keys.identity = Some(other_key());
            }
        });
        world.disconnect(a1);
        world.connect(a1);
        world.say(a1, "bob", "two");
        let changed = Notice::Changed { name: "bob".into(), was_verified: verified };
        assert!(world.clients[a1].told.contains(&changed));
        let why = if verified { NotSent::Changed } else { NotSent::NoKeys };
        assert_eq!(world.clients[a1].not_sent, [("two".to_owned(), why)]);
        assert_eq!(world.server.messages.len(), 1);
        assert_eq!(world.clients[a1].machine.mode("bob"), Mode::On, "never in the clear");
    }
}

#[test]
fn the_own_identity_is_that_of_this_device_whatever_the_server_says() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    world.server.lie = Some(|name, keys| {
        if name == "ann" {
            keys.identity = Some(other_key());
        }
    });
    world.disconnect(a1);
    world.connect(a1);
    assert!(world.clients[a1].told.contains(&Notice::OwnChanged));
    world.say(a1, "bob", "two");
    assert!(world.clients[a1].not_sent.iter().any(|(text, _)| text == "two"));
    assert_eq!(world.clients[b1].texts(), [Ok("one")]);
}

#[test]
fn what_another_own_device_has_said_to_a_new_identity_is_read() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.say(a1, "bob", "old");
    for lost in [b1, b2] {
        world.disconnect(lost);
    }
    world.server.reset("bob");
    let b3 = world.join("bob");
    world.turn(b3, "ann");
    world.say(a1, "bob", "new");
    assert_eq!(world.clients[b3].texts(), [Ok("new")]);
    assert_eq!(world.clients[a2].texts(), [Ok("old"), Ok("new")]);
    let changed = Notice::Changed { name: "bob".into(), was_verified: false };
    assert!(world.clients[a2].told.contains(&changed));
}

#[test]
fn why_a_message_to_a_new_identity_of_somebody_verified_is_not_read_is_said() {
    let (mut world, [a1, a2, b1, b2]) = World::pair();
    world.say(a1, "bob", "old");
    world.verify(a2, "bob");
    for lost in [b1, b2] {
        world.disconnect(lost);
    }
    world.server.reset("bob");
    let b3 = world.join("bob");
    world.turn(b3, "ann");
    // The first device of ann has verified nobody, and sends it to the second one, too.
    world.say(a1, "bob", "new");
    assert_eq!(world.clients[b3].texts(), [Ok("new")]);
    assert_eq!(world.clients[a2].texts(), [Ok("old"), Err(Unreadable::Changed)]);
    let words = Unreadable::Changed.to_string();
    assert!(words.contains("not the one that you have verified"), "{words}");
}

#[test]
fn an_identity_that_is_back_goes_on_with_its_sessions_and_reads_nothing_twice() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    let device = world.clients[b1].machine.device().unwrap().as_str().to_owned();
    // A session over the fallback key could begin twice.
    let own = world.clients[a1].machine.device().unwrap().as_str().to_owned();
    world.server.stock.get_mut(&own).unwrap().one_time.clear();
    world.say(b1, "ann", "one");
    world.say(a1, "bob", "two");
    let claimed = world.server.claimed.clone();
    let begun = |world: &World| {
        let new = &world.server.claimed[claimed.len()..];
        new.iter().filter(|(of, _)| *of == device).count()
    };
    for (place, text) in ["three", "four"].into_iter().enumerate() {
        world.server.lie = Some(|name, keys| {
            if name == "bob" {
                keys.identity = Some(other_key());
            }
        });
        world.disconnect(a1);
        world.connect(a1);
        world.say(a1, "bob", "not sent");
        assert_eq!(world.clients[a1].not_sent.len(), place + 1);
        world.server.lie = None;
        if place > 0 {
            // The sessions are kept from run to run, too.
            world.clients[a1].restart();
        }
        world.disconnect(a1);
        world.connect(a1);
        world.say(a1, "bob", text);
        assert_eq!(world.clients[b1].texts().last(), Some(&Ok(text)));
        assert_eq!(begun(&world), 0, "no new session");
    }
    // What was read before is known.
    let first = world.server.messages[0].clone();
    world.server.last += 1;
    let again = Stored { id: world.server.last, ..first };
    world.bring(a1, &again);
    assert_eq!(world.clients[a1].texts().last(), Some(&Err(Unreadable::NoSession)));
    let changed = Notice::Changed { name: "bob".into(), was_verified: false };
    let told = world.clients[a1].told.iter().filter(|notice| **notice == changed);
    assert_eq!(told.count(), 4, "there and back, twice");
}

#[test]
fn sessions_of_a_former_identity_are_no_better_than_others_when_the_keys_were_copied_back() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    world.say(b1, "ann", "two");
    world.server.lie = Some(|name, keys| {
        if name == "bob" {
            keys.identity = Some(other_key());
        }
    });
    world.disconnect(a1);
    world.connect(a1);
    world.say(a1, "bob", "not sent");
    world.server.lie = None;
    world.clients[a1].restart();
    world.clients[a1].machine.is_restored();
    let before = world.server.claimed.len();
    world.connect(a1);
    world.say(a1, "bob", "three");
    assert_eq!(world.clients[b1].texts().last(), Some(&Ok("three")));
    assert_eq!(world.server.claimed.len(), before + 3, "new sessions with all others");
}

#[test]
fn another_identity_is_begun_only_where_the_server_has_none() {
    let (mut world, [a1, a2, _, _]) = World::pair();
    let code = world.code(a1);
    world.run(a1, |machine, _| machine.begin_again());
    assert_eq!(world.clients[a1].told.last(), Some(&Notice::HasKeys));
    world.disconnect(a2);
    world.server.reset("ann");
    world.run(a1, |machine, _| machine.begin_again());
    assert_ne!(world.code(a1), code);
}
