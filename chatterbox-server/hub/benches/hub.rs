//! What delivering costs without sockets: `cargo bench -p chatterbox-hub`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use bytes::Bytes;
use chatterbox_hub::{
    AccountKey, BlockLists, Delivery, Event, Filing, Hub, Identity, JoinRequest, Keep, LoggedIn,
    MemberId, Record, Rename, TimelineLimits, To, Wake,
};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capabilities, Capability, Username};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn record(destination: To) -> Record {
    let source = Username::parse("user1").unwrap();
    let json = Bytes::from(format!("[\"user1\", \"ALL\", 1700000000, \"{}\"]", "x".repeat(64)));
    Record {
        source,
        destination,
        json,
        arrived: 1_700_000_000,
        filing: Filing::default(),
        meta: None,
    }
}

/// A hub with so many members who have taken everything.
fn hub(members: usize) -> (Hub, Vec<MemberId>) {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let join = |number| {
        let name = Username::parse(&format!("user{number}")).unwrap();
        hub.admit(JoinRequest::base(&name, "Welcome!")).unwrap().id
    };
    let ids: Vec<_> = (0..members).map(join).collect();
    take_all(&mut hub, &ids);
    (hub, ids)
}

fn take_all(hub: &mut Hub, ids: &[MemberId]) {
    for id in ids {
        while let Delivery::Frames { frames, .. } = hub.take(*id) {
            divan::black_box(frames.frames());
        }
    }
}

fn apply_next(hub: &mut Hub, record: Record) -> Wake {
    let id = hub.newest() + 1;
    hub.apply(id, record)
}

const GROUPS: [usize; 3] = [1, 32, 1024];

/// The bounds of a room beside the lobby.
const ROOM: TimelineLimits = TimelineLimits { events: 1024, bytes: 1 << 20 };

/// A group of public messages, applied.
#[divan::bench(args = GROUPS)]
fn apply(bencher: Bencher<'_, '_>, group: usize) {
    let (mut hub, _) = hub(10);
    let record = record(Destination::All);
    let inputs = || vec![record.clone(); group];
    bencher.counter(ItemsCount::new(group)).with_inputs(inputs).bench_local_values(|records| {
        for record in records {
            let _ = divan::black_box(apply_next(&mut hub, record));
        }
    });
}

/// A private message, reserved, applied and taken.
#[divan::bench]
fn private(bencher: Bencher<'_, '_>) {
    let (mut hub, ids) = hub(1000);
    let name = Username::parse("user500").unwrap();
    let record = record(Destination::User(name.clone()));
    bencher.with_inputs(|| record.clone()).bench_local_values(|record| {
        let (recipient, _) = hub.reserve(*ids.first().unwrap(), &name, 64).unwrap();
        let _ = apply_next(&mut hub, record);
        hub.release(recipient, 64);
        take_all(&mut hub, ids.get(500..501).unwrap());
    });
}

/// A group of messages, put into frames for the first receiver and handed to 999 others.
#[divan::bench(args = GROUPS)]
fn assemble_and_share(bencher: Bencher<'_, '_>, group: usize) {
    let (mut hub, ids) = hub(1000);
    let record = record(Destination::All);
    let inputs = || vec![record.clone(); group];
    let items = ItemsCount::new(group * ids.len());
    bencher.counter(items).with_inputs(inputs).bench_local_values(|records| {
        for record in records {
            let _ = apply_next(&mut hub, record);
        }
        take_all(&mut hub, &ids);
    });
}

/// A group of messages in the lobby, taken by 1,000 members who are in so many quiet rooms as well, in which something
/// happens now and then.
#[divan::bench(args = [1, 5, 20, 50])]
fn take_beside_quiet_rooms(bencher: Bencher<'_, '_>, rooms: usize) {
    let (mut hub, ids) = hub(1000);
    let open: Vec<_> = (0..100).map(|_| hub.open_room(ROOM)).collect();
    for (number, id) in ids.iter().enumerate() {
        for room in open.iter().cycle().skip(number).take(rooms) {
            assert!(hub.enter(*id, *room));
        }
    }
    let record = record(Destination::All);
    bencher.counter(ItemsCount::new(ids.len())).with_inputs(|| record.clone()).bench_local_values(
        |record| {
            let _ = apply_next(&mut hub, record);
            take_all(&mut hub, &ids);
        },
    );
}

/// Every second of 64 events is in one of 100 rooms, and each of 1,000 members is in one of them: the worst for sharing.
#[divan::bench]
fn take_between_busy_rooms(bencher: Bencher<'_, '_>) {
    let (mut hub, ids) = hub(1000);
    let open: Vec<_> = (0..100).map(|_| hub.open_room(ROOM)).collect();
    for (id, room) in ids.iter().zip(open.iter().cycle()) {
        assert!(hub.enter(*id, *room));
    }
    let record = record(Destination::All);
    let event = Event::notice(record.json.clone());
    let mut turn = open.iter().cycle();
    bencher.counter(ItemsCount::new(ids.len())).bench_local(|| {
        for _ in 0..32 {
            let _ = apply_next(&mut hub, record.clone());
            let _ = hub.announce_in(*turn.next().unwrap(), event.clone());
        }
        take_all(&mut hub, &ids);
    });
}

