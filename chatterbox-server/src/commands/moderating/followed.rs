//! Sanctions that a guest takes along to an account.

use std::sync::Arc;

use chatterbox_hub::{LoggedIn, Sanction, SanctionKind, SanctionSubject};

use crate::commands::moderating::acts::Acts;
use crate::commands::reply::Rejection;
use crate::moderation::{About, Act, AuditEntry, NewSanction};
use crate::ops::clock::unix_now;

impl Acts<'_> {
    /// Writes down that what was imposed on a guest is on the account that they have made. In the order it is so already; what is
    /// stored of a guest is only a name, which the account would walk away from at the next start (MO-3, MO-4).
    ///
    /// # Errors
    /// [`Rejection`]; until the next start the sanctions hold all the same.
    pub(in crate::commands) async fn store_followed(
        &self,
        login: &LoggedIn,
    ) -> Result<(), Rejection> {
        let is_its = |sanction: &Arc<Sanction>| matches!(&sanction.subject, SanctionSubject::Account(on) if on.id == login.account_key.id);
        for old in self.port.sanctions().into_iter().filter(is_its) {
            let Sanction { kind, subject, about, room, by, reason, since, until, id } = &*old;
            let new = NewSanction {
                kind: *kind,
                subject: subject.clone(),
                about: (&**about).into(),
                room: *room,
                by: (&**by).into(),
                reason: (&**reason).into(),
                since: *since,
                until: *until,
            };
            let (imposed, lifted) = match kind {
                SanctionKind::Ban => (Act::Ban, Act::Unban),
                SanctionKind::Mute => (Act::Mute, Act::Unmute),
            };
            let entry = |act| AuditEntry {
                about: Some(About::user(&login.account)),
                detail: "registered".into(),
                until: *until,
                ..self.author.entry(unix_now(), act)
            };
            self.impose(entry(imposed), vec![new], true, None).await?;
            self.take_back(entry(lifted), vec![*id], true).await?;
        }
        Ok(())
    }
}
