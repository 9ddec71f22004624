//! Who may do what in rooms (RL-1, RL-2): every change by every level on the server and in the room. What is refused changes
//! nothing, which [`World::wish`](super::room_kit::World::wish) looks at.

use super::room_kit::*;
use crate::{
    ConfiguredRoom, Level, MemberId, RoomChange, RoomKeep, RoomMember, RoomNumber, RoomRefusal,
    RoomSetting, RoomShow,
};

/// A room with its owner, a member, a guest, somebody who is invited, and an actor with these levels.
struct Stage {
    world: World,
    room: RoomNumber,
    owner: MemberId,
    actor: MemberId,
    guest: MemberId,
}

fn stage(server: Level, in_room: Level, is_member: bool) -> Stage {
    let mut world = World::new();
    let owner = world.join(user(1, "owner", Level::USER));
    let room = world.room(owner, "#lab");
    world.join(user(3, "member", Level::USER));
    let member = RoomMember::Account(account(3, "member"));
    world.wish(owner, RoomChange::Invite(room, member)).unwrap();
    let guest_id = world.join(guest("guest"));
    world.wish(guest_id, enter(room)).unwrap();
    let actor = match server {
        Level::GUEST => world.join(guest("actor")),
        _ => world.join(user(2, "actor", server)),
    };
    if in_room > Level::USER {
        let set = RoomChange::SetLevel(room, account(2, "actor"), in_room);
        if server >= Level::OPERATOR {
            // An owner can't change them.
            let admin = world.join(user(9, "admin", Level::ADMIN));
            let _ = world.wish(admin, set);
        } else {
            world.wish(owner, set).unwrap();
        }
    }
    if is_member {
        world.wish(actor, enter(room)).unwrap();
    }
    Stage { world, room, owner, actor, guest: guest_id }
}

type Change = fn(&Stage) -> RoomChange;

/// From which level in the room on something is allowed to a member; `None` is nobody.
const CHANGES: [(&str, Option<u8>, Change); 23] = [
    ("topic", Some(2), |s| RoomChange::Set(s.room, RoomSetting::Topic("new".into()))),
    ("description", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Description("new".into()))),
    ("limit", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Limit(7))),
    ("password", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Password(Some("x".into())))),
    ("hidden", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Hidden(true))),
    ("closed", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Closed(true))),
    ("talk", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Talk(Level::HELPER))),
    ("slow", Some(3), |s| RoomChange::Set(s.room, RoomSetting::Slow(5))),
    ("length", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Length(5))),
    ("keep", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Keep(RoomKeep::Off))),
    ("show", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Show(RoomShow::Joined))),
    ("roster", Some(4), |s| RoomChange::Set(s.room, RoomSetting::Roster(false))),
    ("invite", Some(1), |s| {
        RoomChange::Invite(s.room, RoomMember::Account(account(7, "somebody")))
    }),
    ("uninvite", Some(1), |s| {
        RoomChange::Uninvite(s.room, RoomMember::Account(account(3, "member")))
    }),
    ("clear", Some(4), |s| RoomChange::Clear(s.room)),
    ("delete", Some(4), |s| RoomChange::Delete(s.room)),
    ("level", Some(4), |s| RoomChange::SetLevel(s.room, account(7, "somebody"), Level::HELPER)),
    ("remove", Some(2), |s| remove(s.room, RoomMember::Guest(s.guest))),
    ("leave", Some(0), |s| RoomChange::Leave(s.room)),
    ("default", Some(0), |s| RoomChange::SetDefault(Some(s.room))),
    ("configure", None, |_| {
        let (name, settings) = (room_name("#lab"), vec![RoomSetting::Slow(7)]);
        RoomChange::Configure(Box::new(ConfiguredRoom { name, settings, owner: None, auto: true }))
    }),
    ("release", None, |s| RoomChange::Release(s.room)),
    ("auto", None, |_| RoomChange::EnterAuto(account(7, "somebody"))),
];

#[test]
fn every_change_by_every_level() {
    for server in Level::ALL {
        for in_room in [Level::GUEST, Level::HELPER, Level::MODERATOR, Level::OPERATOR] {
            if server == Level::GUEST && in_room > Level::GUEST {
                continue;
            }
            let level = server.max(in_room).number();
            for (word, needed, change) in CHANGES {
                let mut stage = stage(server, in_room, true);
                let change = change(&stage);
                let outcome = stage.world.wish(stage.actor, change).map(drop);
                let expected = match needed {
                    Some(needed) if level >= needed => Ok(()),
                    _ => Err(RoomRefusal::Forbidden),
                };
                assert_eq!(outcome, expected, "{word} by {server} with {in_room} in the room");
            }
        }
    }
}

