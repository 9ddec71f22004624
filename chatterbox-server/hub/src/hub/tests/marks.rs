//! How far users have read, and how much they have not (MK-1, MK-2).

use chatterbox_proto::WireText;
use chatterbox_proto::capability::marks::ReadUpTo;
use serde_json::{Value, json};

use super::room_kit::{World, enter, user};
use super::*;
use crate::replica::proposal::{Proposal, Say};
use crate::{
    Identity, Level, ReadIn, ReadMark, RoomChange, RoomKeep, RoomNumber, RoomSetting, RoomShow,
};

const SPEAKS: &str = "accounts/1 commands/1 devices/1 ids/1 marks/1 notices/1 rename/1 rooms/1";

fn speaking(id: i64, text: &str, speaks: &str) -> Identity {
    let agreed = Capabilities::parse_offer(speaks).ok();
    Identity { agreed, ..user(id, text, Level::USER) }
}

fn come(world: &mut World, id: i64, text: &str) -> MemberId {
    world.come(speaking(id, text, SPEAKS), None, 0).id
}

fn say_to(world: &mut World, by: MemberId, to: Option<&str>, room: Option<RoomNumber>) -> u64 {
    let number = world.number + 1;
    let source = world.hub.name_of(by).unwrap().clone();
    let mut record = record(source.as_str(), to, "x");
    record.filing.to = to.and_then(|to| world.hub.find(&name(to)).map(|(_, who)| who.party()));
    if let Some(room) = room {
        let room = world.hub.replica.rooms.get(room).unwrap().definition.to_ref();
        record.destination = Destination::Room(room);
    }
    let mut records = [record];
    world.hub.file_from(by, &mut records);
    let [record] = records;
    let say = Say { member: by, number, tag: None, record };
    world.propose(Proposal::Say(say), None).unwrap();
    world.number = number;
    number
}

fn say(world: &mut World, by: MemberId, to: Option<&str>) -> u64 {
    say_to(world, by, to, None)
}

fn say_in(world: &mut World, by: MemberId, room: RoomNumber) -> u64 {
    say_to(world, by, None, Some(room))
}

/// READ and UNREAD as a further device of ann is told them, which has its connection for a moment.
fn welcomed(world: &mut World) -> [Value; 2] {
    let device = world.come(speaking(7, "ann", SPEAKS), None, 0);
    world.leave(device.id);
    ["READ", "UNREAD"].map(|key| device.welcome[key].clone())
}

fn unread(world: &mut World) -> Value {
    let [_, unread] = welcomed(world);
    unread
}

fn read(hub: &mut Hub, by: MemberId, with: &str, upto: u64) {
    let read = ReadUpTo { with: WireText::new(with.to_owned()), upto };
    if let Some(with) = ReadIn::parse(&read) {
        hub.read_up_to(by, with, upto);
    }
}

/// What is written down next: the conversations of an account, and up to where.
fn taken(hub: &mut Hub) -> Vec<(i64, String, u64)> {
    let marks = hub.take_marks().into_iter();
    marks
        .map(|ReadMark { account, with, upto, .. }| (account.id, with.key().into_owned(), upto))
        .collect()
}

#[test]
fn what_was_read_is_judged_without_the_hub() {
    let of =
        |with: &str| ReadIn::parse(&ReadUpTo { with: WireText::new(with.to_owned()), upto: 1 });
    assert!(matches!(of("ALL"), Some(ReadIn::Lobby)));
    assert!(matches!(of("#lab"), Some(ReadIn::Room(_))));
    assert!(matches!(of("b\u{f6}b"), Some(ReadIn::User(bob)) if bob == name("b\u{f6}b")));
    for none in ["", "b b", "server", &"x".repeat(10_000), &format!("#{}", "x".repeat(10_000))] {
        assert!(of(none).is_none(), "{none}");
    }
}

#[test]
fn what_the_reader_is_not_shown_is_not_unread() {
    let mut world = World::new();
    let (ann, bob) = (come(&mut world, 7, "ann"), come(&mut world, 8, "bob"));
    let eve = come(&mut world, 9, "eve");
    let room = world.room(bob, "#lab");
    for who in [ann, eve] {
        world.wish(who, enter(room)).unwrap();
    }
    for who in [eve, bob, eve] {
        say(&mut world, who, None);
        say_in(&mut world, who, room);
        say(&mut world, who, Some("ann"));
    }
    assert_eq!(unread(&mut world), json!({"ALL": 3, "#lab": 3, "bob": 1, "eve": 2}));
    world.hub.set_blocked(ann, vec![name("eve")]);
    let told = welcomed(&mut world);
    assert_eq!(told[0], json!({"ALL": 0, "#lab": 0, "bob": 0, "eve": 0}));
    assert_eq!(told[1], json!({"ALL": 1, "#lab": 1, "bob": 1, "eve": 0}));
}

#[test]
fn what_a_room_shows_nobody_or_only_those_who_were_there_is_not_unread() {
    let mut world = World::new();
    let (ann, bob) = (come(&mut world, 7, "ann"), come(&mut world, 8, "bob"));
    let rooms = ["#all", "#off", "#since", "#cleared"].map(|text| world.room(bob, text));
    let [all, off, since, cleared] = rooms;
    world.set(bob, off, RoomSetting::Keep(RoomKeep::Off));
    world.set(bob, since, RoomSetting::Show(RoomShow::Joined));
    for room in rooms {
        say_in(&mut world, bob, room);
        say_in(&mut world, bob, room);
        world.wish(ann, enter(room)).unwrap();
    }
    for room in rooms {
        say_in(&mut world, bob, room);
    }
    world.wish(bob, RoomChange::Clear(cleared)).unwrap();
    let expected = json!({"ALL": 0, "#all": 3, "#off": 0, "#since": 1, "#cleared": 0});
    assert_eq!(unread(&mut world), expected);
    say_in(&mut world, bob, cleared);
    assert_eq!(unread(&mut world)["#cleared"], 1);
    // A mark is of the messages, wherever it stands.
    let newest = say_in(&mut world, bob, all);
    read(&mut world.hub, ann, "#all", newest - 1);
    assert_eq!(unread(&mut world)["#all"], 1);
}

