//! What the chat says about files: where one may be put, and who may fetch one.

use chatterbox_hub::{Announcement, FileScope, MemberId, Sequence};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, NameKey, Username};

use crate::chat::shared::Chat;
use crate::ops::clock::unix_now;

impl Chat {
    /// Where a file of a member is put that is for a destination; see [`chatterbox_hub::Hub::may_put`].
    ///
    /// # Errors
    /// [`Code`].
    pub fn may_put(
        &self,
        member: MemberId,
        to: &Destination<impl NameKey, impl NameKey>,
    ) -> Result<FileScope, Code> {
        self.hub().may_put(member, to, unix_now())
    }

    /// Whether a member and somebody of this name exchange no private messages.
    pub fn refuses(&self, member: MemberId, name: &Username) -> bool {
        self.hub().shared_filter(member).refused.contains(name)
    }

    /// Whether a member can read the message that has announced a file (FI-4).
    pub fn may_fetch(&self, member: MemberId, of: &Announcement) -> bool {
        self.hub().may_fetch(member, of)
    }

    /// Whether a file was announced to this member alone.
    pub fn is_recipient(&self, member: MemberId, of: &Announcement) -> bool {
        self.hub().is_recipient(member, of)
    }

    /// Whether somebody can still read a message, as far as its place goes.
    pub fn is_readable_at(&self, scope: &FileScope, number: Sequence) -> bool {
        self.hub().is_readable_at(scope, number)
    }
}
