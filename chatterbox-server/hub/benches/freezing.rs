//! What freezing the state and reading it again costs: `cargo bench -p chatterbox-hub --bench freezing`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use chatterbox_hub::{
    BlockLists, Filing, Group, Hub, Identity, Incarnation, Join, Keep, Proposal, Record, Say,
    TimelineLimits, To, Up, Verifier,
};
use chatterbox_proto::{Capability, Username};
use divan::Bencher;
use divan::counter::BytesCount;

const NODE: Incarnation = Incarnation(7);

/// Members, and the idempotency keys that each of them has.
const STATES: [(u32, u32); 3] = [(1_000, 100), (10_000, 100), (20_000, 10)];

fn main() {
    for (members, tags) in STATES {
        let bytes = state(members, tags).freeze().unwrap().len();
        println!("{members} members with {tags} tags each: {bytes} bytes");
    }
    divan::main();
}

fn state(members: u32, tags: u32) -> Hub {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let up = Proposal::Up(Up { name: "a".into(), ..Up::default() });
    assert!(hub.begin(&Group { from: NODE, number: 1, proposals: vec![up] }, 1));
    let mut sequence = 0;
    for number in 0..members {
        let name = Username::stored(&format!("User{number}"));
        let agreed = Some([Capability::Ids].into_iter().collect());
        let address = Some(core::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into());
        let identity = Identity { agreed, address, ..Identity::guest(name.clone()) };
        let (lists, verifier) = (BlockLists::default().into(), Verifier::of(number.into()));
        let join = Join { identity, lists, resume: None, verifier, hold: 300_000 };
        assert!(hub.step(NODE, Proposal::Join(Box::new(join)), None).outcome.is_ok());
        let member = hub.who(&name).unwrap();
        for tag in 0..tags {
            let record = Record {
                source: name.clone(),
                destination: To::All,
                json: "[]".into(),
                arrived: 0,
                filing: Filing::default(),
                meta: None,
            };
            sequence += 1;
            let tag = Some(tag.to_string().into());
            let say = Say { member, number: sequence, tag, record };
            assert!(hub.step(NODE, Proposal::Say(say), None).outcome.is_ok());
        }
    }
    hub
}

#[divan::bench(args = STATES, sample_count = 20)]
fn freeze(bencher: Bencher<'_, '_>, (members, tags): (u32, u32)) {
    let hub = state(members, tags);
    let bytes = hub.freeze().unwrap().len();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| hub.freeze().unwrap());
}

/// What of it is done while nobody else can use the hub.
#[divan::bench(args = STATES, sample_count = 20)]
fn copy(bencher: Bencher<'_, '_>, (members, tags): (u32, u32)) {
    let hub = state(members, tags);
    bencher.bench_local(|| hub.copy_state());
}

#[divan::bench(args = STATES, sample_count = 20)]
fn thaw(bencher: Bencher<'_, '_>, (members, tags): (u32, u32)) {
    let frozen = state(members, tags).freeze().unwrap();
    let mut hub = state(0, 0);
    bencher.counter(BytesCount::new(frozen.len())).bench_local(|| hub.thaw(&frozen).unwrap());
}

/// What of it the digest takes.
#[divan::bench(args = STATES, sample_count = 20)]
fn digest(bencher: Bencher<'_, '_>, (members, tags): (u32, u32)) {
    let hub = state(members, tags);
    bencher.bench_local(|| hub.digest());
}
