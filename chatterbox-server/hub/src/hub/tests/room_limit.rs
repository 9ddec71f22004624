//! LIMIT (RM-12): it holds however many come at once, and whatever lets somebody in.

use super::room_kit::*;
use super::*;
use crate::{Level, RoomChange, RoomMember, RoomRefusal, RoomSetting};

/// A room of ann with so many places, and ann.
fn limited(world: &mut World, places: u32) -> (MemberId, crate::RoomNumber) {
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    world.set(ann, room, RoomSetting::Limit(places));
    (ann, room)
}

#[test]
fn b11_ten_enter_a_room_with_three_places_and_exactly_three_are_in() {
    let mut world = World::new();
    let (ann, room) = limited(&mut world, 3);
    let ten: Vec<_> = (0..10)
        .map(|number| match number % 2 {
            0 => world.join(guest(&format!("guest{number}"))),
            _ => world.join(user(100 + number, &format!("user{number}"), Level::USER)),
        })
        .collect();
    let outcomes: Vec<_> = ten.iter().map(|who| world.wish(*who, enter(room))).collect();
    assert!(outcomes[..3].iter().all(Result::is_ok));
    assert!(outcomes[3..].iter().all(|outcome| *outcome == Err(RoomRefusal::Full)));
    assert_eq!(world.count(room), 4, "the owner has a place of her own");
    world.wish(ten[1], RoomChange::Leave(room)).unwrap();
    assert!(world.wish(ten[9], enter(room)).is_ok());
    assert_eq!(world.wish(ten[8], enter(room)), Err(RoomRefusal::Full));
    assert_eq!(
        texts(&world.truth(ann, room).unwrap()["USERS"]),
        ["ann", "guest0", "guest2", "user9"]
    );
}

#[test]
fn b11_a_second_room_leaves_no_ghost_in_the_first() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let (lab, talk) = (world.room(ann, "#lab"), world.room(ann, "#talk"));
    for who in [world.join(guest("eve")), world.join(user(2, "bob", Level::USER))] {
        world.wish(who, enter(lab)).unwrap();
        world.wish(who, enter(talk)).unwrap();
        assert!(world.is_in(who, lab) && world.is_in(who, talk), "one may be in many");
        world.wish(who, RoomChange::Leave(lab)).unwrap();
        assert!(!world.is_in(who, lab) && world.is_in(who, talk));
        world.wish(who, RoomChange::Leave(talk)).unwrap();
        for room in [lab, talk] {
            assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann"]);
        }
        assert_eq!(world.members().values().flatten().count(), 2);
    }
    let told = world.read_key(ann, "ROOM_USERS_LEFT");
    assert_eq!(told.len(), 4, "everybody was told of each: {told:?}");
}

#[test]
fn b11_entering_again_doubles_nothing() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let lab = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(lab)).unwrap();
    world.read(ann);
    for _ in 0..3 {
        assert_eq!(world.wish(eve, enter(lab)), Err(RoomRefusal::Already));
    }
    assert_eq!((world.count(lab), world.read(ann).len()), (2, 0), "nobody is told");
    // Leaving and entering is once, too.
    world.wish(eve, RoomChange::Leave(lab)).unwrap();
    assert_eq!(world.wish(eve, RoomChange::Leave(lab)), Err(RoomRefusal::NotAMember));
    world.wish(eve, enter(lab)).unwrap();
    assert_eq!(texts(&world.truth(ann, lab).unwrap()["USERS"]), ["ann", "eve"]);
    world.say(ann, lab, "hello").unwrap();
    assert_eq!(world.read_key(eve, "MESSAGES").len(), 1, "and hears everything once");
}

#[test]
fn an_invitation_is_no_place() {
    let mut world = World::new();
    let (ann, room) = limited(&mut world, 1);
    let (eve, fay) = (world.join(guest("eve")), world.join(guest("fay")));
    world.wish(ann, RoomChange::Invite(room, RoomMember::Guest(fay))).unwrap();
    world.wish(eve, enter(room)).unwrap();
    assert_eq!(world.wish(fay, enter(room)), Err(RoomRefusal::Full));
    // It was not used.
    world.wish(eve, RoomChange::Leave(room)).unwrap();
    world.set(ann, room, RoomSetting::Closed(true));
    world.wish(fay, enter(room)).unwrap();
}

