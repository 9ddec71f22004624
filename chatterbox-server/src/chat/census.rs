//! What the chat is like at a moment, for whoever runs the server.

use chatterbox_hub::{AccountChange, Identity, LoggedIn, Proposal};
use chatterbox_proto::{RoomName, Username};

use crate::chat::shared::Chat;

/// A room, and how many are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedRoom {
    /// Its name.
    pub name: RoomName,
    /// Its owner's account.
    pub owner: Option<Username>,
    /// How many are its members, here or away.
    pub members: usize,
    /// How many connections are told what happens in it.
    pub here: usize,
    /// Whether it is unknown to who is not a member.
    pub hidden: bool,
}

/// What the chat is like at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// How many are here.
    pub user_count: usize,
    /// Those of them who joined first, as many as were asked for.
    pub users: Vec<Identity>,
    /// How many rooms there are beside the lobby.
    pub room_count: usize,
    /// The oldest of them, as many as were asked for.
    pub rooms: Vec<CountedRoom>,
    /// The bytes that wait for members.
    pub waiting: usize,
    /// How many may.
    pub waiting_limit: usize,
}

impl Chat {
    /// What the chat is like now, with so many users and rooms at most.
    pub fn census(&self, limit: usize) -> Census {
        let hub = self.hub();
        let rooms = hub.room_counts();
        Census {
            user_count: hub.members(),
            users: hub.users().take(limit).cloned().collect(),
            room_count: rooms.len(),
            rooms: rooms
                .take(limit)
                .map(|room| CountedRoom {
                    name: room.definition.name.clone(),
                    owner: room.definition.owner.as_ref().map(|owner| owner.name.clone()),
                    members: room.members,
                    here: room.here,
                    hidden: room.definition.settings.hidden,
                })
                .collect(),
            waiting: hub.waiting(),
            waiting_limit: hub.waiting_limit(),
        }
    }

    /// The accounts of this name that somebody is logged in with: one at most, or also an earlier one that was removed a moment
    /// ago.
    pub fn accounts_named(&self, name: &Username) -> Vec<LoggedIn> {
        let hub = self.hub();
        let mut found: Vec<LoggedIn> = Vec::new();
        let named = hub.users().filter_map(|user| user.login.as_ref());
        for login in named.filter(|login| login.account == *name) {
            if !found.iter().any(|other| other.is_same_account(login)) {
                found.push(login.clone());
            }
        }
        found
    }

    /// Ends the logins that a change of an account has ended, and waits until they are.
    pub async fn end_logins(&self, change: AccountChange) {
        // It is never refused; when the sequencer has ended, so has the chat.
        let _ = self.change(Proposal::EndLogins(change)).await;
    }
}
