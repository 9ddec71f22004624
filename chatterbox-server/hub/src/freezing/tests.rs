use chatterbox_proto::{Capability, Username};

use super::{freeze, thaw};
use crate::block_lists::BlockLists;
use crate::digest::digest_of;
use crate::format::FormatError;
use crate::hub::Hub;
use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::{MemberId, Verifier};
use crate::level::Level;
use crate::replica::proposal::{Group, Incarnation, Join, Proposal, Say, Up};
use crate::replica::state::Replica;
use crate::{Filing, Keep, Record, TimelineLimits, To};

/// The state as a node would have it that starts now; it is checked that it is the same, and frozen again the same bytes.
pub(crate) fn thawed(replica: &Replica) -> Replica {
    let frozen = freeze(replica).unwrap();
    let again = thaw(&frozen).unwrap();
    assert_eq!(digest_of(&again), digest_of(replica));
    assert_eq!(freeze(&again).unwrap(), frozen);
    again
}

const NODE: Incarnation = Incarnation(7);

/// A state with so many members, each with so many idempotency keys.
fn with_members(members: u32, tags: usize) -> Hub {
    let limits = TimelineLimits { events: 64, bytes: 1 << 20 };
    let mut hub = Hub::new(limits, Keep { messages: 1000, bytes: 1 << 20 });
    let up = Up { name: "a".into(), speaks: 1, ..Up::default() };
    assert!(hub.begin(&Group { from: NODE, number: 1, proposals: vec![Proposal::Up(up)] }, 1));
    for number in 0..members {
        let name = Username::stored(&format!("User{number}"));
        let agreed = Some([Capability::Ids].into_iter().collect());
        let address = Some(core::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into());
        let identity = Identity { agreed, address, ..Identity::guest(name.clone()) };
        let (lists, verifier) =
            (BlockLists::default().into(), Verifier(u128::MAX - u128::from(number)));
        let join = Join { identity, lists, resume: None, verifier, hold: 300_000 };
        assert!(hub.step(NODE, Proposal::Join(Box::new(join)), None).outcome.is_ok());
        for tag in 0..tags {
            let record = Record {
                source: name.clone(),
                destination: To::All,
                json: "[]".into(),
                arrived: 0,
                filing: Filing::default(),
                meta: None,
            };
            let tag = Some(format!("{tag}").into());
            let number = u64::from(number) * 1_000_000 + 1;
            let say = Say { member: hub.who(&name).unwrap(), number, tag, record };
            let applied = hub.step(NODE, Proposal::Say(say), None);
            assert!(applied.outcome.is_ok(), "{applied:?}");
        }
    }
    hub
}

/// A state in which somebody has two devices, and the second of them.
fn with_devices() -> (Hub, MemberId) {
    let mut hub = with_members(2, 1);
    let name = Username::stored("Ann");
    let account_key = AccountKey { id: 7, epoch: 0 };
    let login = Some(LoggedIn { account: name.clone(), account_key });
    let agreed = [Capability::Accounts, Capability::Devices, Capability::Ids];
    let agreed = Some(agreed.into_iter().collect());
    let ann = Identity { agreed, login, level: Level::USER, ..Identity::guest(name.clone()) };
    for number in 0..2 {
        let (identity, verifier) = (ann.clone(), Verifier(number));
        let lists = BlockLists::default().into();
        let join = Join { identity, lists, resume: None, verifier, hold: 0 };
        assert!(hub.step(NODE, Proposal::Join(Box::new(join)), None).outcome.is_ok());
    }
    let first = hub.who(&name).unwrap();
    let second = hub.replica.presence().other_devices(first).next().unwrap();
    (hub, second)
}

#[test]
fn nodes_of_the_version_before_read_a_state_while_nobody_has_a_second_device() {
    let (mut hub, second) = with_devices();
    assert_eq!(hub.freeze().unwrap()[0], 3);
    thawed(&hub.replica);
    assert!(hub.step(NODE, Proposal::Leave(second), None).outcome.is_ok());
    assert_eq!(hub.freeze().unwrap()[0], 1);
    thawed(&hub.replica);
}

#[test]
fn what_is_broken_is_not_taken_and_changes_nothing() {
    is_not_taken(&with_members(3, 2));
    is_not_taken(&with_devices().0);
}

fn is_not_taken(hub: &Hub) {
    let frozen = hub.freeze().unwrap();
    let mut other = with_members(1, 1);
    let before = other.digest();
    assert_eq!(other.thaw(&[]), Err(FormatError::Empty));
    let newer = [&[9], &frozen[1..]].concat();
    assert_eq!(other.thaw(&newer), Err(FormatError::Level { level: 9 }));
    assert_eq!(other.thaw(&[&frozen[..], &[0]].concat()), Err(FormatError::LeftOver { bytes: 1 }));
    for end in 1..frozen.len() {
        assert_eq!(other.thaw(&frozen[..end]), Err(FormatError::NotUnderstood), "{end}");
    }
    for place in 1..frozen.len() {
        for bit in 0..8 {
            let mut broken = frozen.to_vec();
            broken[place] ^= 1 << bit;
            assert!(other.thaw(&broken).is_err(), "bit {bit} of byte {place} is not noticed");
        }
    }
    assert_eq!(other.digest(), before);
    other.thaw(&frozen).unwrap();
    assert_eq!(other.digest(), hub.digest());
}

#[test]
fn a_thawed_hub_welcomes_and_knows_its_nodes() {
    let frozen = with_members(3, 2).freeze().unwrap();
    let mut hub = with_members(0, 0);
    hub.thaw(&frozen).unwrap();
    assert_eq!(hub.members(), 3);
    let up = hub.nodes_up();
    assert_eq!((up.len(), up[0].node, &*up[0].name, up[0].speaks), (1, NODE, "a", 1));
    assert!(hub.begin(&Group { from: NODE, number: 2, proposals: Vec::new() }, 1));
    assert!(!hub.begin(&Group { from: NODE, number: 2, proposals: Vec::new() }, 1), "repeated");
}
