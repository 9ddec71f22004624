//! What a node knows of members who are connected with other nodes: what waits for them lies there.
//!
//! Room in the queue of such a member can't be reserved. Its node says when the queue is half full, and when there is room
//! again; until then senders are told to wait, as for a member of this node. That comes a moment late and may be lost with
//! a node, so it is no promise: whoever gets more than its queue takes is removed as too slow, and can resume.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::MemberId;
use crate::replica::proposal::{Incarnation, Proposal};

/// What a node knows of members of others, and others of its own.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// This life of this node; `None` for one that is alone, where everybody is here.
    node: Option<Incarnation>,
    /// The members of other nodes whose queues are half full. No more than there are members: who leaves is not among them.
    crowded: BTreeSet<MemberId>,
    /// The members of this node of whom the others have been told so.
    told: BTreeSet<MemberId>,
    /// What they are going to be told. No more than there are members.
    news: BTreeMap<MemberId, bool>,
    /// The next of whom they are told: what one proposal does not say the next one does, and nobody waits behind others for ever.
    next: Option<MemberId>,
}

impl Elsewhere {
    /// Notes which node this is.
    pub(crate) const fn serves(&mut self, node: Incarnation) {
        self.node = Some(node);
    }

    /// Whether this is the only node.
    pub(crate) const fn is_alone(&self) -> bool {
        self.node.is_none()
    }

    /// Whether this is another node than ours, in a cluster.
    pub(crate) fn is_other(&self, node: Incarnation) -> bool {
        self.node.is_some_and(|own| own != node)
    }

    /// Whether the node of a member has said that too much waits for it.
    pub(crate) fn is_crowded(&self, member: MemberId) -> bool {
        self.crowded.contains(&member)
    }

    /// Notes what its node says of a member.
    pub(crate) fn note(&mut self, member: MemberId, is_crowded: bool) {
        if is_crowded {
            self.crowded.insert(member);
        } else {
            self.crowded.remove(&member);
        }
    }

    /// Somebody is not here any more.
    pub(crate) fn forget(&mut self, member: MemberId) {
        self.crowded.remove(&member);
        self.told.remove(&member);
        self.news.remove(&member);
    }

    /// Notes that the queue of a member of this node is half full.
    pub(crate) fn fills(&mut self, member: MemberId) {
        if self.node.is_some() && self.told.insert(member) && self.news.remove(&member).is_none() {
            self.news.insert(member, true);
        }
    }

    /// Whether the others have been told that the queue of a member of this node is half full.
    pub(crate) fn is_told(&self, member: MemberId) -> bool {
        !self.told.is_empty() && self.told.contains(&member)
    }

    /// Notes that there is room again.
    pub(crate) fn empties(&mut self, member: MemberId) {
        if self.told.remove(&member) && self.news.remove(&member).is_none() {
            self.news.insert(member, false);
        }
    }

    /// What the others are to be told now, if that has changed: as much as one proposal says. The rest is for the next group.
    pub(crate) fn take_news(&mut self) -> Option<Proposal> {
        let mut rest = self.news.split_off(&self.next.unwrap_or(MemberId(0)));
        // From the next one on, and then those before it.
        let (later, sooner) = (rest.len().min(Proposal::CROWDED), &mut self.news);
        let mut told = Vec::with_capacity(Proposal::CROWDED.min(rest.len() + sooner.len()));
        told.extend((0..later).filter_map(|_| rest.pop_first()));
        while told.len() < Proposal::CROWDED
            && let Some(news) = sooner.pop_first()
        {
            told.push(news);
        }
        self.news.append(&mut rest);
        let last = told.last().map(|(member, _)| MemberId(member.0.saturating_add(1)));
        self.next = last.or(self.next);
        (!told.is_empty()).then_some(Proposal::Crowded(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(elsewhere: &mut Elsewhere) -> Vec<(u64, bool)> {
        match elsewhere.take_news() {
            Some(Proposal::Crowded(all)) => all.into_iter().map(|(id, is)| (id.0, is)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_one_proposal_does_not_say_the_next_one_does() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.serves(Incarnation(1));
        let all = || (1..=2 * Proposal::CROWDED as u64 + 5).map(MemberId);
        for crowded in [true, false] {
            all().for_each(|id| if crowded { elsewhere.fills(id) } else { elsewhere.empties(id) });
            let mut every = Vec::new();
            for count in [Proposal::CROWDED, Proposal::CROWDED, 5] {
                let some = told(&mut elsewhere);
                assert_eq!(some.len(), count);
                every.extend(some);
            }
            assert!(elsewhere.take_news().is_none());
            every.sort_unstable();
            assert_eq!(every, all().map(|id| (id.0, crowded)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nobody_waits_behind_others_for_ever() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.serves(Incarnation(1));
        let last = MemberId(5_000);
        elsewhere.fills(last);
        let mut rounds = 0;
        loop {
            // Of those before it there is always something new.
            for id in (1..=Proposal::CROWDED as u64).map(MemberId) {
                if rounds % 2 == 0 { elsewhere.fills(id) } else { elsewhere.empties(id) }
            }
            if told(&mut elsewhere).contains(&(last.0, true)) {
                break;
            }
            rounds += 1;
            assert!(rounds < 3);
        }
    }

    #[test]
    fn what_was_not_said_yet_and_is_over_is_not_said() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.serves(Incarnation(1));
        elsewhere.fills(MemberId(1));
        elsewhere.empties(MemberId(1));
        assert!(elsewhere.take_news().is_none());
        elsewhere.fills(MemberId(1));
        assert_eq!(told(&mut elsewhere), [(1, true)]);
        elsewhere.empties(MemberId(1));
        elsewhere.fills(MemberId(1));
        assert!(elsewhere.take_news().is_none(), "the others know it still");
        elsewhere.empties(MemberId(1));
        assert_eq!(told(&mut elsewhere), [(1, false)]);
    }
}
