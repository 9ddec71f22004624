//! The queue between connections and the sequencer: all that is to change the chat, in the order in which it came.
//!
//! It has no bound of its own, because each of its senders has one: posts have places and bytes, joins have places, a member has one change and
//! one wish about rooms under way beside its post, and leaves once. Leaving is never refused and never waits, so it
//! is proposed where a connection ends, whatever it ended of.

use std::sync::Arc;

use chatterbox_hub::{
    Greeting, Join, JoinError, JoinReply, MemberId, Outcome, OwnDevice, Proposal, Record, Refused,
    RoomDone, RoomRefusal, RoomWish, Secrets, Sequence, StoreCommand, StoredMark,
};
use chatterbox_proto::{Code, Refusal};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::chat::catching_up::{CatchingUp, Turn};
use crate::chat::posts::{Held, Post, PostRoom, Receipt, Tags};
use crate::store::{NotDecided, Proposer};

/// Posts that may wait; one connection has at most one.
const WAITING_POSTS: usize = 1024;

/// Joins that may wait; the others wait for a place.
const WAITING_JOINS: usize = 1024;

/// What members of all nodes are to be told, which nobody waits for: so much of it may wait, and no more is taken.
const WAITING_TELLS: usize = 256;

/// Bytes of messages that may wait, over all connections. A single post may be larger when it is alone.
const WAITING_BYTES: u32 = 32 * 1024 * 1024;

/// Something that is to change the chat.
pub(super) enum Entry {
    /// Messages, with their place among the posts that may wait.
    Post(Post, OwnedSemaphorePermit),
    /// A user who wants to come in.
    Join(Joining),
    /// A wish about rooms.
    Wish(Box<RoomWish>, WishDone),
    /// A member that is gone.
    Leave(MemberId),
    /// Anything else.
    Change(Change),
    /// The turn of those who wait until this node has applied what was decided so far.
    CatchUp(Turn),
}

/// Whom it is told what has become of a wish.
pub(super) type WishDone = oneshot::Sender<Result<RoomDone, RoomRefusal>>;

/// A user who wants to come in.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) join: Box<Join>,
    pub(super) greeting: OwnGreeting,
    pub(super) done: oneshot::Sender<Result<Admitted, JoinError>>,
    /// Its place among those who wait, also when its connection has ended.
    pub(super) _place: OwnedSemaphorePermit,
}

/// What the welcome of a user says beside what the chat is like, until it is made.
#[derive(Debug)]
pub(super) struct OwnGreeting {
    info: Box<str>,
    extra: Box<[u8]>,
    after: Option<Sequence>,
    recent: Option<u16>,
    marks: Box<[StoredMark]>,
    device: Option<OwnDevice>,
    zstd: bool,
    secrets: Secrets,
}

/// A change, for whoever waits until it is made.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) proposal: Proposal,
    pub(super) done: Option<oneshot::Sender<Result<Outcome, Refused>>>,
    /// Its place among what others are told.
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

/// A user who is here now, and goes again if nobody takes this.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) reply: Box<JoinReply>,
    pub(super) leaving: Leaving,
}

/// A member whom nobody has taken over yet: dropping this proposes that it leaves.
#[derive(Debug)]
pub(super) struct Leaving {
    member: Option<MemberId>,
    entries: mpsc::UnboundedSender<Entry>,
}

/// The sending end, shared by all connections.
#[derive(Debug)]
pub struct Proposals {
    entries: mpsc::UnboundedSender<Entry>,
    posts: Arc<Semaphore>,
    joins: Arc<Semaphore>,
    tells: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    catching_up: Arc<CatchingUp>,
}

/// The receiving end, for the sequencer.
pub struct ProposalQueue {
    /// What was received, and given back.
    first: Option<Entry>,
    entries: mpsc::UnboundedReceiver<Entry>,
}

/// How much of the queue waits, of that which has a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Posts, and how many may.
    pub(crate) posts: (usize, usize),
    /// Joins, and how many may.
    pub(crate) joins: (usize, usize),
    /// Bytes of posts that wait, or are being stored, and how many may.
    pub(crate) bytes: (usize, usize),
}

