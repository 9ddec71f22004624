//! Which batches are to be compressed, for whom, and what the two forms take (ZS-3, ZS-4).

use chatterbox_proto::capability::{ids, zstd};
use chatterbox_proto::frame;
use chatterbox_proto::json::Object;
use chatterbox_proto::{Capabilities, Capability};

use super::*;
use crate::{Batch, Identity};

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

fn batch(hub: &mut Hub, id: MemberId) -> Batch {
    let mut taken = None;
    while let Delivery::Frames { frames, .. } = hub.take(id) {
        taken = Some(frames);
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
    let of_plain = batch(&mut hub, plain);
    let wanted: Vec<_> = all.iter().map(|id| batch(&mut hub, *id)).collect();
    assert!(wanted.iter().all(|one| one.is_same(&of_plain)), "one batch for all of them");
    let asked: Vec<_> = wanted.iter().map(Batch::is_to_be_compressed).collect();
    assert_eq!(asked, [false, true, true, true]);
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
    let asked = |hub: &mut Hub, id| {
        let batch = batch(hub, id);
        (batch.is_to_be_compressed(), batch.is_to_be_compressed())
    };
    let _ = apply(&mut hub, &record("ann", None, &"x".repeat(zstd::WORTH - 100)));
    for id in [ann, bob] {
        assert_eq!(asked(&mut hub, id), (false, false), "too short");
    }
    let _ = apply(&mut hub, &record("ann", Some("bob"), &long()));
    assert_eq!(asked(&mut hub, bob), (false, false), "a private message");
    let _ = hub.tell(bob, Event::own(page()));
    assert_eq!(asked(&mut hub, bob), (false, false), "an answer that may hold anything");
    let _ = hub.tell(bob, Event::own_compressible(page()));
    assert_eq!(asked(&mut hub, bob), (true, true), "a page of what all may read");
    // Beside something private it is private.
    let _ = hub.tell(bob, Event::own_compressible(page()));
    let _ = apply(&mut hub, &record("ann", Some("bob"), "psst"));
    assert_eq!(asked(&mut hub, bob), (false, false));
    drain(&mut hub, plain);
    let _ = hub.tell(plain, Event::own_compressible(page()));
    let of_plain = batch(&mut hub, plain);
    assert!(!of_plain.is_compressed() && of_plain.size() < 6_000, "one form is counted");
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
    let run = batch_now(&mut hub, ann);
    let same = batch_now(&mut hub, bob);
    assert!(!run.is_to_be_compressed() && same.is_to_be_compressed());
    same.compressed(|body| frame::encode(&body[..3_000]).ok());
    for n in 0..8 {
        let _ = apply(&mut hub, &record("ann", None, &format!("{n}")));
        let other = reader(&mut hub, &format!("other{n}"), false);
        drain(&mut hub, other);
        let _ = apply(&mut hub, &record("ann", None, &format!("{n}")));
        drain(&mut hub, other);
    }
    let outstanding = hub.rooms.outstanding();
    assert!(outstanding >= 7_000, "{outstanding}");
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

/// The token of a welcome.
fn welcome_keys(joined: &JoinReply, agreed: &str) -> String {
    let frame = joined.welcome.clone().assemble().unwrap().concat();
    let agreed = Capabilities::parse_offer(agreed).unwrap();
    let (frame, _) = ServerFrame::parse_as(&frame[4..], agreed).unwrap();
    frame.keys.unwrap().resume.unwrap().as_wire().to_owned()
}
