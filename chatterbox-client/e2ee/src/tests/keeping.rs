//! What is kept between runs, and copies of it.

use chatterbox_proto::capability::meta::{DeviceId, Sealed};

use super::world::{Stored, World};
use crate::payload::Payload;
use crate::{Incoming, Machine, Notice, Opened, Opening, StateError, Unreadable};

/// A message with the sentence, and nothing encrypted in it.
fn sentence(from: &str, to: &str) -> Stored {
    let device = DeviceId::parse("anything").unwrap();
    let sealed = Sealed { from: device, to: Vec::new() };
    Stored { id: 500, from: from.to_owned(), to: to.to_owned(), sealed }
}

#[test]
fn anybody_can_say_the_sentence_and_turns_nothing_on_by_it() {
    let mut world = World::of(&["ann", "bob"]);
    let a = world.join("ann");
    world.bring(a, &sentence("bob", "ann"));
    world.bring(a, &sentence("guest", "ann"));
    for name in ["bob", "guest"] {
        assert_eq!(world.clients[a].machine.mode(name), crate::Mode::Unset, "{name}");
    }
    assert!(!world.clients[a].machine.take_dirty(), "there is nothing to store");
    // Until the server has answered, nothing is said in the clear.
    world.server.silent = true;
    world.bring(a, &sentence("cyd", "ann"));
    assert_eq!(world.clients[a].machine.mode("cyd"), crate::Mode::On);
}

#[test]
fn what_could_not_be_looked_up_is_not_said_to_be_read_and_comes_again() {
    let mut world = World::of(&["ann", "bob"]);
    let (a, b) = (world.join("ann"), world.join("bob"));
    for client in [a, b] {
        world.turn(client, "nobody-yet");
    }
    world.disconnect(b);
    world.say(a, "bob", "one");
    let id = world.server.last;
    world.server.refusing = true;
    world.connect(b);
    assert_eq!(world.clients[b].texts(), [Err(Unreadable::NoSenderKeys)]);
    world.server.refusing = false;
    for text in ["two", "three"] {
        world.say(a, "bob", text);
        assert_eq!(world.clients[b].texts().last(), Some(&Ok(text)));
        assert!(world.server.done.get("bob").is_none_or(|done| *done < id));
        // A session that is resumed brings only what is new.
        world.disconnect(b);
        world.connect(b);
    }
    // With the next welcome it is there again.
    let message = world.server.messages[0].clone();
    world.bring(b, &message);
    assert_eq!(world.clients[b].texts().last(), Some(&Ok("one")));
    assert_eq!(world.server.done.get("bob"), Some(&id));
}

/// A ratchet reads a message once: what it has read and what can't be shown yet is stored together with it.
#[test]
fn what_was_decrypted_and_could_not_be_shown_is_shown_when_it_comes_again() {
    for is_refused in [true, false] {
        let (mut world, [a1, a2, b1, b2]) = World::pair();
        world.say(a1, "bob", "old");
        for lost in [b1, b2] {
            world.disconnect(lost);
        }
        world.server.reset("bob");
        let b3 = world.join("bob");
        world.turn(b3, "ann");
        // Ann's second device does not know the identity that is named inside, and is not told.
        world.run(a1, |machine, now| machine.say("bob", "new", None, now));
        (world.server.refusing, world.server.silent) = (is_refused, !is_refused);
        world.deliver();
        let unread = Err(Unreadable::NoSenderKeys);
        let shown = if is_refused { vec![Ok("old"), unread] } else { vec![Ok("old")] };
        assert_eq!(world.clients[a2].texts(), shown);
        world.clients[a2].restart();
        (world.server.refusing, world.server.silent) = (false, false);
        world.connect(a2);
        let message = world.server.messages.last().unwrap().clone();
        world.bring(a2, &message);
        assert_eq!(world.clients[a2].texts().last(), Some(&Ok("new")), "refused: {is_refused}");
        let device = message.sealed.from.as_str();
        assert_eq!(world.clients[a2].machine.keyring.held(message.id, device), None);
        world.say(a1, "bob", "and on");
        assert_eq!(world.clients[a2].texts().last(), Some(&Ok("and on")));
    }
}

#[test]
fn what_is_held_is_bounded_and_is_of_one_device() {
    let key = |fill: &str| chatterbox_proto::capability::e2ee::PublicKey::parse(&fill.repeat(43));
    let party = |fill| crate::payload::Party { number: 7, identity: key(fill).unwrap() };
    let payload = Payload { from: party("A"), to: party("E"), text: "x".into(), reply: Some(3) };
    let mut machine = Machine::new();
    for id in 1..=65 {
        machine.keyring.hold(id, "d1", payload.clone());
    }
    let machine = Machine::load(&machine.state().unwrap(), []).unwrap();
    let held = |id, device| machine.keyring.held(id, device);
    assert_eq!((held(1, "d1"), held(2, "d2")), (None, None));
    assert_eq!((held(2, "d1"), held(65, "d1")), (Some(&payload), Some(&payload)));
}

