//! One writer for all messages: stored in groups, then applied in the order in which they are stored.
//!
//! Connections hand in posts and wait; whatever has come meanwhile makes the next group, so under load the cost of
//! storing is shared by many messages. What could not be stored was seen by nobody.

#![allow(clippy::disallowed_methods, reason = "the edge: paces by the clock")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Lag, Record, Sequence, SessionId, TimelineLimits};
use chatterbox_proto::Code;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::chat::shared::Chat;
use crate::store::Backlog;

/// Posts that may wait; one connection has at most one.
const WAITING_POSTS: usize = 1024;

/// Bytes of messages that may wait, over all connections. One post is larger only when it is alone.
const WAITING_BYTES: u32 = 32 * 1024 * 1024;

/// A group has no more records and bytes than this (and one post): what is applied at once has to be a small part of the
/// timeline.
const GROUP: usize = 1024;
const GROUP_BYTES: usize = 2 * 1024 * 1024;

struct Post {
    records: Vec<Record>,
    tags: Option<Tags>,
    bytes: usize,
    done: oneshot::Sender<Result<Acks, Code>>,
}

/// The tags of a post's messages (ID-3): one place for each message.
#[derive(Debug)]
pub struct Tags {
    /// Whose they are.
    pub session: SessionId,
    /// Each message's tag, if it has one.
    pub each: Vec<Option<Arc<str>>>,
}

/// The numbers of messages with tags.
pub type Acks = Vec<(Arc<str>, Sequence)>;

/// Where connections hand in their messages.
#[derive(Debug)]
pub struct Posts {
    posts: mpsc::Sender<Post>,
    bytes: Arc<Semaphore>,
}

/// The other end of [`Posts`].
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Post>);

/// A queue of posts, bounded in number and bytes.
pub fn queue() -> (Posts, Inbox) {
    let (sender, receiver) = mpsc::channel(WAITING_POSTS);
    (
        Posts { posts: sender, bytes: Arc::new(Semaphore::new(WAITING_BYTES as usize)) },
        Inbox(receiver),
    )
}

impl Posts {
    /// Hands in messages, and waits until they are stored and delivered.
    ///
    /// # Errors
    /// [`Code::NotStored`].
    pub async fn post(&self, records: Vec<Record>, tags: Option<Tags>) -> Result<Acks, Code> {
        let size: usize = records.iter().map(|record| record.json.len()).sum();
        let permits = u32::try_from(size).map_or(WAITING_BYTES, |size| size.min(WAITING_BYTES));
        let _room = self.bytes.acquire_many(permits).await.map_err(|_| Code::NotStored)?;
        let (done, stored) = oneshot::channel();
        self.posts
            .send(Post { records, tags, bytes: size, done })
            .await
            .map_err(|_| Code::NotStored)?;
        stored.await.map_err(|_| Code::NotStored)?
    }
}

