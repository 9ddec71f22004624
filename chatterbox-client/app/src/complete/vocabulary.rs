//! The vocabulary of a chat: the names and commands by which words are completed. It is a copy, so an editor can hold it
//! while the chat goes on; the commands, of which there are many, are shared.

use std::sync::Arc;

use super::completion::Completion;
use crate::commands::{Catalogue, SLASH};
use crate::own::Has;

/// The names and commands of a chat at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    /// The users who are here, those who spoke last first, then by name.
    pub users: Vec<String>,
    /// The rooms of this user.
    pub rooms: Vec<String>,
    pub(crate) catalogue: Option<Arc<Catalogue>>,
    pub(crate) has: Has,
}

impl Vocabulary {
    /// What the word before the cursor can become, as the user has asked (by Tab); `cursor` is in bytes.
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        self.look_up(line, cursor, true)
    }

    /// What can be shown of it while the user types, without being asked: names only behind their sign.
    pub fn offer(&self, line: &str, cursor: usize) -> Completion {
        self.look_up(line, cursor, false)
    }

    /// Whether a user can be named by the word at the end of this.
    pub(crate) fn may_name_users(&self, before: &str, word: &str, is_asked: bool) -> bool {
        match self.prefix_of(before) {
            Some(_) => word.len() < before.len(),
            None => word.starts_with('@') || is_asked && !word.is_empty(),
        }
    }

    fn look_up(&self, line: &str, cursor: usize, is_asked: bool) -> Completion {
        let Some((before, behind)) = line.split_at_checked(cursor) else {
            return Completion::default();
        };
        let from = word_before(before);
        let word = before.get(from..).unwrap_or_default();
        let mut completion = Completion { from, to: cursor, ..Completion::default() };
        match self.prefix_of(before) {
            Some(prefix) if from == 0 => {
                let typed = word.strip_prefix(prefix).unwrap_or(word);
                self.add_commands(prefix, prefix, typed, true, &mut completion);
            }
            Some(prefix) => {
                let typed = before.get(prefix.len()..from).unwrap_or_default();
                self.behind_command(prefix, typed, word, is_asked, &mut completion);
            }
            None => self.names_in_text(word, from == 0, is_asked, &mut completion),
        }
        if behind.starts_with(char::is_whitespace) {
            for candidate in &mut completion.candidates {
                candidate.text.truncate(candidate.text.trim_end().len());
            }
        }
        completion
    }

    /// What is typed before a command of the server.
    pub(super) fn prefix(&self) -> &str {
        self.catalogue.as_ref().map_or(SLASH, |catalogue| catalogue.prefix())
    }

    /// The prefix that makes a command of a line. Twice the prefix is a text that begins with it.
    fn prefix_of(&self, line: &str) -> Option<&str> {
        let is_command =
            |prefix: &&str| line.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(prefix));
        Some(self.prefix()).filter(is_command).or_else(|| Some(SLASH).filter(is_command))
    }

    /// What the word behind a command and others can become; `typed` is all before the word, without the prefix.
    fn behind_command(
        &self,
        prefix: &str,
        typed: &str,
        word: &str,
        is_asked: bool,
        into: &mut Completion,
    ) {
        let mut words = typed.split_whitespace();
        let name = words.next().unwrap_or_default();
        let words: Vec<_> = words.collect();
        let theirs = self.catalogue.as_deref().and_then(|c| Some((c, c.find(name)?)));
        let own = self.own().find(|own| prefix == SLASH && own.name == name);
        match (own, theirs) {
            // With arguments, it is the server's.
            (Some(own), Some((catalogue, command))) if own.is_theirs_with_arguments => {
                self.arguments(catalogue, command, &words, word, is_asked, into);
            }
            (Some(own), _) => self.own_arguments(own, &words, word, into),
            (None, Some((catalogue, command))) => {
                self.arguments(catalogue, command, &words, word, is_asked, into);
            }
            (None, None) => {}
        }
    }
}

/// The place where the last word of a text begins, in bytes.
pub(crate) fn word_before(text: &str) -> usize {
    let blank = text.char_indices().rev().find(|(_, c)| c.is_whitespace());
    blank.map_or(0, |(at, c)| at + c.len_utf8())
}
