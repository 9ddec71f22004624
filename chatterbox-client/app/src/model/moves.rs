//! Comings and goings in a row, as one item that is rewritten in place.

use chatterbox_proto::ScreenText;

use crate::moves_words::push;

/// So many names of each kind are kept; of a crowd the others are only counted.
const NAMES: usize = 20;

/// Who came and went, one after the other: of a user who came and went again nothing is left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// Who came, the first of them by name.
    pub joined: Vec<ScreenText>,
    /// How many others came.
    pub more_joined: usize,
    /// Who went, the first of them by name.
    pub left: Vec<ScreenText>,
    /// How many others went.
    pub more_left: usize,
}

impl Moves {
    pub(super) fn add(&mut self, name: ScreenText, joined: bool) {
        let (to, more, other) = if joined {
            (&mut self.joined, &mut self.more_joined, &mut self.left)
        } else {
            (&mut self.left, &mut self.more_left, &mut self.joined)
        };
        match other.iter().position(|known| *known == name) {
            Some(place) => drop(other.remove(place)),
            None if to.len() < NAMES => to.push(name),
            None => *more += 1,
        }
    }

    /// `bob and cyd joined; eve left`, in the words of the other outputs.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        let sides =
            [(&self.joined, self.more_joined, " joined"), (&self.left, self.more_left, " left")];
        for (names, more, what) in sides {
            if !names.is_empty() && !words.is_empty() {
                words.push("; ".to_owned());
            }
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let count = names.len() + more;
            push(&mut words, names, count, what);
        }
        if words.is_empty() { "somebody came and went".to_owned() } else { words.concat() }
    }

    /// Whether nothing is left of them.
    pub(super) fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.left.is_empty() && self.more_joined + self.more_left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_user_who_came_and_went_again_nothing_is_left() {
        let mut moves = Moves::default();
        let bob = || ScreenText::new("bob");
        moves.add(bob(), true);
        moves.add(ScreenText::new("eve"), false);
        moves.add(bob(), false);
        assert_eq!((moves.joined.len(), moves.left.len()), (0, 1));
        moves.add(ScreenText::new("eve"), true);
        assert!(moves.is_empty());
    }

    #[test]
    fn a_crowd_that_comes_is_one_short_line() {
        let names = |count: usize| (0..count).map(|n| ScreenText::new(&format!("u{n}"))).collect();
        for (joined, more_joined, left, words) in [
            (1, 0, 0, "u0 joined"),
            (2, 0, 1, "u0 and u1 joined; u0 left"),
            (4, 0, 0, "u0, u1, u2 and u3 joined"),
            (5, 0, 9_000, "u0, u1 and 3 others joined; u0, u1 and 8998 others left"),
            (1, 4, 0, "u0 and 4 others joined"),
            (0, 0, 0, "somebody came and went"),
        ] {
            let (joined, left) = (names(joined), names(left));
            let moves = Moves { joined, more_joined, left, more_left: 0 };
            assert_eq!(moves.words(), words);
        }
    }

    #[test]
    fn of_a_crowd_only_some_names_are_kept() {
        let mut moves = Moves::default();
        for number in 0..10_000 {
            moves.add(ScreenText::new(&format!("user{number}")), true);
        }
        assert_eq!((moves.joined.len(), moves.more_joined), (NAMES, 10_000 - NAMES));
        moves.add(ScreenText::new("user3"), false);
        moves.add(ScreenText::new("user5000"), false);
        assert_eq!((moves.joined.len(), moves.left.len()), (NAMES - 1, 1));
    }
}
