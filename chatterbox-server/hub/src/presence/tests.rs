//! The presence against a model that knows no index: everybody is held against everybody.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::block_lists::BlockFilter;
use crate::identity::{AccountKey, LoggedIn};
use crate::level::Level;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn names(texts: &[&str]) -> HashSet<Username> {
    texts.iter().map(|text| name(text)).collect()
}

fn login(id: i64, account: &str) -> Option<LoggedIn> {
    Some(LoggedIn { account: name(account), account_key: AccountKey { id, epoch: 0 } })
}

fn guest(text: &str) -> Identity {
    let agreed = Some(chatterbox_proto::Capability::EVERY.iter().copied().collect());
    Identity { agreed, ..Identity::guest(name(text)) }
}

fn blocks(texts: &[&str]) -> BlockLists {
    BlockLists::new(texts.iter().map(|text| name(text)).collect(), [])
}

/// A presence with these, numbered from 0.
fn with(people: &[(&Identity, BlockLists)]) -> Presence {
    let mut presence = Presence::default();
    for (number, (identity, lists)) in (0..).zip(people) {
        let _ = presence.insert(MemberId(number), (*identity).clone(), lists.clone());
    }
    presence
}

fn hides(presence: &Presence, number: u64) -> (HashSet<Username>, HashSet<Username>) {
    let BlockFilter { hidden, refused } = presence.filter(MemberId(number));
    (hidden, refused)
}

#[test]
fn a_block_holds_in_both_directions() {
    let presence = with(&[(&guest("ann"), blocks(&["eve"])), (&guest("eve"), blocks(&[]))]);
    assert_eq!(hides(&presence, 0), (names(&["eve"]), names(&["eve"])));
    assert_eq!(hides(&presence, 1), (names(&["ann"]), names(&["ann"])));
}

#[test]
fn base_clients_and_staff_go_on_hearing_who_blocks_them() {
    let heard = (names(&[]), names(&["ann"]));
    let base = Identity::guest(name("eve"));
    let presence = with(&[(&guest("ann"), blocks(&["eve"])), (&base, blocks(&[]))]);
    assert_eq!(hides(&presence, 1), heard);
    let staff = Identity { login: login(7, "eve"), level: Level::HELPER, ..guest("eve") };
    let presence = with(&[(&guest("ann"), blocks(&["eve"])), (&staff, blocks(&[]))]);
    assert_eq!(hides(&presence, 1), heard);
    let base = Identity::guest(name("ann"));
    let presence = with(&[(&base, blocks(&["eve"])), (&guest("eve"), blocks(&[]))]);
    let own = (names(&["eve"]), names(&["eve"]));
    assert_eq!(hides(&presence, 0), own, "what a base client itself blocks is hidden");
}

#[test]
fn a_block_follows_a_nick_and_stays_when_its_owner_has_left() {
    let nicked = Identity { login: login(7, "eve"), ..guest("evelyn") };
    let presence = with(&[(&guest("ann"), blocks(&["eve"])), (&nicked, blocks(&[]))]);
    assert_eq!(hides(&presence, 0).0, names(&["eve", "evelyn"]));
    let by_bob = BlockLists::new(vec![], [(3, name("bob"))]);
    let presence = with(&[(&guest("eve"), by_bob.clone())]);
    assert_eq!(hides(&presence, 0).0, names(&["bob"]));
    let bob = Identity { login: login(3, "bob"), ..guest("rob") };
    let presence = with(&[(&guest("eve"), by_bob), (&bob, blocks(&["eve"]))]);
    assert_eq!(hides(&presence, 0).0, names(&["bob", "rob"]));
}

#[test]
fn b2_whole_names_only() {
    let presence = with(&[(&guest("ann"), blocks(&["bob"])), (&guest("bobby"), blocks(&[]))]);
    assert_eq!(hides(&presence, 1), (names(&[]), names(&[])));
    assert_eq!(hides(&presence, 0).0, names(&["bob"]));
}

#[test]
fn another_account_of_the_same_name_is_somebody_else() {
    let by_bob = BlockLists::new(vec![], [(3, name("bob"))]);
    let namesake = Identity { login: login(4, "bob"), ..guest("robert") };
    let presence = with(&[(&guest("eve"), by_bob), (&namesake, blocks(&[]))]);
    assert_eq!(hides(&presence, 0).0, names(&["bob"]), "robert does not block anybody");
    let Some(login) = login(3, "bob") else { unreachable!() };
    assert_eq!(presence.logged_in(&login).count(), 0);
}

