//! Copies of the state that are fed the same order are the same, and they do what a naive model does.
//!
//! The order is what an engine would decide: groups of several nodes, some of them twice, some too late, some of nodes that
//! have ended or that nobody knows. One copy gets the groups as they were made, the other gets them cut into pieces. Each copy
//! has hash maps with keys of its own, so whatever depends on their order shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capability, Refusal, Username, limits};
use proptest::prelude::*;

use crate::block_lists::BlockLists;
use crate::digest::digest_of;
use crate::filing::Filing;
use crate::freezing::freeze;
use crate::freezing::tests::thawed;
use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::{MemberId, SessionId, SessionProof, Verifier};
use crate::level::Level;
use crate::record::Record;
use crate::replica::effect::{Effect, Left, Refused};
use crate::replica::ended_logins::{AccountChange, AccountChangeKind};
use crate::replica::proposal::{
    Amendment, Group, Incarnation, Join, Login, Proposal, Rename, Resume, Say, Up,
};
use crate::replica::sessions::RESUMABLE;
use crate::replica::state::Replica;

mod model;
mod moderation;
mod old;

/// The last is the name of the first account, too.
const NAMES: [&str; 4] = ["bob", "cyd", "dan", "ann"];
const ACCOUNTS: [&str; 2] = ["ann", "zoe"];
const SLOTS: usize = 3;

/// A group has numbers of its own for so many pieces.
const PIECES: u64 = 100;

#[derive(Debug, Clone)]
enum Step {
    /// A node starts in this place; what was there before has ended unseen.
    Start(usize),
    /// A node is declared to have ended, by whoever is in the other place.
    End {
        by: usize,
        whom: usize,
    },
    Offer {
        by: usize,
        proposals: Vec<Wish>,
    },
    /// A group comes round once more.
    Again(prop::sample::Index),
    /// A group that was never decided comes after newer ones of its node.
    Late {
        by: usize,
        wish: Wish,
    },
    /// Somebody whom nobody knows.
    Stranger(Wish),
    Wait(u64),
}

/// What a node wants, by places in lists that the model has.
#[derive(Debug, Clone)]
enum Wish {
    Join {
        name: usize,
        account: Option<(usize, i64)>,
        resume: Option<(usize, bool)>,
        has_session: bool,
        has_devices: bool,
        address: u8,
        hold: u64,
    },
    Leave(usize),
    Rename(usize, usize),
    Say {
        who: usize,
        tag: Option<u8>,
        to: Option<usize>,
    },
    Block(usize, Vec<usize>),
    Login(usize, Option<(usize, i64)>),
    Promote(usize),
    EndLogins(usize, i64),
    Away(usize, Option<u8>),
}