#[test]
fn who_is_no_member_needs_the_same_level_and_may_not_even_do_what_members_may() {
    let refused = [RoomRefusal::Forbidden, RoomRefusal::NotAMember];
    for server in Level::ALL {
        for (word, needed, change) in CHANGES {
            let mut stage = stage(server, Level::GUEST, false);
            let change = change(&stage);
            let outcome = stage.world.wish(stage.actor, change).map(drop);
            let may = match word {
                "leave" | "default" => false,
                // Whoever keeps rooms may let others in.
                "invite" | "uninvite" => server >= Level::OPERATOR,
                _ => needed.is_some_and(|needed| server.number() >= needed),
            };
            match outcome {
                Ok(()) => assert!(may, "{word} by {server}"),
                Err(refusal) => assert!(!may && refused.contains(&refusal), "{word} by {server}"),
            }
        }
    }
}

#[test]
fn inviting_into_a_closed_room_takes_level_two() {
    for (level, may) in [(Level::USER, false), (Level::HELPER, true), (Level::OPERATOR, true)] {
        for restriction in [RoomSetting::Closed(true), RoomSetting::Hidden(true)] {
            let mut stage = stage(Level::USER, level, true);
            let is_closed = restriction == RoomSetting::Closed(true);
            stage.world.set(stage.owner, stage.room, restriction);
            let who = RoomMember::Account(account(7, "somebody"));
            let outcome = stage.world.wish(stage.actor, RoomChange::Invite(stage.room, who));
            assert_eq!(outcome.is_ok(), may || !is_closed, "{level}");
        }
    }
}

#[test]
fn b13_nobody_else_deletes_a_room_or_sets_permissions() {
    for server in [Level::GUEST, Level::USER, Level::HELPER, Level::MODERATOR] {
        for is_member in [false, true] {
            let mut stage = stage(server, Level::GUEST, is_member);
            let room = stage.room;
            let deletes = stage.world.wish(stage.actor, RoomChange::Delete(room));
            assert_eq!(deletes, Err(RoomRefusal::Forbidden), "{server}");
            for (id, name) in [(2, "actor"), (1, "owner"), (3, "member"), (7, "somebody")] {
                for level in Level::ALL {
                    let set = RoomChange::SetLevel(room, account(id, name), level);
                    assert_eq!(stage.world.wish(stage.actor, set), Err(RoomRefusal::Forbidden));
                }
            }
            assert!(stage.world.hub.replica.rooms.get(room).is_some());
        }
    }
    // Who is not logged in is nobody, whatever password they have given.
    let mut stage = stage(Level::GUEST, Level::GUEST, true);
    let elevated = crate::Amendment { elevated: Some(true), ..crate::Amendment::default() };
    let proposal = crate::Proposal::Amend(stage.actor, elevated);
    stage.world.propose(proposal, None).unwrap();
    let deletes = stage.world.wish(stage.actor, RoomChange::Delete(stage.room));
    assert_eq!(deletes, Err(RoomRefusal::Forbidden));
}

#[test]
fn who_removes_or_promotes_has_a_greater_level_and_nobody_gives_more_than_they_have() {
    let levels = [Level::USER, Level::HELPER, Level::MODERATOR, Level::OPERATOR];
    for own in levels {
        for target in levels {
            for on_server in [false, true] {
                let mut stage = stage(Level::USER, own, true);
                let server = if on_server { target } else { Level::USER };
                let target_id = stage.world.join(user(8, "target", server));
                if !on_server {
                    let set = RoomChange::SetLevel(stage.room, account(8, "target"), target);
                    if target < Level::OPERATOR {
                        stage.world.wish(stage.owner, set).unwrap();
                    } else {
                        let admin = stage.world.join(user(9, "admin", Level::ADMIN));
                        stage.world.wish(admin, set).unwrap();
                    }
                }
                stage.world.wish(target_id, enter(stage.room)).unwrap();
                let may = own > target;
                let context = format!("{own} against {target}, on the server {on_server}");
                for level in Level::ALL {
                    let set = RoomChange::SetLevel(stage.room, account(8, "target"), level);
                    let outcome = stage.world.wish(stage.actor, set);
                    let allowed = own >= Level::OPERATOR && may && level <= own;
                    assert_eq!(outcome.is_ok(), allowed, "{context}: {level}");
                    if allowed && level == own {
                        // They are equal from here on.
                        let set = RoomChange::SetLevel(stage.room, account(8, "target"), target);
                        let outcome = stage.world.wish(stage.actor, set);
                        assert_eq!(outcome, Err(RoomRefusal::Forbidden), "{context}");
                        let admin = stage.world.join(user(10, "root", Level::ADMIN));
                        let set = RoomChange::SetLevel(stage.room, account(8, "target"), target);
                        stage.world.wish(admin, set).unwrap();
                    }
                }
                let kick = remove(stage.room, RoomMember::Account(account(8, "target")));
                let outcome = stage.world.wish(stage.actor, kick);
                let allowed = own >= Level::HELPER && may;
                assert_eq!(outcome.is_ok(), allowed, "{context}");
                assert_eq!(stage.world.is_in(target_id, stage.room), !allowed);
            }
        }
    }
}

