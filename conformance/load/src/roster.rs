//! Checks presence as each user sees it: `USER_LIST` and the notices together have to cover everybody, nobody twice.

use serde::{Deserialize, Serialize};

/// Violations in the notices, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFaults {
    /// Users whom a member was never told of.
    pub joins_missing: u64,
    /// Users whom a member was told of again, or who are listed twice.
    pub joins_doubled: u64,
    /// Users whose leaving a member was not told of.
    pub leaves_missing: u64,
    /// Users whose leaving was told again.
    pub leaves_doubled: u64,
    /// Users who were said to leave, and had never come or are still there.
    pub leaves_false: u64,
}

impl NoticeFaults {
    /// How many in all.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        let Self { joins_missing, joins_doubled, leaves_missing, leaves_doubled, leaves_false } =
            *self;
        joins_missing + joins_doubled + leaves_missing + leaves_doubled + leaves_false
    }

    /// Adds what another part of the run found.
    pub const fn add(&mut self, other: &Self) {
        self.joins_missing += other.joins_missing;
        self.joins_doubled += other.joins_doubled;
        self.leaves_missing += other.leaves_missing;
        self.leaves_doubled += other.leaves_doubled;
        self.leaves_false += other.leaves_false;
    }
}

/// One bit a user, as many as were named.
#[derive(Debug, Clone, Default)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    const fn place(user: u32) -> (usize, u64) {
        ((user / 64) as usize, 1 << (user % 64))
    }

    /// Sets a bit; whether it was set before.
    pub fn set(&mut self, user: u32) -> bool {
        let (word, bit) = Self::place(user);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let Some(word) = self.words.get_mut(word) else { return false };
        let before = *word & bit != 0;
        *word |= bit;
        before
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn has(&self, user: u32) -> bool {
        let (word, bit) = Self::place(user);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// Whom one member knows.
#[derive(Debug, Default)]
pub struct Roster {
    own: u32,
    came: Bits,
    went: Bits,
    residents: u32,
    known: u32,
    /// Violations in the notices that it received.
    pub faults: NoticeFaults,
}

impl Roster {
    /// A member who knows itself only; users with a number below `residents` are those who stay.
    #[must_use]
    pub fn new(own: u32, residents: u32) -> Self {
        let mut came = Bits::default();
        came.set(own);
        Self { own, came, residents, known: u32::from(own < residents), ..Self::default() }
    }

    /// How many of those who stay it has been told of, itself included.
    #[must_use]
    pub const fn known(&self) -> u32 {
        self.known
    }

    /// Takes `USER_LIST`. Whether it holds the user who joins is open (`UL-5`).
    pub fn listed(&mut self, users: &[u32]) {
        let mut own = 0;
        for user in users {
            if *user == self.own {
                own += 1;
            } else {
                self.came(*user);
            }
        }
        self.faults.joins_doubled += u64::from(own > 1);
    }

    /// Takes `USERS_JOINED`. Whether one is told of oneself is open (`UJ-3`).
    pub fn joined(&mut self, users: &[u32]) {
        let own = self.own;
        for user in users.iter().filter(|user| **user != own) {
            self.came(*user);
        }
    }

    fn came(&mut self, user: u32) {
        if self.came.set(user) {
            self.faults.joins_doubled += 1;
        } else if user < self.residents {
            self.known += 1;
        }
    }

    /// Whether it was told of somebody.
    #[must_use]
    pub fn knows(&self, user: u32) -> bool {
        self.came.has(user)
    }

    /// Whether it was told that somebody left.
    #[must_use]
    pub fn has_lost(&self, user: u32) -> bool {
        self.went.has(user)
    }

    /// Takes `USERS_LEFT`.
    pub fn left(&mut self, users: &[u32]) {
        for user in users {
            if *user == self.own || !self.came.has(*user) {
                self.faults.leaves_false += 1;
            } else if self.went.set(*user) {
                self.faults.leaves_doubled += 1;
            }
        }
    }

    /// Looks whether it was told of somebody who was there, and of their leaving if they left.
    pub fn settle(&mut self, user: u32, has_left: bool) {
        self.faults.joins_missing += u64::from(!self.came.has(user));
        match (has_left, self.went.has(user)) {
            (true, false) => self.faults.leaves_missing += 1,
            (false, true) => self.faults.leaves_false += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_once_is_right() {
        let mut roster = Roster::new(2, 400);
        roster.listed(&[0, 1, 2]);
        roster.joined(&[2]);
        roster.joined(&[3, 400]);
        roster.left(&[1]);
        assert_eq!(roster.known(), 4);
        for (user, left) in [(0, false), (1, true), (2, false), (3, false), (400, false)] {
            roster.settle(user, left);
        }
        assert_eq!(roster.faults, NoticeFaults::default());
    }

    #[test]
    fn every_mistake_has_its_name() {
        let mut roster = Roster::new(0, 100);
        roster.listed(&[0, 0, 1, 1]);
        roster.joined(&[1, 5]);
        roster.left(&[5, 5, 6, 1]);
        roster.settle(1, false);
        roster.settle(5, true);
        roster.settle(7, true);
        let expected = NoticeFaults {
            joins_missing: 1,
            joins_doubled: 3,
            leaves_missing: 1,
            leaves_doubled: 1,
            leaves_false: 2,
        };
        assert_eq!((roster.faults, roster.faults.sum()), (expected, 8));
    }
}
