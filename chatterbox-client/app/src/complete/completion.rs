//! The result of a completion, and how candidates are told from what does not fit.

use chatterbox_proto::ScreenText;

/// At most so many candidates are given.
pub(super) const CANDIDATES: usize = 50;

/// The most characters of a candidate, and of a text about one.
const WORD: usize = 100;
const NOTE: usize = 200;

/// What a word can become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is put in the place of the word, a blank behind it where another word follows.
    pub text: String,
    /// What is shown in a list.
    pub shown: ScreenText,
    /// What it means.
    pub note: ScreenText,
}

/// The completion at a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The part of the line that a candidate replaces, in bytes.
    pub from: usize,
    /// The end of that part.
    pub to: usize,
    /// The candidates: by rank, then by name; at most 50.
    pub candidates: Vec<Candidate>,
    /// Of a command whose arguments are typed: its usage, and what is known of the argument at the cursor.
    pub about: Vec<ScreenText>,
}

impl Completion {
    /// What can be put in the place of the word without choosing: the one candidate, or what those begin with that begin like the
    /// best one, without regard to case, if that is more than was typed.
    pub fn common_prefix(&self) -> Option<&str> {
        let (best, others) = self.candidates.split_first()?;
        let typed = self.to.saturating_sub(self.from);
        // Those that have what was typed somewhere inside have no say.
        let beginning = best.text.get(..typed).unwrap_or_default();
        let mut common = best.text.as_str();
        for other in others.iter().filter(|other| begins(&other.text, beginning)) {
            let mut theirs = other.text.chars();
            let alike = |c: &char| theirs.next().is_some_and(|other| same(*c, other));
            let bytes = common.chars().take_while(alike).map(char::len_utf8).sum();
            common = common.get(..bytes)?;
        }
        (common.len() > typed).then_some(common)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.about.is_empty()
    }

    /// Adds a candidate, unless it is there or there are enough. A name that would become another text when it is typed, or that
    /// can't be shown as it is, is none.
    pub(super) fn add(&mut self, word: &str, behind: &str, shown: &str, note: &str) {
        let text = format!("{word}{behind}");
        if self.candidates.len() < CANDIDATES
            && is_word(word)
            && !self.candidates.iter().any(|known| known.text == text)
        {
            let shown = ScreenText::shortened(shown, WORD);
            self.candidates.push(Candidate { text, shown, note: about(note) });
        }
    }
}

/// A text about a candidate.
pub(super) fn about(text: &str) -> ScreenText {
    ScreenText::shortened(text, NOTE)
}

/// Whether a name begins with this, without regard to case.
pub(crate) fn begins(name: &str, typed: &str) -> bool {
    let mut name = name.chars().flat_map(char::to_lowercase);
    typed.chars().flat_map(char::to_lowercase).all(|c| name.next() == Some(c))
}

fn same(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

/// Whether a name is one word of ordinary characters.
fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.chars().nth(WORD).is_none()
        && !name.contains(char::is_whitespace)
        && ScreenText::new(name).as_str() == name
}
