//! Of a hidden room every answer is that for no room (RM-12), and who gets in: passwords, closed rooms, invitations (RM-13).

use chatterbox_proto::Code;

use super::room_kit::*;
use crate::{Level, MemberId, RoomChange, RoomMember, RoomNumber, RoomRefusal, RoomSetting};

const WEEK: i64 = 7 * 24 * 60 * 60;

/// All that can be asked of a room, by name and by number, as text.
fn answers(world: &mut World, who: MemberId, called: &str, room: RoomNumber) -> Vec<String> {
    let name = room_name(called);
    let now = world.now;
    let hub = &mut world.hub;
    let mut answers = vec![
        format!("named {:?}", hub.room_named(who, &name, now).map(|room| room.count)),
        format!("seen {}", hub.rooms_seen(who, now).iter().any(|one| one.definition.name == name)),
        format!("list {:?}", hub.members_of(who, room, None, 10)),
        format!("page {:?}", hub.readable(who, &name).err()),
        format!("say {:?}", hub.may_say_in(who, &name, 10).err()),
    ];
    let someone = RoomMember::Account(account(1, "ann"));
    let changes = [
        RoomChange::Leave(room),
        RoomChange::Delete(room),
        RoomChange::Set(room, RoomSetting::Topic("mine".into())),
        RoomChange::Set(room, RoomSetting::Slow(u32::MAX)),
        RoomChange::Invite(room, RoomMember::Account(account(9, "zed"))),
        RoomChange::Invite(room, someone.clone()),
        RoomChange::Uninvite(room, RoomMember::Account(account(9, "zed"))),
        RoomChange::Clear(room),
        RoomChange::SetLevel(room, account(9, "zed"), Level::HELPER),
        remove(room, someone),
    ];
    for change in changes {
        let outcome = world.wish(who, change.clone());
        // What it is about has another number.
        let change = format!("{change:?}").replace(&format!("{room:?}"), "it");
        answers.push(format!("{change} {outcome:?}"));
    }
    for shown in [None, Some("wrong".into())] {
        answers.push(format!("{:?}", world.wish(who, RoomChange::Enter { room, shown })));
    }
    answers
}

#[test]
fn members_invited_ones_and_level_five_know_it() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#secret");
    world.set(ann, room, RoomSetting::Hidden(true));
    world.set(ann, room, RoomSetting::Closed(true));
    let (eve, bob) = (world.join(guest("eve")), world.join(user(2, "bob", Level::USER)));
    let dan = world.join(user(3, "dan", Level::ADMIN));
    let name = room_name("#SECRET");
    for who in [RoomMember::Guest(eve), RoomMember::Account(account(2, "bob"))] {
        world.wish(ann, RoomChange::Invite(room, who)).unwrap();
    }
    for who in [ann, eve, bob, dan] {
        assert!(world.hub.room_named(who, &name, world.now).is_some());
        assert_eq!(world.hub.rooms_seen(who, world.now).len(), 1);
    }
    // Who is invited is told of it, and nothing in it.
    for who in [eve, bob] {
        assert_eq!(world.hub.readable(who, &name).err(), Some(RoomRefusal::NoSuchRoom));
        assert_eq!(world.hub.may_say_in(who, &name, 1).err(), Some(Code::NoSuchRoom));
        assert_eq!(world.hub.members_of(who, room, None, 9).err(), Some(RoomRefusal::NoSuchRoom));
    }
    assert_eq!(world.hub.members_of(dan, room, None, 9).unwrap().len(), 1);
    assert!(world.hub.readable(dan, &name).is_err(), "no level reads without being a member");
    assert!(world.hub.readable(ann, &name).is_ok());
    // An invitation that is over is none.
    assert!(world.hub.room_named(bob, &name, world.now + WEEK).is_none());
}

#[test]
fn who_knows_the_name_of_a_hidden_room_without_password_gets_in() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#secret");
    world.set(ann, room, RoomSetting::Hidden(true));
    let eve = world.join(guest("eve"));
    let name = room_name("#secret");
    assert!(world.hub.room_named(eve, &name, world.now).is_none());
    let found = world.hub.room_to_join(eve, &name, world.now).unwrap();
    assert_eq!(found.definition.number, room);
    world.wish(eve, enter(room)).unwrap();
    assert!(world.hub.room_named(eve, &name, world.now).is_some());
    world.wish(eve, RoomChange::Leave(room)).unwrap();
    assert!(world.hub.room_named(eve, &name, world.now).is_none());
}

#[test]
fn a_password_that_has_changed_since_it_was_shown_does_not_count() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let old: std::sync::Arc<str> = "old".into();
    let new: std::sync::Arc<str> = "new".into();
    let enter_with = |shown: &std::sync::Arc<str>| {
        let shown = Some(std::sync::Arc::clone(shown));
        RoomChange::Enter { room, shown }
    };
    world.set(ann, room, RoomSetting::Password(Some(std::sync::Arc::clone(&old))));
    let (eve, fay) = (world.join(guest("eve")), world.join(guest("fay")));
    assert_eq!(world.wish(eve, enter(room)), Err(RoomRefusal::WrongPassword));
    world.wish(eve, enter_with(&old)).unwrap();
    world.read(eve);
    world.set(ann, room, RoomSetting::Password(Some(std::sync::Arc::clone(&new))));
    assert_eq!(world.wish(fay, enter_with(&old)), Err(RoomRefusal::WrongPassword));
    world.wish(fay, enter_with(&new)).unwrap();
    assert!(world.is_in(eve, room), "who is in stays in");
    assert_eq!(world.read_key(eve, "ROOMS_LEFT").len(), 0);
    // The owner needs none, and without one nobody does, whatever was shown.
    world.wish(ann, RoomChange::Leave(room)).unwrap();
    world.wish(ann, enter(room)).unwrap();
    world.set(ann, room, RoomSetting::Password(None));
    let gus = world.join(guest("gus"));
    world.wish(gus, enter_with(&old)).unwrap();
}

