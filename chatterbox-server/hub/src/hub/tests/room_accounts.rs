//! Accounts that come, go, get other names and are removed, and the guests that become one: what becomes of their rooms.

use serde_json::Value;

use super::room_kit::*;
use super::*;
use crate::{
    Amendment, ConfiguredRoom, Identity, Level, Login, Proposal, Rename, RoomChange, RoomMember,
    RoomNumber, RoomRefusal, RoomSetting,
};

fn register(world: &mut World, member: MemberId, id: i64, called: &str) {
    let amendment =
        Amendment { level: Some(Level::USER), ..Amendment::logged_in(login(id, called)) };
    world.propose(Proposal::Amend(member, amendment), None).unwrap();
    world.wish(member, RoomChange::Adopt).unwrap();
}

fn called(id: i64, account: &str, nick: &str) -> Identity {
    Identity { name: name(nick), ..user(id, account, Level::USER) }
}

/// The comings and goings that a member is told of, as text.
fn comings(world: &mut World, who: MemberId) -> Vec<String> {
    let mut all = Vec::new();
    for object in world.read(who) {
        for (key, sign) in [("ROOM_USERS_JOINED", '+'), ("ROOM_USERS_LEFT", '-')] {
            for (room, names) in object[key].as_object().into_iter().flatten() {
                all.extend(texts(names).into_iter().map(|name| format!("{sign}{name} {room}")));
            }
        }
    }
    all
}

#[test]
fn the_longest_member_of_level_four_follows_an_owner_whose_account_is_removed() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let names = ["bob", "cyd", "eve", "zoe"];
    let ids = [5, 4, 3, 2];
    // zoe has the lowest number, and joined last; bob has joined first, with a lower level.
    let members: Vec<_> = ids
        .into_iter()
        .zip(names)
        .map(|(id, called)| {
            let who = world.join(user(id, called, Level::USER));
            world.wish(who, enter(room)).unwrap();
            who
        })
        .collect();
    let levels = [Level::MODERATOR, Level::OPERATOR, Level::OPERATOR, Level::OPERATOR];
    for ((id, called), level) in ids.into_iter().zip(names).zip(levels) {
        world.wish(ann, RoomChange::SetLevel(room, account(id, called), level)).unwrap();
    }
    // cyd was here before eve, left, and is the last now.
    world.wish(members[1], RoomChange::Leave(room)).unwrap();
    world.wish(members[1], enter(room)).unwrap();
    world.read(members[0]);
    world.remove_account(1, "ann");
    let told = world.rooms_told(members[0]);
    let owner = told.iter().filter_map(|room| room["OWNER"].as_str()).next_back();
    assert_eq!(owner, Some("eve"));
    let staff = &told.last().unwrap()["STAFF"];
    assert_eq!(staff.as_object().unwrap().len(), 4, "{staff}");
    world.wish(members[2], RoomChange::Set(room, RoomSetting::Slow(1))).unwrap();
    // And so on, until nobody is left: the operators of the server then.
    world.remove_account(3, "eve");
    world.remove_account(2, "zoe");
    assert_eq!(world.truth(members[0], room).unwrap()["OWNER"], "cyd");
    world.remove_account(4, "cyd");
    assert_eq!(world.truth(members[0], room).unwrap()["OWNER"], Value::Null);
    let set = RoomChange::Set(room, RoomSetting::Length(200));
    assert_eq!(world.wish(members[0], set.clone()), Err(RoomRefusal::Forbidden));
    let dan = world.join(user(9, "dan", Level::OPERATOR));
    world.wish(dan, set).unwrap();
    let again = world.restored();
    let owner = &again.hub.replica.rooms.get(room).unwrap().definition.owner;
    assert_eq!(*owner, None, "what is stored says the same");
}

