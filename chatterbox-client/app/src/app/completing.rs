//! Completion of what is typed, with the names and commands that there are now.

use std::collections::HashMap;

use super::App;
use crate::complete::{Completion, Vocabulary, begins, word_before};
use crate::model::Conversation;

/// Of those who could be meant, so many are looked at: more than are ever shown.
const LIKELY: usize = 100;

impl App {
    /// What the word before the cursor can become, as the user has asked (by Tab); `cursor` is in bytes.
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        self.vocabulary_at(line, cursor, true).complete(line, cursor)
    }

    /// What can be shown of it while the user types, without being asked.
    pub fn offer(&self, line: &str, cursor: usize) -> Completion {
        self.vocabulary_at(line, cursor, false).offer(line, cursor)
    }

    /// The vocabulary for one word: nobody is looked for where no name can stand, as behind nearly every key.
    fn vocabulary_at(&self, line: &str, cursor: usize, is_asked: bool) -> Vocabulary {
        let before = line.get(..cursor).unwrap_or_default();
        let word = before.get(word_before(before)..).unwrap_or_default();
        let vocabulary = self.vocabulary_without_users();
        if !vocabulary.may_name_users(before, word, is_asked) {
            return vocabulary;
        }
        let users = self.users_for(word.strip_prefix('@').unwrap_or(word), LIKELY);
        Vocabulary { users, ..vocabulary }
    }

    fn vocabulary_without_users(&self) -> Vocabulary {
        Vocabulary {
            users: Vec::new(),
            rooms: self.session.rooms().map(|room| room.name.as_wire().to_owned()).collect(),
            catalogue: self.catalogue.clone(),
            has: self.has(),
        }
    }

    /// Those users whose names begin with `typed`, at most so many.
    fn users_for(&self, typed: &str, most: usize) -> Vec<String> {
        let speakers = self.speakers();
        let place = |name: &str| speakers.get(name).copied().unwrap_or(usize::MAX);
        let mut users: Vec<(usize, String, String)> = Vec::new();
        for user in self.session.users() {
            let name = user.as_wire();
            if begins(name, typed) && self.me() != Some(name) {
                users.push((place(name), name.to_lowercase(), name.to_owned()));
            }
            // A crowd is sorted in parts, so that no more than twice what is wanted is ever kept.
            if users.len() >= most * 2 {
                users.sort_unstable();
                users.truncate(most);
            }
        }
        users.sort_unstable();
        users.truncate(most);
        users.into_iter().map(|(_, _, name)| name).collect()
    }

    /// Who has spoken last in the conversation in front: 0 is the last one.
    fn speakers(&self) -> HashMap<&str, usize> {
        let target = self.front.at().target();
        let conversation = self.model.as_ref().and_then(|model| model.conversation(&target));
        let speakers = conversation.into_iter().flat_map(Conversation::recent_speakers);
        speakers.enumerate().map(|(place, speaker)| (speaker.as_str(), place)).collect()
    }
}
