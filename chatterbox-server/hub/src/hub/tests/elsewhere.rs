//! Members of another node: how full their queues are, what becomes of those who get too much, and slow mode.

use std::sync::Arc;

use chatterbox_proto::Capabilities;

use super::*;
use crate::{
    AccountKey, Greeting, Group, Identity, Incarnation, Join, Level, LoggedIn, Outcome, Proposal,
    Removal, RoomActor, RoomChange, RoomNumber, RoomSetting, RoomWish, Say,
};

/// Two nodes that apply the same.
struct Pair {
    nodes: [Hub; 2],
    place: u64,
}

const LIVES: [Incarnation; 2] = [Incarnation(1), Incarnation(2)];

impl Pair {
    fn new() -> Self {
        let mut pair = Self { nodes: [hub(), hub()], place: 0 };
        for (node, life) in LIVES.into_iter().enumerate() {
            pair.nodes[node].serves(life);
            pair.offer(node, Proposal::Up(crate::Up::default()), None);
        }
        pair
    }

    /// A node proposes something, and both apply it; gives what the proposer and the other one make of it.
    fn offer(
        &mut self,
        node: usize,
        proposal: Proposal,
        greeting: Option<Greeting<'_>>,
    ) -> [crate::Applied; 2] {
        self.place += 1;
        let number = if matches!(proposal, Proposal::Up(_)) { 1 } else { self.place };
        let mut group = Group { from: LIVES[node], number, proposals: vec![proposal] };
        group.number_by_place(self.place);
        let mut apply = |place: usize| {
            let hub = &mut self.nodes[place];
            assert!(hub.begin(&group, 0));
            hub.step(group.from, group.proposals[0].clone(), greeting.filter(|_| place == node))
        };
        [apply(node), apply(1 - node)]
    }

    fn join(&mut self, node: usize, text: &str, account: Option<i64>) -> MemberId {
        let login = account.map(|id| LoggedIn {
            account: name("owner"),
            account_key: AccountKey { id, epoch: 0 },
        });
        let level = if login.is_some() { Level::USER } else { Level::GUEST };
        let agreed = Capabilities::parse_offer("ids/1").ok();
        let identity = Identity { login, level, agreed, ..Identity::guest(name(text)) };
        let (lists, random) = (Arc::default(), u128::from(self.place));
        let join =
            Join { identity, lists, resume: None, verifier: crate::Verifier::of(random), hold: 0 };
        let secrets = crate::Secrets { fresh: random, shown: None };
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
        let [applied, _] = self.offer(node, Proposal::Join(Box::new(join)), Some(greeting));
        let Ok(Outcome::Welcomed(reply)) = applied.outcome else { panic!("{applied:?}") };
        reply.id
    }

    fn say(
        &mut self,
        node: usize,
        member: MemberId,
        to: Option<&str>,
        text: &str,
    ) -> [crate::Applied; 2] {
        let from = self.nodes[node].name_of(member).unwrap().to_string();
        let say = Say { member, number: 0, tag: None, record: record(&from, to, text) };
        self.offer(node, Proposal::Say(say), None)
    }

    /// What the nodes have to say of how much waits for their members goes round.
    fn hint(&mut self) {
        for node in [0, 1] {
            if let Some(proposal) = self.nodes[node].take_crowded() {
                self.offer(node, proposal, None);
            }
        }
    }
}

#[test]
fn who_writes_to_somebody_at_another_node_is_told_to_wait_while_their_queue_is_half_full() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.join(0, "ann", None), pair.join(1, "bob", None));
    let may = |pair: &mut Pair| pair.nodes[0].reserve(ann, &name("bob"), 9).map(|(to, _)| to);
    assert!(pair.nodes[0].is_elsewhere(bob) && !pair.nodes[1].is_elsewhere(bob));
    for _ in 0..511 {
        pair.say(0, ann, Some("bob"), "hi");
    }
    pair.hint();
    assert_eq!(may(&mut pair), Ok(bob), "one less than half");
    pair.say(0, ann, Some("bob"), "hi");
    assert_eq!(may(&mut pair), Ok(bob), "nobody has said so yet");
    pair.hint();
    assert_eq!(may(&mut pair), Err(Code::RecipientBusy));
    assert_eq!(pair.nodes[1].reserve(bob, &name("bob"), 9).map(|(to, _)| to), Ok(bob), "here");
    pair.nodes[1].release(bob, 9);
    while matches!(pair.nodes[1].take(bob), Delivery::Frames { .. }) {}
    pair.hint();
    assert_eq!(may(&mut pair), Ok(bob), "it has read");
    assert!(pair.nodes[1].take_crowded().is_none(), "said once");
}

#[test]
fn what_a_node_says_of_members_that_are_not_its_own_does_not_count() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.join(0, "ann", None), pair.join(1, "bob", None));
    pair.offer(0, Proposal::Crowded(vec![(bob, true), (ann, true), (MemberId(99), true)]), None);
    assert!(pair.nodes[0].reserve(ann, &name("bob"), 9).is_ok());
    assert_eq!(pair.nodes[1].reserve(bob, &name("ann"), 9), Err(Code::RecipientBusy));
    assert!(!pair.nodes.iter().any(|hub| hub.is_crowded(MemberId(99))));
    pair.offer(0, Proposal::Leave(ann), None);
    assert!(!pair.nodes[1].is_crowded(ann), "who has left is forgotten");
}

#[test]
fn who_gets_more_from_other_nodes_than_its_queue_takes_is_too_slow() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.join(0, "ann", None), pair.join(1, "bob", None));
    for _ in 0..1024 {
        let [_, applied] = pair.say(0, ann, Some("bob"), "hi");
        assert_eq!(applied.removed, []);
    }
    let [own, applied] = pair.say(0, ann, Some("bob"), "one more");
    assert_eq!((own.removed, applied.removed), (vec![], vec![bob]));
    assert_eq!(pair.nodes[1].removal(bob), Some(Removal::TooSlow));
    assert_eq!(pair.nodes[0].removal(bob), None, "it is not of this node");
    assert!(pair.nodes[0].reserve(ann, &name("bob"), 9).is_ok(), "until its leaving comes round");
    pair.offer(1, Proposal::Leave(bob), None);
    assert_eq!(pair.nodes[0].reserve(ann, &name("bob"), 9), Err(Code::NoSuchUser));
}

#[test]
fn slow_mode_counts_what_an_account_writes_at_another_node() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.join(0, "ann", Some(7)), pair.join(1, "bob", Some(7)));
    let change = RoomChange::Set(RoomNumber::LOBBY, RoomSetting::Slow(10));
    let wish = RoomWish { by: RoomActor::Operator, change, now: 0 };
    let [applied, _] = pair.offer(0, Proposal::Room(Box::new(wish), 0), None);
    assert!(applied.outcome.is_ok());
    assert_eq!(pair.nodes[0].may_say_to_all(ann), Ok(()));
    assert_eq!(pair.nodes[1].lobby().settings.slow, 10);
    pair.say(0, ann, None, "hi");
    assert_eq!(pair.nodes[1].may_say_to_all(bob), Err(Code::SlowMode(10)));
    pair.nodes[1].tick(10_000);
    assert_eq!(pair.nodes[1].may_say_to_all(bob), Ok(()));
}