/// Both ends of a new queue.
pub fn queue() -> (Proposals, ProposalQueue) {
    let (entries, queue) = mpsc::unbounded_channel();
    let posts = Arc::new(Semaphore::new(WAITING_POSTS));
    let bytes = Arc::new(Semaphore::new(WAITING_BYTES as usize));
    let joins = Arc::new(Semaphore::new(WAITING_JOINS));
    let tells = Arc::new(Semaphore::new(WAITING_TELLS));
    let catching_up = Arc::default();
    let proposals = Proposals { entries, posts, joins, tells, bytes, catching_up };
    (proposals, ProposalQueue { first: None, entries: queue })
}

impl OwnGreeting {
    pub(super) fn of(greeting: Greeting<'_>) -> Self {
        let Greeting { info, extra, after, recent, marks, device, zstd, secrets } = greeting;
        let (info, extra, marks) = (info.into(), extra.into(), marks.into());
        Self { info, extra, after, recent, marks, device: device.cloned(), zstd, secrets }
    }

    pub(super) fn get(&self) -> Greeting<'_> {
        let Self { info, extra, after, recent, marks, device, zstd, secrets } = self;
        let (after, recent, zstd, secrets) = (*after, *recent, *zstd, *secrets);
        Greeting { info, extra, after, recent, marks, device: device.as_ref(), zstd, secrets }
    }
}

impl Proposals {
    /// How much waits now.
    pub(super) fn waiting(&self) -> Waiting {
        let of = |most: usize, free: &Semaphore| (most - free.available_permits().min(most), most);
        Waiting {
            posts: of(WAITING_POSTS, &self.posts),
            joins: of(WAITING_JOINS, &self.joins),
            bytes: of(WAITING_BYTES as usize, &self.bytes),
        }
    }

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
    /// Where whoever proposes ends with a fault while they are under way, nobody knows any more whether they are stored, so there is
    /// no verdict: this waits until its connection ends. Whoever goes on elsewhere finds out there.
    ///
    /// # Errors
    /// [`Code::NotStored`]: they were not stored, and never will be.
    pub async fn post(
        &self,
        sender: MemberId,
        records: Vec<Record>,
        held: Held,
        tags: Option<Tags>,
        room: Option<PostRoom>,
    ) -> Result<Receipt, Code> {
        let bytes: usize = records.iter().map(|record| record.weight()).sum();
        let _room = match room {
            Some(room) => Some(room),
            None => self.room(bytes).await,
        };
        // It is never closed.
        let place = Arc::clone(&self.posts).acquire_owned().await.map_err(|_| Code::NotStored)?;
        let (done, stored) = oneshot::channel();
        let post = Post { sender, records, _held: held, tags, bytes, done };
        self.entries.send(Entry::Post(post, place)).map_err(|_| Code::NotStored)?;
        match stored.await {
            Ok(receipt) => receipt,
            Err(_) => std::future::pending().await,
        }
    }

    /// Asks for a user to be let in, and waits for the answer.
    ///
    /// # Errors
    /// [`JoinError`].
    pub(super) async fn join(
        &self,
        join: Join,
        greeting: Greeting<'_>,
    ) -> Result<Admitted, JoinError> {
        let (done, admitted) = oneshot::channel();
        let greeting = OwnGreeting::of(greeting);
        let busy = || JoinError::Refused(Refusal::Busy);
        let _place = match Arc::clone(&self.joins).try_acquire_owned() {
            Ok(place) => place,
            // It is never closed.
            Err(_) => Arc::clone(&self.joins).acquire_owned().await.map_err(|_| busy())?,
        };
        let joining = Joining { join: Box::new(join), greeting, done, _place };
        self.entries.send(Entry::Join(joining)).map_err(|_| busy())?;
        admitted.await.map_err(|_| busy())?
    }

