//! What rooms share: runs by who is at one place of a room, and one budget for all rings, in which no flood takes anything from
//! who is within a share.

use super::*;
use crate::{Batch, Identity, RoomId, View};

/// A member of a view who has taken everything.
fn reader(hub: &mut Hub, text: &str, view: usize) -> MemberId {
    let agreed = Some(views::agreed(view));
    let identity = Identity { agreed, ..Identity::guest(name(text)) };
    let extra = br#""CAPABILITIES": """#;
    let request = JoinRequest { identity, extra, ..JoinRequest::base(&name(text), "") };
    let id = hub.admit(request).unwrap().id;
    drain(hub, id);
    id
}

fn drain(hub: &mut Hub, id: MemberId) {
    while let Delivery::Frames { .. } = hub.take(id) {}
}

fn frames(batch: &Batch) -> usize {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    batch.frames().iter().for_each(|piece| decoder.push(piece));
    std::iter::from_fn(|| decoder.next_body().unwrap()).count()
}

fn notice(size: usize) -> Event {
    Event::notice(Bytes::from(format!("\"{}\"", "x".repeat(size))))
}

/// Some of all rooms.
fn some_rooms() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 8)
}

proptest! {
    /// Members at one place of a room get one run, whatever quiet rooms they are in, and whatever they have read there.
    #[test]
    fn a_run_is_shared_whatever_else_its_readers_are_in(
        readers in prop::collection::vec((some_rooms(), 0..View::COUNT), 2..8),
        rounds in prop::collection::vec((prop::option::of(0..8_usize), 1..4_usize), 1..12),
        busy_is_lobby in any::<bool>(),
    ) {
        let mut hub = hub();
        let quiet: Vec<_> = (0..8).map(|_| hub.open_room(TimelineLimits::default())).collect();
        let busy = if busy_is_lobby { RoomId::LOBBY } else { hub.open_room(TimelineLimits::default()) };
        let ids: Vec<_> = readers
            .iter()
            .enumerate()
            .map(|(number, (_, view))| reader(&mut hub, &format!("user{number}"), *view))
            .collect();
        for (id, (rooms, _)) in ids.iter().zip(&readers) {
            drain(&mut hub, *id);
            prop_assert!(hub.enter(*id, busy));
            for (room, _) in quiet.iter().zip(rooms).filter(|(_, is_in)| **is_in) {
                prop_assert!(hub.enter(*id, *room));
            }
        }
        for (elsewhere, many) in rounds {
            if let Some(room) = elsewhere {
                let _ = hub.announce_in(quiet[room], notice(1));
                for id in &ids {
                    drain(&mut hub, *id);
                }
            }
            for _ in 0..many {
                let _ = hub.announce_in(busy, notice(2));
            }
            let mut by_view: HashMap<usize, Batch> = HashMap::new();
            for (id, (_, view)) in ids.iter().zip(&readers) {
                let Delivery::Frames { frames, more: false, .. } = hub.take(*id) else { panic!() };
                let first = by_view.entry(*view).or_insert_with(|| frames.clone());
                prop_assert!(first.is_same(&frames));
            }
        }
    }

    /// The budget of all rings holds at every moment, what it counts is what is there, and a ring within its share loses
    /// nothing to others.
    #[test]
    fn no_flood_takes_anything_from_a_ring_within_its_share(
        said in prop::collection::vec((0..6_usize, 0..4000_usize), 0..300),
        budget in 2_000..60_000_usize,
    ) {
        let mut hub = hub();
        hub.rooms.rings.limit = budget;
        let rooms: Vec<_> =
            (0..6).map(|_| hub.open_room(TimelineLimits { events: 32, bytes: 20_000 })).collect();
        let ring = |hub: &Hub, room: RoomId| {
            let timeline = &hub.rooms.get(room).unwrap().timeline;
            (timeline.weight(), timeline.len())
        };
        for (room, size) in said {
            let before: Vec<_> = rooms.iter().map(|room| ring(&hub, *room)).collect();
            let _ = hub.announce_in(rooms[room], notice(size));
            let others = before.iter().enumerate().filter(|(other, _)| *other != room);
            let holders = 1 + others.clone().filter(|(_, (_, len))| *len > 0).count();
            for (other, (weight, len)) in others {
                let now = ring(&hub, rooms[other]);
                prop_assert!(now == (*weight, *len) || *weight > budget / holders);
            }
            // Others give way to a ring within its share, or to one new event.
            let now: Vec<_> = rooms.iter().map(|room| ring(&hub, *room)).collect();
            let mut others = before.iter().zip(&now).enumerate().filter(|(other, _)| *other != room);
            if others.any(|(_, (before, now))| before != now) {
                let holders = now.iter().filter(|(_, len)| *len > 0).count();
                let (weight, len) = now[room];
                prop_assert!(len <= 1 || weight <= budget / holders);
            }
            let held: usize = now.iter().map(|(weight, _)| weight).sum();
            prop_assert_eq!(hub.rooms.rings.held(), held);
            prop_assert!(held <= budget);
        }
    }
}

