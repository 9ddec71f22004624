//! The nodes, and the fence: which groups count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::replica::proposal::{Incarnation, Up};

/// A node that has ended is forgotten after this time, in milliseconds. If what began its life came round again later, it
/// would be too old to begin another.
const FORGOTTEN: u64 = 10 * 60 * 1000;

/// One life of a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Life {
    /// It counts.
    Up {
        /// Its newest group.
        group: u64,
        /// What its operator calls it.
        name: Box<str>,
        /// The newest format that it reads.
        speaks: u16,
    },
    /// It has ended, at this time.
    Ended { at: u64 },
}

/// All nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Nodes {
    lives: BTreeMap<Incarnation, Life>,
    /// The format that groups are written in.
    level: u16,
}

/// A node that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUp {
    /// Its life.
    pub node: Incarnation,
    /// What its operator calls it.
    pub name: Box<str>,
    /// The newest format that it reads.
    pub speaks: u16,
}

impl Nodes {
    /// Whether a group counts: that of a node which starts, having read the order to some time, or a newer one of a node that is
    /// up.
    pub(crate) fn admits(
        &mut self,
        from: Incarnation,
        number: u64,
        starts: Option<&Up>,
        now: u64,
    ) -> bool {
        match self.lives.get_mut(&from) {
            Some(Life::Up { group, .. }) if number > *group => {
                *group = number;
                true
            }
            Some(_) => false,
            None => {
                let Some(Up { read_to, name, speaks }) = starts else { return false };
                // One that does not read what is written now could not go on.
                let counts = now.saturating_sub(*read_to) < FORGOTTEN && *speaks >= self.level;
                if counts {
                    let life = Life::Up { group: number, name: name.clone(), speaks: *speaks };
                    self.lives.insert(from, life);
                }
                counts
            }
        }
    }

    /// Whether a node is up.
    pub(crate) fn is_up(&self, node: Incarnation) -> bool {
        matches!(self.lives.get(&node), Some(Life::Up { .. }))
    }

    /// Ends a node; says whether it was up.
    pub(crate) fn end(&mut self, node: Incarnation, now: u64) -> bool {
        let Some(life @ Life::Up { .. }) = self.lives.get_mut(&node) else { return false };
        *life = Life::Ended { at: now };
        self.lives.retain(|_, life| match life {
            Life::Up { .. } => true,
            Life::Ended { at } => now.saturating_sub(*at) < FORGOTTEN,
        });
        true
    }

    /// Those that are up, in the order of their lives.
    pub(crate) fn up(&self) -> impl Iterator<Item = NodeUp> + '_ {
        self.lives.iter().filter_map(|(node, life)| match life {
            Life::Up { group: _, name, speaks } => {
                Some(NodeUp { node: *node, name: name.clone(), speaks: *speaks })
            }
            Life::Ended { .. } => None,
        })
    }

    /// The format that groups are written in.
    pub(crate) const fn level(&self) -> u16 {
        self.level
    }

    /// Goes over to a newer format, if all that are up read it.
    pub(crate) fn speak(&mut self, level: u16) -> bool {
        let may = level > self.level && self.up().all(|node| node.speaks >= level);
        if may {
            self.level = level;
        }
        may
    }
}

impl Default for Nodes {
    fn default() -> Self {
        Self { lives: BTreeMap::new(), level: 1 }
    }
}

impl Digest for Life {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Up { group, name, speaks } => {
                to.add(&true).add(group).add(name).add(&u64::from(*speaks))
            }
            Self::Ended { at } => to.add(&false).add(at),
        };
    }
}

impl Digest for Nodes {
    fn digest(&self, to: &mut Digester) {
        let Self { lives, level } = self;
        to.add(lives).add(&u64::from(*level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Incarnation = Incarnation(7);

    fn up(read_to: u64) -> Up {
        Up { read_to, speaks: 1, ..Up::default() }
    }

    #[test]
    fn a_group_counts_once_in_its_order_and_while_its_node_is_up() {
        let mut nodes = Nodes::default();
        assert!(!nodes.admits(NODE, 1, None, 0), "nobody knows it");
        assert!(nodes.admits(NODE, 1, Some(&up(0)), 0));
        assert!(!nodes.admits(NODE, 1, Some(&up(0)), 0), "again");
        assert!(nodes.admits(NODE, 3, None, 0), "what it did not get in between is gone");
        assert!(!nodes.admits(NODE, 2, None, 0), "late");
        assert!(nodes.end(NODE, 0) && !nodes.end(NODE, 0));
        assert!(!nodes.admits(NODE, 4, None, 0), "fenced");
        assert!(!nodes.admits(NODE, 1, Some(&up(0)), 0), "one that has ended does not start");
        assert!(nodes.admits(Incarnation(8), 1, Some(&up(0)), 0));
    }

    #[test]
    fn a_node_that_has_ended_is_forgotten_and_does_not_come_back() {
        let mut nodes = Nodes::default();
        assert!(nodes.admits(NODE, 1, Some(&up(5)), 5) && nodes.end(NODE, 5));
        let (other, later) = (Incarnation(8), 5 + FORGOTTEN);
        assert!(nodes.admits(other, 1, Some(&up(later)), later));
        assert!(nodes.end(other, later) && nodes.lives.len() == 1, "only the newest is remembered");
        assert!(!nodes.admits(NODE, 1, Some(&up(5)), later), "its first group once more");
    }

    #[test]
    fn a_newer_format_is_spoken_when_all_who_are_up_read_it() {
        let mut nodes = Nodes::default();
        let (old, new) = (up(0), Up { speaks: 3, name: "b".into(), ..Up::default() });
        assert!(nodes.admits(NODE, 1, Some(&old), 0));
        assert!(nodes.admits(Incarnation(8), 1, Some(&new), 0));
        assert!(!nodes.speak(2), "one does not read it");
        assert!(nodes.end(NODE, 0) && nodes.speak(2));
        assert!(!nodes.speak(2) && !nodes.speak(1) && !nodes.speak(4), "never back, never beyond");
        assert_eq!(nodes.level(), 2);
        assert!(!nodes.admits(Incarnation(9), 1, Some(&old), 0), "it could not read on");
        let all: Vec<_> = nodes.up().collect();
        assert_eq!(all, [NodeUp { node: Incarnation(8), name: "b".into(), speaks: 3 }]);
    }
}
