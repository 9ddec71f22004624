//! The words of the audit log.

use std::fmt;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Somebody was sent away, from the server or a room.
    Kick,
    /// Somebody may not write.
    Mute,
    /// Somebody may write again.
    Unmute,
    /// Somebody is kept out.
    Ban,
    /// Somebody is kept out no longer.
    Unban,
    /// Users of a room have to wait between messages.
    Slow,
    /// Something was said in the name of the server.
    Broadcast,
    /// The history of a room is not shown any more.
    Clear,
    /// Messages of others were removed.
    DeleteMessages,
    /// Somebody has another level, on the server or in a room.
    SetLevel,
    /// Somebody is an admin by the admin password.
    Elevate,
    /// An account was made by somebody else than its owner.
    AddAccount,
    /// An account was removed by somebody else than its owner.
    RemoveAccount,
    /// An account has another password, by somebody else than its owner.
    SetPassword,
    /// The admin password was set or removed.
    SetAdminPassword,
    /// A room has other settings.
    SetRoom,
    /// A room was deleted.
    DeleteRoom,
    /// People without an account may join, or may not.
    Guests,
    /// Commands begin with something else.
    SetPrefix,
    /// A command was switched off.
    DisableCommand,
    /// A command was switched on.
    EnableCommand,
    /// The settings were read again.
    Reload,
    /// The server was stopped.
    Shutdown,
    /// A report was dealt with.
    CloseReport,
    /// Something that another version of this program knows.
    Other,
}

/// Each act and its word. Words are stored, so they are for ever.
const WORDS: &[(Act, &str)] = &[
    (Act::Kick, "kick"),
    (Act::Mute, "mute"),
    (Act::Unmute, "unmute"),
    (Act::Ban, "ban"),
    (Act::Unban, "unban"),
    (Act::Slow, "slow"),
    (Act::Broadcast, "broadcast"),
    (Act::Clear, "clear"),
    (Act::DeleteMessages, "delete-messages"),
    (Act::SetLevel, "set-level"),
    (Act::Elevate, "elevate"),
    (Act::AddAccount, "add-account"),
    (Act::RemoveAccount, "remove-account"),
    (Act::SetPassword, "set-password"),
    (Act::SetAdminPassword, "set-admin-password"),
    (Act::SetRoom, "set-room"),
    (Act::DeleteRoom, "delete-room"),
    (Act::Guests, "guests"),
    (Act::SetPrefix, "set-prefix"),
    (Act::DisableCommand, "disable-command"),
    (Act::EnableCommand, "enable-command"),
    (Act::Reload, "reload"),
    (Act::Shutdown, "shutdown"),
    (Act::CloseReport, "close-report"),
];

const OTHER: &str = "other";

impl Act {
    /// The word for it.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(act, _)| *act == self).map_or(OTHER, |(_, word)| word)
    }

    /// Reads the word of a store.
    pub fn stored(word: &str) -> Self {
        WORDS.iter().find(|(_, of)| *of == word).map_or(Self::Other, |(act, _)| *act)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_a_word_of_its_own() {
        for (act, word) in WORDS {
            assert_eq!((act.word(), Act::stored(word)), (*word, *act));
        }
        assert_eq!(WORDS.len(), Act::Other as usize, "a new act needs a word");
        assert_eq!(Act::stored("of-the-next-version"), Act::Other);
    }
}
