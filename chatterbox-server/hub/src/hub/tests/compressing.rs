//! Which batches are to be compressed, for whom, and what the two forms take (ZS-3, ZS-4).

use chatterbox_proto::capability::{ids, zstd};
use chatterbox_proto::frame;
use chatterbox_proto::json::Object;
use chatterbox_proto::{Capabilities, Capability, LookupKey};

use super::room_kit::{World, enter, user};
use super::*;
use crate::{AccountKey, Batch, Identity, Level, LoggedIn, RoomSetting, RoomShow};

/// A member who has taken everything; with `zstd`, if it is to.
fn reader(hub: &mut Hub, text: &str, zstd: bool) -> MemberId {
    let mut agreed = Capabilities::NONE.with(Capability::Ids);
    if zstd {
        agreed = agreed.with(Capability::Zstd);
    }
    let identity = Identity { agreed: Some(agreed), ..Identity::guest(name(text)) };
    let extra = br#""CAPABILITIES": """#;
    let request = JoinRequest { identity, extra, random: 5, ..JoinRequest::base(&name(text), "") };
    hub.admit(request).unwrap().id
}

/// What somebody takes last, and whether it is to be given the compressed form.
fn batch(hub: &mut Hub, id: MemberId) -> (Batch, bool) {
    let mut taken = None;
    while let Delivery::Frames { frames, compressed, .. } = hub.take(id) {
        taken = Some((frames, compressed));
    }
    taken.expect("something was said")
}

fn drain(hub: &mut Hub, id: MemberId) {
    while let Delivery::Frames { .. } = hub.take(id) {}
}

fn long() -> String {
    "x".repeat(4_000)
}

/// What stands for compressing here: a hundred bytes.
fn short(_: &[u8]) -> Option<Bytes> {
    Some(frame::encode(&[b'z'; 96]).unwrap())
}

fn page() -> Object {
    let json = record("ann", None, &long()).json;
    let message = ids::PageMessage { id: 1, time: 7, json: &json, meta: None };
    ids::page("ALL", std::iter::once(message), false)
}

#[test]
fn the_second_who_takes_a_batch_compressed_gets_it_so_and_plain_ones_do_not_count() {
    let mut hub = hub();
    let all: Vec<_> = ["a1", "b2", "c3", "d4"].map(|text| reader(&mut hub, text, true)).into();
    let plain = reader(&mut hub, "plain", false);
    for id in all.iter().chain([&plain]) {
        drain(&mut hub, *id);
    }
    let _ = apply(&mut hub, &record("a1", None, &long()));
    let (of_plain, false) = batch(&mut hub, plain) else { panic!() };
    let taken: Vec<_> = all.iter().map(|id| batch(&mut hub, *id)).collect();
    let (wanted, compressed): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    assert!(wanted.iter().all(|one| one.is_same(&of_plain)), "one batch for all of them");
    assert_eq!(compressed, [false, true, true, true]);
    let before = of_plain.frames().concat();
    assert_eq!(wanted[1].compressed(short).concat().len(), 100);
    let not_again = |_: &[u8]| -> Option<Bytes> { panic!("it is made once") };
    assert_eq!(wanted[2].compressed(not_again).as_ptr(), wanted[1].compressed(not_again).as_ptr());
    assert_eq!(of_plain.frames().concat(), before, "the plain form stays");
}

#[test]
fn what_is_short_or_private_is_never_compressed_and_a_page_for_one_is() {
    let mut hub = hub();
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, true));
    let plain = reader(&mut hub, "plain", false);
    for id in [ann, bob, plain] {
        drain(&mut hub, id);
    }
    let compressed = |hub: &mut Hub, id| batch(hub, id).1;
    let _ = apply(&mut hub, &record("ann", None, &"x".repeat(zstd::WORTH - 100)));
    for id in [ann, bob] {
        assert!(!compressed(&mut hub, id), "too short");
    }
    let _ = apply(&mut hub, &record("ann", Some("bob"), &long()));
    assert!(!compressed(&mut hub, bob), "a private message");
    let _ = hub.tell(bob, Event::own(page()));
    assert!(!compressed(&mut hub, bob), "an answer that may hold anything");
    let _ = hub.tell(bob, Event::own_compressible(page()));
    assert!(compressed(&mut hub, bob), "a page of what all may read");
    // Beside something private it is private.
    let _ = hub.tell(bob, Event::own_compressible(page()));
    let _ = apply(&mut hub, &record("ann", Some("bob"), "psst"));
    assert!(!compressed(&mut hub, bob));
    drain(&mut hub, plain);
    let _ = hub.tell(plain, Event::own_compressible(page()));
    let (of_plain, false) = batch(&mut hub, plain) else { panic!() };
    assert_eq!(of_plain.counted(), of_plain.size(), "one form is counted");
}

