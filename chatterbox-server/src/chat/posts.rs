//! Posts: the messages that a connection hands in at once, and what becomes of them.

use std::sync::Arc;

use chatterbox_hub::{MemberId, Record, Sequence};
use chatterbox_proto::Code;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// The messages that a post has at most.
pub(crate) const POST_RECORDS: usize = 32;

/// The messages that a connection hands in at once.
pub(super) struct Post {
    pub(super) sender: MemberId,
    pub(super) records: Vec<Record>,
    /// Dropped when they are delivered, or not.
    pub(super) _held: Held,
    pub(super) tags: Option<Tags>,
    /// The size of the records.
    pub(super) bytes: usize,
    pub(super) done: oneshot::Sender<Result<Receipt, Code>>,
}

/// What a post holds until its messages are delivered or not: the room for them at their recipients.
pub type Held = Option<Box<dyn Send>>;

/// The idempotency keys (`TAGS`) of a post's messages, one place for each of them (ID-3). They are unique within the session
/// of their sender.
pub type Tags = Vec<Option<Arc<str>>>;

/// The sequence numbers under which messages with an idempotency key are stored.
pub type Acks = Vec<(Arc<str>, Sequence)>;

/// What has become of the messages of a post.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Those with an idempotency key that are stored.
    pub acks: Acks,
    /// Those that were refused when their turn came, with their keys: a room can be gone by then, or its sender (RM-15).
    pub refused: Vec<(Option<Arc<str>>, Code)>,
}

impl Receipt {
    /// Whether all are stored.
    ///
    /// # Errors
    /// Why the first that is not was refused.
    pub fn all(self) -> Result<(), Code> {
        self.refused.into_iter().next().map_or(Ok(()), |(_, code)| Err(code))
    }
}

/// Memory for messages that are going to be posted; dropping it gives it back.
#[derive(Debug)]
pub struct PostRoom {
    pub(super) _permit: OwnedSemaphorePermit,
}
