//! What somebody who resumes a session is told of their rooms (RH-2, RH-4, RH-6).

use serde_json::Value;

use super::room_kit::*;
use super::*;
use crate::{Level, RoomChange, RoomKeep, RoomNumber, RoomSetting, RoomShow};

struct Stage {
    world: World,
    ann: MemberId,
    room: RoomNumber,
    eve: Newcomer,
    /// The number of the last that eve has.
    after: u64,
}

/// A room of ann, and eve, who is cut off.
fn cut_off() -> Stage {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let room = world.room(ann, "#lab");
    let eve = world.come(user(2, "eve", Level::USER), None, 0);
    world.wish(eve.id, enter(room)).unwrap();
    let after = world.say(ann, room, "the last that she has").unwrap();
    world.read(eve.id);
    world.leave(eve.id);
    Stage { world, ann, room, eve, after }
}

impl Stage {
    fn say(&mut self, messages: usize) -> Vec<u64> {
        let say = |number| {
            self.world.hub.take(self.ann);
            self.world.say(self.ann, self.room, &format!("message {number}")).unwrap()
        };
        (0..messages).map(say).collect()
    }

    /// The ids that were missed in the welcome, and whether there is a gap.
    fn resume(&mut self) -> (Vec<u64>, bool) {
        let eve = user(2, "eve", Level::USER);
        let back = self.world.resume(eve, self.eve.session, self.after);
        assert_eq!(back.welcome["RESUMED"], true, "GAP alone never makes it false");
        self.world.leave(back.id);
        let ids = back.welcome["IDS"].as_array().unwrap();
        let ids: Vec<_> = ids.iter().map(|id| id.as_u64().unwrap()).collect();
        assert!(ids.is_sorted());
        let room = &back.welcome["ROOMS"][1];
        assert_eq!(room["NUMBER"], self.room.0);
        match room.get("GAP") {
            None => (ids, false),
            Some(gap) => (ids, gap == &Value::Bool(true)),
        }
    }
}

#[test]
fn nothing_missed_is_no_gap() {
    for keep in [RoomKeep::Off, RoomKeep::Newest(0), RoomKeep::Newest(1), RoomKeep::All] {
        let mut stage = cut_off();
        stage.world.set(stage.ann, stage.room, RoomSetting::Keep(keep));
        assert_eq!(stage.resume(), (vec![], false), "{keep:?}");
    }
}

#[test]
fn what_a_room_does_not_keep_is_not_sent_again() {
    let mut stage = cut_off();
    let said = stage.say(5);
    for (keep, sent, gap) in [
        (RoomKeep::All, 5, false),
        (RoomKeep::Newest(6), 5, false),
        (RoomKeep::Newest(5), 5, false),
        (RoomKeep::Newest(3), 3, true),
        (RoomKeep::Newest(0), 0, true),
        (RoomKeep::Off, 0, true),
        // What was said while less was kept does not come back when more is.
        (RoomKeep::Newest(3), 0, true),
        (RoomKeep::All, 0, true),
    ] {
        stage.world.set(stage.ann, stage.room, RoomSetting::Keep(keep));
        assert_eq!(stage.resume(), (said[5 - sent..].to_vec(), gap), "{keep:?}");
    }
}

#[test]
fn five_hundred_messages_are_sent_again_and_the_rest_is_a_gap() {
    for (missed, gap) in [(499, false), (500, false), (501, true), (600, true)] {
        let mut stage = cut_off();
        let said = stage.say(missed);
        let newest = said[missed.saturating_sub(500)..].to_vec();
        assert_eq!(stage.resume(), (newest, gap), "{missed}");
    }
}

#[test]
fn no_more_than_256_kib_of_a_room_is_sent_again() {
    let mut stage = cut_off();
    let text = "x".repeat(4000);
    let said: Vec<_> = (0..80)
        .map(|_| {
            stage.world.read(stage.ann);
            stage.world.say(stage.ann, stage.room, &text).unwrap()
        })
        .collect();
    let (sent, gap) = stage.resume();
    assert!(gap && sent.len() * 4000 <= 256 * 1024 && sent.len() >= 60, "{}", sent.len());
    assert_eq!(sent, said[80 - sent.len()..]);
}

#[test]
fn what_the_ring_of_a_room_has_dropped_is_a_gap() {
    let mut stage = cut_off();
    let events = crate::room_telling::ROOM_TIMELINE.events;
    // One is missed, and then so much else happens in the room that it is not there any more.
    stage.say(1);
    for number in 0..=events {
        stage.world.set(stage.ann, stage.room, RoomSetting::Slow(1 + u32::from(number % 2 == 0)));
        stage.world.read(stage.ann);
    }
    assert_eq!(stage.resume(), (vec![], true));
    // What comes then is sent again, and the gap stays in front of it.
    let said = stage.say(3);
    assert_eq!(stage.resume(), (said, true));
    // Who has all that was dropped has no gap.
    stage.after = stage.world.number;
    assert_eq!(stage.resume(), (vec![], false));
}

