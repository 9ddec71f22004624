//! The queue between connections and the sequencer, bounded in posts and bytes.

use std::sync::Arc;

use chatterbox_hub::{Record, Sequence, SessionId};
use chatterbox_proto::Code;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Posts that may wait; one connection has at most one.
const WAITING_POSTS: usize = 1024;

/// Bytes of messages that may wait, over all connections. A single post may be larger when it is alone.
const WAITING_BYTES: u32 = 32 * 1024 * 1024;

/// The messages that a connection hands in at once.
pub(super) struct Post {
    pub(super) records: Vec<Record>,
    /// Dropped when they are delivered, or not.
    pub(super) _held: Held,
    pub(super) tags: Option<Tags>,
    /// The size of the records.
    pub(super) bytes: usize,
    pub(super) done: oneshot::Sender<Result<Acks, Code>>,
}

/// What a post holds until its messages are delivered or not: the room for them at their recipients.
pub type Held = Option<Box<dyn Send>>;

/// The idempotency keys (`TAGS`) of a post's messages (ID-3), which are unique within a session.
#[derive(Debug)]
pub struct Tags {
    /// The session of the sender.
    pub session: SessionId,
    /// One place for each record of the post.
    pub each: Vec<Option<Arc<str>>>,
}

/// The sequence numbers under which messages with an idempotency key are stored.
pub type Acks = Vec<(Arc<str>, Sequence)>;

/// The sending end, shared by all connections.
#[derive(Debug)]
pub struct Posts {
    posts: mpsc::Sender<Post>,
    bytes: Arc<Semaphore>,
}

/// The receiving end, for the sequencer.
#[derive(Debug)]
pub struct PostQueue(mpsc::Receiver<Post>);

/// Memory for messages that are going to be posted; dropping it gives it back.
#[derive(Debug)]
pub struct PostRoom {
    _permit: OwnedSemaphorePermit,
}

/// Both ends of a new queue.
pub fn queue() -> (Posts, PostQueue) {
    let (posts, queue) = mpsc::channel(WAITING_POSTS);
    let bytes = Arc::new(Semaphore::new(WAITING_BYTES as usize));
    (Posts { posts, bytes }, PostQueue(queue))
}

impl Posts {
    /// Waits for memory for messages of this size: long ones are encoded when there is some.
    pub async fn room(&self, bytes: usize) -> Option<PostRoom> {
        let permits = u32::try_from(bytes).map_or(WAITING_BYTES, |bytes| bytes.min(WAITING_BYTES));
        // It is never closed.
        Arc::clone(&self.bytes)
            .acquire_many_owned(permits)
            .await
            .ok()
            .map(|permit| PostRoom { _permit: permit })
    }

    /// Hands in messages, and waits until they are stored and delivered. A full queue is back-pressure: it waits for room,
    /// unless the caller has some already. Handing in nothing takes a turn, too.
    ///
    /// # Errors
    /// [`Code::NotStored`].
    pub async fn post(
        &self,
        records: Vec<Record>,
        held: Held,
        tags: Option<Tags>,
        room: Option<PostRoom>,
    ) -> Result<Acks, Code> {
        let size: usize = records.iter().map(|record| record.json.len()).sum();
        let _room = match room {
            Some(room) => Some(room),
            None => self.room(size).await,
        };
        let (done, stored) = oneshot::channel();
        self.posts
            .send(Post { records, _held: held, tags, bytes: size, done })
            .await
            .map_err(|_| Code::NotStored)?;
        stored.await.map_err(|_| Code::NotStored)?
    }
}

impl PostQueue {
    pub(super) async fn recv(&mut self) -> Option<Post> {
        self.0.recv().await
    }

    pub(super) fn try_recv(&mut self) -> Result<Post, TryRecvError> {
        self.0.try_recv()
    }

    /// Refuses further posts; those in the queue can still be received.
    pub(super) fn close(&mut self) {
        self.0.close();
    }
}
