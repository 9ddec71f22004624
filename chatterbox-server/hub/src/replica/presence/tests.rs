//! The rules of block lists, case by case. `hub/tests/blocks.rs` has the property test over whole chats.

use std::collections::HashSet;

use super::*;
use crate::block_lists::BlockFilter;
use crate::identity::{AccountKey, LoggedIn};
use crate::level::Level;
use crate::replica::block_index::{COUNTED, RELATED};

fn here(user: u64) -> Connection {
    Connection { node: Incarnation(0), session: None, hold: 0, user: MemberId(user) }
}

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
        let _ = presence.insert(
            MemberId(number),
            (*identity).clone(),
            lists.clone().into(),
            here(number),
        );
    }
    presence
}

fn hides(presence: &Presence, number: u64) -> (HashSet<Username>, HashSet<Username>) {
    let BlockFilter { hidden, refused, .. } = presence.filter(MemberId(number));
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
    let _ = presence.amend(MemberId(0), |identity| identity.login = login(1, "ann"));
    let _ = presence.remove(MemberId(0));
    assert_eq!(hides(&presence, 1).0, names(&["ann"]));
}

#[test]
fn a_change_of_a_list_concerns_nobody_but_the_pair() {
    let people = ["ann", "bob", "cyd", "dan"].map(guest);
    let mut people: Vec<_> = people.iter().map(|identity| (identity, blocks(&[]))).collect();
    people[0].1 = blocks(&["bob", "cyd"]);
    let mut presence = with(&people);
    let stale = presence.set_blocked(MemberId(0), vec![name("cyd")]);
    assert_eq!(stale, Stale([MemberId(0), MemberId(1)].into()));
    let stale = presence.amend(MemberId(3), |identity| identity.elevated = true);
    assert_eq!(stale, Stale([MemberId(3)].into()), "nobody has to do with dan");
    let stale = presence.remove(MemberId(2)).unwrap().1;
    assert_eq!(stale, Stale([MemberId(0)].into()));
}

#[test]
fn a_login_in_another_epoch_or_level_concerns_nobody_else() {
    let ann = Identity { login: login(1, "ann"), ..guest("ann") };
    let mut presence = with(&[(&ann, blocks(&["eve"])), (&guest("eve"), blocks(&[]))]);
    let stale = presence.amend(MemberId(0), |identity| {
        let account_key = AccountKey { id: 1, epoch: 5 };
        identity.login = Some(LoggedIn { account: name("ann"), account_key });
        identity.level = Level::MODERATOR;
    });
    assert_eq!(stale, Stale([MemberId(0)].into()));
    assert_eq!(hides(&presence, 1).0, names(&["ann"]));
}

#[test]
fn the_index_is_empty_when_nobody_is_here() {
    let ann = Identity { login: login(1, "ann"), ..guest("ann") };
    let lists = BlockLists::new(vec![name("eve")], [(3, name("bob"))]);
    let mut presence = with(&[(&ann, lists), (&guest("eve"), blocks(&["ann", "bob"]))]);
    let _ = presence.set_blocked(MemberId(1), vec![name("cyd")]);
    let (_, _) = (presence.remove(MemberId(0)), presence.remove(MemberId(1)));
    assert!(presence.blocks.is_empty() && presence.people().len() == 0);
    assert_eq!(presence.roster().who(&name("ann")), None);
}

#[test]
fn a_change_beside_many_blockers_touches_a_bounded_part_of_them() {
    const HIDERS: u64 = 1_500;
    let hiders: Vec<_> = (0..HIDERS).map(|number| guest(&format!("hide{number}"))).collect();
    let people: Vec<_> = hiders.iter().map(|hider| (hider, blocks(&["eve"]))).collect();
    let mut presence = with(&people);
    let eve = MemberId(HIDERS);
    let stale = presence.insert(eve, guest("eve"), blocks(&[]).into(), here(eve.0));
    assert_eq!(stale.0, (0..COUNTED as u64).map(MemberId).collect());
    // Whoever is not counted hides the name all the same, and is not written to.
    assert_eq!(hides(&presence, HIDERS - 1), (names(&["eve"]), names(&["eve"])));
    let hidden = hides(&presence, HIDERS).0;
    assert!(hidden.len() == COUNTED && hidden.contains(&name("hide0")));
    let changed =
        presence.rename(eve, &name("flo"), &[], Claimant::default(), 0).expect("nobody has it");
    assert!(changed.0.len() <= COUNTED + 1);
    assert!(presence.rename(eve, &name("eve"), &[], Claimant::default(), 0).is_ok());
    // When one of those who count leaves, the next one counts.
    let (_, stale, _) = presence.remove(MemberId(7)).unwrap();
    assert!(stale.0.contains(&eve));
    let hidden = hides(&presence, HIDERS).0;
    assert!(!hidden.contains(&name("hide7")) && hidden.contains(&name(&format!("hide{COUNTED}"))));
    let (_, stale, _) = presence.remove(eve).unwrap();
    assert_eq!(stale.0.len(), COUNTED);
}

#[test]
fn however_many_names_and_accounts_are_on_lists_few_members_are_looked_at() {
    let mut presence = Presence::default();
    for number in 0..3_000 {
        let account = login(1 + number, &format!("user{number}"));
        let identity = Identity { login: account, ..guest(&format!("u{number}")) };
        let id = MemberId(u64::try_from(number).unwrap());
        let _ = presence.insert(id, identity, blocks(&["eve"]).into(), here(id.0));
    }
    let all = (0..3_000).map(|number| name(&format!("u{number}"))).collect();
    let blocked_by = (0..3_000).map(|number| (1 + number, name(&format!("user{number}"))));
    let lists = BlockLists::new(all, blocked_by);
    assert_eq!(lists.blocked_by().len(), BLOCKERS);
    let stale = presence.insert(MemberId(3_000), guest("eve"), lists.into(), here(3_000));
    assert!((BLOCKERS..=RELATED).contains(&stale.0.len()));
    let blocked_by = (0..3_000).map(|number| (1 + number, name(&format!("user{number}"))));
    let renamed = presence.rename(
        MemberId(3_000),
        &name("flo"),
        &blocked_by.collect::<Vec<_>>(),
        Claimant::default(),
        0,
    );
    assert!(renamed.unwrap().0.len() <= 2 * RELATED + 1);
    let lists = presence.person(MemberId(3_000)).unwrap().lists().unwrap();
    assert_eq!(lists.blocked_by().len(), BLOCKERS);
    let _ = presence.remove(MemberId(3_000));
    for number in 0..3_000 {
        let _ = presence.remove(MemberId(number));
    }
    assert!(presence.is_empty());
}
