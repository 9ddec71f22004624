//! Each bound of rooms, and somebody who tries to get past it.

use super::room_kit::*;
use super::*;
use crate::replica::rooms::departures::Departures;
use crate::replica::rooms::room::Who;
use crate::{
    Amendment, ConfiguredRoom, Level, Proposal, RoomChange, RoomMember, RoomNumber, RoomRef,
    RoomRefusal, RoomSetting,
};

const WEEK: i64 = 7 * 24 * 60 * 60;

fn configured(world: &mut World, text: &str, auto: bool) -> RoomNumber {
    let name = room_name(text);
    let room = ConfiguredRoom { name, settings: Vec::new(), owner: None, auto };
    world.operator(RoomChange::Configure(Box::new(room))).unwrap().unwrap().number
}

/// A room of so many accounts that are not here.
fn with_accounts(world: &mut World, accounts: i64) -> RoomNumber {
    let room = configured(world, "#all", true);
    for id in 0..accounts {
        let who = account(1_000 + id, &format!("user{id}"));
        world.operator(RoomChange::EnterAuto(who)).unwrap();
    }
    room
}

#[test]
fn twenty_rooms_of_one_account_and_a_thousand_in_all() {
    let mut world = World::large();
    for owner in 0..50 {
        let who = world.join(user(owner, &format!("user{owner}"), Level::USER));
        for room in 0..20 {
            world.room(who, &format!("#r-{owner}-{room}"));
        }
        assert_eq!(world.wish(who, create("#more")), Err(RoomRefusal::TooMany));
        // One that is deleted, or left, frees a place, or none.
        if owner == 0 {
            let first = world.hub.room_named(who, &room_name("#r-0-0"), 0).unwrap();
            let first = first.definition.number;
            world.wish(who, RoomChange::Leave(first)).unwrap();
            assert_eq!(world.wish(who, create("#more")), Err(RoomRefusal::TooMany));
            world.wish(who, RoomChange::Delete(first)).unwrap();
            world.room(who, "#r-0-0");
        }
    }
    let late = world.join(user(50, "late", Level::ADMIN));
    assert_eq!(world.wish(late, create("#more")), Err(RoomRefusal::TooMany));
    let name = room_name("#more");
    let more = ConfiguredRoom { name, settings: Vec::new(), owner: None, auto: false };
    let more = RoomChange::Configure(Box::new(more));
    assert_eq!(world.operator(more), Err(RoomRefusal::TooMany));
    assert_eq!(world.members().len(), 1000);
}

/// Fifty rooms and one more.
fn many_rooms(world: &mut World) -> Vec<RoomNumber> {
    (0..51).map(|number| configured(world, &format!("#room{number}"), false)).collect()
}

#[test]
fn fifty_memberships_of_an_account_and_of_a_guest() {
    let mut world = World::large();
    let rooms = many_rooms(&mut world);
    for who in [world.join(guest("eve")), world.join(user(1, "ann", Level::ADMIN))] {
        for room in &rooms[..50] {
            world.wish(who, enter(*room)).unwrap();
        }
        assert_eq!(world.wish(who, enter(rooms[50])), Err(RoomRefusal::TooMany));
        assert_eq!(
            world.wish(who, create("#own")),
            Err(match world.hub.identity(who).unwrap().login {
                Some(_) => RoomRefusal::TooMany,
                None => RoomRefusal::Forbidden,
            })
        );
    }
    configured(&mut world, "#auto", true);
    world.operator(RoomChange::EnterAuto(account(1, "ann"))).unwrap();
    assert_eq!(world.hub.replica.rooms.count_of(Who::Account(1)), 50);
}

#[test]
fn twenty_invitations_are_open_and_those_that_are_over_take_no_memory() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let invite =
        |id: i64| RoomChange::Invite(room, RoomMember::Account(account(id, &format!("user{id}"))));
    let kept = |world: &World| world.hub.replica.rooms.get(room).unwrap().kept_invitations();
    let open = |world: &World| {
        world.hub.replica.rooms.get(room).unwrap().all_invitations(world.now).count()
    };
    for week in 0..30 {
        for id in 0..20 {
            world.wish(ann, invite(1000 * week + id + 2)).unwrap();
        }
        assert_eq!(world.wish(ann, invite(1000 * week + 500)), Err(RoomRefusal::TooMany));
        // Inviting somebody again is no further one.
        assert_eq!(world.wish(ann, invite(1000 * week + 2)), Err(RoomRefusal::Already));
        assert_eq!((kept(&world), open(&world)), (20, 20));
        world.now += WEEK - 1;
        assert_eq!(world.wish(ann, invite(1000 * week + 500)), Err(RoomRefusal::TooMany));
        world.now += 1;
        assert_eq!(open(&world), 0);
    }
}

