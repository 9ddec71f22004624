//! Words of the engine and of its client, as they may be shown: in one line, and not too many of them.

use std::fmt::Display;

/// The characters that are shown of what somebody else has said.
const MOST: usize = 300;

/// What it says, without what a terminal would obey.
pub fn said(what: impl Display) -> String {
    let text = what.to_string();
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().take(MOST).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_says_stays_in_its_line() {
        assert_eq!(said("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(said("x".repeat(1000)).len(), MOST);
    }
}
