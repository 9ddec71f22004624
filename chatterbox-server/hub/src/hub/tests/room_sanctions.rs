//! Who is banned from a room or muted in it (MO-3, MO-4), and guests who are removed while they are cut off.

use chatterbox_proto::Capabilities;
use chatterbox_proto::capability::commands::OutcomeCode;
use serde_json::Value;

use super::room_kit::*;
use super::*;
use crate::{
    Level, Moderation, ModerationAct, Proposal, Refused, RoomChange, RoomMember, RoomNumber,
    RoomSetting, Sanction, SanctionId, SanctionKind, SanctionSubject,
};

struct Stage {
    world: World,
    ann: MemberId,
    room: RoomNumber,
    next: i64,
}

fn stage() -> Stage {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    Stage { world, ann, room, next: 0 }
}

impl Stage {
    fn moderate(&mut self, act: ModerationAct) {
        let now = self.world.now;
        let level = Some(Level::OPERATOR);
        let moderation =
            Moderation { by: "ann".into(), level, now, silent: false, written: None, act };
        self.world.propose(Proposal::Moderate(Box::new(moderation)), None).unwrap();
    }

    fn impose(&mut self, kind: SanctionKind, subject: SanctionSubject) -> SanctionId {
        self.next += 1;
        let id = SanctionId(self.next);
        let sanction = Sanction {
            id,
            kind,
            subject,
            about: "eve".into(),
            room: Some(self.room),
            by: "ann".into(),
            reason: "spam".into(),
            since: self.world.now,
            until: None,
        };
        self.moderate(ModerationAct::Impose(vec![sanction]));
        id
    }

    fn guest(&self, member: MemberId) -> SanctionSubject {
        SanctionSubject::Guest { name: name("eve"), session: None, member: Some(member) }
    }

    fn remove(&mut self, who: MemberId, banned: bool) -> Result<(), OutcomeCode> {
        let (room, who) = (self.room, RoomMember::Guest(who));
        let change = RoomChange::Remove { room, who, reason: "spam".into(), banned, by: None };
        self.world.wish(self.ann, change).map(drop)
    }
}

#[test]
fn who_is_banned_from_a_room_is_not_in_it_and_no_invitation_helps() {
    let mut stage = stage();
    let eve = stage.world.join(guest("eve"));
    stage.world.wish(eve, enter(stage.room)).unwrap();
    stage.world.read(eve);
    let ban = stage.impose(SanctionKind::Ban, stage.guest(eve));
    stage.remove(eve, true).unwrap();
    let left = stage.world.read_key(eve, "ROOMS_LEFT");
    assert_eq!((&left[0][0]["CODE"], &left[0][0]["INFO"]), (&"banned".into(), &"spam".into()));
    let enters = |stage: &mut Stage| stage.world.wish(eve, enter(stage.room)).map(drop);
    assert_eq!(enters(&mut stage), Err(OutcomeCode::Banned));
    let invite = RoomChange::Invite(stage.room, RoomMember::Guest(eve));
    stage.world.wish(stage.ann, invite).unwrap();
    assert_eq!(enters(&mut stage), Err(OutcomeCode::Banned));
    // Elsewhere they may be.
    let other = stage.world.room(stage.ann, "#talk");
    stage.world.wish(eve, enter(other)).unwrap();
    stage.moderate(ModerationAct::Lift(vec![ban]));
    assert_eq!(enters(&mut stage), Ok(()));
}

#[test]
fn a_hidden_room_is_not_there_for_who_is_banned_from_it() {
    let mut stage = stage();
    stage.world.set(stage.ann, stage.room, RoomSetting::Hidden(true));
    let eve = stage.world.join(guest("eve"));
    stage.impose(SanctionKind::Ban, stage.guest(eve));
    let refused = stage.world.wish(eve, enter(stage.room));
    assert_eq!(refused, Err(OutcomeCode::NoSuchRoom));
}

