//! Other nodes that are called like this one: operators tell nodes apart by their names, and two that have one would be taken for one
//! that was restarted.

use std::collections::BTreeMap;

use chatterbox_hub::{Incarnation, NodeUp};

/// A life that is heard so often goes on. Of a process that has ended one group may come round yet, since it has one under way at a
/// time.
const ALIVE: u32 = 2;

/// The lives of a name that were up when this node looked, and how often each was heard since.
#[derive(Debug, Default)]
pub(super) struct Namesakes(BTreeMap<Incarnation, u32>);

impl Namesakes {
    /// Those of all nodes that are up, beside this life.
    pub(super) fn of(name: &str, own: Incarnation, up: impl IntoIterator<Item = NodeUp>) -> Self {
        let namesakes = up.into_iter().filter(|up| *up.name == *name && up.node != own);
        Self(namesakes.map(|up| (up.node, 0)).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something of a node that counts has come round. Says whether it is one of these, and goes on.
    pub(super) fn hear(&mut self, from: Incarnation) -> bool {
        let heard = self.0.get_mut(&from).map(|heard| {
            *heard = heard.saturating_add(1);
            *heard
        });
        heard.is_some_and(|heard| heard >= ALIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_heard_twice_lives_and_others_do_not_matter() {
        let up =
            |node, name: &str| NodeUp { node: Incarnation(node), name: name.into(), speaks: 1 };
        let all = [up(1, "a"), up(2, "b"), up(3, "a"), up(4, "A")];
        let mut namesakes = Namesakes::of("a", Incarnation(3), all.clone());
        assert!(!namesakes.is_empty());
        for other in [2, 3, 4, 5] {
            assert!((0..9).all(|_| !namesakes.hear(Incarnation(other))), "{other}");
        }
        assert!(!namesakes.hear(Incarnation(1)), "what was on its way");
        assert!(namesakes.hear(Incarnation(1)));
        assert!(Namesakes::of("c", Incarnation(3), all).is_empty());
    }
}