#[test]
fn a_guest_who_registers_goes_on_blocking_when_they_have_left() {
    let mut presence = with(&[(&guest("ann"), blocks(&["eve"])), (&guest("eve"), blocks(&[]))]);
    let _ = presence.amend(MemberId(0), |identity, _| identity.login = login(1, "ann"));
    let _ = presence.remove(MemberId(0));
    assert_eq!(hides(&presence, 1).0, names(&["ann"]));
}

#[test]
fn a_change_of_a_list_concerns_nobody_but_the_pair() {
    let people = ["ann", "bob", "cyd", "dan"].map(guest);
    let mut people: Vec<_> = people.iter().map(|identity| (identity, blocks(&[]))).collect();
    people[0].1 = blocks(&["bob", "cyd"]);
    let mut presence = with(&people);
    let stale = presence.amend(MemberId(0), |_, lists| lists.set_blocked(vec![name("cyd")]));
    assert_eq!(stale, Stale([MemberId(0), MemberId(1)].into()));
    let stale = presence.amend(MemberId(3), |identity, _| identity.elevated = true);
    assert_eq!(stale, Stale([MemberId(3)].into()), "nobody has to do with dan");
    let stale = presence.remove(MemberId(2)).unwrap().1;
    assert_eq!(stale, Stale([MemberId(0)].into()));
}

#[test]
fn the_index_is_empty_when_nobody_is_here() {
    let ann = Identity { login: login(1, "ann"), ..guest("ann") };
    let lists = BlockLists::new(vec![name("eve")], [(3, name("bob"))]);
    let mut presence = with(&[(&ann, lists), (&guest("eve"), blocks(&["ann", "bob"]))]);
    let _ = presence.amend(MemberId(1), |_, lists| lists.set_blocked(vec![name("cyd")]));
    let (_, _) = (presence.remove(MemberId(0)), presence.remove(MemberId(1)));
    assert!(presence.blocks.is_empty() && presence.people().len() == 0);
    assert_eq!(presence.roster().who(&name("ann")), None);
}

/// Names that overlap: accounts, nicks and names that nobody has.
const NAMES: [&str; 7] = ["ann", "bob", "cyd", "dan", "eve", "flo", "gus"];