#[test]
fn a_session_under_the_name_of_its_account_comes_and_goes_unseen() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    comings(&mut world, ann);
    for _ in 0..3 {
        world.leave(bob);
        let bob = world.join(user(2, "bob", Level::USER));
        let session = world.come(user(3, "cyd", Level::USER), None, 0);
        let _ = session.session;
        world.leave(bob);
        world.leave(session.id);
    }
    assert_eq!(comings(&mut world, ann), Vec::<String>::new());
    assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "bob"]);
}

#[test]
fn a_session_under_another_name_is_told_as_one_who_left_and_one_who_joined() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    world.leave(bob);
    comings(&mut world, ann);
    let rob = world.join(called(2, "bob", "rob"));
    let mut told = comings(&mut world, ann);
    told.sort();
    assert_eq!(told, ["+rob #lab", "-bob #lab"]);
    // A second one of the account is there beside it.
    let bob = world.join(called(2, "bob", "bob"));
    assert_eq!(comings(&mut world, ann), ["+bob #lab"]);
    assert_eq!(world.count(room), 2, "one member, whatever its names");
    world.say(ann, room, "hello").unwrap();
    for session in [rob, bob] {
        assert_eq!(world.read_key(session, "MESSAGES").len(), 1, "both hear it once");
    }
    world.leave(bob);
    assert_eq!(comings(&mut world, ann), ["-bob #lab"]);
    world.leave(rob);
    let mut told = comings(&mut world, ann);
    told.sort();
    assert_eq!(told, ["+bob #lab", "-rob #lab"]);
    // Leaving the room is for both.
    let (rob, bob) = (world.join(called(2, "bob", "rob")), world.join(called(2, "bob", "bob")));
    comings(&mut world, ann);
    world.wish(rob, RoomChange::Leave(room)).unwrap();
    let mut told = comings(&mut world, ann);
    told.sort();
    assert_eq!(told, ["-bob #lab", "-rob #lab"]);
    for session in [rob, bob] {
        assert_eq!(world.read_key(session, "ROOMS_LEFT").len(), 1);
    }
}

#[test]
fn another_name_holds_in_all_rooms() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    world.truth(ann, room).unwrap();
    comings(&mut world, ann);
    let rename = Rename { name: name("yve"), owns: false, blocked_by: Vec::new(), now: 0 };
    world.propose(Proposal::Rename(eve, rename), None).unwrap();
    assert_eq!(world.read_key(ann, "USERS_RENAMED").len(), 1);
    assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "yve"]);
    world.wish(eve, RoomChange::Leave(room)).unwrap();
    assert_eq!(comings(&mut world, ann), ["-yve #lab"]);
}

#[test]
fn every_account_enters_a_room_of_the_configuration_once() {
    let mut world = World::with_twin();
    let name = room_name("#all");
    let room = ConfiguredRoom { name, settings: Vec::new(), owner: None, auto: true };
    let room: RoomNumber =
        world.operator(RoomChange::Configure(Box::new(room))).unwrap().unwrap().number;
    let enter_auto = RoomChange::EnterAuto(account(1, "ann"));
    assert!(world.hub.has_auto_rooms(1));
    world.operator(enter_auto.clone()).unwrap();
    assert!(!world.hub.has_auto_rooms(1));
    let ann = world.join(user(1, "ann", Level::USER));
    assert!(world.is_in(ann, room));
    world.wish(ann, RoomChange::Leave(room)).unwrap();
    assert!(!world.hub.has_auto_rooms(1), "once");
    world.operator(enter_auto.clone()).unwrap();
    assert!(!world.is_in(ann, room));
    // A restart has not forgotten it.
    let mut again = world.restored();
    assert!(!again.hub.has_auto_rooms(1));
    again.number = world.number;
    again.operator(enter_auto).unwrap();
    assert_eq!(again.count(room), 0);
    // Whoever enters and is removed does not come back by themselves, either.
    world.wish(ann, enter(room)).unwrap();
    let dan = world.join(user(2, "dan", Level::ADMIN));
    world.wish(dan, remove(room, RoomMember::Account(account(1, "ann")))).unwrap();
    assert!(!world.hub.has_auto_rooms(1));
}

