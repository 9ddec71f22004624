//! The nodes, and the fence: which groups count.

use std::collections::BTreeMap;

use crate::digest::{Digest, Digester};
use crate::replica::proposal::Incarnation;

/// A node that has ended is forgotten after this time, in milliseconds. If what began its life came round again later, it
/// would be too old to begin another.
const FORGOTTEN: u64 = 10 * 60 * 1000;

/// One life of a node.
#[derive(Debug)]
enum Life {
    /// It counts; its newest group.
    Up { group: u64 },
    /// It has ended, at this time.
    Ended { at: u64 },
}

/// All nodes.
#[derive(Debug, Default)]
pub(crate) struct Nodes(BTreeMap<Incarnation, Life>);

impl Nodes {
    /// Whether a group counts: that of a node which starts, having read the order to some time, or a newer one of a node that is
    /// up.
    pub(crate) fn admits(
        &mut self,
        from: Incarnation,
        number: u64,
        starts: Option<u64>,
        now: u64,
    ) -> bool {
        match self.0.get_mut(&from) {
            Some(Life::Up { group }) if number > *group => {
                *group = number;
                true
            }
            Some(_) => false,
            None => {
                let counts = starts.is_some_and(|read_to| now.saturating_sub(read_to) < FORGOTTEN);
                if counts {
                    self.0.insert(from, Life::Up { group: number });
                }
                counts
            }
        }
    }

    /// Whether a node is up.
    pub(crate) fn is_up(&self, node: Incarnation) -> bool {
        matches!(self.0.get(&node), Some(Life::Up { .. }))
    }

    /// Ends a node; says whether it was up.
    pub(crate) fn end(&mut self, node: Incarnation, now: u64) -> bool {
        let Some(life @ Life::Up { .. }) = self.0.get_mut(&node) else { return false };
        *life = Life::Ended { at: now };
        self.0.retain(|_, life| match life {
            Life::Up { .. } => true,
            Life::Ended { at } => now.saturating_sub(*at) < FORGOTTEN,
        });
        true
    }
}

impl Digest for Life {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Up { group } => to.add(&true).add(group),
            Self::Ended { at } => to.add(&false).add(at),
        };
    }
}

impl Digest for Nodes {
    fn digest(&self, to: &mut Digester) {
        let Self(nodes) = self;
        to.add(nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Incarnation = Incarnation(7);

    #[test]
    fn a_group_counts_once_in_its_order_and_while_its_node_is_up() {
        let mut nodes = Nodes::default();
        assert!(!nodes.admits(NODE, 1, None, 0), "nobody knows it");
        assert!(nodes.admits(NODE, 1, Some(0), 0));
        assert!(!nodes.admits(NODE, 1, Some(0), 0), "again");
        assert!(nodes.admits(NODE, 3, None, 0), "what it did not get in between is gone");
        assert!(!nodes.admits(NODE, 2, None, 0), "late");
        assert!(nodes.end(NODE, 0) && !nodes.end(NODE, 0));
        assert!(!nodes.admits(NODE, 4, None, 0), "fenced");
        assert!(!nodes.admits(NODE, 1, Some(0), 0), "one that has ended does not start");
        assert!(nodes.admits(Incarnation(8), 1, Some(0), 0));
    }

    #[test]
    fn a_node_that_has_ended_is_forgotten_and_does_not_come_back() {
        let mut nodes = Nodes::default();
        assert!(nodes.admits(NODE, 1, Some(5), 5) && nodes.end(NODE, 5));
        let (other, later) = (Incarnation(8), 5 + FORGOTTEN);
        assert!(nodes.admits(other, 1, Some(later), later));
        assert!(nodes.end(other, later) && nodes.0.len() == 1, "only the newest is remembered");
        assert!(!nodes.admits(NODE, 1, Some(5), later), "its first group once more");
    }
}
