//! What goes with messages: whom they may mention, what is told of them again, and what is for one device alone.

use chatterbox_proto::LookupKey;
use chatterbox_proto::capability::meta::{DeviceId, Sealed};

use super::room_kit::*;
use super::*;
use crate::replica::proposal::{Incarnation, Proposal, Say};
use crate::{Level, Mention, RecordMeta, RoomChange, RoomKeep, RoomSetting};

fn key(text: &str) -> LookupKey {
    LookupKey::of(text, 40).unwrap()
}

fn found(
    world: &World,
    by: MemberId,
    to: &Destination<LookupKey, LookupKey>,
    names: &[&str],
) -> Result<Vec<String>, Code> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let all = world.hub.mentions(by, to, &names)?;
    let told = |mention| match mention {
        Mention::Reader(name) => name,
        Mention::Account(name) => format!("account {name}"),
    };
    Ok(all.into_iter().map(told).collect())
}

#[test]
fn in_the_lobby_those_who_are_here_are_mentioned_and_others_looked_for() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    world.join(guest("Bob"));
    let mod_ = world.join(user(3, "mod", Level::MODERATOR));
    let to = Destination::All;
    let names = ["bob", "ANN", "Bob", "zoe", "no name", "", "#lab"];
    assert_eq!(found(&world, ann, &to, &names).unwrap(), ["Bob", "ann", "account zoe"]);
    assert_eq!(found(&world, ann, &to, &["bob", "ALL"]), Err(Code::MentionForbidden));
    assert_eq!(found(&world, mod_, &to, &["ALL", "all"]).unwrap(), ["ALL"]);
}

#[test]
fn in_a_room_members_are_mentioned_wherever_they_are() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#Lab");
    let bob = world.join(user(2, "bob", Level::USER));
    let cyd = world.join(guest("cyd"));
    world.join(guest("dan"));
    for member in [bob, cyd] {
        world.wish(member, enter(room)).unwrap();
    }
    world.leave(bob);
    let to = Destination::Room(key("#lab"));
    let names = ["BOB", "cyd", "dan", "zoe", "ann"];
    assert_eq!(found(&world, cyd, &to, &names).unwrap(), ["bob", "cyd", "ann"]);
    for all in ["ALL", "#LAB"] {
        assert_eq!(found(&world, cyd, &to, &[all]), Err(Code::MentionForbidden), "{all}");
    }
    // Who has made the room has level 4 there.
    assert_eq!(found(&world, ann, &to, &["#LAB", "ALL", "#other"]).unwrap(), ["#Lab", "ALL"]);
    let stranger = world.join(guest("eve"));
    assert_eq!(found(&world, stranger, &to, &["bob", "ALL"]).unwrap(), [""; 0], "not a word");
}

#[test]
fn one_person_is_mentioned_once_wherever_they_are() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#Lab");
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(room)).unwrap();
    let to = Destination::Room(key("#lab"));
    let names = ["bob", "BOB", "#lab", "ALL", "bob", "ALL", "#LAB"];
    let expected = ["bob", "#Lab", "ALL"];
    assert_eq!(found(&world, ann, &to, &names).unwrap(), expected);
    world.leave(bob);
    assert_eq!(found(&world, ann, &to, &names).unwrap(), expected, "he is away");
}

#[test]
fn in_a_private_message_the_two_of_them_are_mentioned() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::ADMIN));
    world.join(guest("Bob"));
    world.join(guest("cyd"));
    let names = ["bob", "cyd", "ann", "ALL", "zoe"];
    assert_eq!(found(&world, ann, &Destination::User(key("bob")), &names).unwrap(), ["Bob", "ann"]);
    let away = found(&world, ann, &Destination::User(key("zoe")), &names).unwrap();
    assert_eq!(away, ["ann", "zoe"], "she reads it later");
}

