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
    /// What they are going to be told: no more than one proposal says.
    news: BTreeMap<MemberId, bool>,
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

    /// Notes that the queue of a member of this node is half full. Where too many are told of already, nobody is: that others
    /// know it is a favour.
    pub(crate) fn fills(&mut self, member: MemberId) {
        if self.node.is_some()
            && (self.news.len() < Proposal::CROWDED || self.news.contains_key(&member))
            && self.told.insert(member)
        {
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
    /// What the others are to be told now, if that has changed.
    pub(crate) fn take_news(&mut self) -> Option<Proposal> {
        let news = std::mem::take(&mut self.news);
        (!news.is_empty()).then(|| Proposal::Crowded(news.into_iter().collect()))
    }
}