#[test]
fn a_hundred_are_as_many_as_there_may_be_and_a_message_of_the_readers_own_ends_them() {
    let mut world = World::new();
    let (ann, bob) = (come(&mut world, 7, "ann"), come(&mut world, 8, "bob"));
    let room = world.room(bob, "#lab");
    world.wish(ann, enter(room)).unwrap();
    for _ in 0..120 {
        say(&mut world, bob, None);
        say_in(&mut world, bob, room);
        say(&mut world, bob, Some("ann"));
    }
    assert_eq!(unread(&mut world), json!({"ALL": 100, "#lab": 100, "bob": 100}));
    let own = [
        say(&mut world, ann, None),
        say_in(&mut world, ann, room),
        say(&mut world, ann, Some("bob")),
    ];
    let told = welcomed(&mut world);
    assert_eq!(told[0], json!({"ALL": own[0], "#lab": own[1], "bob": own[2]}));
    assert_eq!(told[1], json!({"ALL": 0, "#lab": 0, "bob": 0}));
    say(&mut world, bob, None);
    assert_eq!(unread(&mut world)["ALL"], 1);
    // A device that does not speak of marks says as much by what it says.
    let silent = world.come(speaking(7, "ann", "accounts/1 devices/1 ids/1"), None, 0).id;
    let own = say(&mut world, silent, None);
    let told = welcomed(&mut world);
    assert_eq!((&told[0]["ALL"], &told[1]["ALL"]), (&json!(own), &json!(0)));
}

#[test]
fn a_bounded_part_of_the_lobby_is_looked_at_for_what_is_unread() {
    let mut world = World::large();
    let ann = come(&mut world, 7, "ann");
    let said = |world: &mut World, by: &str, many: usize| {
        for _ in 0..many {
            world.number += 1;
            let _ = world.hub.apply(world.number, record(by, None, "x"));
        }
    };
    world.hub.set_blocked(ann, vec![name("eve")]);
    said(&mut world, "bob", 1);
    said(&mut world, "eve", 1_999);
    assert_eq!(unread(&mut world), json!({"ALL": 1}));
    said(&mut world, "eve", 1);
    assert_eq!(unread(&mut world), json!({"ALL": 0}), "it is not among the newest 2,000");
}

#[test]
fn a_mark_goes_forward_in_conversations_that_are_there() {
    let mut world = World::new();
    let (ann, bob) = (come(&mut world, 7, "ann"), come(&mut world, 8, "bob"));
    let guest = world.come(super::room_kit::guest("gus"), None, 0).id;
    let (lab, den) = (world.room(bob, "#lab"), world.room(bob, "#den"));
    world.wish(ann, enter(lab)).unwrap();
    let lobby = say(&mut world, bob, None);
    let in_lab = say_in(&mut world, bob, lab);
    say_in(&mut world, bob, den);
    let private = say(&mut world, bob, Some("ann"));
    // What bob has said himself.
    taken(&mut world.hub);
    let far = private + 1_000;
    for with in ["ALL", "#lab", "#den", "#none", "bob", "nobody", "", "\u{7}"] {
        for upto in [1, far, 0] {
            read(&mut world.hub, ann, with, upto);
            read(&mut world.hub, guest, with, upto);
        }
    }
    let room = format!("\t{}", lab.0);
    let mut all = taken(&mut world.hub);
    all.sort();
    let mut expected =
        [(7, String::new(), lobby), (7, room, in_lab), (7, "bob".to_owned(), private)];
    expected.sort();
    assert_eq!(all, expected);
    for (with, upto) in [("ALL", far), ("#lab", in_lab), ("bob", far), ("bob", 1)] {
        read(&mut world.hub, ann, with, upto);
    }
    assert_eq!(taken(&mut world.hub), [], "that is known");
}

#[test]
fn whoever_asks_for_what_is_not_there_waits_behind_nobody_but_themselves() {
    let mut world = World::large();
    let (ann, bob) = (come(&mut world, 7, "ann"), come(&mut world, 8, "bob"));
    let cyd = come(&mut world, 9, "cyd");
    for number in 1..=5_000 {
        world.number = number;
        let _ = world.hub.apply(number, record("bob", Some("ann"), "x"));
    }
    let to_cyd = say(&mut world, bob, Some("cyd"));
    taken(&mut world.hub);
    for upto in 1..=3 {
        for number in 0..9 {
            read(&mut world.hub, ann, &format!("u{number}"), upto);
        }
    }
    read(&mut world.hub, ann, "bob", 4_000);
    read(&mut world.hub, cyd, "bob", to_cyd);
    // For each of the nine as many are looked at as ever are, and for four of them it is enough for a second.
    assert_eq!(taken(&mut world.hub), [(9, "bob".to_owned(), to_cyd)]);
    assert_eq!(taken(&mut world.hub), []);
    assert_eq!(taken(&mut world.hub), [(7, "bob".to_owned(), 4_000)]);
}