/// A join with so many messages of history, and the leave after it.
#[divan::bench(args = [0, 1_000, 100_000])]
fn join(bencher: Bencher<'_, '_>, history: usize) {
    let (mut hub, _) = hub(1000);
    let record = record(Destination::All);
    for _ in 0..history {
        let _ = apply_next(&mut hub, record.clone());
    }
    let name = Username::parse("visitor").unwrap();
    bencher.bench_local(|| {
        let joined = hub.admit(JoinRequest::base(&name, "Welcome!")).unwrap();
        let _ = hub.leave(joined.id);
        joined.welcome.assemble()
    });
}

/// A join with 100,000 messages of history and a view with ids, whose welcome has so many of them; 65,535 is all.
#[divan::bench(args = [0, 100, 1_000, u16::MAX])]
fn welcome(bencher: Bencher<'_, '_>, recent: u16) {
    short_welcome(bencher, 100_000, (recent < u16::MAX).then_some(recent), &[]);
}

/// The same with no more history than that.
#[divan::bench(args = [100, 1_000])]
fn welcome_of_all(bencher: Bencher<'_, '_>, history: usize) {
    short_welcome(bencher, history, None, &[]);
}

/// The same for somebody who hides a user who says nothing, and one who says everything.
#[divan::bench(args = ["user2", "user1"])]
fn welcome_with_hidden(bencher: Bencher<'_, '_>, hidden: &str) {
    short_welcome(bencher, 100_000, Some(100), &[hidden]);
}

fn short_welcome(bencher: Bencher<'_, '_>, history: usize, recent: Option<u16>, hidden: &[&str]) {
    let (mut hub, _) = hub(10);
    let record = record(Destination::All);
    for _ in 0..history {
        let _ = apply_next(&mut hub, record.clone());
    }
    let name = Username::parse("visitor").unwrap();
    let agreed: Capabilities = [Capability::Ids, Capability::Recent].into_iter().collect();
    let lists = || {
        let hidden = hidden.iter().map(|text| Username::parse(text).unwrap());
        BlockLists::new(hidden.collect(), [])
    };
    let join = || JoinRequest {
        identity: Identity { agreed: Some(agreed), ..Identity::guest(name.clone()) },
        lists: lists(),
        extra: br#""CAPABILITIES": "ids/1 recent/1""#,
        recent,
        ..JoinRequest::base(&name, "Welcome!")
    };
    bencher.bench_local(|| {
        let joined = hub.admit(join()).unwrap();
        let _ = hub.leave(joined.id);
        joined.welcome.assemble().unwrap()
    });
}

/// One user blocks and unblocks another, whom as many accounts block already.
#[divan::bench(args = [0, 10_000])]
fn block(bencher: Bencher<'_, '_>, blockers: i64) {
    let name = |text: &str| Username::parse(text).unwrap();
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let eve = name("eve");
    let blocked_by = (2..blockers + 2).map(|id| (id, name(&format!("user{id}"))));
    let lists = BlockLists::new(vec![], blocked_by);
    hub.admit(JoinRequest { lists, ..JoinRequest::base(&eve, "Welcome!") }).unwrap();
    let account_key = AccountKey { id: 1, epoch: 0 };
    let login = Some(LoggedIn { account: name("ann"), account_key });
    let identity = Identity { login, ..Identity::guest(name("ann")) };
    let request = JoinRequest { identity, ..JoinRequest::base(&eve, "Welcome!") };
    let ann = hub.admit(request).unwrap().id;
    bencher.bench_local(|| {
        hub.set_blocked(ann, vec![eve.clone()]);
        hub.set_blocked(ann, vec![]);
    });
}

/// A user whom so many accounts block changes the name and changes it back.
#[divan::bench(args = [0, 10_000])]
fn rename(bencher: Bencher<'_, '_>, blockers: i64) {
    let name = |text: &str| Username::parse(text).unwrap();
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let blocked_by = (2..blockers + 2).map(|id| (id, name(&format!("user{id}"))));
    let lists = BlockLists::new(vec![], blocked_by);
    let request = JoinRequest { lists, ..JoinRequest::base(&name("eve"), "Welcome!") };
    let eve = hub.admit(request).unwrap().id;
    bencher.bench_local(|| {
        for to in ["evi", "eve"] {
            let rename = Rename { name: name(to), owns: false, blocked_by: vec![], now: 0 };
            let _ = divan::black_box(hub.rename(eve, rename).unwrap());
        }
    });
}