#[test]
fn texts_and_numbers_of_settings_are_bounded() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let long = |characters: usize| -> std::sync::Arc<str> { "\u{4e16}".repeat(characters).into() };
    let settings = [
        (RoomSetting::Topic(long(400)), None),
        (RoomSetting::Topic(long(401)), Some(RoomRefusal::TooLong)),
        (RoomSetting::Description(long(400)), None),
        (RoomSetting::Description(long(401)), Some(RoomRefusal::TooLong)),
        (RoomSetting::Talk(Level::OPERATOR), None),
        (RoomSetting::Talk(Level::ADMIN), Some(RoomRefusal::BadArguments)),
        (RoomSetting::Slow(3600), None),
        (RoomSetting::Slow(3601), Some(RoomRefusal::BadArguments)),
        (RoomSetting::Slow(u32::MAX), Some(RoomRefusal::BadArguments)),
        (RoomSetting::Length(1), None),
        (RoomSetting::Length(0), Some(RoomRefusal::BadArguments)),
        (RoomSetting::Length(4000), None),
        (RoomSetting::Length(4001), Some(RoomRefusal::BadArguments)),
        (RoomSetting::Limit(u32::MAX), None),
    ];
    for (setting, refusal) in settings {
        let outcome = world.wish(ann, RoomChange::Set(room, setting.clone()));
        assert_eq!(outcome.err(), refusal, "{setting:?}");
    }
    let dan = world.join(user(2, "dan", Level::ADMIN));
    for (setting, refusal) in [
        (RoomSetting::Topic(long(401)), RoomRefusal::TooLong),
        (RoomSetting::Slow(3601), RoomRefusal::BadArguments),
        (RoomSetting::Hidden(true), RoomRefusal::BadArguments),
    ] {
        let change = RoomChange::Set(RoomNumber::LOBBY, setting);
        assert_eq!(world.wish(dan, change), Err(refusal));
    }
}

#[test]
fn ends_of_memberships_are_remembered_within_bounds() {
    let room = |number| RoomRef { number: RoomNumber(number), name: room_name("#lab") };
    let mut ends = Departures::default();
    for number in 1..=3000 {
        ends.note(number, room(number), vec![Who::Account(1)], "left", ("", ""));
    }
    let known: Vec<_> = ends.since(Who::Account(1), 0).map(|end| end.number).collect();
    assert_eq!((known.len(), known.first(), known.last()), (1024, Some(&1977), Some(&3000)));
    // Rooms full of members push out the oldest sooner.
    for number in 3001..=3100 {
        let members = (0..5000).map(Who::Account).collect();
        ends.note(number, room(number), members, "deleted", ("", ""));
    }
    let known: Vec<_> = ends.since(Who::Account(1), 0).map(|end| end.number).collect();
    assert_eq!((known.len(), known.last()), (20, Some(&3100)));
}

#[test]
fn who_enters_and_leaves_without_reading_is_too_slow_and_not_lost() {
    let mut world = World::large();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    let mut rounds = 0;
    while world.hub.removal(eve).is_none() {
        world.wish(eve, enter(room)).unwrap();
        if world.hub.removal(eve).is_some() {
            break;
        }
        world.say(ann, room, "hello").unwrap();
        world.wish(eve, RoomChange::Leave(room)).unwrap();
        world.read(ann);
        rounds += 1;
        assert!(rounds < 1000, "whatever somebody does not read is bounded");
    }
    assert_eq!(world.hub.removal(eve), Some(Removal::TooSlow));
    assert!(matches!(world.hub.take(eve), Delivery::Removed(Removal::TooSlow)));
    // She is here until her connection has ended, and the others see her go.
    world.leave(eve);
    assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann"]);
    assert_eq!(world.members().values().flatten().count(), 1);
    let told = world.read_key(ann, "ROOM_USERS_LEFT");
    assert_eq!(told.len(), 1);
    // Who reads may do it as often as they like.
    let fay = world.join(guest("fay"));
    for _ in 0..600 {
        world.wish(fay, enter(room)).unwrap();
        world.say(ann, room, "hello").unwrap();
        world.wish(fay, RoomChange::Leave(room)).unwrap();
        world.read(fay);
        world.read(ann);
    }
    assert_eq!(world.hub.removal(fay), None);
}

