//! Names in a text: users and rooms.

use chatterbox_proto::ALL;

use super::completion::{Completion, begins};
use super::vocabulary::Vocabulary;

impl Vocabulary {
    /// The names that a word of a text can become. `is_first` says that nothing is before it, so that it can say to whom the text
    /// goes; `is_asked` that the user has asked: any word may begin a name, and nobody wants a list at each of them.
    pub(super) fn names_in_text(
        &self,
        word: &str,
        is_first: bool,
        is_asked: bool,
        into: &mut Completion,
    ) {
        if let Some(typed) = word.strip_prefix('@') {
            self.add_users(typed, "@", " ", into);
            if is_first && begins(ALL, typed) {
                into.add("@ALL", " ", "@ALL", "everybody");
            }
        } else if self.has.rooms && word.starts_with('#') {
            self.add_rooms(word, " ", into);
        } else if is_asked && !word.is_empty() {
            self.add_users(word, "", if is_first { ": " } else { " " }, into);
        }
    }

    /// The users whose names begin with this, those who spoke last first; an exact name is the first of all.
    pub(super) fn add_users(&self, typed: &str, sign: &str, behind: &str, into: &mut Completion) {
        let is_exact = |name: &&String| begins(typed, name);
        let fits = || self.users.iter().filter(|name| !name.is_empty() && begins(name, typed));
        for name in fits().filter(is_exact).chain(fits()) {
            let name = format!("{sign}{name}");
            into.add(&name, behind, &name, "");
        }
    }

    /// The rooms whose names begin with this, with their sign or without.
    pub(super) fn add_rooms(&self, typed: &str, behind: &str, into: &mut Completion) {
        for room in &self.rooms {
            let name = room.strip_prefix('#').unwrap_or(room);
            if begins(room, typed) || begins(name, typed) {
                into.add(room, behind, room, "");
            }
        }
    }
}
