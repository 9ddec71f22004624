//! A server, or somebody with a client of their own, that lies: what each side shows.

use chatterbox_proto::WireText;
use chatterbox_proto::capability::e2ee::PublicKey;

use super::world::{START, World, other_key};
use crate::person::Person;
use crate::{Mode, NotSent, Notice, Unreadable};

#[test]
fn a_swapped_device_key_is_not_used() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    world.server.lie = Some(|name, keys| {
        if name == "bob" {
            keys.devices[0].curve25519 = PublicKey::parse(&"E".repeat(43)).unwrap();
        }
    });
    world.disconnect(a1);
    world.connect(a1);
    world.say(a1, "bob", "two");
    let device = world.clients[b1].machine.device().unwrap().as_str().to_owned();
    let unsigned = Notice::Unsigned { name: "bob".into(), device };
    assert!(world.clients[a1].told.contains(&unsigned), "{:?}", world.clients[a1].told);
    assert!(unsigned.is_loud());
    // It is encrypted for the device that is signed, which the server does not take.
    assert_eq!(world.clients[a1].not_sent, [("two".to_owned(), NotSent::DevicesChange)]);
    assert!(world.server.messages.iter().all(|message| message.sealed.to.len() == 3));
}

#[test]
fn an_added_device_without_a_signature_gets_nothing() {
    let (mut world, [a1, _, _, _]) = World::pair();
    world.server.lie = Some(|name, keys| {
        if name == "bob" {
            let mut device = keys.devices[0].clone();
            device.device = chatterbox_proto::capability::meta::DeviceId::parse("evil").unwrap();
            keys.devices.push(device);
        }
    });
    world.say(a1, "bob", "one");
    assert!(
        world.clients[a1]
            .told
            .contains(&Notice::Unsigned { name: "bob".into(), device: "evil".into() })
    );
    assert!(world.server.messages[0].sealed.to.iter().all(|entry| entry.device.as_str() != "evil"));
}

#[test]
fn a_swapped_one_time_key_begins_no_session() {
    let (mut world, [a1, _, _, _]) = World::pair();
    world.server.lie_about_keys = Some(|key| key.key = PublicKey::parse(&"E".repeat(43)).unwrap());
    world.say(a1, "bob", "one");
    assert_eq!(world.clients[a1].not_sent, [("one".to_owned(), NotSent::NoDeviceKey)]);
    // Keys that are all zero are refused by the library, if they were signed even so.
    world.server.lie_about_keys = None;
    world.say(a1, "bob", "two");
    assert_eq!(world.clients[a1].texts(), [Ok("two")]);
}

#[test]
fn what_is_replayed_is_not_shown_as_new() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    let device = world.clients[b1].machine.device().unwrap().as_str().to_owned();
    // Over the fallback key, which would let a session begin twice.
    world.server.stock.get_mut(&device).unwrap().one_time.clear();
    world.say(a1, "bob", "one");
    world.say(b1, "ann", "two");
    world.say(a1, "bob", "three");
    let shown = world.clients[b1].texts().len();
    for message in world.server.messages.clone() {
        if message.from == "bob" {
            continue;
        }
        world.server.last += 1;
        let again = super::world::Stored { id: world.server.last, ..message };
        world.bring(b1, &again);
    }
    assert_eq!(
        world.clients[b1].texts()[shown..],
        [Err(Unreadable::NoSession), Err(Unreadable::NoSession)]
    );
    // The same message under its own id is what it was.
    let message = world.server.messages[0].clone();
    world.bring(b1, &message);
    assert_eq!(world.clients[b1].texts().last(), Some(&Ok("one")));
}

#[test]
fn other_names_outside_than_inside_are_refused() {
    let mut world = World::of(&["ann", "bob", "eve"]);
    let [a, b, e] = ["ann", "bob", "eve"].map(|user| world.join(user));
    for client in [a, b, e] {
        world.turn(client, "nobody-yet");
    }
    world.disconnect(b);
    world.say(a, "bob", "for bob");
    let message = world.server.messages[0].clone();
    world.connect(b);
    assert_eq!(world.clients[b].texts(), [Ok("for bob")]);
    // The server says that it is from somebody else: the device is not eve's.
    for (from, to) in [("eve", "bob"), ("ann", "eve"), ("eve", "ann")] {
        world.server.last += 1;
        let (id, from, to) = (world.server.last, from.to_owned(), to.to_owned());
        world.bring(b, &super::world::Stored { id, from, to, ..message.clone() });
        let shown = world.clients[b].texts().pop().unwrap();
        assert!(shown.is_err(), "{shown:?}");
    }
}