#[test]
fn nobody_has_more_memberships_by_logging_in() {
    let mut world = World::large();
    let rooms = many_rooms(&mut world);
    let ann = world.join(user(1, "ann", Level::USER));
    for room in &rooms[..49] {
        world.wish(ann, enter(*room)).unwrap();
    }
    let eve = world.join(guest("eve"));
    for room in &rooms[47..51] {
        world.wish(eve, enter(*room)).unwrap();
    }
    world.read(eve);
    let login = login(1, "ann");
    let amendment = Amendment { level: Some(Level::USER), ..Amendment::logged_in(login) };
    world.propose(Proposal::Amend(eve, amendment), None).unwrap();
    world.wish(eve, RoomChange::Adopt).unwrap();
    assert_eq!(world.hub.replica.rooms.count_of(Who::Account(1)), 50);
    // She is told which one she has lost, and hears nothing of it any more.
    let left = world.read_key(eve, "ROOMS_LEFT");
    assert_eq!(left.len(), 1);
    let lost = RoomNumber(left[0][0]["NUMBER"].as_u64().unwrap());
    assert!(rooms[49..].contains(&lost) && world.count(lost) == 0);
    let kept = rooms[49..].iter().find(|room| **room != lost).unwrap();
    world.say(ann, *kept, "hello").unwrap();
    assert_eq!(world.read_key(eve, "MESSAGES").len(), 1);
    world.members();
}

#[test]
fn a_guest_who_is_gone_takes_no_invitation_along() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    for number in 0..100 {
        let eve = world.join(guest(&format!("guest{number}")));
        world.wish(ann, RoomChange::Invite(room, RoomMember::Guest(eve))).unwrap();
        world.leave(eve);
    }
    assert!(world.hub.replica.rooms.get(room).unwrap().kept_invitations() <= 20);
    let gone = RoomMember::Guest(MemberId(3));
    let invite = RoomChange::Invite(room, gone);
    assert_eq!(world.wish(ann, invite), Err(RoomRefusal::NoSuchUser));
}

#[test]
fn above_five_hundred_members_nobody_is_listed_until_there_are_fewer_than_half() {
    let mut world = World::large();
    let room = with_accounts(&mut world, 499);
    let dan = world.join(user(1, "dan", Level::ADMIN));
    world.wish(dan, enter(room)).unwrap();
    world.read(dan);
    world.operator(RoomChange::EnterAuto(account(2, "late"))).unwrap();
    let objects = world.read(dan);
    assert!(objects.iter().all(|object| object.get("ROOM_USERS_JOINED").is_none()));
    let told = objects.iter().find_map(|object| object.get("ROOMS")).unwrap()[0].clone();
    assert_eq!((&told["ROSTER"], &told["COUNT"]), (&false.into(), &501.into()));
    assert!(told.get("USERS").is_none());
    let whole = world.truth(dan, room).unwrap();
    assert!(whole.get("USERS").is_none() && whole["COUNT"] == 501);
    // The command `list` pages through them all the same.
    assert_eq!(world.hub.members_of(dan, room, None, 1000).unwrap().len(), 501);
    let kick = |world: &mut World, id: i64, name: &str| {
        world.wish(dan, remove(room, RoomMember::Account(account(id, name)))).unwrap();
    };
    kick(&mut world, 2, "late");
    for id in 0..250 {
        kick(&mut world, 1_000 + id, &format!("user{id}"));
    }
    assert_eq!(world.count(room), 250);
    assert_eq!(world.read(dan).len(), 0, "between the two it stays as it was");
    kick(&mut world, 1_250, "user250");
    let objects = world.read(dan);
    let told = objects.iter().find_map(|object| object.get("ROOMS")).unwrap()[0].clone();
    assert_eq!((&told["ROSTER"], told["USERS"].as_array().unwrap().len()), (&true.into(), 249));
    assert!(
        objects.iter().all(|object| object.get("ROOM_USERS_LEFT").is_none()),
        "whoever has just left was in no roster (RM-10)"
    );
    // And every change is told again.
    kick(&mut world, 1_251, "user251");
    assert_eq!(world.read_key(dan, "ROOM_USERS_LEFT").len(), 1);
}

