//! The names that this user has had: an own private message comes back under the name that it was said under.

use std::collections::VecDeque;

/// The most names that are kept; of more the oldest goes.
const NAMES: usize = 64;

/// The names of this user while the program runs, folded, the newest last.
#[derive(Debug, Default)]
pub(crate) struct OwnNames(VecDeque<String>);

impl OwnNames {
    /// Notes the name that the user has now.
    pub(crate) fn note(&mut self, name: &str) {
        let name = name.to_lowercase();
        self.0.retain(|known| *known != name);
        self.0.push_back(name);
        if self.0.len() > NAMES {
            self.0.pop_front();
        }
    }

    /// Whether the user has, or had, this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_names_are_kept_each_once() {
        let mut names = OwnNames::default();
        for number in 0..1_000 {
            names.note("Ann");
            names.note(&format!("u{number}"));
        }
        assert_eq!(names.0.len(), NAMES);
        assert!(names.has("aNN") && names.has("U999") && !names.has("u0"));
    }
}
