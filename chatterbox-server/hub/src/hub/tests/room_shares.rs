//! What nobody takes from others in rooms: the rooms themselves, what was told to who reads, and what staff has to hear.

use super::room_kit::*;
use super::*;
use crate::{Identity, Level, Proposal, RoomNumber, RoomRefusal};

/// An account that comes from an address.
fn from(address: &str, id: i64) -> Identity {
    let address = Some(address.parse().unwrap());
    Identity { address, ..user(id, &format!("user{id}"), Level::USER) }
}

/// What is said in the messages that wait for somebody.
fn messages_of(world: &mut World, who: MemberId) -> Vec<String> {
    let lists = world.read_key(who, "MESSAGES");
    let messages = lists.iter().flat_map(|list| list.as_array().unwrap());
    messages.map(|message| message[3].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_site_makes_half_of_all_rooms_and_leaves_others_theirs() {
    let mut world = World::large();
    for owner in 0..25 {
        // All of one network, one /48 of which somebody has all addresses.
        let who = world.join(from(&format!("2001:db8:1:{owner:x}::1"), owner));
        for room in 0..20 {
            world.room(who, &format!("#r-{owner}-{room}"));
        }
    }
    let more = world.join(from("2001:db8:1:ffff::1", 100));
    assert_eq!(world.wish(more, create("#more")), Err(RoomRefusal::TooMany));
    let other = world.join(from("2001:db8:2::1", 101));
    assert!(world.wish(other, create("#other")).is_ok());
}

#[test]
fn a_group_of_the_sequencer_overtakes_nobody_who_was_told_everything_before() {
    let mut world = World::large();
    let ann = world.join(user(1, "ann", Level::USER));
    let bob = world.join(user(2, "bob", Level::USER));
    let room = world.room(ann, "#lab");
    world.wish(bob, enter(room)).unwrap();
    world.read(bob);
    // 1,024 messages and one post of 32 more, or 2 MiB and one post of 1 MiB.
    for (messages, bytes) in [(1_056, 20), (780, 4_000)] {
        for _ in 0..messages {
            world.say(ann, room, &"x".repeat(bytes)).unwrap();
        }
        assert_eq!(world.hub.evict_overtaken(0).overtaken, []);
        assert_eq!(messages_of(&mut world, bob).len(), messages);
        world.read(ann);
    }
}

#[test]
fn the_staff_of_a_room_hears_who_blocks_them_there_and_nobody_whom_they_block() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let eve = world.join(user(2, "eve", Level::USER));
    let room = world.room(ann, "#lab");
    world.wish(eve, enter(room)).unwrap();
    let block = |world: &mut World, who, whom: &str| {
        let _ = world.propose(Proposal::SetBlocked(who, vec![name(whom)]), None);
    };
    block(&mut world, eve, "ann");
    world.read(ann);
    world.say(eve, room, "in the room").unwrap();
    world.say(eve, RoomNumber::LOBBY, "to all").unwrap();
    assert_eq!(messages_of(&mut world, ann), ["in the room"]);
    // Whom they block themselves they don't want to hear.
    block(&mut world, ann, "eve");
    world.say(eve, room, "again").unwrap();
    assert_eq!(messages_of(&mut world, ann), [""; 0]);
    // Somebody who is no staff is hidden from as in the lobby.
    let dan = world.join(user(3, "dan", Level::USER));
    world.wish(dan, enter(room)).unwrap();
    block(&mut world, eve, "dan");
    world.read(dan);
    world.say(eve, room, "once more").unwrap();
    assert_eq!(messages_of(&mut world, dan), [""; 0]);
}
