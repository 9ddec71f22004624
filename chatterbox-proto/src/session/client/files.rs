//! What a client asks before it sends files.

use super::session::ClientSession;
use crate::capability::Capability;

impl ClientSession {
    /// Whether the server keeps files, and there is a connection to it.
    pub fn has_files(&self) -> bool {
        self.is_joined() && self.agreed.has(Capability::Files)
    }

    /// The largest file in bytes that the server takes, where it has said so (CP-13).
    pub fn largest_file(&self) -> Option<u64> {
        self.file_bounds.largest()
    }

    /// The bytes of a file that go into one frame: never more than the norm has, and at least one, whatever the server says (FI-2).
    pub fn file_chunk(&self) -> usize {
        self.file_bounds.chunk()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capabilities, limits};

    #[test]
    fn pieces_are_never_longer_than_the_norm_has() {
        for (told, chunk) in [
            (r#""CHUNK": 1000"#, 1000),
            (r#""CHUNK": 0"#, 1),
            (r#""CHUNK": 99999999"#, limits::FILE_CHUNK),
            (r#""FRAME": 5"#, limits::FILE_CHUNK),
        ] {
            let offer: Capabilities = Capability::EVERY.iter().copied().collect();
            let mut session = ClientSession::offering(offer);
            session.join("ann").unwrap();
            let body = format!(
                r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "IDS": [], "LIMITS": {{"FILE": 77, {told}}},
                    "CAPABILITIES": "accounts/1 files/1 ids/1 meta/1"}}"#
            );
            session.receive(body.as_bytes());
            assert!(session.has_files());
            assert_eq!((session.file_chunk(), session.largest_file()), (chunk, Some(77)), "{told}");
            session.disconnected();
            assert!(!session.has_files());
        }
    }
}