fn wish() -> impl Strategy<Value = Wish> {
    let name = || 0..NAMES.len();
    let who = || 0_usize..6;
    let account = || prop::option::of((0..ACCOUNTS.len(), 0_i64..3));
    prop_oneof![
        8 => (name(), account(), prop::option::of((0_usize..6, any::<bool>())), any::<bool>(), any::<bool>(), 0_u8..2, prop_oneof![Just(0), Just(5_000_u64)])
            .prop_map(|(name, account, resume, has_session, has_devices, address, hold)| Wish::Join {
                name, account: account.filter(|_| address == 1), resume, has_session, has_devices, address, hold
            }),
        // Several devices of one user, and sometimes one that does not speak of them.
        6 => (prop::option::of((0_usize..6, any::<bool>())), 0_i64..3, prop::bool::weighted(0.9))
            .prop_map(|(resume, epoch, has_devices)| Wish::Join {
                name: 3, account: Some((0, epoch)), resume, has_session: true, has_devices, address: 1, hold: 5_000
            }),
        3 => who().prop_map(Wish::Leave),
        3 => (who(), name()).prop_map(|(who, name)| Wish::Rename(who, name)),
        8 => (who(), prop::option::of(0_u8..3), prop::option::of(name()))
            .prop_map(|(who, tag, to)| Wish::Say { who, tag, to }),
        1 => (who(), prop::collection::vec(name(), 0..3)).prop_map(|(who, names)| Wish::Block(who, names)),
        1 => (who(), account()).prop_map(|(who, account)| Wish::Login(who, account)),
        1 => who().prop_map(Wish::Promote),
        2 => (who(), prop::option::of(0_u8..2)).prop_map(|(who, words)| Wish::Away(who, words)),
        1 => (0..ACCOUNTS.len(), 1_i64..4).prop_map(|(account, epoch)| Wish::EndLogins(account, epoch)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let slot = || 0..SLOTS;
    let step = prop_oneof![
        2 => slot().prop_map(Step::Start),
        1 => (slot(), slot()).prop_map(|(by, whom)| Step::End { by, whom }),
        12 => (slot(), prop::collection::vec(wish(), 1..6))
            .prop_map(|(by, proposals)| Step::Offer { by, proposals }),
        2 => any::<prop::sample::Index>().prop_map(Step::Again),
        1 => (slot(), wish()).prop_map(|(by, wish)| Step::Late { by, wish }),
        1 => wish().prop_map(Step::Stranger),
        2 => prop_oneof![Just(1), Just(4_000), Just(10_000), Just(RESUMABLE)].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..60)
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn login(account: Option<(usize, i64)>) -> Option<LoggedIn> {
    account.map(|(account, epoch)| LoggedIn {
        account: name(ACCOUNTS[account]),
        account_key: AccountKey { id: account as i64, epoch },
    })
}

fn address(number: u8) -> Option<core::net::IpAddr> {
    Some(core::net::Ipv4Addr::new(192, 0, 2, number).into())
}

/// What follows from a proposal, as text.
fn told(outcome: &Result<Effect, Refused>) -> String {
    let names = |left: &[Left]| {
        left.iter()
            .map(|left| format!(" -{}{}", left.member.0, if left.is_last { "" } else { " device" }))
            .collect::<String>()
    };
    match outcome {
        Err(refused) => format!("no: {refused:?}"),
        Ok(Effect::Nothing) => "up".to_owned(),
        Ok(Effect::Down(left)) => format!("down{}", names(left)),
        Ok(Effect::Joined(joined)) => {
            let name = String::from_utf8(joined.name_json.to_vec()).unwrap();
            let session = joined.session.map(|key| key.id().0);
            let replaced = joined.replaced.map(|(member, _)| member.0);
            let device = if joined.is_device { " device" } else { "" };
            let id = joined.member.0;
            format!("+{id} {name} {session:?} {} {replaced:?}{device}", joined.is_resumed)
        }
        Ok(Effect::Left(left)) => names(std::slice::from_ref(left)),
        Ok(Effect::LoggedOut(left)) => format!("logged out{}", names(std::slice::from_ref(left))),
        Ok(Effect::Renamed(renamed)) => format!("{:?} is {:?}", renamed.old, renamed.new),
        Ok(Effect::Said(said)) => {
            let back = if said.back.is_some() { " back" } else { "" };
            let copies: Vec<_> = said.copies.iter().map(|member| member.0).collect();
            format!("#{} {:?} {copies:?}{back}", said.number, said.to.map(|member| member.0))
        }
        Ok(Effect::Unseen(..)) => "unseen".to_owned(),
        Ok(Effect::Away(member)) => format!("away {}", member.0),
        Ok(Effect::Rooms(_)) => "rooms".to_owned(),
        Ok(Effect::LoginsEnded(ended)) => format!("logins ended{}", names(&ended.left)),
        Ok(Effect::Told(_) | Effect::Crowded(_) | Effect::Read(_)) => "told".to_owned(),
        Ok(Effect::Old(old)) => format!("old {}", old.number),
        Ok(Effect::Moderated(moderated)) => format!("moderated{}", names(&moderated.left)),
    }
}

/// Applies a group, and says what follows from each proposal of it, or that it does not count.
fn apply(replica: &mut Replica, group: &Group, at: u64) -> Option<Vec<String>> {
    if !replica.begin(group, at) {
        return None;
    }
    let mut all = Vec::new();
    // Whoever stores messages before they are proposed is told which they are going to be.
    let says = group.proposals.iter().map_while(|proposal| match proposal {
        Proposal::Say(say) => Some(say.clone()),
        _ => None,
    });
    let mut says: Vec<_> = says.collect();
    let judged = replica.judge(group.from, &mut says, 1);
    let numbers = says.iter().zip(&judged).filter(|(_, accepted)| **accepted);
    assert!(numbers.zip(1..).all(|((say, _), number)| say.number == number));
    let mut judged = says.into_iter().zip(judged);
    for proposal in &group.proposals {
        let before = digest_of(replica);
        let outcome = replica.step(group.from, proposal.clone());
        let is_changed = match &outcome {
            Err(_) | Ok(Effect::Nothing) => Some(false),
            Ok(Effect::Down(_) | Effect::Said(_) | Effect::Unseen(..)) => None,
            Ok(_) => Some(true),
        };
        // A session that is too old is forgotten by whoever comes next, accepted or not.
        let may_forget = matches!(proposal, Proposal::Join(_));
        if let Some(is_changed) = is_changed.filter(|is_changed| *is_changed || !may_forget) {
            assert_eq!(digest_of(replica) != before, is_changed, "{proposal:?}: {outcome:?}");
        }
        if let Some((say, is_accepted)) = judged.next() {
            assert_eq!(is_accepted, outcome.is_ok(), "{say:?}");
            if let Ok(Effect::Said(said)) = &outcome {
                let filed = say.record.filing.to;
                assert!(filed.is_none() || filed == said.record.filing.to);
            }
        }
        all.push(told(&outcome));
    }
    Some(all)
}

/// The same in pieces of these lengths, again and again. What a piece is of is the same: the last has the number of the whole.
fn apply_in_pieces(
    replica: &mut Replica,
    group: &Group,
    at: u64,
    length: usize,
) -> Option<Vec<String>> {
    let pieces: Vec<_> = group.proposals.chunks(length).collect();
    let mut all = None;
    for (index, piece) in pieces.iter().enumerate() {
        let behind = (pieces.len() - 1 - index) as u64;
        let number = group.number - behind;
        let piece = Group { from: group.from, number, proposals: piece.to_vec() };
        if let Some(told) = apply(replica, &piece, at) {
            all.get_or_insert_with(Vec::new).extend(told);
        }
    }
    all
}

proptest! {
    #[test]
    fn copies_are_the_same_and_do_what_the_model_does(steps in steps(), length in 1_usize..4) {
        let (mut whole, mut pieces) = (Replica::default(), Replica::default());
        // A third one is frozen before each group, and goes on from there as a node that starts would.
        let mut frozen = Replica::default();
        let mut model = model::Model::default();
        let mut decided: Vec<Group> = Vec::new();
        for step in steps {
            let Some((group, is_new)) = model.group(&step, &decided) else { continue };
            let expected = model.apply(&group);
            let told = apply(&mut whole, &group, model.now);
            prop_assert_eq!(&told, &expected, "{:?}", &group);
            let told = apply_in_pieces(&mut pieces, &group, model.now, length);
            prop_assert_eq!(&told, &expected, "in pieces: {:?}", &group);
            prop_assert_eq!(digest_of(&whole), digest_of(&pieces));
            frozen = thawed(&frozen);
            let told = apply(&mut frozen, &group, model.now);
            prop_assert_eq!(&told, &expected, "thawed: {:?}", &group);
            prop_assert_eq!(freeze(&whole).unwrap(), freeze(&frozen).unwrap());
            if is_new {
                decided.push(group);
            }
        }
        model.check_copy(&whole);
    }
}

#[test]
fn whom_a_long_list_concerns_does_not_depend_on_a_hash() {
    const MANY: u64 = 1_500;
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut replica = Replica::default();
        let node = Incarnation(1);
        let mut join = |identity: Identity, lists: BlockLists| {
            let join = Join {
                identity,
                lists: lists.into(),
                resume: None,
                verifier: Verifier::default(),
                hold: 0,
            };
            replica.step(node, Proposal::Join(Box::new(join))).unwrap()
        };
        for number in 0..MANY {
            let _ = join(Identity::guest(name(&format!("u{number}"))), BlockLists::default());
        }
        let eve = Identity { login: login(Some((1, 0))), ..Identity::guest(name("eve")) };
        let accounts = (0..MANY).map(|n| (n as i64, name(&format!("u{n}"))));
        let _ = join(eve, BlockLists::new(Vec::new(), accounts));
        // More names than members are looked at: it has to be the same ones everywhere who are told.
        let all = (0..MANY).map(|number| name(&format!("u{number}"))).collect();
        let _ = replica.step(node, Proposal::SetBlocked(MemberId(MANY), all)).unwrap();
        digests.push(digest_of(&replica));
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_format_that_one_node_does_not_read_is_not_spoken() {
    let mut replica = Replica::default();
    for (node, speaks) in [(1, 1), (2, 2)] {
        let up = Proposal::Up(Up { speaks, ..Up::default() });
        let group = Group { from: Incarnation(node), number: 1, proposals: vec![up] };
        assert!(replica.begin(&group, 0));
    }
    let speak = |replica: &mut Replica| {
        let before = digest_of(replica);
        let outcome = replica.step(Incarnation(2), Proposal::Speak(2)).map(|_| ());
        (outcome, digest_of(replica) != before)
    };
    assert_eq!(speak(&mut replica), (Err(Refused::NotSpoken), false));
    let _ = replica.step(Incarnation(2), Proposal::Down(Incarnation(1))).unwrap();
    assert_eq!(speak(&mut replica), (Ok(()), true), "it goes on with the state");
    assert_eq!(replica.nodes.level(), 2);
    assert_eq!(speak(&mut replica), (Err(Refused::NotSpoken), false), "again");
}