#[test]
fn what_comes_in_another_order_or_with_gaps_is_read() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "begin");
    world.say(b1, "ann", "answer");
    world.disconnect(b1);
    for n in 0..30 {
        world.say(a1, "bob", &format!("m{n}"));
    }
    let mut late: Vec<_> = world.server.messages[2..].to_vec();
    late.reverse();
    // A third of them is withheld.
    late.retain(|message| message.id % 3 != 0);
    world.clients[b1].delivered = world.server.last;
    world.connect(b1);
    for message in &late {
        world.bring(b1, message);
    }
    let texts = world.clients[b1].texts();
    assert_eq!(texts.len(), 2 + late.len());
    assert!(texts.iter().all(Result::is_ok), "{texts:?}");
}

/// Oldest first, all of a long absence can be read; newest first, what is behind the skipped keys can't (EE-9).
#[test]
fn oldest_first_reads_all_of_a_long_absence() {
    for newest_first in [false, true] {
        let (mut world, [a1, _, b1, _]) = World::pair();
        world.say(a1, "bob", "begin");
        world.say(b1, "ann", "answer");
        world.disconnect(b1);
        for n in 0..60 {
            world.say(a1, "bob", &format!("m{n}"));
        }
        let mut missed: Vec<_> = world.server.messages[2..].to_vec();
        if newest_first {
            missed.reverse();
        }
        world.clients[b1].delivered = world.server.last;
        world.connect(b1);
        for message in &missed {
            world.bring(b1, message);
        }
        let read = world.clients[b1].texts().iter().filter(|text| text.is_ok()).count() - 2;
        assert_eq!(read == 60, !newest_first, "{read} of 60, newest first: {newest_first}");
    }
}

#[test]
fn keys_that_do_not_come_leave_nothing_in_the_clear() {
    let (mut world, [a1, _, _, _]) = World::pair();
    world.server.silent = true;
    world.say(a1, "bob", "one");
    assert_eq!(world.clients[a1].machine.waiting(), 1);
    world.now = START + 61;
    world.run(a1, |machine, now| machine.tick(now));
    assert_eq!(world.clients[a1].not_sent, [("one".to_owned(), NotSent::Directory)]);
    assert_eq!(world.server.messages.len(), 0);
}

#[test]
fn a_message_of_a_device_that_is_newer_than_what_is_known_waits_for_the_directory() {
    let mut world = World::of(&["ann", "bob"]);
    let (a, b) = (world.join("ann"), world.join("bob"));
    world.turn(b, "ann");
    world.turn(a, "bob");
    world.run(a, |machine, now| machine.say("bob", "one", None, now));
    world.server.silent = true;
    world.deliver();
    world.run(b, |machine, now| machine.tick(now));
    assert_eq!(world.clients[b].texts(), [], "the answer may still come");
    // It did not: the next connection asks again.
    world.server.silent = false;
    world.disconnect(b);
    world.connect(b);
    assert_eq!(world.clients[b].texts(), [Ok("one")]);
}

#[test]
fn keys_that_are_published_later_are_asked_for_again() {
    let mut world = World::of(&["ann", "bob"]);
    let (a, b) = (world.join("ann"), world.join("bob"));
    world.turn(a, "bob");
    world.say(a, "bob", "too early");
    assert_eq!(world.clients[a].not_sent, [("too early".to_owned(), NotSent::NoKeys)]);
    world.turn(b, "ann");
    // The answer takes its time: what waits for it is not given up at the next tick.
    world.server.silent = true;
    world.say(a, "bob", "one");
    world.run(a, |machine, now| machine.tick(now));
    assert_eq!((world.clients[a].machine.waiting(), world.clients[a].not_sent.len()), (1, 1));
    world.server.silent = false;
    world.disconnect(a);
    world.connect(a);
    assert_eq!(world.clients[b].texts(), [Ok("one")]);
}