#[test]
fn who_registers_keeps_their_rooms() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.come(guest("eve"), None, 0);
    world.wish(eve.id, enter(room)).unwrap();
    let last = world.say(ann, room, "one").unwrap();
    world.read(eve.id);
    let missed = world.say(ann, room, "two").unwrap();
    comings(&mut world, ann);
    register(&mut world, eve.id, 7, "eve");
    assert_eq!(comings(&mut world, ann), Vec::<String>::new(), "nobody has come or gone");
    assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "eve"]);
    let told: Vec<_> =
        world.rooms_told(eve.id).into_iter().filter_map(|told| told["LEVEL"].as_u64()).collect();
    assert_eq!(told.last(), Some(&1), "the level is another one (RM-11)");
    world.leave(eve.id);
    assert_eq!(comings(&mut world, ann), Vec::<String>::new(), "it is a member for good");
    // Nothing is missed that was said before.
    let back = world.resume(user(7, "eve", Level::USER), eve.session, last);
    assert_eq!(back.welcome["RESUMED"], true);
    let ids = back.welcome["IDS"].as_array().unwrap();
    assert_eq!(*ids, [Value::from(missed)]);
    assert!(world.is_in(back.id, room));
    assert_eq!(world.restored().count(room), 2);
}

#[test]
fn who_logs_in_to_an_account_that_is_a_member_is_in_the_roster_once() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let (lab, talk) = (world.room(ann, "#lab"), world.room(ann, "#talk"));
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(lab)).unwrap();
    let eve = world.join(guest("eve"));
    for room in [lab, talk] {
        world.wish(eve, enter(room)).unwrap();
    }
    comings(&mut world, ann);
    // She is bob, from another device.
    register(&mut world, eve, 2, "bob");
    assert_eq!(comings(&mut world, ann), ["+bob #talk"]);
    for room in [lab, talk] {
        assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "bob", "eve"]);
    }
    world.read(bob);
    world.say(ann, talk, "hello").unwrap();
    for session in [bob, eve] {
        assert_eq!(world.read_key(session, "MESSAGES").len(), 1, "both hear it once");
    }
    world.leave(bob);
    world.leave(eve);
    for room in [lab, talk] {
        assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "bob"]);
    }
    world.members();
}

#[test]
fn who_logs_out_hears_nothing_of_the_rooms_of_the_account() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    world.read(bob);
    let out = Amendment { login: Some(Login::Out), ..Amendment::default() };
    world.propose(Proposal::Amend(bob, out), None).unwrap();
    world.say(ann, room, "hello").unwrap();
    assert_eq!(world.read(bob).len(), 0, "RM-3");
    assert_eq!(texts(&world.truth(ann, room).unwrap()["USERS"]), ["ann", "bob"], "a member");
    // And who logs in hears of all that the account is in, whatever they were in as a guest.
    register(&mut world, bob, 2, "bob");
    assert_eq!(world.rooms_told(bob).last().unwrap()["NUMBER"], room.0);
    world.say(ann, room, "hello").unwrap();
    assert_eq!(world.read_key(bob, "MESSAGES").len(), 1);
}