#[test]
fn what_was_cleared_is_never_sent_again() {
    let mut stage = cut_off();
    stage.say(5);
    stage.world.wish(stage.ann, RoomChange::Clear(stage.room)).unwrap();
    assert_eq!(stage.resume(), (vec![], false), "there is nothing to ask for");
    let said = stage.say(2);
    assert_eq!(stage.resume(), (said, false));
    let name = room_name("#lab");
    let crate::Conversation::Room { above, .. } =
        stage.world.hub.readable(stage.ann, &name).unwrap()
    else {
        panic!("a room")
    };
    let told = stage.world.truth(stage.ann, stage.room).unwrap();
    assert_eq!((told["FLOOR"].as_u64(), above + 3), (Some(above), stage.world.number));
}

#[test]
fn what_was_said_before_one_joined_is_not_missed() {
    let mut stage = cut_off();
    stage.world.set(stage.ann, stage.room, RoomSetting::Show(RoomShow::Joined));
    // She enters a second room while she is away, with another device; what was said there before, she has not missed.
    let other = stage.world.room(stage.ann, "#other");
    stage.world.say(stage.ann, other, "before").unwrap();
    let device = crate::Identity { name: name("yve"), ..user(2, "eve", Level::USER) };
    let device = stage.world.join(device);
    stage.world.wish(device, enter(other)).unwrap();
    let behind = stage.world.say(stage.ann, other, "behind").unwrap();
    stage.world.leave(device);
    let said = stage.say(1);
    let (sent, gap) = stage.resume();
    assert_eq!((sent, gap), (vec![behind, said[0]], false));
    let conversation = |world: &mut World, who, room: &str| {
        let conversation = world.hub.readable(who, &room_name(room)).unwrap();
        let crate::Conversation::Room { above, newest, .. } = conversation else { panic!() };
        (above, newest)
    };
    let eve = stage.world.join(user(2, "eve", Level::USER));
    let (above, newest) = conversation(&mut stage.world, eve, "#lab");
    assert!(above > stage.room.0 && above < stage.after && newest.is_none(), "since she joined");
    assert_eq!(conversation(&mut stage.world, eve, "#other"), (0, None), "SHOW all");
    for (keep, newest) in [(RoomKeep::Off, Some(0)), (RoomKeep::Newest(7), Some(7))] {
        stage.world.set(stage.ann, other, RoomSetting::Keep(keep));
        assert_eq!(conversation(&mut stage.world, eve, "#other"), (0, newest));
    }
}

#[test]
fn a_fresh_session_is_sent_nothing_of_rooms_unasked() {
    let mut stage = cut_off();
    let said = stage.say(3);
    let eve = stage.world.come(user(2, "eve", Level::USER), None, 0);
    assert_eq!(eve.welcome["MESSAGES"].as_array().unwrap().len(), 0, "RH-5");
    assert_eq!(eve.welcome["ROOMS"][1]["LAST"], *said.last().unwrap());
    assert!(eve.welcome["ROOMS"][1].get("GAP").is_none());
    // From there on everything comes, once.
    let more = stage.say(2);
    let ids = stage.world.read_key(eve.id, "IDS");
    let ids: Vec<_> = ids.iter().flat_map(|ids| ids.as_array().unwrap()).collect();
    assert_eq!(
        ids,
        more.iter().map(|id| Value::from(*id)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    // A guest who comes anew is in no room.
    let gus = stage.world.come(guest("gus"), None, 0);
    stage.world.wish(gus.id, enter(stage.room)).unwrap();
    stage.world.leave(gus.id);
    let gus = stage.world.come(guest("gus"), None, 0);
    assert_eq!(gus.welcome["ROOMS"].as_array().unwrap().len(), 1);
}

#[test]
fn rooms_outlive_a_restart_and_guests_do_not() {
    let mut stage = cut_off();
    let gus = stage.world.join(guest("gus"));
    stage.world.wish(gus, enter(stage.room)).unwrap();
    let eve = stage.world.join(user(2, "eve", Level::USER));
    stage.world.wish(eve, RoomChange::SetDefault(Some(stage.room))).unwrap();
    let mut again = stage.world.restored();
    again.hub.restore_newest(stage.room, stage.world.number);
    assert_eq!(again.count(stage.room), 2);
    let eve = again.resume(user(2, "eve", Level::USER), stage.eve.session, stage.after);
    assert_eq!(eve.welcome["RESUMED"], false, "another process");
    assert_eq!(eve.welcome["ROOMS"][1]["NUMBER"], stage.room.0);
    assert_eq!(eve.welcome["ROOMS"][1]["LAST"], stage.world.number);
    assert_eq!((&eve.welcome["DEFAULT"], eve.welcome.get("ROOMS_LEFT")), (&"#lab".into(), None));
    again.number = stage.world.number;
    let ann = again.join(user(1, "ann", Level::USER));
    again.say(ann, stage.room, "hello").unwrap();
    assert_eq!(again.read_key(eve.id, "MESSAGES").len(), 1);
}