#[test]
fn a_guest_who_comes_back_to_a_full_room_is_out_of_it() {
    let mut world = World::new();
    let (ann, room) = limited(&mut world, 1);
    let eve = world.come(guest("eve"), None, 0);
    world.wish(eve.id, enter(room)).unwrap();
    world.leave(eve.id);
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    world.read(ann);
    let after = world.number;
    let back = world.resume(guest("eve"), eve.session, after);
    assert_eq!(back.welcome["RESUMED"], true);
    let [left] = back.welcome["ROOMS_LEFT"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!((&left["ROOM"], &left["CODE"]), (&"#lab".into(), &"left".into()));
    assert_eq!((&left["NUMBER"], &left["BY"]), (&room.0.into(), &serde_json::Value::Null));
    assert_eq!(back.welcome["ROOMS"].as_array().unwrap().len(), 1, "the lobby alone");
    assert!(!world.is_in(back.id, room));
    assert_eq!(world.read_key(ann, "ROOM_USERS_JOINED").len(), 0);
    // It is told once: the session is not in the room any more.
    world.leave(back.id);
    world.wish(bob, RoomChange::Leave(room)).unwrap();
    let after = world.number;
    let again = world.resume(guest("eve"), eve.session, after);
    assert!(again.welcome.get("ROOMS_LEFT").is_none() && !world.is_in(again.id, room));
}

#[test]
fn a_lower_limit_sends_nobody_away() {
    let mut world = World::new();
    let (ann, room) = limited(&mut world, 0);
    let guests: Vec<_> = ["eve", "fay", "gus"].map(|name| world.join(guest(name))).into();
    for who in &guests {
        world.wish(*who, enter(room)).unwrap();
    }
    world.set(ann, room, RoomSetting::Limit(2));
    assert_eq!(world.count(room), 4);
    world.wish(guests[0], RoomChange::Leave(room)).unwrap();
    assert_eq!(world.wish(guests[0], enter(room)), Err(RoomRefusal::Full));
}

#[test]
fn an_account_does_not_get_past_the_limit_of_a_room_that_all_enter() {
    let mut world = World::new();
    let room = crate::ConfiguredRoom {
        name: room_name("#all"),
        settings: vec![RoomSetting::Limit(2)],
        owner: None,
        auto: true,
    };
    let room = world.operator(RoomChange::Configure(Box::new(room))).unwrap().unwrap().number;
    for id in 1..=5 {
        world.operator(RoomChange::EnterAuto(account(id, &format!("user{id}")))).unwrap();
    }
    assert_eq!(world.count(room), 2);
}

#[test]
fn owner_and_level_four_have_places_of_their_own() {
    let mut world = World::new();
    let (ann, room) = limited(&mut world, 1);
    let bob = world.join(user(2, "bob", Level::USER));
    let cyd = world.join(user(3, "cyd", Level::MODERATOR));
    let dan = world.join(user(4, "dan", Level::OPERATOR));
    world.wish(ann, RoomChange::SetLevel(room, account(2, "bob"), Level::OPERATOR)).unwrap();
    for who in [bob, dan] {
        world.wish(who, enter(room)).unwrap();
    }
    // Those have taken no place from others; level 3 takes one.
    world.wish(ann, RoomChange::SetLevel(room, account(3, "cyd"), Level::MODERATOR)).unwrap();
    world.wish(cyd, enter(room)).unwrap();
    let eve = world.join(guest("eve"));
    assert_eq!(world.wish(eve, enter(room)), Err(RoomRefusal::Full));
    // An owner who is out comes back to a full room.
    world.wish(ann, RoomChange::Leave(room)).unwrap();
    world.wish(ann, enter(room)).unwrap();
}