#[test]
fn who_has_no_keys_gets_nothing_at_all() {
    let mut world = World::of(&["ann", "bob"]);
    let a = world.join("ann");
    world.turn(a, "bob");
    world.say(a, "bob", "one");
    world.say(a, "nobody", "two");
    world.say(a, "ann", "three");
    let whys: Vec<_> = world.clients[a].not_sent.iter().map(|(_, why)| *why).collect();
    assert_eq!(whys, [NotSent::NoKeys, NotSent::NoKeys, NotSent::Oneself]);
    world.disconnect(a);
    world.say(a, "bob", "four");
    assert_eq!(world.clients[a].not_sent.last().unwrap().1, NotSent::NotAgreed);
    assert_eq!(world.clients[a].machine.mode("bob"), Mode::On);
}

#[test]
fn a_message_that_can_not_be_read_leads_to_a_new_session_once_an_hour() {
    let (mut world, [a1, _, b1, b2]) = World::pair();
    world.disconnect(b2);
    world.say(a1, "bob", "one");
    world.say(b1, "ann", "two");
    // What bob gets is damaged on the way.
    let damage = |world: &mut World, text: &str| {
        world.disconnect(b1);
        world.say(a1, "bob", text);
        let mut message = world.server.messages.last().unwrap().clone();
        for entry in &mut message.sealed.to {
            let mut body = entry.body.to_string();
            let place = body.len() / 2;
            let other = if &body[place..=place] == "A" { "B" } else { "A" };
            body.replace_range(place..=place, other);
            entry.body = body.into();
        }
        *world.server.messages.last_mut().unwrap() = message;
        world.connect(b1);
    };
    damage(&mut world, "three");
    assert!(world.clients[b1].texts().last().unwrap().is_err());
    let claims = |world: &World| world.server.claimed.len();
    let before = claims(&world);
    world.say(b1, "ann", "four");
    assert_eq!(claims(&world), before + 1, "a new session with the device that could not be read");
    assert_eq!(world.clients[a1].texts().last(), Some(&Ok("four")));
    damage(&mut world, "five");
    world.say(b1, "ann", "six");
    assert_eq!(claims(&world), before + 1, "not again within the hour");
    world.now += 3600;
    world.say(b1, "ann", "seven");
    assert_eq!(claims(&world), before + 2);
    assert_eq!(world.clients[a1].texts().last(), Some(&Ok("seven")));
}

#[test]
fn a_text_that_is_too_long_for_all_devices_is_not_sent() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", &"x".repeat(60_000));
    assert_eq!(world.clients[a1].not_sent[0].1, NotSent::TooLong);
    world.say(a1, "bob", &"x".repeat(7000));
    assert!(world.clients[b1].texts().iter().all(Result::is_ok));
    assert_eq!(world.clients[b1].texts().len(), 1);
}

#[test]
fn a_name_that_the_server_gives_to_another_account_is_not_followed() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    world.server.lie = Some(|name, keys| {
        if name == "bob" {
            keys.account = WireText::new("eve");
        }
    });
    world.disconnect(a1);
    world.connect(a1);
    world.say(a1, "bob", "two");
    assert_eq!(world.clients[a1].not_sent, [("two".to_owned(), NotSent::OtherAccount)]);
    assert_eq!(world.clients[a1].machine.mode("bob"), Mode::On, "never in the clear");
    assert_eq!(world.server.messages.len(), 1);
    // Nor is anything shown under that name.
    world.say(b1, "ann", "three");
    assert_eq!(world.clients[a1].texts().last(), Some(&Err(Unreadable::OtherAccount)));
    // Who has it now the user may talk to, when they say so.
    world.turn(a1, "bob");
    world.say(a1, "bob", "four");
    let expected = ("four".to_owned(), NotSent::NoKeys);
    assert_eq!(world.clients[a1].not_sent.last(), Some(&expected), "eve has no device");
}