    /// Asks for a change, and waits until it is made.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) async fn change(&self, proposal: Proposal) -> Result<Outcome, Refused> {
        let (done, changed) = oneshot::channel();
        let change = Change { proposal, done: Some(done), _place: None };
        self.entries.send(Entry::Change(change)).map_err(|_| Refused::NotHere)?;
        changed.await.map_err(|_| Refused::NotHere)?
    }

    /// Waits until what was decided by now is applied; says `false` when that is not going to be.
    pub(super) async fn catch_up(&self) -> bool {
        let (caught_up, turn) = self.catching_up.wait();
        if let Some(turn) = turn {
            // When the loop of the node has ended, the turn is dropped, and nobody waits for it.
            let _ = self.entries.send(Entry::CatchUp(turn));
        }
        caught_up.await.unwrap_or(false)
    }

    /// Asks for a wish about rooms to be granted, and waits until it is, or is not.
    ///
    /// # Errors
    /// [`RoomRefusal`].
    pub(super) async fn wish(&self, wish: RoomWish) -> Result<RoomDone, RoomRefusal> {
        let (done, granted) = oneshot::channel();
        let entry = Entry::Wish(Box::new(wish), done);
        self.entries.send(entry).map_err(|_| RoomRefusal::Failed)?;
        granted.await.map_err(|_| RoomRefusal::Failed)?
    }

    /// Asks for a change for which nobody waits.
    pub(super) fn tell(&self, proposal: Proposal) {
        // When the sequencer has ended, so has the chat.
        let _ = self.entries.send(Entry::Change(Change { proposal, done: None, _place: None }));
    }

    /// Asks for members of all nodes to be told something, for which nobody waits. Says `false`, and does nothing, when too much of it
    /// waits already.
    pub(super) fn tell_others(&self, proposal: Proposal) -> bool {
        let Ok(place) = Arc::clone(&self.tells).try_acquire_owned() else { return false };
        let change = Change { proposal, done: None, _place: Some(place) };
        self.entries.send(Entry::Change(change)).is_ok()
    }

    /// Proposes that a member leaves.
    pub(super) fn leave(&self, member: MemberId) {
        // When the sequencer has ended, so has the chat.
        let _ = self.entries.send(Entry::Leave(member));
    }

    /// Puts something into the queue.
    #[cfg(test)]
    pub(super) fn hand_in(&self, entry: Entry) {
        assert!(self.entries.send(entry).is_ok());
    }

    /// Begins changes from elsewhere.
    pub(super) fn starter(&self) -> Starter {
        Starter { entries: self.entries.clone() }
    }

    /// A member who leaves if nobody takes it over.
    pub(super) fn leaving(&self, member: MemberId) -> Leaving {
        Leaving { member: Some(member), entries: self.entries.clone() }
    }
}

/// Begins changes for whoever can't wait for them, or is another thread.
#[derive(Debug, Clone)]
pub(super) struct Starter {
    entries: mpsc::UnboundedSender<Entry>,
}

impl Starter {
    /// Asks for a change; what becomes of it comes out of the other end.
    pub(super) fn change(&self, proposal: Proposal) -> oneshot::Receiver<Result<Outcome, Refused>> {
        let (done, changed) = oneshot::channel();
        // When the sequencer has ended, so has the chat.
        let _ =
            self.entries.send(Entry::Change(Change { proposal, done: Some(done), _place: None }));
        changed
    }

    /// Asks for a wish about rooms to be granted.
    pub(super) fn wish(&self, wish: RoomWish) -> oneshot::Receiver<Result<RoomDone, RoomRefusal>> {
        let (done, granted) = oneshot::channel();
        let _ = self.entries.send(Entry::Wish(Box::new(wish), done));
        granted
    }
}

impl Proposer for Starter {
    fn propose(&self, command: StoreCommand) -> BoxFuture<'static, Result<(), NotDecided>> {
        let decided = self.change(Proposal::Store(command));
        async move {
            match decided.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(NotDecided),
            }
        }
        .boxed()
    }
}

impl Leaving {
    /// It is the caller's from now on to propose that the member leaves.
    pub(super) fn taken_over(mut self) {
        self.member = None;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(member) = self.member {
            let _ = self.entries.send(Entry::Leave(member));
        }
    }
}

impl std::fmt::Debug for ProposalQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProposalQueue").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl ProposalQueue {
    pub(super) async fn recv(&mut self) -> Option<Entry> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.entries.recv().await,
        }
    }

    pub(super) fn try_recv(&mut self) -> Result<Entry, TryRecvError> {
        self.first.take().map_or_else(|| self.entries.try_recv(), Ok)
    }

    /// Gives back what was received last, which is received next.
    pub(super) fn give_back(&mut self, entry: Entry) {
        self.first = Some(entry);
    }

    /// Refuses further entries; those in the queue can still be received.
    pub(super) fn close(&mut self) {
        self.entries.close();
    }
}
