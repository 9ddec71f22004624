//! What a member makes of the bytes that come to it: frames of the protocol, or another dialect.

use super::{dialect::Dialect, frame_reader::FrameReader, peer::PeerSession, sender::asking};

/// The reading half of a member, and what it has to say by itself.
pub(super) enum Incoming {
    /// The protocol.
    Frames(FrameReader),
    /// Another one.
    Peer(Box<PeerSession>),
}

impl Incoming {
    /// The half of a member who has not said anything yet.
    pub(super) fn new(dialect: Dialect) -> Self {
        match PeerSession::new(dialect) {
            Some(session) => Self::Peer(Box::new(session)),
            None => Self::Frames(FrameReader::default()),
        }
    }

    /// What asks for a name.
    pub(super) fn asking(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Frames(_) => asking(name),
            Self::Peer(session) => session.opening(name),
        }
    }
}
