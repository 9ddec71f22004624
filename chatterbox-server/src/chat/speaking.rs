//! Who says something, as flood control asks for it.

use chatterbox_hub::{MemberId, Party, RoomNumber, Speaker};
use chatterbox_proto::{NameKey, Username};

use crate::chat::shared::Chat;

impl Chat {
    /// Who a member is for flood control; see [`chatterbox_hub::Hub::speaker`].
    pub(super) fn speaker(&self, member: MemberId, exempt: &[Username]) -> Option<Speaker> {
        self.hub().speaker(member, exempt)
    }

    /// The room of a name that a member is in, and whether they are staff there.
    pub(super) fn room_of_speaker(
        &self,
        member: MemberId,
        name: &impl NameKey,
    ) -> Option<(RoomNumber, bool)> {
        self.hub().room_of_speaker(member, name)
    }

    /// Whether somebody who is muted may write to the user of this name.
    pub(super) fn hears_the_muted(&self, name: &impl NameKey) -> bool {
        self.hub().hears_the_muted(name)
    }

    /// Stands for whom a private message is to.
    pub(super) fn recipient_number(&self, to: &Party) -> u64 {
        self.hub().recipient_number(to)
    }

    /// Whether a member is muted because it has said too much (FL-2).
    pub(crate) fn is_flood_muted(&self, member: MemberId) -> bool {
        let speaker = self.speaker(member, &[]);
        speaker.is_some_and(|speaker| self.flood().muted(speaker.number).is_some())
    }

    /// Ends that.
    pub(crate) fn pardon(&self, member: MemberId) {
        if let Some(Speaker { number, .. }) = self.speaker(member, &[]) {
            self.flood().pardon(number);
        }
    }
}