#[test]
fn who_is_muted_in_a_room_says_nothing_to_others_there_in_any_way() {
    let mut stage = stage();
    let eve = stage.world.join(user(2, "eve", Level::USER));
    stage.world.wish(eve, enter(stage.room)).unwrap();
    let set = |level| RoomChange::SetLevel(stage.room, account(2, "eve"), level);
    let (helper, bob) = (set(Level::HELPER), stage.world.join(guest("bob")));
    stage.world.wish(stage.ann, helper).unwrap();
    let topic = RoomChange::Set(stage.room, RoomSetting::Topic("x".into()));
    let invite = RoomChange::Invite(stage.room, RoomMember::Guest(bob));
    let mute = stage.impose(SanctionKind::Mute, SanctionSubject::Account(account(2, "eve")));
    let said = stage.world.say(eve, stage.room, "hello");
    assert!(matches!(said, Err(Refused::Muted(None))), "{said:?}");
    for change in [&topic, &invite] {
        assert_eq!(stage.world.wish(eve, change.clone()), Err(OutcomeCode::Muted));
    }
    let other = stage.world.room(eve, "#talk");
    stage.world.say(eve, other, "elsewhere").unwrap();
    stage.moderate(ModerationAct::Lift(vec![mute]));
    stage.world.say(eve, stage.room, "hello").unwrap();
    for change in [topic, invite] {
        stage.world.wish(eve, change).unwrap();
    }
}

#[test]
fn the_sanctions_of_a_room_end_with_it() {
    let mut stage = stage();
    let eve = stage.world.join(guest("eve"));
    stage.impose(SanctionKind::Ban, stage.guest(eve));
    stage.impose(SanctionKind::Mute, SanctionSubject::Name(name("eve")));
    assert_eq!(stage.world.hub.sanctions(0).count(), 2);
    stage.world.wish(stage.ann, RoomChange::Delete(stage.room)).unwrap();
    assert_eq!(stage.world.hub.sanctions(0).count(), 0);
}

#[test]
fn a_guest_who_is_removed_while_they_are_cut_off_does_not_come_back_to_the_room() {
    let mut stage = stage();
    let eve = stage.world.come(guest("eve"), None, 0);
    stage.world.wish(eve.id, enter(stage.room)).unwrap();
    let after = stage.world.say(stage.ann, stage.room, "before").unwrap();
    stage.world.leave(eve.id);
    assert_eq!(stage.world.hub.cut_off(&name("EVE")), Some(eve.id));
    stage.remove(eve.id, false).unwrap();
    assert_eq!(stage.remove(eve.id, false), Err(OutcomeCode::NoSuchUser), "once");
    stage.world.say(stage.ann, stage.room, "a secret").unwrap();
    let back = stage.world.resume(guest("eve"), eve.session, after);
    assert_eq!(back.welcome["RESUMED"], true);
    assert_eq!(back.welcome["ROOMS"].as_array().map(Vec::len), Some(1), "the lobby only");
    let lost = &back.welcome["ROOMS_LEFT"][0];
    assert_eq!((&lost["ROOM"], &lost["CODE"]), (&Value::from("#lab"), &Value::from("kicked")));
    assert!(!back.welcome.to_string().contains("a secret"));
    assert!(!stage.world.is_in(back.id, stage.room));
}

#[test]
fn a_report_is_told_to_staff_of_the_room_and_of_the_server_and_never_to_who_is_reported() {
    let mut stage = stage();
    let world = &mut stage.world;
    let helper = world.join(user(2, "bob", Level::USER));
    world.wish(helper, enter(stage.room)).unwrap();
    let given = RoomChange::SetLevel(stage.room, account(2, "bob"), Level::MODERATOR);
    world.wish(stage.ann, given).unwrap();
    let prof = world.join(user(3, "prof", Level::MODERATOR));
    let as_guest = world.join(Identity { name: name("mask"), ..user(3, "prof", Level::MODERATOR) });
    world.join(user(4, "eve", Level::USER));
    // Who does not speak of rooms hears nothing of one.
    let agreed = Capabilities::parse_offer("ids/1 notices/1").ok();
    let old = world.join(Identity { agreed, ..user(5, "old", Level::ADMIN) });
    let told = |world: &World, room, about| world.hub.told_of_report(room, &name(about));
    let here = Some(stage.room);
    assert_eq!(told(world, here, "eve"), [stage.ann, helper, prof, as_guest]);
    assert_eq!(told(world, None, "eve"), [prof, as_guest, old]);
    assert_eq!(told(world, here, "BOB"), [stage.ann, prof, as_guest]);
    for one in ["prof", "mask"] {
        assert_eq!(told(world, here, one), [stage.ann, helper], "{one}");
        assert_eq!(told(world, None, one), [old], "{one}");
    }
}