#[test]
fn an_invitation_lets_in_once_and_for_seven_days() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    let as_bob = RoomMember::Account(account(2, "bob"));
    let restrictions = [RoomSetting::Closed(true), RoomSetting::Password(Some("right".into()))];
    for restriction in restrictions {
        world.set(ann, room, RoomSetting::Closed(false));
        world.set(ann, room, restriction);
        assert!(world.wish(bob, enter(room)).is_err());
        world.wish(ann, RoomChange::Invite(room, as_bob.clone())).unwrap();
        world.wish(bob, enter(room)).unwrap();
        world.wish(bob, RoomChange::Leave(room)).unwrap();
        assert!(world.wish(bob, enter(room)).is_err(), "it was used");
        world.wish(ann, RoomChange::Invite(room, as_bob.clone())).unwrap();
        world.now += WEEK;
        assert!(world.wish(bob, enter(room)).is_err(), "it is over");
        world.wish(ann, RoomChange::Invite(room, as_bob.clone())).unwrap();
        world.now += WEEK - 1;
        world.wish(ann, RoomChange::Uninvite(room, as_bob.clone())).unwrap();
        assert!(world.wish(bob, enter(room)).is_err(), "it was taken back");
        let again = world.wish(ann, RoomChange::Uninvite(room, as_bob.clone()));
        assert_eq!(again, Err(RoomRefusal::NoSuchUser));
    }
    // Another account of his name was not invited.
    world.wish(ann, RoomChange::Invite(room, as_bob)).unwrap();
    world.leave(bob);
    let bob = world.join(user(3, "bob", Level::USER));
    assert!(world.wish(bob, enter(room)).is_err());
}

#[test]
fn invitations_are_told_to_who_is_here_and_outlive_their_absence() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    let as_bob = RoomMember::Account(account(2, "bob"));
    world.wish(ann, RoomChange::Invite(room, as_bob.clone())).unwrap();
    let told = world.read_key(bob, "NOTICES");
    assert_eq!((&told[0][0]["CODE"], &told[0][0]["BY"]), (&"invited".into(), &"ann".into()));
    assert_eq!(
        (&told[0][0]["ROOM"], &told[0][0]["UNTIL"]),
        (&"#lab".into(), &(world.now + WEEK).into())
    );
    world.wish(ann, RoomChange::Uninvite(room, as_bob.clone())).unwrap();
    assert_eq!(world.read_key(bob, "NOTICES")[0][0]["CODE"], "uninvited");
    world.wish(ann, RoomChange::Invite(room, as_bob)).unwrap();
    world.leave(bob);
    let bob = world.join(user(2, "bob", Level::USER));
    let invited = |world: &World| {
        world.hub.rooms_seen(bob, world.now).iter().filter(|room| room.is_invited).count()
    };
    assert_eq!(invited(&world), 1);
    // Entering uses it up, and nobody is told that it was taken back.
    world.wish(bob, enter(room)).unwrap();
    assert_eq!(invited(&world), 0);
    assert_eq!(world.read_key(bob, "NOTICES").len(), 0);
}

#[test]
fn a_hidden_room_answers_as_none_does() {
    for closed in [false, true] {
        let mut world = World::new();
        let ann = world.join(user(1, "ann", Level::USER));
        let room = world.room(ann, "#secret");
        world.set(ann, room, RoomSetting::Hidden(true));
        world.set(ann, room, RoomSetting::Password(Some("right".into())));
        world.set(ann, room, RoomSetting::Closed(closed));
        world.set(ann, room, RoomSetting::Talk(Level::HELPER));
        world.set(ann, room, RoomSetting::Length(5));
        let strangers = [
            world.join(guest("eve")),
            world.join(user(2, "bob", Level::USER)),
            world.join(user(3, "cyd", Level::MODERATOR)),
        ];
        for who in strangers {
            let hidden = answers(&mut world, who, "#secret", room);
            let none = answers(&mut world, who, "#nothing", RoomNumber(u64::MAX));
            assert_eq!(hidden, none, "closed {closed}");
        }
        // One who was a member knows it no more than others.
        let bob = strangers[1];
        world.wish(ann, RoomChange::Invite(room, RoomMember::Account(account(2, "bob")))).unwrap();
        world.wish(bob, enter(room)).unwrap();
        world.wish(bob, RoomChange::Leave(room)).unwrap();
        let hidden = answers(&mut world, bob, "#secret", room);
        assert_eq!(hidden, answers(&mut world, bob, "#nothing", RoomNumber(u64::MAX)));
    }
}