#[test]
fn what_is_ones_own_goes_among_the_events_of_the_lobby_and_of_no_other_room() {
    let mut hub = hub();
    let room = hub.open_room(TimelineLimits::default());
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, 0));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, room) && hub.enter(bob, room));
    let _ = hub.announce_in(room, notice(1));
    let _ = hub.tell(ann, Event::error("no"));
    let _ = hub.announce_in(RoomId::LOBBY, notice(2));
    let mut take = |id| match hub.take(id) {
        Delivery::Frames { frames, more, .. } => (frames, more),
        other => panic!("{other:?}"),
    };
    let ((first, true), (same, true)) = (take(ann), take(bob)) else { panic!() };
    assert!(first.is_same(&same), "whatever else is told to one of them");
    let ((second, false), (other, false)) = (take(ann), take(bob)) else { panic!() };
    assert_eq!((frames(&second), frames(&other)), (2, 1));
    assert!(!second.is_same(&other));
}

#[test]
fn where_nothing_goes_with_messages_who_agreed_to_meta_shares_the_frames() {
    let mut hub = hub();
    let readers = [("a", 33), ("b", 1), ("c", 33)].map(|(text, view)| reader(&mut hub, text, view));
    for id in readers {
        drain(&mut hub, id);
    }
    let take = |hub: &mut Hub, id| match hub.take(id) {
        Delivery::Frames { frames, .. } => frames,
        other => panic!("{other:?}"),
    };
    let plain = record("a", None, "x");
    let _ = apply(&mut hub, &plain);
    let [first, others @ ..] = readers.map(|id| take(&mut hub, id));
    assert!(others.iter().all(|other| first.is_same(other)));
    let meta = crate::RecordMeta::new(Some(1), &[], None, None);
    let _ = apply(&mut hub, &Record { meta, ..plain });
    let [first, base, other] = readers.map(|id| take(&mut hub, id));
    assert!(first.is_same(&other) && !first.is_same(&base));
}

#[test]
fn a_flood_in_one_room_overtakes_nobody_in_another() {
    let mut hub = hub();
    hub.rooms.rings.limit = 100_000;
    let limits = TimelineLimits { events: 1000, bytes: 80_000 };
    let (calm, flooded) = (hub.open_room(limits), hub.open_room(limits));
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, 0));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, calm) && hub.enter(bob, flooded));
    for _ in 0..40 {
        let _ = hub.announce_in(calm, notice(1000));
    }
    for _ in 0..1000 {
        let _ = hub.announce_in(flooded, notice(1000));
    }
    assert_eq!(hub.evict_overtaken(0).overtaken, [bob]);
    let mut taken = 0;
    while let Delivery::Frames { frames, .. } = hub.take(ann) {
        taken += frames.frames().iter().map(Bytes::len).sum::<usize>();
    }
    assert!(taken > 40_000, "{taken}");
}

