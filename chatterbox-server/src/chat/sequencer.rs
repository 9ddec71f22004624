//! The only writer of messages: numbers and stores them in groups, then applies them to the hub in the stored order.
//!
//! Whatever was posted while one group is stored makes the next, so under load many messages share the cost of one write.
//! A message that could not be stored was delivered to nobody.

#![allow(clippy::disallowed_methods, reason = "the edge: paces by the clock")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Lag, Record, Sequence, SessionId, TimelineLimits};
use chatterbox_proto::Code;
use tokio::time::Instant;

use crate::chat::posts::{Acks, Post, PostQueue, Tags};
use crate::chat::shared::Chat;
use crate::store::{Store, StoreError};

/// A group takes further posts up to these bounds: what is applied at once has to be a small part of the timeline.
const GROUP: usize = 1024;
const GROUP_BYTES: usize = 2 * 1024 * 1024;

/// Stores and applies posts until `stop` is done; posts that were queued by then are finished.
pub async fn run(
    mut queue: PostQueue,
    chat: Arc<Chat>,
    messages: Arc<dyn Store>,
    limits: TimelineLimits,
    stop: impl Future<Output = ()>,
) {
    let mut pace = Pace::new(limits, chat.volume(), Instant::now());
    let mut stop = std::pin::pin!(stop);
    let mut stopping = false;
    let mut group = Vec::new();
    let mut numbering = Numbering::default();
    let mut refused = Refused::default();
    loop {
        let first = tokio::select! {
            first = queue.recv() => first,
            () = &mut stop, if !stopping => {
                stopping = true;
                queue.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let (mut records, mut bytes) = (first.records.len(), first.bytes);
        group.push(first);
        while records < GROUP && bytes < GROUP_BYTES {
            let Ok(post) = queue.try_recv() else { break };
            records += post.records.len();
            bytes += post.bytes;
            group.push(post);
        }
        store(&mut group, &chat, &*messages, &mut numbering, &mut refused).await;
        pace.keep(&chat).await;
    }
}

async fn store(
    group: &mut Vec<Post>,
    chat: &Chat,
    messages: &dyn Store,
    numbering: &mut Numbering,
    refused: &mut Refused,
) {
    let mut records = Vec::with_capacity(group.iter().map(|post| post.records.len()).sum());
    let mut tagged = Tagged::default();
    for (place, post) in group.iter_mut().enumerate() {
        match post.tags.take() {
            None => records.append(&mut post.records),
            Some(tags) => tagged.deduplicate(place, post, tags, &mut records, chat),
        }
    }
    if records.is_empty() && tagged.answers.is_empty() {
        // Turns of senders whose messages were refused.
        for post in group.drain(..) {
            let _ = post.done.send(Ok(Acks::new()));
        }
        return;
    }
    chat.file_to(&mut records);
    let count = records.len();
    let outcome = match numbering.keep(messages, records).await {
        Ok((first, records)) => {
            let noted =
                tagged.new.iter().map(|((session, tag), at)| (*session, &**tag, first + *at));
            chat.apply(records, noted);
            refused.end();
            Ok(first)
        }
        Err(error) => {
            refused.add(count, &error);
            Err(Code::NotStored)
        }
    };
    let mut answers = tagged.answers.into_iter().peekable();
    for (place, post) in group.drain(..).enumerate() {
        let acks = outcome.map(|first| {
            let own = std::iter::from_fn(|| answers.next_if(|answer| answer.place == place));
            own.map(|answer| (answer.tag, answer.number.of(first))).collect()
        });
        // The connection may have ended meanwhile.
        let _ = post.done.send(acks);
    }
}

/// Gives the messages of this node their numbers: each the next one.
#[derive(Default)]
struct Numbering {
    /// The newest number; unknown at the start, and after a group of which nobody knows whether the store has it.
    newest: Option<Sequence>,
}

impl Numbering {
    /// Keeps records under the next numbers, and gives the first of these.
    async fn keep(
        &mut self,
        messages: &dyn Store,
        records: Vec<Record>,
    ) -> Result<(Sequence, Vec<(Sequence, Record)>), StoreError> {
        let newest = match self.newest.take() {
            Some(newest) => newest,
            None => messages.newest().await?,
        };
        let numbered: Vec<_> = (newest + 1..).zip(records).collect();
        messages.keep(&numbered).await?;
        self.newest = Some(newest + numbered.len() as u64);
        Ok((newest + 1, numbered))
    }
}

/// How many messages were refused since one was stored.
#[derive(Default)]
struct Refused(usize);

impl Refused {
    /// Logged at 1, 2, 4, 8 ... messages: a full disk refuses each, and the log may be on it.
    fn add(&mut self, messages: usize, error: &StoreError) {
        let before = self.0;
        self.0 = before.saturating_add(messages.max(1));
        if before.checked_ilog2() != self.0.checked_ilog2() {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, count = self.0, "messages refused");
        }
    }

    fn end(&mut self) {
        if self.0 > 0 {
            tracing::warn!(refused = self.0, "messages are stored again");
            self.0 = 0;
        }
    }
}

/// The messages of a group that have idempotency keys.
///
/// Duplicates are found here and nowhere else: with one writer, two connections of a session can't both be the first to
/// store a message (ID-5).
#[derive(Default)]
struct Tagged {
    /// First occurrences, with their index in the group.
    new: HashMap<(SessionId, Arc<str>), u64>,
    answers: Vec<Answer>,
}

struct Answer {
    /// The index of the post in the group.
    place: usize,
    tag: Arc<str>,
    number: Number,
}

enum Number {
    /// A duplicate of a stored message.
    Known(Sequence),
    /// The index in the group.
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
    /// Moves the records of a post to `records`, without duplicates.
    fn deduplicate(
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
            self.answers.push(Answer { place, tag, number });
        }
    }
}

/// Back-pressure: pauses the writer for receivers who would be overtaken although they read as fast as they can.
///
/// Such a receiver is more than half a timeline behind *and* still reading. Slow consumers who have stopped reading are
/// never waited for, and pauses are bounded: no receiver slows the chat below [`FLOOR_EVENTS`] and [`FLOOR_BYTES`] a second.
struct Pace {
    start: Instant,
    /// The volume between two checks.
    step: Lag,
    /// The volume at the last check.
    checked: Lag,
}

const FLOOR_EVENTS: u32 = 20_000;
const FLOOR_BYTES: u32 = 8 * 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(5);

/// Checks for each full turn of the timeline.
const CHECKS: u64 = 32;

impl Pace {
    fn new(limits: TimelineLimits, volume: Lag, start: Instant) -> Self {
        let step = Lag { events: limits.events as u64 / CHECKS, bytes: limits.bytes / CHECKS };
        Self { start, step, checked: volume }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn keep(&mut self, chat: &Chat) {
        let volume = chat.volume();
        let events = volume.events - self.checked.events;
        let bytes = volume.bytes - self.checked.bytes;
        if events < self.step.events && bytes < self.step.bytes {
            return;
        }
        self.checked = volume;
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
