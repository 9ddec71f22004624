//! What the members of a room are told of it: what has changed and no more, in time, to whom it concerns (RM-7, RM-11, RM-14).

use serde_json::Value;

use super::room_kit::*;
use super::*;
use crate::{
    Amendment, ConfiguredRoom, Identity, Level, Proposal, RoomChange, RoomKeep, RoomMember,
    RoomRefusal, RoomSetting, RoomShow,
};

/// The keys of an object, without those that say which room it is.
fn keys(object: &Value) -> Vec<String> {
    let keys = object.as_object().unwrap().keys();
    keys.filter(|key| !["ROOM", "NUMBER"].contains(&key.as_str())).cloned().collect()
}

#[test]
fn a_change_is_told_with_the_keys_that_have_changed() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    world.read(eve);
    let changes: [(RoomSetting, &str, Value); 14] = [
        (RoomSetting::Topic("one".into()), "TOPIC", "one".into()),
        (RoomSetting::Description("two".into()), "DESCRIPTION", "two".into()),
        (RoomSetting::Limit(7), "LIMIT", 7.into()),
        (RoomSetting::Talk(Level::HELPER), "TALK", 2.into()),
        (RoomSetting::Slow(9), "SLOW", 9.into()),
        (RoomSetting::Length(99), "LENGTH", 99.into()),
        (RoomSetting::Keep(RoomKeep::Off), "KEEP", "off".into()),
        (RoomSetting::Keep(RoomKeep::Newest(5)), "KEEP", 5.into()),
        (RoomSetting::Keep(RoomKeep::All), "KEEP", "all".into()),
        (RoomSetting::Show(RoomShow::Joined), "SHOW", "joined".into()),
        (RoomSetting::Hidden(true), "FLAGS", vec!["hidden"].into()),
        (RoomSetting::Closed(true), "FLAGS", vec!["hidden", "closed"].into()),
        (
            RoomSetting::Password(Some("$argon2id$x".into())),
            "FLAGS",
            vec!["hidden", "closed", "password"].into(),
        ),
        (RoomSetting::Closed(false), "FLAGS", vec!["hidden", "password"].into()),
    ];
    for (setting, key, value) in changes {
        world.set(ann, room, setting.clone());
        let [told] = world.rooms_told(eve).try_into().unwrap();
        assert_eq!((keys(&told), &told[key]), (vec![key.to_owned()], &value));
        assert_eq!((&told["ROOM"], &told["NUMBER"]), (&"#lab".into(), &room.0.into()));
        // What is so already is told to nobody.
        world.set(ann, room, setting);
        assert_eq!(world.read(eve).len(), 0);
    }
    // Another password is the same to those who are in, and told to nobody.
    world.set(ann, room, RoomSetting::Password(Some("$argon2id$y".into())));
    assert_eq!(world.read(eve).len(), 0);
    world.set(ann, room, RoomSetting::Roster(false));
    let [told] = world.rooms_told(eve).try_into().unwrap();
    assert_eq!(keys(&told), ["COUNT", "ROSTER"]);
    world.set(ann, room, RoomSetting::Roster(true));
    let [told] = world.rooms_told(eve).try_into().unwrap();
    assert_eq!(keys(&told), ["COUNT", "ROSTER", "USERS"]);
}

