//! Who does not see whom because of block lists: pure, over everybody who is here.
//!
//! A block holds in both directions, and follows a user from the account to a nick and back. Two do not lose anything by
//! being blocked: base clients, to whom a public message has to go (RT-1), and staff, from whom nobody hides.

use std::collections::HashSet;

use chatterbox_hub::IgnoreFilter;
use chatterbox_proto::Username;

use crate::commands::caller::Who;
use crate::commands::permission::{Permission, Target, authorise};

impl Who {
    /// The names under which they are known now.
    pub(super) fn names(&self) -> impl Iterator<Item = &Username> {
        std::iter::once(&self.name).chain(&self.account)
    }

    /// Whether they block somebody.
    pub(super) fn blocks(&self, other: &Self) -> bool {
        !self.blocks.is_empty() && other.names().any(|name| self.blocks.contains(name))
    }
}

/// Whether one of the two blocks the other.
pub(super) fn are_apart(one: &Who, other: &Who) -> bool {
    one.blocks(other) || other.blocks(one)
}

/// The same, with blocks of accounts that were set before this login.
pub(super) fn are_related(one: &Who, other: &Who) -> bool {
    let by = |one: &Who, other: &Who| {
        one.account.as_ref().is_some_and(|name| other.blocked_by.contains(name))
    };
    are_apart(one, other) || by(one, other) || by(other, one)
}

/// What holds for one of those who are here, gathered from them one by one.
pub(super) struct FilterBuilder<'a> {
    me: &'a Who,
    mine: HashSet<Username>,
    theirs: HashSet<Username>,
}

impl<'a> FilterBuilder<'a> {
    pub(super) fn of(me: &'a Who) -> Self {
        Self { me, mine: me.blocks.clone(), theirs: me.blocked_by.clone() }
    }

    /// Takes somebody who is here into account.
    pub(super) fn consider(&mut self, other: &Who) {
        if self.me.blocks(other) {
            self.mine.extend(other.names().cloned());
        }
        let by_account = |name| self.me.blocked_by.contains(name);
        if other.account.as_ref().is_some_and(by_account) || other.blocks(self.me) {
            self.theirs.extend(other.names().cloned());
        }
    }

    /// What holds; `is_base` says whether they speak the base protocol only.
    pub(super) fn build(self, is_base: bool) -> IgnoreFilter {
        let Self { me, mut mine, mut theirs } = self;
        // Nobody hides from themselves, whatever name they took.
        for name in me.names() {
            mine.remove(name);
            theirs.remove(name);
        }
        let hears_all = authorise(me.actor(), Permission::HearBlockers, Target::Oneself).is_ok();
        let refused = mine.union(&theirs).cloned().collect();
        if !is_base && !hears_all {
            mine.extend(theirs);
        }
        IgnoreFilter { hidden: mine, refused }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use chatterbox_hub::Level;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn who(text: &str, blocked: &[&str]) -> Who {
        let mut who = Who::guest(name(text));
        who.set_blocked(blocked.iter().map(|text| name(text)).collect());
        who
    }

    fn shut<'a>(me: &Who, is_base: bool, here: impl Iterator<Item = &'a Who>) -> IgnoreFilter {
        let mut filter = FilterBuilder::of(me);
        here.for_each(|other| filter.consider(other));
        filter.build(is_base)
    }

    fn names(texts: &[&str]) -> HashSet<Username> {
        texts.iter().map(|text| name(text)).collect()
    }

    #[test]
    fn a_block_holds_in_both_directions() {
        let (ann, eve) = (who("ann", &["eve"]), who("eve", &[]));
        let here = || [&ann, &eve].into_iter();
        for (me, other) in [(&ann, "eve"), (&eve, "ann")] {
            let expected = IgnoreFilter { hidden: names(&[other]), refused: names(&[other]) };
            assert_eq!(shut(me, false, here()), expected);
        }
    }

    #[test]
    fn base_clients_and_staff_go_on_hearing_who_blocks_them() {
        let (ann, eve) = (who("ann", &["eve"]), who("eve", &[]));
        let here = || [&ann, &eve].into_iter();
        let heard = IgnoreFilter { hidden: names(&[]), refused: names(&["ann"]) };
        assert_eq!(shut(&eve, true, here()), heard);
        let staff = Who { account: Some(name("eve")), level: Level::HELPER, ..eve.clone() };
        assert_eq!(shut(&staff, false, [&ann, &staff].into_iter()), heard);
        let own = IgnoreFilter { hidden: names(&["eve"]), refused: names(&["eve"]) };
        assert_eq!(shut(&ann, true, here()), own, "what a base client itself blocks is hidden");
    }

    #[test]
    fn a_block_follows_a_nick_and_stays_when_its_owner_has_left() {
        let ann = who("ann", &["eve"]);
        let nicked = Who { account: Some(name("eve")), ..who("evelyn", &[]) };
        let both = names(&["eve", "evelyn"]);
        assert_eq!(shut(&ann, false, [&nicked].into_iter()).hidden, both);
        let blocked = Who { blocked_by: names(&["bob"]), ..who("eve", &[]) };
        assert_eq!(shut(&blocked, false, [].into_iter()).hidden, names(&["bob"]));
        let bob = Who { account: Some(name("bob")), ..who("rob", &["eve"]) };
        assert_eq!(shut(&blocked, false, [&bob].into_iter()).hidden, names(&["bob", "rob"]));
    }

    #[test]
    fn b2_whole_names_only() {
        let (ann, bobby) = (who("ann", &["bob"]), who("bobby", &[]));
        assert_eq!(shut(&bobby, false, [&ann].into_iter()), IgnoreFilter::default());
        assert_eq!(shut(&ann, false, [&bobby].into_iter()).hidden, names(&["bob"]));
    }

    proptest! {
        #[test]
        fn who_is_apart_refuses_each_other(lists in prop::collection::vec(prop::collection::vec(0_usize..6, 0..4), 6)) {
            let text = |number: usize| format!("user{number}");
            let all: Vec<Who> = lists
                .iter()
                .enumerate()
                .map(|(me, blocked)| {
                    let mut who = Who::guest(name(&text(me)));
                    let others = blocked.iter().filter(|other| **other != me);
                    who.set_blocked(others.map(|n| name(&text(*n))).collect());
                    who
                })
                .collect();
            for me in &all {
                let found = shut(me, false, all.iter());
                for other in &all {
                    let apart = me.name != other.name && are_apart(me, other);
                    prop_assert_eq!(found.refused.contains(&other.name), apart);
                    prop_assert_eq!(found.hidden.contains(&other.name), apart);
                    let back = shut(other, false, all.iter());
                    prop_assert_eq!(back.refused.contains(&me.name), apart);
                }
            }
        }
    }
}
