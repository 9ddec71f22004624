//! Whatever stands in an order, nodes read it or do not, and come to the same: nobody panics, and no state is made that can't be
//! kept for others.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::arbitrary;
use crate::format::{decode, encode};
use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::Verifier;
use crate::replica::proposal::{Group, Incarnation, Join, Proposal, Up};
use crate::{Delivery, Greeting, Keep, Secrets, TimelineLimits};
use chatterbox_proto::{Capabilities, Username};

/// The lives of the nodes that look.
const LIVES: [Incarnation; 2] = [Incarnation(1), Incarnation(2)];

/// Something in the order.
#[derive(Debug, Clone)]
enum Entry {
    /// A group of a node, with the next of its numbers.
    Of(usize, Vec<Proposal>),
    /// A group of anybody.
    Any(Group),
    /// The same, with other bytes here and there, and without its end.
    Broken(Group, Vec<(Index, u8)>, Option<Index>),
    /// Bytes, which may look like a group in the beginning.
    Bytes(bool, Vec<u8>),
    /// One of those before, once more.
    Again(Index),
    /// Somebody comes to a node.
    Come(usize, usize),
}

fn entry() -> impl Strategy<Value = Entry> {
    let node = || 0..LIVES.len();
    prop_oneof![
        6 => (node(), arbitrary::group()).prop_map(|(node, group)| Entry::Of(node, group.proposals)),
        1 => arbitrary::group().prop_map(Entry::Any),
        4 => (arbitrary::group(), vec(any::<(Index, u8)>(), 0..4), prop::option::of(any::<Index>()))
            .prop_map(|(group, bytes, end)| Entry::Broken(group, bytes, end)),
        1 => (any::<bool>(), vec(any::<u8>(), 0..60)).prop_map(|(like, bytes)| Entry::Bytes(like, bytes)),
        1 => any::<Index>().prop_map(Entry::Again),
        3 => (node(), 0..3_usize).prop_map(|(node, who)| Entry::Come(node, who)),
    ]
}

fn hub(life: Incarnation) -> Hub {
    let keep = Keep { messages: 10, bytes: 1 << 20 };
    let mut hub = Hub::new(TimelineLimits { events: 64, bytes: 1 << 20 }, keep);
    hub.serves(life);
    hub.leave_durable();
    hub
}

fn come(who: usize) -> Proposal {
    let (name, offer) =
        [("ann", "ids/1 rename/1 rooms/1 presence/1"), ("bob", ""), ("cyd", "ids/1 notices/1")]
            [who];
    let agreed = (!offer.is_empty()).then(|| Capabilities::parse_offer(offer).unwrap());
    let identity = Identity { agreed, ..Identity::guest(Username::stored(name)) };
    let verifier = Verifier::of(who as u128);
    Proposal::Join(Box::new(Join {
        identity,
        lists: Default::default(),
        resume: None,
        verifier,
        hold: 0,
    }))
}

/// The nodes, and what all of them read.
struct Order {
    hubs: [Hub; 2],
    numbers: [u64; 2],
    written: Vec<Bytes>,
    at: u64,
}

impl Order {
    fn new() -> Self {
        let mut order = Self { hubs: LIVES.map(hub), numbers: [0, 0], written: Vec::new(), at: 0 };
        for node in [0, 1] {
            order.of(node, vec![Proposal::Up(Up::default())]);
        }
        order
    }

    /// A group of a node that is up: it begins again where it has ended.
    fn of(&mut self, node: usize, proposals: Vec<Proposal>) {
        self.numbers[node] += 1;
        let group = Group { from: LIVES[node], number: self.numbers[node], proposals };
        self.read(encode(&group).unwrap());
    }

    /// All nodes read something.
    fn read(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.written.push(bytes.clone());
        let place = self.written.len() as u64;
        self.at += place % 3 * 1000;
        let Ok(mut group) = decode(&bytes) else { return };
        group.number_by_place(place);
        let secrets = Secrets { fresh: u128::from(place), shown: None };
        let greeting = Greeting {
            info: "",
            extra: br#""X": 1"#,
            after: None,
            recent: None,
            marks: &[],
            device: None,
            zstd: false,
            secrets,
        };
        let mut told = Vec::new();
        for (hub, life) in self.hubs.iter_mut().zip(LIVES) {
            hub.tick(self.at);
            let mut outcomes = Vec::new();
            let counts = hub.begin(&group, self.at);
            for proposal in group.proposals.iter().filter(|_| counts) {
                let greeting = Some(greeting).filter(|_| life == group.from);
                let applied = hub.step(group.from, proposal.clone(), greeting);
                outcomes.push(applied.outcome.is_ok());
            }
            let _ = hub.tell_presence();
            let _ = hub.tell_counts();
            let _ = hub.take_crowded();
            told.push((counts, outcomes, hub.take_durable(), hub.digest()));
        }
        assert_eq!(told[0], told[1], "at {place}: {group:?}");
        assert!(encode(&group).is_ok(), "what is read can be written");
    }
}

proptest! {
    #[test]
    fn whatever_is_in_the_order_all_nodes_make_the_same_of_it(entries in vec(entry(), 0..40)) {
        let mut order = Order::new();
        for entry in entries {
            match entry {
                Entry::Of(node, proposals) => order.of(node, proposals),
                Entry::Come(node, who) => order.of(node, vec![come(who)]),
                Entry::Any(group) => order.read(encode(&group).unwrap()),
                Entry::Broken(mut group, bytes, end) => {
                    // Half of them would count.
                    if group.number % 2 == 0 {
                        order.numbers[0] += 1;
                        (group.from, group.number) = (LIVES[0], order.numbers[0]);
                    }
                    let mut written = encode(&group).unwrap().to_vec();
                    for (at, byte) in bytes {
                        let at = at.index(written.len());
                        written[at] = byte;
                    }
                    let end = end.map_or(written.len(), |end| end.index(written.len()));
                    written.truncate(end);
                    order.read(written);
                }
                Entry::Bytes(like, bytes) => {
                    let first: &[u8] = if like { &[1] } else { &[] };
                    order.read([first, &bytes[..]].concat());
                }
                Entry::Again(which) => {
                    let again = which.get(&order.written).clone();
                    order.read(again);
                }
            }
        }
        // Whoever begins with what they have is the same.
        let [one, other] = &mut order.hubs;
        let frozen = one.freeze().unwrap();
        prop_assert_eq!(&frozen, &other.freeze().unwrap());
        let mut begins = hub(Incarnation(3));
        begins.thaw(&frozen).unwrap();
        prop_assert_eq!(begins.digest(), one.digest());
        // Members read what is for them, whatever it is.
        for hub in [one, other] {
            let here: Vec<_> = hub.users().filter_map(|who| hub.who(&who.name)).collect();
            for member in here {
                while let Delivery::Frames { more: true, .. } = hub.take(member) {}
            }
        }
    }
}
