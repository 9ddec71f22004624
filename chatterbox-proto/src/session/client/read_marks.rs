//! How far the user has read, as the client says it (MK-1).

use bytes::Bytes;

use super::session::ClientSession;
use crate::capability::Capability;
use crate::capability::ids::Id;
use crate::capability::marks::ReadUpTo;
use crate::text::WireText;

impl ClientSession {
    /// Whether the server wants to know how far the user has read, who has an account.
    pub fn has_marks(&self) -> bool {
        self.is_joined() && self.agreed.has(Capability::Marks)
    }

    /// The frame that says how far a conversation was read (MK-1): `ALL`, a room or a user. `None` where the server does not
    /// want to know.
    pub fn read_up_to(&self, with: &str, upto: Id) -> Option<Bytes> {
        if !self.has_marks() {
            return None;
        }
        ReadUpTo { with: WireText::new(with.to_owned()), upto }.to_object().finish().ok()
    }
}