#[test]
fn a_room_beside_one_that_holds_the_budget_gets_its_share() {
    let mut hub = hub();
    hub.rooms.rings.limit = 100_000;
    let limits = TimelineLimits { events: 1000, bytes: 99_000 };
    let (full, fresh) = (hub.open_room(limits), hub.open_room(limits));
    for _ in 0..200 {
        let _ = hub.announce_in(full, notice(1000));
    }
    let ann = reader(&mut hub, "ann", 0);
    assert!(hub.enter(ann, fresh));
    for _ in 0..40 {
        let _ = hub.announce_in(fresh, notice(1000));
    }
    assert_eq!(hub.evict_overtaken(0).overtaken, []);
    drain(&mut hub, ann);
    assert_eq!(hub.evict_overtaken(0).overtaken, []);
}

#[test]
fn a_member_is_in_a_bounded_number_of_rooms_also_by_coming_and_going() {
    let mut hub = hub();
    let room = hub.open_room(TimelineLimits::default());
    let ann = reader(&mut hub, "ann", 0);
    let mut entered = 0;
    // What has happened meanwhile keeps each of its stays until it reads.
    while hub.enter(ann, room) {
        let _ = hub.announce_in(room, notice(1));
        hub.exit(ann, room);
        entered += 1;
        assert!(entered < 1000);
    }
    assert!(!hub.enter(ann, no_such_room()));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, room), "what was handed out is forgotten");
    assert_eq!(hub.announce_in(no_such_room(), notice(1)), Wake::Nobody);
}

fn no_such_room() -> RoomId {
    RoomId { slot: 1000, generation: 0 }
}

#[test]
fn runs_of_all_rooms_together_are_bounded() {
    let mut hub = hub();
    let limits = TimelineLimits { events: 10, bytes: 1 << 20 };
    let ann = reader(&mut hub, "ann", 0);
    let rooms: Vec<_> = (0..40).map(|_| hub.open_room(limits)).collect();
    for room in &rooms {
        assert!(hub.enter(ann, *room));
    }
    let mut newest = None;
    for room in &rooms {
        let _ = hub.announce_in(*room, notice(1 << 19));
        let Delivery::Frames { frames, more: false, .. } = hub.take(ann) else { panic!() };
        newest = Some(frames);
    }
    let kept: usize = rooms.iter().map(|room| hub.rooms.get(*room).unwrap().runs.bytes()).sum();
    assert!(kept <= 8 << 20, "{kept}");
    assert!(newest.unwrap().is_shared(), "the newest is kept");
    assert_eq!(hub.waiting(), 0, "nobody is writing the others");
}

/// A run that only a slow reader of a room holds counts as waiting, and its holder is the one who goes for it.
#[test]
fn who_holds_an_old_run_of_a_room_goes_when_runs_are_too_much() {
    let mut hub = hub().with_budget(300_000);
    let limits = TimelineLimits { events: 100, bytes: 1 << 20 };
    let [room, other, quiet] = [(); 3].map(|()| hub.open_room(limits));
    let [slow, fast, late] = ["slow", "fast", "late"].map(|text| reader(&mut hub, text, 0));
    for id in [slow, fast, late] {
        drain(&mut hub, id);
        assert!(hub.enter(id, room) && hub.enter(id, other));
    }
    // Is further behind, but what it holds is kept for whoever else comes.
    assert!(hub.enter(late, quiet));
    let _ = hub.announce_in(quiet, notice(10));
    let also_held = hub.take(late);
    let _ = hub.announce_in(room, notice(400_000));
    let held = hub.take(slow);
    drain(&mut hub, fast);
    assert_eq!(hub.keep_within_budget(), [], "somebody may still come for it");
    let mut removed = Vec::new();
    for _ in 0..10 {
        let _ = hub.announce_in(room, notice(10));
        let _ = hub.announce_in(other, notice(10));
        drain(&mut hub, fast);
        removed.extend(hub.keep_within_budget());
    }
    assert_eq!(removed, [slow]);
    drop((held, also_held));
}