#[derive(Debug, Clone)]
enum Step {
    Join {
        name: usize,
        account: Option<usize>,
        blocks: Vec<usize>,
        blocked_by: Vec<usize>,
        base: bool,
    },
    Leave(usize),
    Rename(usize, usize),
    Block(usize, Vec<usize>),
    Login(usize, Option<usize>, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || prop::collection::vec(0..NAMES.len(), 0..3);
    let step = prop_oneof![
        4 => (0..NAMES.len(), prop::option::of(0..NAMES.len()), some(), some(), any::<bool>())
            .prop_map(|(name, account, blocks, blocked_by, base)| Step::Join { name, account, blocks, blocked_by, base }),
        2 => (0_usize..8).prop_map(Step::Leave),
        2 => (0_usize..8, 0..NAMES.len()).prop_map(|(who, name)| Step::Rename(who, name)),
        2 => (0_usize..8, some()).prop_map(|(who, blocks)| Step::Block(who, blocks)),
        1 => (0_usize..8, prop::option::of(0..NAMES.len()), 0_u8..4)
            .prop_map(|(who, account, level)| Step::Login(who, account, level)),
    ];
    prop::collection::vec(step, 0..40)
}

/// The rule itself, over everybody.
fn naive(presence: &Presence, me: MemberId) -> BlockFilter {
    let none = BlockLists::default();
    let lists = |id| presence.people[&id].lists().unwrap_or(&none);
    let mine = &presence.people[&me].identity;
    let (mut hidden, mut theirs) = (HashSet::new(), HashSet::new());
    hidden.extend(lists(me).blocked().iter().cloned());
    theirs.extend(lists(me).blocked_by().values().cloned());
    for (id, other) in &presence.people {
        let other = &other.identity;
        let has = |id, who: &Identity| who.names().any(|name| lists(id).has(name));
        let known = |login: &LoggedIn| lists(me).blocked_by().contains_key(&login.account_key.id);
        if *id != me && has(me, other) {
            hidden.extend(other.names().cloned());
        }
        if *id != me && (has(*id, mine) || other.login.as_ref().is_some_and(known)) {
            theirs.extend(other.names().cloned());
        }
    }
    let not_me = |name: &Username| !mine.names().any(|own| own == name);
    hidden.retain(not_me);
    theirs.retain(not_me);
    let refused = hidden.union(&theirs).cloned().collect();
    let is_staff = mine.login.is_some() && mine.level >= Level::HELPER;
    if !mine.is_base() && !is_staff {
        hidden.extend(theirs);
    }
    BlockFilter { hidden, refused }
}

fn account(number: Option<usize>) -> Option<LoggedIn> {
    number.and_then(|number| login(i64::try_from(number).unwrap(), NAMES[number]))
}

proptest! {
    /// A filter that was not called stale is the one that holds, and the one that is worked out is right.
    #[test]
    fn filters_are_what_everybody_held_against_everybody_gives(steps in steps()) {
        let mut presence = Presence::default();
        let mut here: Vec<MemberId> = Vec::new();
        let mut kept: BTreeMap<MemberId, BlockFilter> = BTreeMap::new();
        let all = |numbers: &[usize]| -> Vec<Username> {
            let mut names: Vec<_> = numbers.iter().map(|number| name(NAMES[*number])).collect();
            names.dedup();
            names
        };
        for (number, step) in (0..).zip(steps) {
            let at = |who: usize| here.get(who % here.len().max(1)).copied();
            let stale = match step {
                Step::Join { name: wanted, account: of, blocks, blocked_by, base } => {
                    if presence.roster().who(&name(NAMES[wanted])).is_some() {
                        continue;
                    }
                    let own = guest(NAMES[wanted]);
                    let agreed = own.agreed.filter(|_| !base);
                    let identity = Identity { agreed, login: account(of), ..own };
                    let blocked_by = blocked_by
                        .into_iter()
                        .map(|number| (i64::try_from(number).unwrap(), name(NAMES[number])));
                    let lists = BlockLists::new(all(&blocks), blocked_by);
                    let id = MemberId(number);
                    let before = presence.filter_for(&identity, &lists, None);
                    let stale = presence.insert(id, identity, lists);
                    prop_assert_eq!(&before, &presence.filter(id), "joining with the filter that holds");
                    kept.insert(id, before);
                    here.push(id);
                    stale
                }
                Step::Leave(who) => {
                    let Some(id) = at(who) else { continue };
                    here.retain(|other| *other != id);
                    kept.remove(&id);
                    presence.remove(id).unwrap().1
                }
                Step::Rename(who, to) => {
                    let Some(id) = at(who) else { continue };
                    let to = name(NAMES[to]);
                    match presence.rename(id, &to, Claimant::default(), 0) {
                        Ok(stale) => stale,
                        Err(_) => continue,
                    }
                }
                Step::Block(who, blocks) => {
                    let Some(id) = at(who) else { continue };
                    presence.amend(id, |_, lists| lists.set_blocked(all(&blocks)))
                }
                Step::Login(who, of, level) => {
                    let Some(id) = at(who) else { continue };
                    presence.amend(id, |identity, _| {
                        identity.login = account(of);
                        identity.level = Level::new(level.into()).unwrap();
                    })
                }
            };
            for id in stale.0 {
                if here.contains(&id) {
                    kept.insert(id, presence.filter(id));
                }
            }
            for id in &here {
                prop_assert_eq!(&kept[id], &naive(&presence, *id), "member {:?} after step {}", id, number);
            }
            for id in &here {
                if let Some(login) = &presence.identity(*id).unwrap().login {
                    let found: BTreeSet<_> = presence.logged_in(login).map(|(id, _)| id).collect();
                    let expected: BTreeSet<_> = here
                        .iter()
                        .copied()
                        .filter(|other| presence.identity(*other).unwrap().login.as_ref() == Some(login))
                        .collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }
        for id in here {
            let _ = presence.remove(id);
        }
        prop_assert!(presence.blocks.is_empty());
    }
}
