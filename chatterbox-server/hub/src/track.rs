//! What has happened, for whoever keeps track of it: who was here when, and what is logged of it.

use bytes::Bytes;
use chatterbox_proto::Username;

use crate::identity::Identity;

/// Something that has happened.
#[derive(Debug, Clone)]
pub enum Happened {
    /// Somebody is here. A session that goes on over another connection is none.
    Joined(Box<Identity>),
    /// Somebody is not here any more.
    Left(Box<Identity>),
    /// Somebody has another name.
    Renamed(Username, Box<Identity>),
    /// A user has said something.
    Said {
        /// Who.
        by: Username,
        /// The message as JSON, in ASCII; of a private one nothing is told, neither what was said nor to whom.
        message: Option<Bytes>,
    },
}

/// What is kept track of.
#[derive(Debug, Default)]
pub(crate) struct Track {
    pub(crate) users: bool,
    pub(crate) messages: bool,
    pub(crate) happened: Vec<Happened>,
}