#[test]
fn nothing_is_left_of_a_removed_account() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let (lab, talk) = (world.room(ann, "#lab"), world.room(ann, "#talk"));
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(lab)).unwrap();
    world.wish(bob, RoomChange::SetDefault(Some(lab))).unwrap();
    world.wish(ann, RoomChange::SetLevel(talk, account(2, "bob"), Level::MODERATOR)).unwrap();
    world.wish(ann, RoomChange::Invite(talk, RoomMember::Account(account(2, "bob")))).unwrap();
    comings(&mut world, ann);
    let applied = world.remove_account(2, "bob");
    assert_eq!(applied.removed, [bob]);
    assert_eq!(comings(&mut world, ann), ["-bob #lab"]);
    for room in [lab, talk] {
        let found = world.hub.replica.rooms.get(room).unwrap();
        assert_eq!((found.count(), found.levels().len(), found.kept_invitations()), (1, 0, 0));
    }
    world.leave(bob);
    // Somebody registers the name anew, and is nobody there.
    let bob = world.come(user(3, "bob", Level::USER), None, 0);
    assert_eq!(bob.welcome["ROOMS"].as_array().unwrap().len(), 1);
    assert_eq!(bob.welcome["DEFAULT"], "ALL");
    assert!(world.wish(bob.id, RoomChange::Leave(lab)).is_err());
    // One that was not here goes from the rosters, too.
    world
        .operator(RoomChange::Configure(Box::new(ConfiguredRoom {
            name: room_name("#lab"),
            settings: Vec::new(),
            owner: Some(account(1, "ann")),
            auto: true,
        })))
        .unwrap();
    world.operator(RoomChange::EnterAuto(account(4, "zoe"))).unwrap();
    comings(&mut world, ann);
    world.remove_account(4, "zoe");
    assert_eq!(comings(&mut world, ann), ["-zoe #lab"]);
    // Nobody who did not know yet lets it in again, or invites it.
    for change in [
        RoomChange::SetLevel(lab, account(4, "zoe"), Level::HELPER),
        RoomChange::Invite(lab, RoomMember::Account(account(4, "zoe"))),
    ] {
        assert_eq!(world.wish(ann, change), Err(RoomRefusal::NoSuchUser));
    }
    let again = world.operator(RoomChange::EnterAuto(account(4, "zoe")));
    assert_eq!((again, world.count(lab)), (Err(RoomRefusal::NoSuchUser), 1));
}

#[test]
fn who_was_removed_while_the_connection_was_down_is_told_so() {
    for is_guest in [false, true] {
        for is_gone in [false, true] {
            let mut world = World::with_twin();
            let ann = world.join(user(1, "ann", Level::USER));
            let (lab, talk) = (world.room(ann, "#lab"), world.room(ann, "#talk"));
            let identity = || if is_guest { guest("eve") } else { user(2, "eve", Level::USER) };
            let eve = world.come(identity(), None, 0);
            world.wish(eve.id, enter(lab)).unwrap();
            world.wish(eve.id, enter(talk)).unwrap();
            world.read(eve.id);
            let after = world.number;
            // It has not read this any more.
            let who = world.hub.replica.room_member(eve.id).unwrap();
            let reason = "spam".to_owned();
            world
                .wish(ann, RoomChange::Remove { room: lab, who, reason, banned: false, by: None })
                .unwrap();
            world.say(ann, lab, "without you").unwrap();
            if is_gone {
                world.leave(eve.id);
            }
            world.wish(ann, RoomChange::Delete(talk)).unwrap();
            let back = world.resume(identity(), eve.session, after);
            let context = format!("guest {is_guest}, gone {is_gone}: {}", back.welcome);
            assert_eq!(back.welcome["RESUMED"], true);
            let left = back.welcome["ROOMS_LEFT"].as_array().expect(&context);
            let codes: Vec<_> =
                left.iter().map(|left| (left["ROOM"].as_str(), left["CODE"].as_str())).collect();
            assert_eq!(codes.len(), 2, "{context}");
            assert!(codes.contains(&(Some("#lab"), Some("kicked"))), "{context}");
            assert!(codes.contains(&(Some("#talk"), Some("deleted"))), "{context}");
            let kicked = left.iter().find(|left| left["CODE"] == "kicked").unwrap();
            assert_eq!((&kicked["BY"], &kicked["INFO"]), (&"ann".into(), &"spam".into()));
            assert_eq!(back.welcome["MESSAGES"].as_array().unwrap().len(), 0, "{context}");
        }
    }
}