/// Stores and applies until `stop` is done; what was handed in by then is finished.
pub async fn run(
    mut inbox: Inbox,
    chat: Arc<Chat>,
    backlog: Arc<dyn Backlog>,
    ring: TimelineLimits,
    stop: impl Future<Output = ()>,
) {
    let mut pace = Pace::new(ring, chat.volume(), Instant::now());
    let mut stop = std::pin::pin!(stop);
    let mut stopping = false;
    let mut group = Vec::new();
    loop {
        let first = tokio::select! {
            first = inbox.0.recv() => first,
            () = &mut stop, if !stopping => {
                stopping = true;
                inbox.0.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let (mut records, mut bytes) = (first.records.len(), first.bytes);
        group.push(first);
        while records < GROUP && bytes < GROUP_BYTES {
            let Ok(post) = inbox.0.try_recv() else { break };
            records += post.records.len();
            bytes += post.bytes;
            group.push(post);
        }
        store(&mut group, &chat, &*backlog).await;
        pace.keep(&chat).await;
    }
}

async fn store(group: &mut Vec<Post>, chat: &Chat, backlog: &dyn Backlog) {
    let mut records = Vec::with_capacity(group.iter().map(|post| post.records.len()).sum());
    let mut tagged = Tagged::default();
    for (place, post) in group.iter_mut().enumerate() {
        match post.tags.take() {
            None => records.append(&mut post.records),
            Some(tags) => tagged.sift(place, post, tags, &mut records, chat),
        }
    }
    let outcome = match backlog.append(&records).await {
        Ok(first) => {
            let noted =
                tagged.new.iter().map(|((session, tag), at)| (*session, &**tag, first + *at));
            chat.apply(first, records, noted);
            Ok(first)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "messages refused");
            chat.give_back(&records);
            Err(Code::NotStored)
        }
    };
    let mut answers = tagged.answers.into_iter().peekable();
    for (place, post) in group.drain(..).enumerate() {
        let acks = outcome.map(|first| {
            let own = std::iter::from_fn(|| answers.next_if(|answer| answer.place == place));
            own.map(|answer| (answer.tag, answer.number.of(first))).collect()
        });
        // Whoever does not wait any more has disconnected.
        let _ = post.done.send(acks);
    }
}

/// What of a group has tags. Only here it is decided what has been sent before: there is one writer, so there is no moment
/// in which two connections of a session could both be the first (ID-5).
#[derive(Default)]
struct Tagged {
    /// What is new, with its place in the group.
    new: HashMap<(SessionId, Arc<str>), u64>,
    answers: Vec<Answer>,
}

struct Answer {
    /// Which post.
    place: usize,
    tag: Arc<str>,
    number: Number,
}

enum Number {
    /// It had been sent before.
    Known(Sequence),
    /// It has this place in the group.
    New(u64),
}

impl Number {
    fn of(&self, first: Sequence) -> Sequence {
        match self {
            Self::Known(number) => *number,
            Self::New(at) => first + at,
        }
    }
}

impl Tagged {
    /// Takes the records of a post that have not been sent before.
    fn sift(
        &mut self,
        place: usize,
        post: &mut Post,
        tags: Tags,
        records: &mut Vec<Record>,
        chat: &Chat,
    ) {
        for (record, tag) in std::mem::take(&mut post.records).into_iter().zip(tags.each) {
            let Some(tag) = tag else {
                records.push(record);
                continue;
            };
            let number = match self.new.entry((tags.session, Arc::clone(&tag))) {
                Entry::Occupied(earlier) => Number::New(*earlier.get()),
                Entry::Vacant(new) => match chat.known_tag(tags.session, &tag) {
                    Some(number) => Number::Known(number),
                    None => {
                        let at = *new.insert(records.len() as u64);
                        self.answers.push(Answer { place, tag, number: Number::New(at) });
                        records.push(record);
                        continue;
                    }
                },
            };
            chat.give_back(std::slice::from_ref(&record));
            self.answers.push(Answer { place, tag, number });
        }
    }
}

/// Keeps a burst from overtaking receivers who are reading as fast as they can.
///
/// From time to time it looks for receivers who are more than half a ring behind *and* still moving, and pauses for them.
/// Those who do not move are never waited for, and the pause is bounded so that the chat never gets slower than
/// [`FLOOR_EVENTS`] and [`FLOOR_BYTES`] a second for anybody's sake.
struct Pace {
    start: Instant,
    step: Lag,
    looked: Lag,
}

const FLOOR_EVENTS: u32 = 20_000;
const FLOOR_BYTES: u32 = 8 * 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(5);

/// How often the ring is looked at while it goes round once.
const LOOKS: u64 = 32;

impl Pace {
    fn new(ring: TimelineLimits, volume: Lag, start: Instant) -> Self {
        let step = Lag { events: ring.events as u64 / LOOKS, bytes: ring.bytes / LOOKS };
        Self { start, step, looked: volume }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn keep(&mut self, chat: &Chat) {
        let volume = chat.volume();
        let events = volume.events - self.looked.events;
        let bytes = volume.bytes - self.looked.bytes;
        if events < self.step.events && bytes < self.step.bytes {
            return;
        }
        self.looked = volume;
        let floor = |amount: u64, rate: u32| {
            Duration::from_secs(1)
                .mul_f64(u32::try_from(amount).unwrap_or(u32::MAX) as f64 / f64::from(rate))
        };
        let longest = floor(events, FLOOR_EVENTS).max(floor(bytes, FLOOR_BYTES));
        let mut paused = Duration::ZERO;
        while chat.evict_overtaken(self.now()).catching_up && paused < longest {
            tokio::time::sleep(PAUSE).await;
            paused += PAUSE;
        }
    }
}