#[test]
fn what_was_missed_in_a_room_comes_with_what_goes_with_it() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let meta = || "ids/1 rename/1 commands/1 rooms/1 meta/1";
    let agreed = chatterbox_proto::Capabilities::parse_offer(meta()).ok();
    let eve = crate::Identity { agreed, ..user(2, "eve", Level::USER) };
    let first = world.come(eve.clone(), None, 0);
    world.wish(first.id, enter(room)).unwrap();
    let after = world.say(ann, room, "one").unwrap();
    world.leave(first.id);
    world.say_with(ann, room, "two", RecordMeta::new(Some(after), &[], None, None));
    world.say(ann, room, "three").unwrap();
    let back = world.resume(eve, first.session, after);
    let reply = serde_json::json!({ "REPLY": after });
    assert_eq!(back.welcome["META"], serde_json::json!([reply, null]));
    // What came before the session, and where nothing is missed, has no list.
    assert!(first.welcome.get("META").is_none());
}

#[test]
fn each_device_is_handed_its_own_encrypted_text() {
    let mut hub = hub();
    let ids = chatterbox_proto::Capabilities::parse_offer("ids/1 meta/1").ok();
    let join = |hub: &mut Hub, text: &str| {
        let identity = crate::Identity { agreed: ids, ..crate::Identity::guest(name(text)) };
        let user = identity.name.clone();
        let request = crate::JoinRequest { identity, ..crate::JoinRequest::base(&user, "hi") };
        hub.admit(request).unwrap().id
    };
    let ann = join(&mut hub, "ann");
    let bob = join(&mut hub, "bob");
    let sealed = br#"{"FROM": "d1", "TO": {"d2": [0, "aa"], "d3": [1, "bb"]}}"#;
    let sealed = Sealed::parse(sealed).unwrap();
    let say = |hub: &mut Hub, number| {
        let meta = RecordMeta::new(Some(1), &[], None, Some(&sealed));
        let record = Record { meta, ..record("ann", Some("bob"), "sentence") };
        let say = Say { member: ann, number, tag: None, record };
        assert!(hub.step(Incarnation::default(), Proposal::Say(say), None).outcome.is_ok());
        let mut told = String::new();
        while let Delivery::Frames { frames, .. } = hub.take(bob) {
            told.push_str(&String::from_utf8_lossy(&frames.frames().concat()));
        }
        told
    };
    let told = say(&mut hub, 1);
    assert!(told.contains(r#""META": [{"REPLY": 1}]"#), "it has not said which it is: {told}");
    let device = DeviceId::parse("d3").unwrap();
    hub.set_device(bob, crate::OwnDevice { device, done: 0, since: 0 });
    let told = say(&mut hub, 2);
    let own = r#""META": [{"REPLY": 1, "E2EE": {"FROM": "d1", "TO": {"d3": [1, "bb"]}}}]"#;
    assert!(told.contains(own) && !told.contains("aa"), "{told}");
}

#[test]
fn a_room_that_keeps_nothing_knows_what_was_said_while_one_was_there() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    world.set(ann, room, RoomSetting::Keep(RoomKeep::Off));
    let before = world.say(ann, room, "one").unwrap();
    let cyd = world.join(guest("cyd"));
    world.wish(cyd, enter(room)).unwrap();
    let after = world.say(ann, room, "two").unwrap();
    let source = |world: &World, by, id| world.hub.source_in_timeline(by, &key("#LAB"), id);
    assert_eq!(source(&world, ann, before), Some(name("ann")));
    assert_eq!(source(&world, cyd, after), Some(name("ann")));
    assert_eq!(source(&world, cyd, before), None, "said before they came");
    assert_eq!(source(&world, ann, after + 1), None);
    let stranger = world.join(guest("eve"));
    assert_eq!(source(&world, stranger, after), None);
    world.wish(ann, RoomChange::Clear(room)).unwrap();
    assert_eq!(source(&world, ann, after), None, "cleared");
}
