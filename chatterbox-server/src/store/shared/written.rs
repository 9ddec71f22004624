//! Entries of the audit log, sanctions and reports, as they stand in the order.

use chatterbox_hub::{AccountRef, Network, RoomNumber, RoomRef, SanctionKind, SanctionSubject};
use chatterbox_proto::{RoomName, Username};
use serde::{Deserialize, Serialize};

use crate::moderation::{About, Act, AuditEntry, NewReport, NewSanction};
use crate::store::shared::not_understood::NotUnderstood;

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenAudit {
    at: i64,
    by: String,
    by_account: Option<i64>,
    act: String,
    /// The text, and whether it is an address.
    about: Option<(String, bool)>,
    room: Option<WrittenRoom>,
    detail: String,
    reason: String,
    until: Option<i64>,
}

/// The number and the name of a room.
type WrittenRoom = (u64, String);

fn written_room(room: &RoomRef) -> WrittenRoom {
    (room.number.0, room.name.as_str().to_owned())
}

fn read_room((number, name): WrittenRoom) -> RoomRef {
    RoomRef { number: RoomNumber(number), name: RoomName::stored(&name) }
}

impl WrittenAudit {
    pub(super) fn of(entry: &AuditEntry) -> Self {
        let AuditEntry { id: _, at, by, by_account, act, about, room, detail, reason, until } =
            entry;
        let about = about.as_ref().map(|about| (about.text().to_owned(), about.is_address()));
        Self {
            at: *at,
            by: by.to_string(),
            by_account: *by_account,
            act: act.word().to_owned(),
            about,
            room: room.as_ref().map(written_room),
            detail: detail.to_string(),
            reason: reason.to_string(),
            until: *until,
        }
    }

    pub(super) fn read(self) -> AuditEntry {
        let Self { at, by, by_account, act, about, room, detail, reason, until } = self;
        AuditEntry {
            id: 0,
            at,
            by: (&*by).into(),
            by_account,
            act: Act::stored(&act),
            about: about.map(|(text, is_address)| About::stored(&text, is_address)),
            room: room.map(read_room),
            detail: (&*detail).into(),
            reason: (&*reason).into(),
            until,
        }
    }
}

/// A sanction that has no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenSanction {
    is_ban: bool,
    subject: WrittenSubject,
    about: String,
    room: Option<u64>,
    by: String,
    reason: String,
    since: i64,
    until: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum WrittenSubject {
    Account(i64, String),
    Name(String),
    Guest(String),
    Network(String, bool),
}

impl WrittenSanction {
    pub(super) fn of(new: &NewSanction) -> Self {
        let NewSanction { kind, subject, about, room, by, reason, since, until } = new;
        let subject = match subject {
            SanctionSubject::Account(account) => {
                WrittenSubject::Account(account.id, account.name.as_str().to_owned())
            }
            SanctionSubject::Name(name) => WrittenSubject::Name(name.as_str().to_owned()),
            SanctionSubject::Guest { name, .. } => WrittenSubject::Guest(name.as_str().to_owned()),
            SanctionSubject::Network { network, guests_only } => {
                WrittenSubject::Network(network.to_string(), *guests_only)
            }
        };
        Self {
            is_ban: *kind == SanctionKind::Ban,
            subject,
            about: about.to_string(),
            room: room.map(|room| room.0),
            by: by.to_string(),
            reason: reason.to_string(),
            since: *since,
            until: *until,
        }
    }

    pub(super) fn read(self) -> Result<NewSanction, NotUnderstood> {
        let Self { is_ban, subject, about, room, by, reason, since, until } = self;
        let subject = match subject {
            WrittenSubject::Account(id, name) => {
                SanctionSubject::Account(AccountRef { id, name: Username::stored(&name) })
            }
            WrittenSubject::Name(name) => SanctionSubject::Name(Username::stored(&name)),
            WrittenSubject::Guest(name) => {
                let name = Username::stored(&name);
                SanctionSubject::Guest { name, session: None, member: None }
            }
            WrittenSubject::Network(network, guests_only) => {
                let network = Network::parse(&network).ok_or(NotUnderstood)?;
                SanctionSubject::Network { network, guests_only }
            }
        };
        Ok(NewSanction {
            kind: if is_ban { SanctionKind::Ban } else { SanctionKind::Mute },
            subject,
            about: (&*about).into(),
            room: room.map(RoomNumber),
            by: (&*by).into(),
            reason: (&*reason).into(),
            since,
            until,
        })
    }
}

/// A report that has no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenReport {
    reporter: String,
    reporter_account: Option<i64>,
    subject: String,
    message: Option<u64>,
    text: Option<String>,
    room: Option<WrittenRoom>,
    reason: String,
    at: i64,
}

impl WrittenReport {
    pub(super) fn of(new: &NewReport) -> Self {
        let NewReport { reporter, reporter_account, subject, message, text, room, reason, at } =
            new;
        Self {
            reporter: reporter.to_string(),
            reporter_account: *reporter_account,
            subject: subject.to_string(),
            message: *message,
            text: text.as_ref().map(|text| text.to_string()),
            room: room.as_ref().map(written_room),
            reason: reason.to_string(),
            at: *at,
        }
    }

    pub(super) fn read(self) -> NewReport {
        let Self { reporter, reporter_account, subject, message, text, room, reason, at } = self;
        NewReport {
            reporter: (&*reporter).into(),
            reporter_account,
            subject: (&*subject).into(),
            message,
            text: text.map(|text| (&*text).into()),
            room: room.map(read_room),
            reason: (&*reason).into(),
            at,
        }
    }
}
