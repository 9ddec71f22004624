//! The settings of one session.

use std::collections::BTreeMap;

use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::{Capabilities, Capability};

use crate::model::{Attention, Limits};
use crate::reconnect::ReconnectPolicy;
use crate::target::Target;

/// The capabilities that this client can use.
pub fn spoken() -> Capabilities {
    Capability::EVERY.iter().copied().collect()
}

/// The user's choices, and the kind of screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The name to join under; without it the user is asked.
    pub username: Option<String>,
    /// Whether every deviation of the server is reported, not only those that lose something.
    pub strict: bool,
    /// Whether own messages are shown when they are sent. On a terminal the typed line is there already.
    pub echo_own: bool,
    /// Whether a person can be asked again, for another name or for a password. Through pipes the next line is a
    /// message, which must not become anybody's name.
    pub interactive: bool,
    /// Whether a program reads the outputs: it gets those that a person has no use for.
    pub json: bool,
    /// Whether no file of this machine is read or written for the user, who may be anybody.
    pub restricted: bool,
    /// The capabilities that are offered to the server (CP-1).
    pub offer: Capabilities,
    /// The user's password, if it was given beforehand.
    pub password: Option<Secret>,
    /// Login tokens of earlier sessions, by name (AN-2).
    pub tokens: BTreeMap<String, Secret>,
    /// How many messages a welcome shall have at most (RC-1); without it all come.
    pub recent: Option<u16>,
    /// Whether a person is shown what is said in every room, not only in the one in front.
    pub all_rooms: bool,
    /// The bounds of the model that a screen shows; without it there is none.
    pub model: Option<Limits>,
    /// Whether a full screen shows the model: it has room for all that comes, and its own way to what is older.
    pub full_screen: bool,
    /// Of which conversations the user is told more than what names them, or less.
    pub attention: Vec<(Target, Attention)>,
    /// How a lost connection is tried again, if at all.
    pub reconnect: Option<ReconnectPolicy>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_has_what_it_needs() {
        assert_eq!(spoken(), spoken().complete());
        assert_eq!(spoken().iter().count(), Capability::EVERY.len());
    }
}
