//! Moderation, as whoever carries it out asks the chat for it.

use std::sync::Arc;

use chatterbox_hub::{
    Event, Hit, Moderation, ModerationDone, ModerationRefusal, MemberId, Outcome, Proposal, Refused,
    RoomNumber, Sanction,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::notices::NewNotice;
use chatterbox_proto::{Capability, Refusal, Username};

use crate::chat::shared::Chat;
use crate::ops::clock::unix_now;

impl Chat {
    /// Carries an act out, and waits until all that it means is so: whom it puts out is not here any more.
    ///
    /// # Errors
    /// A word for why nothing was done.
    pub async fn moderate(
        &self,
        moderation: Moderation,
    ) -> Result<ModerationDone, ModerationRefusal> {
        match self.change(Proposal::Moderate(Box::new(moderation))).await {
            Ok(Outcome::Moderated(done)) => Ok(done),
            Err(Refused::Moderation(refusal)) => Err(refusal),
            Ok(_) | Err(_) => Err(OutcomeCode::Failed),
        }
    }

    /// The sanctions that hold now, in the order in which they were imposed.
    pub fn sanctions(&self) -> Vec<Arc<Sanction>> {
        self.hub().sanctions(unix_now()).cloned().collect()
    }

    /// The connections that sanctions would be on.
    pub fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit> {
        self.hub().hits(sanctions)
    }

    /// Why a member may not be under another name, if they may not.
    pub fn excluded_as(&self, member: MemberId, name: &Username) -> Option<Refusal> {
        self.hub().excluded_as(member, name, unix_now())
    }

    /// Until when a member may not write to all, or in a room, if they are muted.
    pub fn muted_until(&self, member: MemberId, room: Option<RoomNumber>) -> Option<Option<i64>> {
        self.hub().mute_of(member, room, unix_now()).map(|mute| mute.until)
    }

    /// Tells a member something that concerns only them: as a notice, or as ERROR where they did not agree to those (NO-2).
    pub fn tell_notice(&self, member: MemberId, notice: &NewNotice<'_>) {
        let mut hub = self.hub();
        let Some(identity) = hub.identity(member) else { return };
        let event = match identity.agreed.unwrap_or_default().has(Capability::Notices) {
            true => Event::told(notice.to_json().into()),
            false => Event::error(notice.info),
        };
        if hub.has_room(member, event.size()) {
            let wake = hub.tell(member, event);
            self.wake(hub, [wake]);
        }
    }
}
