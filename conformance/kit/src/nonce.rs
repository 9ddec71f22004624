//! Names and texts that nobody else uses, so that a case recognises its own traffic.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A source of nonces; the same seed and case give the same sequence.
#[derive(Debug)]
pub struct Nonces {
    random: StdRng,
}

impl Nonces {
    /// The nonces of one case in a run with this seed.
    #[must_use]
    pub fn new(seed: u64, case: &str) -> Self {
        // FNV-1a: the standard hasher may change between versions, a seed must not.
        let hash = case.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { random: StdRng::seed_from_u64(seed ^ hash) }
    }

    /// A user name: the role and seven letters or digits, short plain ASCII that every server takes.
    pub fn name(&mut self, role: &str) -> String {
        let head: String = role.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        format!("{head}{}", self.letters(7))
    }

    /// A text that can't occur by accident.
    pub fn text(&mut self, about: &str) -> String {
        format!("{about} {}", self.letters(12))
    }

    /// A number that can't occur by accident.
    pub fn number(&mut self) -> u32 {
        self.random.random_range(100_000_000..2_000_000_000)
    }

    /// So many random letters and digits.
    pub fn letters(&mut self, count: usize) -> String {
        (0..count)
            .filter_map(|_| LETTERS.get(self.random.random_range(0..LETTERS.len())))
            .map(|byte| char::from(*byte))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_cases_differ() {
        assert_eq!(Nonces::new(7, "a").name("ann"), Nonces::new(7, "a").name("ann"));
        assert_ne!(Nonces::new(7, "a").name("ann"), Nonces::new(7, "b").name("ann"));
        let name = Nonces::new(7, "a").name("a very long role");
        assert!(name.len() <= 20 && name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    }
}