/// Who hides somebody gets frames of its own, which nobody else is going to take.
#[test]
fn what_only_one_gets_with_something_left_out_is_not_compressed() {
    let mut hub = hub();
    let [ann, bob, cyd] = ["ann", "bob", "cyd"].map(|text| reader(&mut hub, text, true));
    hub.set_blocked(bob, vec![name("eve")]);
    for id in [ann, bob, cyd] {
        drain(&mut hub, id);
    }
    let _ = apply(&mut hub, &record("eve", None, "hidden"));
    let _ = apply(&mut hub, &record("ann", None, &long()));
    let taken = [ann, cyd, bob].map(|id| batch(&mut hub, id));
    assert!(!taken[2].0.is_same(&taken[0].0));
    assert_eq!(taken.map(|(_, compressed)| compressed), [false, true, false]);
}

#[test]
fn both_forms_of_what_waits_for_somebody_are_counted() {
    let mut hub = hub();
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, true));
    for id in [ann, bob] {
        drain(&mut hub, id);
    }
    let _ = hub.tell(bob, Event::own_compressible(page()));
    let page = batch_now(&mut hub, bob);
    assert!(hub.waiting() >= 2 * 4_000, "{}", hub.waiting());
    drop(page);
    drain(&mut hub, bob);
    // A run that is kept no more, and still on its way to both of them.
    let _ = apply(&mut hub, &record("ann", None, &long()));
    let _run = batch_now(&mut hub, ann);
    let same = batch_now(&mut hub, bob);
    for n in 0..8 {
        let _ = apply(&mut hub, &record("ann", None, &format!("{n}")));
        let other = reader(&mut hub, &format!("other{n}"), false);
        drain(&mut hub, other);
        let _ = apply(&mut hub, &record("ann", None, &format!("{n}")));
        drain(&mut hub, other);
    }
    let outstanding = hub.rooms.outstanding();
    assert!(outstanding >= 2 * 4_000, "{outstanding}");
    // Whoever makes the second form later takes what was counted for it.
    same.compressed(|body| frame::encode(&body[..3_000]).ok());
    hub.rooms.forget_written();
    assert_eq!(hub.rooms.outstanding(), outstanding);
}

/// Two who look at the same memory at the same time can't both have it.
#[test]
fn memory_that_could_be_done_without_is_reserved_and_not_only_looked_at() {
    let mut hub = hub().with_budget(100_000);
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, true));
    for id in [ann, bob] {
        drain(&mut hub, id);
    }
    hub.welcome_takes(ann, 1_000);
    assert_eq!(hub.reserve_spare(ann, 30_000), Some(1_000));
    assert_eq!(hub.waiting(), 31_000);
    assert_eq!(hub.reserve_spare(bob, 30_000), None, "half of the budget is for what has to wait");
    assert_eq!(hub.waiting(), 31_000);
    // What was made of it is less.
    hub.welcome_takes(ann, 9_000);
    assert_eq!(hub.reserve_spare(bob, 30_000), Some(0));
    let _ = hub.leave(bob);
    assert_eq!(hub.waiting(), 9_000, "who leaves leaves nothing reserved");
    assert_eq!(hub.reserve_spare(bob, 1), None, "who has left");
}

