//! Which node of a cluster this is, whose members are connected with which, and what nodes tell each other of those for whom
//! too much waits.

use crate::hub::Hub;
use crate::ids::MemberId;
use crate::replica::proposal::{Incarnation, Proposal};

impl Hub {
    /// Notes which node this is, in a cluster. Its members are those who have come in with it; what waits for all others lies
    /// at their nodes.
    pub fn serves(&mut self, node: Incarnation) {
        self.elsewhere.serves(node);
    }

    /// Whether this node is one of a cluster.
    pub const fn is_in_cluster(&self) -> bool {
        !self.elsewhere.is_alone()
    }

    /// Whether this is another node of a cluster.
    pub fn is_other(&self, node: Incarnation) -> bool {
        self.elsewhere.is_other(node)
    }

    /// Whether somebody is here and connected with another node.
    pub fn is_elsewhere(&self, member: MemberId) -> bool {
        // A node that is alone looks nobody up.
        !self.elsewhere.is_alone()
            && self
                .replica
                .presence()
                .person(member)
                .is_some_and(|person| self.is_other(person.connection.node))
    }

    /// Whether the node of a member has said that too much waits for it.
    pub(crate) fn is_crowded(&self, member: MemberId) -> bool {
        self.elsewhere.is_crowded(member)
    }

    /// Notes what a node says of its members.
    pub(crate) fn note_crowded(&mut self, from: Incarnation, members: Vec<(MemberId, bool)>) {
        if self.is_other(from) {
            for (member, is_crowded) in members {
                self.elsewhere.note(member, is_crowded);
            }
        }
    }

    /// What the other nodes are to be told of how much waits for members of this one, if that has changed. To be asked for with each
    /// group, and again and again.
    pub fn take_crowded(&mut self) -> Option<Proposal> {
        self.elsewhere.take_news()
    }
}