#[test]
fn not_even_a_moderator_of_the_server_removes_an_owner() {
    for (level, may) in [(Level::MODERATOR, false), (Level::OPERATOR, false), (Level::ADMIN, true)]
    {
        let mut stage = stage(level, Level::GUEST, true);
        let kick = remove(stage.room, RoomMember::Account(account(1, "owner")));
        assert_eq!(stage.world.wish(stage.actor, kick).is_ok(), may, "{level}");
        // An owner who is out is the owner all the same.
        if may {
            assert_eq!(stage.world.truth(stage.actor, stage.room).unwrap()["OWNER"], "owner");
            stage.world.wish(stage.owner, enter(stage.room)).unwrap();
        }
    }
}

#[test]
fn a_room_level_ends_with_the_room_and_counts_in_no_other() {
    let mut stage = stage(Level::USER, Level::OPERATOR, true);
    let other = stage.world.room(stage.owner, "#other");
    stage.world.wish(stage.actor, enter(other)).unwrap();
    let delete = stage.world.wish(stage.actor, RoomChange::Delete(other));
    assert_eq!(delete, Err(RoomRefusal::Forbidden));
    stage.world.wish(stage.owner, RoomChange::Delete(stage.room)).unwrap();
    let anew = stage.world.room(stage.owner, "#lab");
    assert_ne!(anew, stage.room);
    stage.world.wish(stage.actor, enter(anew)).unwrap();
    let delete = stage.world.wish(stage.actor, RoomChange::Delete(anew));
    assert_eq!(delete, Err(RoomRefusal::Forbidden));
    for change in [RoomChange::Delete(stage.room), enter(stage.room)] {
        assert_eq!(stage.world.wish(stage.actor, change), Err(RoomRefusal::NoSuchRoom));
    }
}

#[test]
fn a_configured_room_is_not_deleted_and_the_file_wins() {
    let mut world = World::new();
    let dan = world.join(user(1, "dan", Level::ADMIN));
    let file = |settings| {
        let (name, owner) = (room_name("#lab"), Some(account(2, "bob")));
        RoomChange::Configure(Box::new(ConfiguredRoom { name, settings, owner, auto: false }))
    };
    let named = vec![RoomSetting::Slow(5), RoomSetting::Hidden(false)];
    let room = world.operator(file(named)).unwrap().unwrap().number;
    assert_eq!(world.wish(dan, RoomChange::Delete(room)), Err(RoomRefusal::Configured));
    for setting in [RoomSetting::Slow(0), RoomSetting::Hidden(true)] {
        let set = RoomChange::Set(room, setting);
        assert_eq!(world.wish(dan, set), Err(RoomRefusal::Configured));
    }
    world.set(dan, room, RoomSetting::Topic("free".into()));
    let again = world.operator(file(vec![RoomSetting::Slow(7)])).unwrap().unwrap();
    assert_eq!(again.number, room, "the same room");
    world.set(dan, room, RoomSetting::Hidden(true));
    let told = world.truth(dan, room).unwrap();
    assert_eq!((&told["SLOW"], &told["TOPIC"]), (&7.into(), &"free".into()));
    assert_eq!(texts(&told["FLAGS"]), ["configured", "hidden"]);
    // Out of the file it is a room like others.
    world.operator(RoomChange::Release(room)).unwrap();
    world.set(dan, room, RoomSetting::Slow(0));
    // It is hidden: not even its owner knows of it without being a member.
    let bob = world.join(user(2, "bob", Level::USER));
    assert_eq!(world.wish(bob, RoomChange::Delete(room)), Err(RoomRefusal::NoSuchRoom));
    world.wish(bob, enter(room)).unwrap();
    world.wish(bob, RoomChange::Delete(room)).unwrap();
}