fn batch_now(hub: &mut Hub, id: MemberId) -> Batch {
    match hub.take(id) {
        Delivery::Frames { frames, .. } => frames,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_welcome_may_be_compressed_when_its_session_begins_and_nothing_in_it_is_private() {
    let mut hub = hub();
    let join = |hub: &mut Hub, text: &str, agreed: &str, resume| {
        let agreed = Some(Capabilities::parse_offer(agreed).unwrap());
        let identity = Identity { agreed, ..Identity::guest(name(text)) };
        let extra = br#""CAPABILITIES": """#;
        let request = JoinRequest {
            identity,
            extra,
            random: 5,
            resume,
            ..JoinRequest::base(&name(text), "")
        };
        hub.admit(request).unwrap()
    };
    let ann = join(&mut hub, "ann", "ids/1 zstd/1", None);
    assert!(ann.welcome.is_compressible());
    // Nobody is told of how the frames of somebody are written, other nodes neither.
    let agreed = hub.identity(ann.id).unwrap().agreed.unwrap();
    assert_eq!(agreed.to_string(), "ids/1");
    let base = hub.join(&name("base"), "").unwrap();
    assert!(!base.welcome.is_compressible());
    let _ = apply(&mut hub, &record("ann", None, "to all"));
    assert!(join(&mut hub, "bob", "ids/1", None).welcome.is_compressible());
    let _ = apply(&mut hub, &record("ann", Some("cyd"), "to one"));
    assert!(!join(&mut hub, "cyd", "ids/1", None).welcome.is_compressible());
    // A session that goes on, whether all that was missed is there or not.
    let token = welcome_keys(&ann, "ids/1");
    let key = crate::SessionKey::parse(&token).unwrap();
    let _ = hub.leave(ann.id);
    for after in [0, 1 << 40] {
        let resume = Some(crate::Resuming { key: Some(key), after, only: false });
        let again = join(&mut hub, "ann", "ids/1", resume);
        assert!(!again.welcome.is_compressible(), "{after}");
        let _ = hub.leave(again.id);
    }
}

/// A short welcome may lack all private messages, and tell all the same how far their reader has read them (MK-2).
#[test]
fn a_welcome_that_names_private_conversations_is_not_compressed() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep { messages: 64, bytes: 1 << 20 });
    let join = |hub: &mut Hub, agreed: &str| {
        let login =
            Some(LoggedIn { account: name("cyd"), account_key: AccountKey { id: 7, epoch: 0 } });
        let agreed = Some(Capabilities::parse_offer(agreed).unwrap());
        let identity = Identity { login, agreed, ..Identity::guest(name("cyd")) };
        let extra = br#""CAPABILITIES": """#;
        let request = JoinRequest {
            identity,
            extra,
            random: 5,
            recent: Some(1),
            ..JoinRequest::base(&name("cyd"), "")
        };
        let joined = hub.admit(request).unwrap();
        let _ = hub.leave(joined.id);
        joined.welcome.is_compressible()
    };
    let (without, with) =
        ("accounts/1 ids/1 recent/1 zstd/1", "accounts/1 ids/1 marks/1 recent/1 zstd/1");
    assert!(join(&mut hub, without) && join(&mut hub, with), "nothing is private");
    let _ = apply(&mut hub, &record("ann", Some("cyd"), "to one"));
    // The newest of these are in segments that lie behind the private one.
    for n in 0..20 {
        let _ = apply(&mut hub, &record("ann", None, &format!("{n}")));
    }
    assert!(join(&mut hub, without), "it is not in it");
    assert!(!join(&mut hub, with), "it names ann");
}

/// Whoever writes in the lobby, or in the room, could guess by lengths what they may not read.
#[test]
fn what_is_told_of_rooms_that_are_not_open_to_all_is_not_compressed() {
    let mut world = World::new();
    let ann = world.join(user(1, "ann", Level::USER));
    let lab = world.room(ann, "#lab");
    let bob = world.join(user(2, "bob", Level::USER));
    world.wish(bob, enter(lab)).unwrap();
    world.leave(bob);
    let is_open = |world: &mut World| {
        let name = LookupKey::of("#lab", 33).unwrap();
        let came = world.come(user(2, "bob", Level::USER), None, 0);
        world.leave(came.id);
        assert_eq!(world.hub.is_open_to_all(&name), came.is_compressible);
        came.is_compressible
    };
    assert!(is_open(&mut world), "everybody may come in and read all");
    for (setting, back) in [
        (RoomSetting::Hidden(true), RoomSetting::Hidden(false)),
        (RoomSetting::Closed(true), RoomSetting::Closed(false)),
        (RoomSetting::Password(Some("$argon2id$x".into())), RoomSetting::Password(None)),
        (RoomSetting::Show(RoomShow::Joined), RoomSetting::Show(RoomShow::All)),
    ] {
        world.set(ann, lab, setting.clone());
        assert!(!is_open(&mut world), "{setting:?}");
        world.set(ann, lab, back);
        assert!(is_open(&mut world), "{setting:?}");
    }
    let none = LookupKey::of("#none", 33).unwrap();
    assert!(!world.hub.is_open_to_all(&none));
}

/// The token of a welcome.
fn welcome_keys(joined: &JoinReply, agreed: &str) -> String {
    let frame = joined.welcome.clone().assemble().unwrap().concat();
    let agreed = Capabilities::parse_offer(agreed).unwrap();
    let (frame, _) = ServerFrame::parse_as(&frame[4..], agreed).unwrap();
    frame.keys.unwrap().resume.unwrap().as_wire().to_owned()
}
