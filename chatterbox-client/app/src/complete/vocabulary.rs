//! The vocabulary of a chat: the names and commands by which words are completed. It is a copy, so an editor can hold it
//! while the chat goes on.

use super::Completion;

/// The names and commands of a chat at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    /// The users who are here, those who spoke last first.
    pub users: Vec<String>,
    /// The rooms of this user, then the others that are known.
    pub rooms: Vec<String>,
}

impl Vocabulary {
    /// What the word at the cursor can become; `cursor` is in bytes.
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        let _ = (line, cursor);
        Completion::default()
    }
}
