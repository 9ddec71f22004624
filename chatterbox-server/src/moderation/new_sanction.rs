//! A sanction that has no number yet.

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, SanctionKind, SanctionSubject};

use crate::moderation::bounded_text::{Label, Reason};

/// What is to be imposed; the fields are those of [`Sanction`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSanction {
    /// What is not allowed.
    pub kind: SanctionKind,
    /// Whom it is on. Of a guest only the name is stored.
    pub subject: SanctionSubject,
    /// Whom it was asked for.
    pub about: Label,
    /// The room where it holds; `None` is the server.
    pub room: Option<RoomNumber>,
    /// The name of who imposes it.
    pub by: Label,
    /// Why, for the person.
    pub reason: Reason,
    /// When it is imposed, in seconds since 1970 UTC.
    pub since: i64,
    /// When it ends, in seconds since 1970 UTC; `None` is never.
    pub until: Option<i64>,
}

impl NewSanction {
    /// What a sanction was imposed as.
    pub fn of(sanction: &Sanction) -> Self {
        let Sanction { kind, subject, about, room, by, reason, since, until, .. } = sanction;
        Self {
            kind: *kind,
            subject: subject.clone(),
            about: (&**about).into(),
            room: *room,
            by: (&**by).into(),
            reason: (&**reason).into(),
            since: *since,
            until: *until,
        }
    }

    /// The sanction that it became.
    pub fn with_id(&self, id: SanctionId) -> Sanction {
        Sanction {
            id,
            kind: self.kind,
            subject: self.subject.clone(),
            about: self.about.clone().into(),
            room: self.room,
            by: self.by.clone().into(),
            reason: self.reason.clone().into(),
            since: self.since,
            until: self.until,
        }
    }
}
