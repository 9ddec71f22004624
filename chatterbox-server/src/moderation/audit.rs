//! The audit log: who did what to whom, where and why (MO-10).

use chatterbox_hub::{Network, RoomNumber, RoomRef};
use chatterbox_proto::{RoomName, Username};

use crate::moderation::act::Act;
use crate::moderation::bounded_text::{Label, Reason};

/// Stands for an address where it may not be seen.
pub const MASKED: &str = "(an address)";

/// One line of the audit log. It holds no message and no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, which rises; whoever writes an entry leaves 0 here, and the store assigns one.
    pub id: i64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// The name of who did it at that time; [`chatterbox_proto::SERVER`] for whoever has the machine.
    pub by: Label,
    /// The number of their account.
    pub by_account: Option<i64>,
    /// What they did.
    pub act: Act,
    /// To whom.
    pub about: Option<About>,
    /// Where; `None` is the server.
    pub room: Option<RoomRef>,
    /// What exactly, in words that depend on the act: the new level, `off`, the numbers of sanctions.
    pub detail: Label,
    /// Why.
    pub reason: Reason,
    /// Until when, in seconds since 1970 UTC.
    pub until: Option<i64>,
}

impl AuditEntry {
    /// An entry that says only that somebody did something.
    pub fn new(at: i64, by: &str, act: Act) -> Self {
        Self {
            id: 0,
            at,
            by: by.into(),
            by_account: None,
            act,
            about: None,
            room: None,
            detail: Label::default(),
            reason: Reason::default(),
            until: None,
        }
    }

    /// What names that are the same as that of who did it have in common.
    pub fn by_key(&self) -> FoldedName {
        FoldedName::of(&self.by)
    }
}

/// Whom an act is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    text: Label,
    is_address: bool,
}

impl About {
    /// A user.
    pub fn user(name: &Username) -> Self {
        Self { text: name.as_str().into(), is_address: false }
    }

    /// Whoever comes from a network.
    pub fn network(network: Network) -> Self {
        Self { text: network.to_string().as_str().into(), is_address: true }
    }

    /// What was stored.
    pub(crate) fn stored(text: &str, is_address: bool) -> Self {
        Self { text: text.into(), is_address }
    }

    /// The name, or the network, for who may see addresses (level 4).
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name, for everybody else.
    pub fn masked(&self) -> &str {
        if self.is_address { MASKED } else { &self.text }
    }

    /// Whether it is a network, which only level 4 and above may see.
    pub const fn is_address(&self) -> bool {
        self.is_address
    }

    /// What texts that mean the same have in common.
    pub fn key(&self) -> FoldedName {
        FoldedName::of(&self.text)
    }
}

/// The room whose entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditRoom {
    /// This one.
    Number(RoomNumber),
    /// Every one that has ever had this name.
    Name(RoomName),
}

/// Which entries are asked for; the default is all, as many as fit a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those about somebody.
    pub about: Option<FoldedName>,
    /// Those of what somebody did under this name.
    pub by: Option<FoldedName>,
    /// Those of this room.
    pub room: Option<AuditRoom>,
    /// Those with a smaller number than this: the page after one that ended with it.
    pub before: Option<i64>,
    /// At most so many; 0 is [`super::AUDIT_PAGE`], and so is more than that.
    pub limit: usize,
}

impl AuditFilter {
    /// Those about somebody: a name, or a network as it is written.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: Some(FoldedName::of(text)), ..self }
    }

    /// Those of what somebody did under this name.
    #[must_use]
    pub fn by(self, name: &str) -> Self {
        Self { by: Some(FoldedName::of(name)), ..self }
    }
}

/// What names that are the same have in common, whether they could be one today or not (NM-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedName(String);

impl FoldedName {
    /// Of a name, or of a network as it is written.
    pub fn of(text: &str) -> Self {
        Self(Username::stored(text).key().to_owned())
    }

    /// The text that they have in common.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
