//! The levels of users, what is written down, and who is muted: what every act of moderation asks the chat.

use conformance_suite::fault::Fault;

use super::{
    super::{accounts::skeleton, state::Party},
    records::Line,
    sanctions::{Kind, On, Sanction},
};
use crate::chat::{Chat, Member};

/// The account of level 5 that every mutant has, and its password.
pub const STAFF: (&str, &str) = ("judge", "what only the judge knows");
const HIGHEST: u8 = 5;

impl Chat {
    /// Makes the account of level 5.
    pub(crate) fn hire(&mut self) {
        let (name, password) = STAFF;
        if self.register(name, password) {
            self.moderation.levels.insert(name.to_owned(), HIGHEST);
        }
    }

    /// The level of an account, or of a guest, on the server.
    pub(crate) fn level_of(&self, account: Option<&str>) -> u8 {
        account.map_or(0, |name| self.moderation.levels.get(name).copied().unwrap_or(1))
    }

    /// The level of who is behind a connection.
    pub(crate) fn level_here(&self, connection: u64) -> Option<u8> {
        self.member(connection).map(|member| self.level_of(member.account.as_deref()))
    }

    /// The greater one of the level on the server and the one in a room.
    pub(super) fn level_in(&self, party: &Party, room: Option<u64>) -> u8 {
        let account = match party {
            Party::Account(name) => Some(name.as_str()),
            Party::Guest(_) => None,
        };
        let there = room.and_then(|room| self.level_in_room(party, room));
        self.level_of(account).max(there.unwrap_or_default())
    }

    /// Writes down what somebody is about to do.
    pub(super) fn write_down(&mut self, line: Line) {
        let f = self.faults.clone();
        if line.act == "kick" && f.acts(Fault::AuditMissing) {
            return;
        }
        if f.acts(Fault::AuditTwice) {
            self.moderation.audit.push(line.clone());
        }
        self.moderation.audit.push(line);
    }

    /// The sanction that keeps somebody from writing in a scope, or in the lobby and everywhere.
    pub(crate) fn mute_of(&self, member: &Member, room: Option<u64>) -> Option<&Sanction> {
        let f = &self.faults;
        if f.acts(Fault::MuteIgnored) {
            return None;
        }
        let party = member.party();
        let name = skeleton(&member.name);
        let hits = |sanction: &&Sanction| match &sanction.on {
            On::Account(own) => party == Party::Account(own.clone()),
            On::Session(token) => *token == member.token,
            On::Name(own) => {
                *own == name && (member.account.is_none() || f.acts(Fault::MuteShedByNick))
            }
            On::Connection(own) => *own == member.connection,
            On::Network { .. } => false,
        };
        let mutes = self.moderation.sanctions.iter().filter(|sanction| {
            let scope = sanction.room.is_none()
                || sanction.room == room
                || (room.is_none() && f.acts(Fault::MuteEverywhere));
            let holds = sanction.holds() || f.acts(Fault::MuteForever);
            sanction.kind == Kind::Mute && scope && holds
        });
        mutes.filter(hits).max_by_key(|sanction| sanction.until.unwrap_or(i64::MAX))
    }
}
