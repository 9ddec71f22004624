//! The lobby as far as it is a room: topic, who may write, how often, and what is shown of it (RM-4).

use chatterbox_proto::Code;

use super::room_kit::*;
use super::*;
use crate::{Level, RoomChange, RoomNumber, RoomRefusal, RoomSetting};

const LOBBY: RoomNumber = RoomNumber::LOBBY;

#[test]
fn what_the_lobby_has_of_a_room_is_told_to_who_speaks_rooms() {
    let mut world = World::new();
    let base = world.hub.join(&name("base"), "").unwrap().id;
    let eve = world.come(guest("eve"), None, 0);
    let first = &eve.welcome["ROOMS"][0];
    let expected = r#"{"ROOM": "ALL", "TOPIC": "", "TALK": 0, "SLOW": 0, "FLOOR": 0}"#;
    assert_eq!(*first, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    let dan = world.join(user(1, "dan", Level::ADMIN));
    world.read(eve.id);
    world.read(base);
    world.set(dan, LOBBY, RoomSetting::Topic("exams".into()));
    world.set(dan, LOBBY, RoomSetting::Slow(30));
    let told = world.rooms_told(eve.id);
    let expected = [r#"{"ROOM": "ALL", "TOPIC": "exams"}"#, r#"{"ROOM": "ALL", "SLOW": 30}"#];
    let expected: Vec<serde_json::Value> =
        expected.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(told, expected);
    assert_eq!(world.read(base).len(), 0);
    let fay = world.come(guest("fay"), None, 0);
    assert_eq!(fay.welcome["ROOMS"][0]["TOPIC"], "exams");
    // Whoever is unsure is told all of it again (RM-6).
    world.hub.tell_room(fay.id, LOBBY, &mut Vec::new());
    assert_eq!(world.rooms_told(fay.id), [fay.welcome["ROOMS"][0].clone()]);
    // It outlives a restart.
    assert_eq!(&*world.restored().hub.lobby().settings.topic, "exams");
}

#[test]
fn who_may_write_to_all_is_decided_by_level_for_base_clients_too() {
    let mut world = World::new();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    let base = world.hub.join(&name("base"), "").unwrap().id;
    let eve = world.join(guest("eve"));
    let everybody = [
        (base, 0),
        (eve, 0),
        (world.join(user(2, "ann", Level::USER)), 1),
        (world.join(user(3, "bob", Level::HELPER)), 2),
        (world.join(user(4, "cyd", Level::MODERATOR)), 3),
        (dan, 5),
    ];
    for talk in [Level::GUEST, Level::USER, Level::HELPER, Level::MODERATOR, Level::OPERATOR] {
        world.set(dan, LOBBY, RoomSetting::Talk(talk));
        for (who, level) in everybody {
            let may = world.hub.may_say_to_all(who);
            let expected = if level >= talk.number() { Ok(()) } else { Err(Code::ReadOnly) };
            assert_eq!(may, expected, "level {level}, {talk}");
        }
    }
}

#[test]
fn slow_mode_of_the_lobby_waits_for_each_and_not_for_helpers() {
    let mut world = World::new();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    world.set(dan, LOBBY, RoomSetting::Slow(10));
    let (eve, bob) = (world.join(guest("eve")), world.join(user(2, "bob", Level::HELPER)));
    world.hub.tick(5_000);
    assert_eq!(world.hub.may_say_to_all(eve), Ok(()));
    for _ in 0..3 {
        assert_eq!(world.hub.may_say_to_all(eve), Err(Code::SlowMode(10)));
        assert_eq!(world.hub.may_say_to_all(bob), Ok(()));
    }
    world.hub.tick(14_001);
    assert_eq!(
        world.hub.may_say_to_all(eve),
        Err(Code::SlowMode(1)),
        "what was refused costs nothing"
    );
    world.hub.tick(15_000);
    assert_eq!(world.hub.may_say_to_all(eve), Ok(()));
    // A room counts apart.
    let ann = world.join(user(3, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    world.set(ann, room, RoomSetting::Slow(20));
    world.wish(eve, enter(room)).unwrap();
    let name = room_name("#lab");
    assert!(world.hub.may_say_in(eve, &name, 5).is_ok());
    assert_eq!(world.hub.may_say_in(eve, &name, 5), Err(Code::SlowMode(20)));
    assert!(
        world.hub.may_say_in(ann, &name, 5).is_ok() && world.hub.may_say_in(ann, &name, 5).is_ok()
    );
    // What is refused for another reason is none that counts.
    world.hub.tick(100_000);
    world.set(ann, room, RoomSetting::Length(4));
    assert_eq!(world.hub.may_say_in(eve, &name, 5), Err(Code::TooLong));
    assert!(world.hub.may_say_in(eve, &name, 4).is_ok());
    world.set(ann, room, RoomSetting::Talk(Level::USER));
    assert_eq!(world.hub.may_say_in(eve, &name, 4), Err(Code::ReadOnly));
}

#[test]
fn a_cleared_lobby_shows_nothing_of_what_was_said_before() {
    let mut world = World::new();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    let eve = world.come(guest("eve"), None, 0);
    world.say(dan, LOBBY, "old").unwrap();
    let ann = world.join(user(2, "ann", Level::OPERATOR));
    assert_eq!(world.wish(ann, RoomChange::Clear(LOBBY)), Err(RoomRefusal::Forbidden));
    world.read(eve.id);
    world.wish(dan, RoomChange::Clear(LOBBY)).unwrap();
    let told = world.rooms_told(eve.id);
    let floor = told[0]["FLOOR"].as_u64().unwrap();
    let new = world.say(dan, LOBBY, "new").unwrap();
    assert!(floor < new);
    let fay = world.come(guest("fay"), None, 0);
    assert_eq!(fay.welcome["IDS"], serde_json::json!([new]));
    assert_eq!(fay.welcome["ROOMS"][0]["FLOOR"], floor);
    let base = world.hub.join(&name("base"), "").unwrap();
    assert_eq!(welcome_of(&base).messages.unwrap().len(), 1);
    // Nor somebody who resumes.
    world.leave(eve.id);
    let back = world.resume(guest("eve"), eve.session, 0);
    assert_eq!(back.welcome["IDS"], serde_json::json!([new]));
}

#[test]
fn nobody_leaves_or_deletes_the_lobby() {
    let mut world = World::new();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    for change in [RoomChange::Leave(LOBBY), RoomChange::Delete(LOBBY), enter(LOBBY)] {
        assert_eq!(world.wish(dan, change), Err(RoomRefusal::NoSuchRoom));
    }
    world.wish(dan, RoomChange::SetDefault(None)).unwrap();
    assert_eq!(world.hub.default_room(dan), None);
}