#[test]
fn a_topic_is_told_before_the_message_that_follows_it() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    world.read(eve);
    let mut expected = Vec::new();
    for number in 0..20 {
        world.say(ann, room, &format!("before {number}")).unwrap();
        world.set(ann, room, RoomSetting::Topic(format!("topic {number}").into()));
        world.say(ann, room, &format!("after {number}")).unwrap();
        expected.extend(["before", "topic", "after"].map(|word| format!("{word} {number}")));
    }
    let mut told = Vec::new();
    for object in world.read(eve) {
        for room in object["ROOMS"].as_array().into_iter().flatten() {
            told.push(room["TOPIC"].as_str().unwrap().to_owned());
        }
        for message in object["MESSAGES"].as_array().into_iter().flatten() {
            told.push(message[3].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(told, expected);
}

#[test]
fn a_level_is_told_to_its_person_and_staff_to_all() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    let eve = world.join(guest("eve"));
    for who in [bob, eve] {
        world.wish(who, enter(room)).unwrap();
    }
    world.read(bob);
    world.read(eve);
    for (level, told_level) in [(Level::MODERATOR, 3), (Level::GUEST, 1)] {
        world.wish(ann, RoomChange::SetLevel(room, account(2, "bob"), level)).unwrap();
        let staff = |told: &[Value]| {
            let staff = told.iter().find_map(|room| room["STAFF"].as_object()).unwrap();
            staff.get("bob").cloned()
        };
        let to_eve = world.rooms_told(eve);
        assert_eq!(staff(&to_eve), (told_level > 1).then(|| told_level.into()));
        assert!(to_eve.iter().all(|room| room.get("LEVEL").is_none()));
        let to_bob = world.rooms_told(bob);
        let levels: Vec<_> = to_bob.iter().filter_map(|room| room["LEVEL"].as_u64()).collect();
        assert_eq!((levels, staff(&to_bob)), (vec![told_level], staff(&to_eve)));
    }
}

/// Whom a member has been told to be STAFF, at last.
fn staff_told(world: &mut World, who: MemberId) -> Option<Value> {
    let told = world.rooms_told(who).into_iter();
    told.filter_map(|mut room| room.get_mut("STAFF").map(Value::take)).next_back()
}

#[test]
fn staff_is_told_when_somebody_with_a_level_enters_comes_goes_or_is_promoted() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    world.read(eve);
    // By the room ...
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(ann, RoomChange::SetLevel(room, account(2, "bob"), Level::HELPER)).unwrap();
    world.read(eve);
    world.wish(bob, enter(room)).unwrap();
    assert_eq!(staff_told(&mut world, eve), serde_json::from_str(r#"{"ann": 4, "bob": 2}"#).ok());
    // ... also under another name ...
    world.leave(bob);
    assert_eq!(staff_told(&mut world, eve), None, "the level is of the room");
    let identity = Identity { name: name("rob"), ..user(2, "bob", Level::USER) };
    let rob = world.join(identity);
    assert_eq!(staff_told(&mut world, eve), serde_json::from_str(r#"{"ann": 4, "rob": 2}"#).ok());
    // ... and by the server, as far as they are here.
    let cyd = world.join(user(3, "cyd", Level::MODERATOR));
    world.wish(cyd, enter(room)).unwrap();
    let three = serde_json::from_str(r#"{"ann": 4, "rob": 2, "cyd": 3}"#).ok();
    assert_eq!(staff_told(&mut world, eve), three);
    world.truth(eve, room);
    world.leave(cyd);
    assert_eq!(staff_told(&mut world, eve), serde_json::from_str(r#"{"ann": 4, "rob": 2}"#).ok());
    let cyd = world.join(user(3, "cyd", Level::MODERATOR));
    assert_eq!(staff_told(&mut world, eve), three);
    world.truth(eve, room);
    world.read(cyd);
    world.read(rob);
    let amendment = Amendment { level: Some(Level::USER), ..Amendment::default() };
    world.propose(Proposal::Amend(cyd, amendment), None).unwrap();
    assert_eq!(staff_told(&mut world, eve), serde_json::from_str(r#"{"ann": 4, "rob": 2}"#).ok());
    let levels = world.rooms_told(cyd);
    let levels: Vec<_> = levels.iter().filter_map(|room| room["LEVEL"].as_u64()).collect();
    assert_eq!(levels, [1], "whose level it is, is told so");
    let others = world.rooms_told(rob);
    assert!(others.iter().all(|room| room.get("LEVEL").is_none()));
    world.truth(eve, room);
}

#[test]
fn another_owner_is_staff_and_is_told() {
    let mut world = World::with_twin();
    let file = |owner| {
        let (name, settings) = (room_name("#lab"), Vec::new());
        RoomChange::Configure(Box::new(ConfiguredRoom { name, settings, owner, auto: false }))
    };
    let room = world.operator(file(Some(account(1, "ann")))).unwrap().unwrap().number;
    let ann = world.join(user(1, "ann", Level::USER));
    let bob = world.join(user(2, "bob", Level::USER));
    for who in [ann, bob] {
        world.wish(who, enter(room)).unwrap();
        world.read(who);
    }
    world.operator(file(Some(account(2, "bob")))).unwrap();
    for (who, level) in [(ann, 1), (bob, 4)] {
        let told = world.rooms_told(who);
        let last = |key| told.iter().filter_map(|room| room.get(key)).next_back().cloned();
        assert_eq!(last("OWNER"), Some("bob".into()));
        assert_eq!(last("STAFF"), serde_json::from_str(r#"{"bob": 4}"#).ok());
        assert_eq!(last("LEVEL"), Some(level.into()));
    }
}

#[test]
fn a_deleted_room_is_gone_with_all_that_it_had() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    let eve = world.come(guest("eve"), None, 0);
    for who in [bob, eve.id] {
        world.wish(who, enter(room)).unwrap();
    }
    for who in [ann, bob] {
        world.wish(who, RoomChange::SetDefault(Some(room))).unwrap();
    }
    world.wish(ann, RoomChange::SetLevel(room, account(2, "bob"), Level::HELPER)).unwrap();
    world.wish(ann, RoomChange::Invite(room, RoomMember::Account(account(3, "cyd")))).unwrap();
    for number in 0..50 {
        world.say(ann, room, &format!("message {number}")).unwrap();
    }
    world.read(bob);
    let stale = world.hub.desk.id(room).unwrap();
    assert!(world.hub.rooms.rings.held() > 0);
    world.read(eve.id);
    world.say(ann, room, "never read").unwrap();
    world.wish(ann, RoomChange::Delete(room)).unwrap();
    for (who, told_before) in [(bob, 0), (eve.id, 0)] {
        let objects = world.read(who);
        let said = objects.iter().filter(|object| object.get("MESSAGES").is_some()).count();
        assert_eq!(said, told_before, "nothing of it comes any more");
        let left = objects.iter().find_map(|object| object.get("ROOMS_LEFT")).unwrap();
        assert_eq!((&left[0]["CODE"], &left[0]["BY"]), (&"deleted".into(), &"ann".into()));
        assert_eq!(left[0]["NUMBER"], room.0);
    }
    assert_eq!(world.hub.rooms.rings.held(), 0, "no memory is left of it");
    assert!(world.hub.rooms.get(stale).is_none() && world.hub.desk.id(room).is_none());
    assert!(!world.hub.announce_in(stale, Event::error("x")).eq(&Wake::Room(stale)));
    assert!(!world.hub.enter(ann, stale));
    for who in [ann, bob] {
        assert_eq!(world.hub.default_room(who), None);
    }
    // The name is free, for another room.
    let anew = world.room(bob, "#LAB");
    assert_ne!(anew, room);
    let told = world.truth(bob, anew).unwrap();
    assert_eq!((&told["LAST"], &told["OWNER"]), (&0.into(), &"bob".into()));
    assert_eq!(texts(&told["USERS"]), ["bob"]);
    let found = world.hub.replica.rooms.get(anew).unwrap();
    assert_eq!((found.levels().len(), found.kept_invitations()), (0, 0));
    assert_eq!(world.wish(ann, RoomChange::SetDefault(Some(room))), Err(RoomRefusal::NoSuchRoom));
    // What was on its way to the old one does not get into the new one.
    let old = crate::RoomRef { number: room, name: room_name("#lab") };
    let mut late = record("bob", None, "late");
    late.destination = Destination::Room(old);
    let say = crate::Say { member: bob, number: world.number + 1, tag: None, record: late };
    let refused = world.propose(Proposal::Say(say), None).err();
    assert_eq!(refused, Some(crate::Refused::Room(RoomRefusal::NoSuchRoom)));
}

#[test]
fn names_that_look_like_another_room_are_taken_as_long_as_it_is_there() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#scope");
    assert_eq!(world.wish(ann, create("#SCOPE")), Err(RoomRefusal::Taken));
    assert_eq!(
        world.wish(ann, create("#\u{455}\u{441}\u{43e}\u{440}\u{435}")),
        Err(RoomRefusal::Taken)
    );
    world.wish(ann, RoomChange::Delete(room)).unwrap();
    world.room(ann, "#\u{455}\u{441}\u{43e}\u{440}\u{435}");
}

#[test]
fn base_clients_and_those_without_rooms_are_told_nothing() {
    let mut world = World::new();
    let base = world.hub.join(&name("base"), "").unwrap().id;
    let agreed = chatterbox_proto::Capabilities::parse_offer("ids/1 rename/1 commands/1").ok();
    let older = world.join(Identity { agreed, ..guest("older") });
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    for who in [base, older] {
        world.read(who);
    }
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    world.say(ann, room, "hello").unwrap();
    world.set(ann, room, RoomSetting::Topic("x".into()));
    let dan = world.join(user(2, "dan", Level::ADMIN));
    let lobby = crate::RoomNumber::LOBBY;
    world.set(dan, lobby, RoomSetting::Topic("x".into()));
    world.wish(ann, RoomChange::Delete(room)).unwrap();
    world.leave(eve);
    for who in [base, older] {
        let objects = world.read(who);
        let text = Value::from(objects).to_string();
        assert!(!text.contains("ROOM") && !text.contains('#'), "{text}");
        assert!(text.contains("eve"), "who comes into the chat, they see");
    }
}

#[test]
fn staff_who_leave_a_room_without_a_roster_are_told_as_staff() {
    let mut world = World::with_twin();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.join(guest("eve"));
    world.wish(eve, enter(room)).unwrap();
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    world.wish(ann, RoomChange::SetLevel(room, account(2, "bob"), Level::HELPER)).unwrap();
    world.set(ann, room, RoomSetting::Roster(false));
    for turn in 0..3 {
        world.read(eve);
        match turn {
            0 => drop(world.wish(bob, RoomChange::Leave(room)).unwrap()),
            1 => {
                let who = RoomMember::Account(account(2, "bob"));
                drop(world.wish(ann, remove(room, who)).unwrap());
            }
            _ => drop(world.remove_account(2, "bob")),
        }
        assert_eq!(staff_told(&mut world, eve), serde_json::from_str(r#"{"ann": 4}"#).ok());
        if turn < 2 {
            world.wish(bob, enter(room)).unwrap();
        }
    }
}
