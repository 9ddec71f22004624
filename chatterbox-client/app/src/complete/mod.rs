//! Completion: what the word at the cursor can become, and what is known of it.

mod vocabulary;

pub use vocabulary::Vocabulary;

use chatterbox_proto::ScreenText;

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
    /// The candidates: by rank, then by name.
    pub candidates: Vec<Candidate>,
    /// Of a command whose arguments are typed: its usage, and what is known of the argument at the cursor.
    pub about: Vec<ScreenText>,
}
