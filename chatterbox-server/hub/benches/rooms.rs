//! What rooms cost in the hub: `cargo bench -p chatterbox-hub --bench rooms`.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use std::cell::RefCell;

use bytes::Bytes;
use chatterbox_hub::{
    AccountKey, AccountRef, BlockLists, Delivery, Event, Hub, Identity, JoinRequest, Keep,
    LoggedIn, MemberId, RoomDefinition, RoomId, RoomMember, RoomNumber, RoomRecord, RoomSettings,
    TimelineLimits,
};
use chatterbox_proto::{Capabilities, RoomName, Username};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// The bounds of a room beside the lobby.
const ROOM: TimelineLimits = TimelineLimits { events: 8192, bytes: 8 << 20 };

const MEMBERS: usize = 1000;

/// The messages of a round.
const GROUP: usize = 64;

fn message() -> Event {
    Event::notice(Bytes::from(format!(
        "[\"user1\", \"#room\", 1700000000, \"{}\"]",
        "x".repeat(64)
    )))
}

fn agreed() -> Capabilities {
    Capabilities::parse_offer("commands/1 ids/1 rename/1 rooms/1").unwrap()
}

/// A member, as the account of a number.
fn join(hub: &mut Hub, number: i64) -> MemberId {
    let name = Username::parse(&format!("user{number}")).unwrap();
    let account_key = AccountKey { id: number, epoch: 0 };
    let identity = Identity {
        login: Some(LoggedIn { account: name.clone(), account_key }),
        agreed: Some(agreed()),
        ..Identity::guest(name.clone())
    };
    let request = JoinRequest {
        identity,
        lists: BlockLists::default(),
        extra: br#""X": 1"#,
        random: 1,
        ..JoinRequest::base(&name, "Welcome!")
    };
    let reply = hub.admit(request).unwrap();
    divan::black_box(reply.welcome.assemble().unwrap());
    reply.id
}

fn hub() -> (Hub, Vec<MemberId>) {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let ids: Vec<_> = (1..).take(MEMBERS).map(|number| join(&mut hub, number)).collect();
    (hub, ids)
}

fn take_all(hub: &mut Hub, ids: &[MemberId]) {
    for id in ids {
        while let Delivery::Frames { frames, .. } = hub.take(*id) {
            divan::black_box(frames.frames());
        }
    }
}

fn say(hub: &mut Hub, room: RoomId) {
    let _ = divan::black_box(hub.announce_in(room, message()));
}

/// A round of messages to one room of 1,000, taken by all; each of them is in so many quiet rooms of 100 as well.
#[divan::bench(args = [0, 5, 20, 50])]
fn busy_room(bencher: Bencher<'_, '_>, quiet: usize) {
    let (mut hub, ids) = hub();
    let busy = hub.open_room(ROOM);
    let others: Vec<_> = (0..100).map(|_| hub.open_room(ROOM)).collect();
    for (place, id) in ids.iter().enumerate() {
        hub.enter(*id, busy);
        for step in 0..quiet {
            hub.enter(*id, others[(place + step * 7) % others.len()]);
        }
    }
    take_all(&mut hub, &ids);
    let hub = RefCell::new(hub);
    bencher.counter(ItemsCount::new(GROUP * MEMBERS)).bench_local(|| {
        let mut hub = hub.borrow_mut();
        (0..GROUP).for_each(|_| say(&mut hub, busy));
        take_all(&mut hub, &ids);
    });
}

/// The same in the lobby, without rooms.
#[divan::bench]
fn lobby(bencher: Bencher<'_, '_>) {
    let (mut hub, ids) = hub();
    take_all(&mut hub, &ids);
    let hub = RefCell::new(hub);
    bencher.counter(ItemsCount::new(GROUP * MEMBERS)).bench_local(|| {
        let mut hub = hub.borrow_mut();
        (0..GROUP).for_each(|_| say(&mut hub, RoomId::LOBBY));
        take_all(&mut hub, &ids);
    });
}

/// Every second message of a round is in one of so many other rooms, each member in one of these.
#[divan::bench(args = [10, 100, 1000, 10_000])]
fn every_second_elsewhere(bencher: Bencher<'_, '_>, rooms: usize) {
    let (mut hub, ids) = hub();
    let busy = hub.open_room(ROOM);
    let others: Vec<_> = (0..rooms).map(|_| hub.open_room(ROOM)).collect();
    for (place, id) in ids.iter().enumerate() {
        hub.enter(*id, busy);
        hub.enter(*id, others[place % others.len()]);
    }
    take_all(&mut hub, &ids);
    let (hub, next) = (RefCell::new(hub), RefCell::new(0_usize));
    bencher.counter(ItemsCount::new(GROUP / 2 * MEMBERS)).bench_local(|| {
        let (mut hub, mut next) = (hub.borrow_mut(), next.borrow_mut());
        for _ in 0..GROUP / 2 {
            say(&mut hub, busy);
            *next += 1;
            say(&mut hub, others[*next % others.len()]);
        }
        take_all(&mut hub, &ids);
    });
}

/// A reconnect of somebody who is a member of so many rooms of 40; the JSON of the rooms is there already.
#[divan::bench(args = [0, 5, 50])]
fn reconnect(bencher: Bencher<'_, '_>, rooms: u64) {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    for number in 1..=rooms {
        let definition = RoomDefinition {
            number: RoomNumber(number),
            name: RoomName::parse(&format!("#room-{number}")).unwrap(),
            owner: None,
            settings: RoomSettings::default(),
            configured: false,
            auto: false,
            floor: 0,
        };
        hub.restore_room(&RoomRecord::Defined(Box::new(definition)));
        for id in 1..=40 {
            let name = Username::parse(&format!("user{id}")).unwrap();
            let who = RoomMember::Account(AccountRef { id, name });
            hub.restore_room(&RoomRecord::Entered { room: RoomNumber(number), who, since: number });
        }
    }
    let hub = RefCell::new(hub);
    bencher.bench_local(|| {
        let mut hub = hub.borrow_mut();
        let id = join(&mut hub, 1);
        let _ = hub.leave(id);
    });
}