#[test]
fn how_many_are_in_a_room_without_a_roster_is_told_every_thirty_seconds() {
    let mut world = World::large();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    let room = world.room(dan, "#lab");
    world.set(dan, room, RoomSetting::Roster(false));
    let told = world.rooms_told(dan);
    assert_eq!((&told[1]["ROSTER"], &told[1]["COUNT"]), (&false.into(), &1.into()));
    let mut counts = Vec::new();
    for second in 0..120_u64 {
        let who = world.join(guest(&format!("guest{second}")));
        world.wish(who, enter(room)).unwrap();
        world.hub.tick(1000 * second);
        let _ = world.hub.tell_counts();
        for object in world.read(dan) {
            assert!(object.get("ROOM_USERS_JOINED").is_none(), "RM-10");
            if let Some(rooms) = object.get("ROOMS") {
                counts.push((second, rooms[0]["COUNT"].as_u64().unwrap()));
                assert_eq!(rooms[0].as_object().unwrap().len(), 3, "ROOM, NUMBER, COUNT");
            }
        }
    }
    // The first 30 s count from when the room has become so.
    assert_eq!(counts, [(30, 32), (60, 62), (90, 92)]);
    // Nothing is told where nothing has changed.
    world.hub.tick(150_000);
    let _ = world.hub.tell_counts();
    assert_eq!(world.rooms_told(dan).len(), 1);
    world.hub.tick(200_000);
    assert_eq!(world.hub.tell_counts().len(), 0);
    // When they are listed again, what was not told yet is told by that.
    let late = world.join(guest("late"));
    world.wish(late, enter(room)).unwrap();
    world.set(dan, room, RoomSetting::Roster(true));
    assert_eq!(world.rooms_told(dan).last().unwrap()["USERS"].as_array().unwrap().len(), 122);
    world.hub.tick(300_000);
    assert_eq!(world.hub.tell_counts().len(), 0);
}

#[test]
fn reasons_are_bounded_since_they_are_remembered() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    let remove = |length| {
        let who = RoomMember::Guest(eve);
        RoomChange::Remove { room, who, reason: "x".repeat(length), banned: false, by: None }
    };
    assert_eq!(world.wish(ann, remove(1 << 20)), Err(RoomRefusal::TooLong));
    assert_eq!(world.wish(ann, remove(401)), Err(RoomRefusal::TooLong));
    world.wish(ann, remove(400)).unwrap();
}

#[test]
fn five_thousand_members_also_with_those_who_come_back() {
    let mut world = World::large();
    let room = with_accounts(&mut world, 4998);
    let (eve, fay) = (world.come(guest("eve"), None, 0), world.come(guest("fay"), None, 0));
    world.wish(eve.id, enter(room)).unwrap();
    world.wish(fay.id, enter(room)).unwrap();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    assert_eq!(world.wish(dan, enter(room)), Err(RoomRefusal::Full), "level 5, too");
    world.operator(RoomChange::EnterAuto(account(1, "dan"))).unwrap();
    assert_eq!(world.count(room), 5000);
    world.leave(eve.id);
    world.wish(dan, enter(room)).unwrap();
    let after = world.number;
    let back = world.resume(guest("eve"), eve.session, after);
    assert_eq!(world.count(room), 5000);
    assert_eq!(back.welcome["ROOMS_LEFT"][0]["CODE"], "left");
    // A connection that takes the place of another takes no other place.
    let after = world.number;
    let again = world.resume(guest("fay"), fay.session, after);
    assert!(world.is_in(again.id, room) && again.welcome.get("ROOMS_LEFT").is_none());
}
