//! Who moderates.

use std::sync::Arc;

use chatterbox_hub::{Identity, Level, MemberId};
use chatterbox_proto::SERVER;

use crate::moderation::{Act, AuditEntry};

/// Who moderates, with the level that counts where they do.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Author {
    /// Their name, as the others know it.
    pub(super) name: Arc<str>,
    /// The number of their account.
    pub(super) account: Option<i64>,
    /// Their connection.
    pub(super) member: Option<MemberId>,
    /// `None` is whoever runs the server, who is above everybody.
    pub(super) level: Option<Level>,
}

impl Author {
    /// Whoever runs the server, from its command line.
    pub(in crate::commands) fn operator() -> Self {
        Self { name: SERVER.into(), account: None, member: None, level: None }
    }

    /// Somebody who is here, and has this level where they act.
    pub(in crate::commands) fn member(who: &Identity, member: MemberId, level: Level) -> Self {
        Self {
            name: who.name.as_str().into(),
            account: who.login.as_ref().map(|login| login.account_key.id),
            member: Some(member),
            level: Some(level),
        }
    }

    /// Whether somebody of a level is below them (RL-2).
    pub(super) fn is_above(&self, level: Level) -> bool {
        self.level.is_none_or(|own| level < own)
    }

    /// Whether addresses may be shown to them, which nobody else learns (MO-7).
    pub(in crate::commands) fn sees_addresses(&self) -> bool {
        self.level.is_none_or(|own| own >= Level::OPERATOR)
    }

    /// A line of the audit log.
    pub(in crate::commands) fn entry(&self, at: i64, act: Act) -> AuditEntry {
        AuditEntry { by_account: self.account, ..AuditEntry::new(at, &self.name, act) }
    }
}