#[test]
fn a_device_without_keys_sends_nothing_in_the_clear_where_another_one_encrypts() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    let a3 = world.join("ann");
    world.say(b1, "ann", "one");
    world.say(a1, "bob", "two");
    let unreadable = Err(crate::Unreadable::NoKeys);
    assert_eq!(world.clients[a3].texts(), [unreadable, unreadable]);
    assert!(world.clients[a3].told.contains(&Notice::Encrypts { name: "bob".into() }));
    assert_eq!(world.clients[a3].machine.mode("bob"), crate::Mode::On);
    world.say(a3, "bob", "three");
    let not_sent = ("three".to_owned(), crate::NotSent::NoOwnKeys);
    assert_eq!(world.clients[a3].not_sent, [not_sent]);
    // What the user has turned off stays off.
    world.run(a3, |machine, now| machine.turn("bob", false, now));
    world.say(b1, "ann", "four");
    assert_eq!(world.clients[a3].machine.mode("bob"), crate::Mode::Off);
}

#[test]
fn a_restored_copy_begins_new_sessions() {
    let (mut world, [a1, _, b1, b2]) = World::pair();
    world.disconnect(b2);
    world.say(a1, "bob", "one");
    world.say(b1, "ann", "two");
    let copy = world.clients[b1].stored_copy();
    world.say(a1, "bob", "three");
    world.say(b1, "ann", "four");
    world.disconnect(b1);
    world.clients[b1].machine = copy;
    world.clients[b1].machine.is_restored();
    assert!(world.clients[b1].machine.take_dirty());
    world.connect(b1);
    assert!(world.clients[b1].told.contains(&Notice::Restored));
    // What was read since the copy is not read again.
    let message = world.server.messages[2].clone();
    world.bring(b1, &message);
    assert_eq!(world.clients[b1].texts().last(), Some(&Err(Unreadable::NoSession)));
    let before = world.server.claimed.len();
    world.say(b1, "ann", "five");
    assert_eq!(world.server.claimed.len(), before + 3, "new sessions with all others");
    assert_eq!(world.clients[a1].texts().last(), Some(&Ok("five")));
    world.say(a1, "bob", "six");
    assert_eq!(world.clients[b1].texts().last(), Some(&Ok("six")));
}

#[test]
fn what_was_read_is_there_after_a_start_and_the_server_can_not_change_it() {
    let (mut world, [a1, _, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    world.clients[b1].restart();
    world.connect(b1);
    let mut message = world.server.messages[0].clone();
    // The server has dropped the entry, as KEYS_DONE lets it.
    message.sealed.to.clear();
    world.bring(b1, &message);
    assert_eq!(world.clients[b1].texts().last(), Some(&Ok("one")));
}

#[test]
fn own_texts_are_known_as_such_on_each_device() {
    let (mut world, [a1, a2, b1, _]) = World::pair();
    world.say(a1, "bob", "one");
    let message = world.server.messages[0].clone();
    for client in [a1, a2, b1] {
        world.clients[client].restart();
        let (source, recipient) = (message.from.as_str(), message.to.as_str());
        let incoming = Incoming { source, recipient, id: message.id, sealed: None };
        let (opened, _) = world.clients[client].machine.open(incoming, world.now);
        let Opened::Now(Opening::Text { own, .. }) = opened else { panic!("{opened:?}") };
        assert_eq!(own, client != b1);
    }
}

#[test]
fn a_state_that_is_not_ours_is_refused() {
    assert!(matches!(Machine::load(b"", []), Err(StateError::Malformed)));
    assert!(matches!(Machine::load(b"{}", []), Err(StateError::Malformed)));
    let newer = br#"{"version": 2, "other": true}"#;
    assert!(matches!(Machine::load(newer, []), Err(StateError::Newer)));
    let machine = Machine::new();
    assert!(Machine::load(&machine.state().unwrap(), []).is_ok());
}

#[test]
fn the_code_is_shown_until_it_is_written_down() {
    let mut world = World::of(&["ann"]);
    let a = world.join("ann");
    world.turn(a, "bob");
    let code = world.code(a);
    world.clients[a].restart();
    world.connect(a);
    assert!(world.clients[a].told.contains(&Notice::CodeWaits));
    world.clients[a].told.clear();
    world.run(a, |machine, _| machine.recovery_code());
    assert_eq!(world.code(a), code);
    assert!(
        world.clients[a].machine.code_is_written() && !world.clients[a].machine.code_is_written()
    );
    assert!(world.clients[a].machine.recovery_code().is_empty());
    let other = world.join("ann");
    world.run(other, |machine, _| machine.recover("AAAA"));
    world.turn(other, "bob");
    assert!(world.clients[other].told.contains(&Notice::NeedsCode));
    world.run(other, |machine, _| machine.recover(&code));
    assert!(world.clients[other].told.contains(&Notice::Published));
    assert_eq!(world.clients[other].machine.devices().others.len(), 1);
}