#[test]
fn who_has_another_name_stays_encrypted_under_it() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.turn(a1, "bob");
    world.server.nicks.insert("bobby".into(), "bob".into());
    world.clients[a1].machine.is_called("bob", "bobby");
    assert_eq!(world.clients[a1].machine.mode("bobby"), Mode::On);
    world.say(a1, "bobby", "one");
    assert_eq!(world.clients[b1].texts(), [Ok("one")]);
    // Before the directory has said whose the name is, and where it says that it is nobody's.
    world.clients[a1].restart();
    assert_eq!(world.clients[a1].machine.mode("bobby"), Mode::On);
    world.server.nicks.clear();
    world.connect(a1);
    world.say(a1, "bobby", "two");
    assert_eq!(world.clients[a1].not_sent, [("two".to_owned(), NotSent::NoKeys)]);
    assert_eq!(world.clients[a1].machine.mode("bobby"), Mode::On);
    // Only the user turns it off, and not for bob, who is not called so.
    world.run(a1, |machine, now| machine.turn("bobby", false, now));
    let modes = ["bobby", "bob"].map(|name| world.clients[a1].machine.mode(name));
    assert_eq!(modes, [Mode::Off, Mode::On]);
}

#[test]
fn what_was_read_is_not_shown_under_another_name() {
    let mut world = World::of(&["ann", "bob", "eve"]);
    let [a, b, e] = ["ann", "bob", "eve"].map(|user| world.join(user));
    for client in [a, b, e] {
        world.turn(client, "nobody-yet");
    }
    world.say(a, "bob", "for bob");
    let message = world.server.messages[0].clone();
    for is_dropped in [false, true] {
        let mut again = message.clone();
        again.from = "eve".into();
        if is_dropped {
            again.sealed.to.clear();
        }
        world.bring(b, &again);
        assert_eq!(world.clients[b].texts().last(), Some(&Err(Unreadable::WrongNames)));
    }
    world.bring(b, &message);
    assert_eq!(world.clients[b].texts().last(), Some(&Ok("for bob")));
}

#[test]
fn only_the_number_that_was_shown_last_is_confirmed() {
    let (mut world, [a1, _, _, _]) = World::pair();
    world.say(a1, "bob", "one");
    let confirm = |world: &mut World| {
        world.run(a1, |machine, now| machine.verify("bob", true, now));
        world.clients[a1].told.last().cloned()
    };
    assert!(matches!(confirm(&mut world), Some(Notice::Safety { verified: false, .. })));
    // Between the comparison and what the user says of it the server gives another key.
    world.server.lie = Some(|name, keys| {
        if name == "bob" {
            keys.identity = Some(other_key());
        }
    });
    world.disconnect(a1);
    world.connect(a1);
    world.say(a1, "bob", "two");
    assert!(matches!(confirm(&mut world), Some(Notice::Safety { verified: false, .. })));
    assert_eq!(confirm(&mut world), Some(Notice::Verified { name: "bob".into() }));
}

#[test]
fn however_many_people_the_server_names_new_ones_are_known_and_whom_one_encrypts_with_stays() {
    let (mut world, [a1, _, _, _]) = World::pair();
    world.say(a1, "bob", "one");
    let people = &mut world.clients[a1].machine.keyring.people;
    people.extend((0..2_000).map(|n| (format!("u{n}"), Person::new("u"))));
    let before = people.len();
    world.server.accounts.insert("carl".into(), world.server.accounts["bob"].clone());
    world.run(a1, |machine, now| machine.verify("carl", false, now));
    let people = &world.clients[a1].machine.keyring.people;
    assert!(people.contains_key("carl") && people.contains_key("ann"));
    assert_eq!(people.len(), before, "one with whom nothing was encrypted is forgotten");
    assert_eq!(world.clients[a1].machine.mode("bob"), Mode::On);
    world.say(a1, "bob", "two");
    assert_eq!(world.clients[a1].texts().last(), Some(&Ok("two")));
}

#[test]
fn words_of_what_is_loud_can_not_be_overlooked_and_hold_no_control_characters() {
    let name = "bob\u{1b}[31m\u{202e}".to_owned();
    for notice in [
        Notice::Changed { name: name.clone(), was_verified: true },
        Notice::Changed { name: name.clone(), was_verified: false },
        Notice::Unsigned { name: name.clone(), device: "\u{7}".into() },
        Notice::NewDevice { name, device: "d".into(), own: true },
        Notice::OwnChanged,
        Notice::OwnGone,
    ] {
        let words = notice.to_string();
        assert!(notice.is_loud() && !words.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{words}");
        let loud = words.split_whitespace().filter(|word| word.len() > 2);
        assert!(loud.filter(|word| **word == word.to_uppercase()).count() >= 3, "{words}");
    }
}
