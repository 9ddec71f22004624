//! Old messages: whatever is written into the order, those that are taken rise, and stand before everything else.

use super::*;
use crate::hub::Hub;
use crate::ids::RoomNumber;
use crate::record::{RoomRef, To};
use crate::replica::proposal::Old;
use crate::{Durable, Keep, TimelineLimits};

/// The first place of the order.
const FIRST: u64 = 5;

const NODE: Incarnation = Incarnation(1);

fn record(to: To) -> Record {
    let filing = Filing::default();
    Record {
        source: name("ann"),
        destination: to,
        json: "[]".into(),
        arrived: 7,
        filing,
        meta: None,
    }
}

fn old(number: u64) -> Proposal {
    Proposal::Old(Old { number, below: 0, record: record(To::All) })
}

fn started() -> Replica {
    let mut replica = Replica::default();
    let up = Group { from: NODE, number: 1, proposals: vec![Proposal::Up(Up::default())] };
    assert!(replica.begin(&up, 0));
    let join = Join {
        identity: Identity::guest(name("ann")),
        lists: Arc::default(),
        resume: None,
        verifier: Verifier::default(),
        hold: 0,
    };
    let _ = replica.step(NODE, Proposal::Join(Box::new(join))).unwrap();
    replica
}

/// What stands at one place: an old message of this number, or one that is said there.
#[derive(Debug, Clone, Copy)]
enum Written {
    Old(u64),
    Said,
}

proptest! {
    #[test]
    fn numbers_rise_whatever_is_written_and_two_nodes_are_the_same(
        written in prop::collection::vec(
            prop_oneof![8 => (0_u64..(FIRST + 12) * 1024).prop_map(Written::Old), 8 => (0_u64..40).prop_map(Written::Old), 1 => Just(Written::Said)],
            0..60,
        ),
        length in 1_usize..5,
    ) {
        let (mut one, mut other) = (started(), started());
        let mut taken: Vec<u64> = Vec::new();
        for (piece, place) in written.chunks(length).zip(FIRST..) {
            let proposals = piece.iter().map(|written| match written {
                Written::Old(number) => old(*number),
                Written::Said => Proposal::Say(Say {
                    member: MemberId(0), number: 0, tag: None, record: record(To::All),
                }),
            });
            let mut group = Group { from: NODE, number: place, proposals: proposals.collect() };
            group.number_by_place(place);
            prop_assert!(one.begin(&group, place) && other.begin(&group, place));
            for (index, proposal) in group.proposals.iter().enumerate() {
                let first = Group::number_of(place, 0);
                let before = digest_of(&one);
                let outcome = one.step(NODE, proposal.clone());
                other = thawed(&other);
                let again = other.step(NODE, proposal.clone());
                prop_assert_eq!(told(&outcome), told(&again));
                prop_assert_eq!(digest_of(&one), digest_of(&other));
                match (proposal, outcome) {
                    (Proposal::Old(old), outcome) => {
                        let newest = taken.last().copied().unwrap_or_default();
                        let is_wanted = old.number > newest && old.number < first;
                        prop_assert_eq!(outcome.is_ok(), is_wanted, "{} at {}", old.number, place);
                        prop_assert_eq!(digest_of(&one) != before, is_wanted);
                        if is_wanted {
                            taken.push(old.number);
                        }
                    }
                    (_, outcome) => {
                        prop_assert!(outcome.is_ok());
                        taken.push(Group::number_of(place, index));
                    }
                }
            }
        }
        prop_assert!(taken.is_sorted_by(|one, next| one < next));
        prop_assert_eq!(one.newest(), taken.last().copied().unwrap_or_default());
    }
}

#[test]
fn a_node_that_is_alone_takes_no_old_message() {
    let mut replica = started();
    let outcome = replica.step(NODE, old(1));
    assert!(matches!(outcome, Err(Refused::NotBefore)), "no place has given it a bound");
}

#[test]
fn it_is_in_the_history_of_who_comes_later_is_stored_and_told_to_nobody() {
    let limits = TimelineLimits { events: 64, bytes: 1 << 20 };
    let mut hub = Hub::new(limits, Keep { messages: 10, bytes: 1 << 20 });
    hub.leave_durable();
    let up = Group { from: NODE, number: 1, proposals: vec![Proposal::Up(Up::default())] };
    assert!(hub.begin(&up, 1));
    let here = hub.admit(crate::JoinRequest::base(&name("here"), "Hi")).unwrap();
    let mut group = Group { from: NODE, number: 2, proposals: vec![old(3), old(3), old(4)] };
    let in_room =
        RoomRef { number: RoomNumber(9), name: chatterbox_proto::RoomName::parse("#lab").unwrap() };
    let to_room = Old { number: 6, below: 0, record: record(To::Room(in_room)) };
    group.proposals.push(Proposal::Old(to_room));
    group.number_by_place(FIRST);
    assert!(hub.begin(&group, 2));
    let volume = hub.volume();
    let outcomes: Vec<_> = group
        .proposals
        .iter()
        .map(|proposal| {
            let applied = hub.step(NODE, proposal.clone(), None);
            assert!(applied.removed.is_empty() && applied.wakes.is_empty(), "{applied:?}");
            assert!(matches!(applied.wake, crate::Wake::Nobody), "{applied:?}");
            applied.outcome.is_ok()
        })
        .collect();
    assert_eq!(outcomes, [true, false, true, true]);
    let stored: Vec<_> = hub.take_durable().iter().map(Durable::number).collect();
    assert_eq!(stored, [Some(3), Some(4), Some(6)]);
    assert_eq!(format!("{:?}", hub.volume()), format!("{volume:?}"), "no timeline has it");
    assert_eq!((hub.newest(), hub.newest_number()), (4, 6));
    drop(here);
}
