//! Following the log: a consumer that the engine makes for us, watched closely, and made anew behind the last place whenever it
//! is silent, has a hole, or is gone.
//!
//! A consumer belongs to one server of the engine. It may be silent for as long as that server is hung or cut off from the
//! others, and says nothing of it; so silence is enough to ask for another one. That is harmless where nothing happens, and in a
//! cluster something happens each second: the ticks of the nodes.

#![allow(clippy::disallowed_methods, reason = "the edge: waits for the engine")]

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::push;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use async_nats::{HeaderMap, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use crate::order::jetstream::doubts::Doubts;
use crate::order::jetstream::jet_stream::{JetStream, reach_of};
use crate::order::jetstream::said::said;
use crate::order::total_order::{OrderError, Place};

/// A consumer that says nothing for so long is made anew.
const SILENCE: Duration = Duration::from_secs(2);

/// How long the engine may take to make one, at first, and half of it to say how far the log goes, which is asked before: while the
/// engine elects nobody answers, and who asks often hears early that it is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much longer it may take after each time that it has taken longer: it may be slow.
const MORE_PATIENCE: Duration = Duration::from_millis(250);

/// How long it may take at most.
const MOST_PATIENCE: Duration = Duration::from_secs(10);

/// The time between two attempts that have failed at once.
const REST: Duration = Duration::from_millis(200);

/// After how long without anybody who listens the engine forgets a consumer.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// What the engine says that it is alive with. It has to, for consumers that wait for us when we are slow.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// With this the engine says on a heartbeat that it waits for us.
const STALLED: &str = "Nats-Consumer-Stalled";

/// A record as the engine has it.
#[derive(Debug)]
pub struct Raw {
    /// Its place.
    pub place: Place,
    /// The engine's time stamp, in nanoseconds.
    pub nanos: i128,
    /// The same in milliseconds, and never going back.
    pub at: u64,
    /// What is written there.
    pub payload: Bytes,
    /// What is said of it.
    pub headers: Option<HeaderMap>,
}

/// Somebody who follows the log.
#[derive(Debug)]
pub struct Follower<'a> {
    log: &'a JetStream,
    /// The last place that was read.
    after: Place,
    /// The time of it.
    at: u64,
    feed: Option<Feed>,
    patience: Duration,
    /// The time stamp of the last record that was read: another log in the place of ours has another one there.
    stamp: Option<i128>,
    doubts: Doubts,
}

/// A consumer in the engine.
#[derive(Debug)]
struct Feed {
    subscriber: Subscriber,
    /// What it has delivered.
    delivered: u64,
}

/// What comes out of a consumer.
enum Fed {
    Record(Place, i128, Bytes, Option<HeaderMap>),
    /// It is over.
    Broken,
}

impl<'a> Follower<'a> {
    /// Follows from behind a place.
    pub fn new(log: &'a JetStream, after: Place) -> Self {
        let (doubts, stamp) = (Doubts::default(), log.stamp_of(after));
        Self { log, after, at: 0, feed: None, patience: PATIENCE, stamp, doubts }
    }

    /// The next record, whenever there is one.
    ///
    /// # Errors
    /// [`OrderError::OutOfReach`] when it is not kept, or the log ends before what was read; [`OrderError::Replaced`] when it is another
    /// one; [`OrderError::Unreadable`] when something is missing; [`OrderError::Engine`] when a server that can't be used has
    /// taken its place.
    pub async fn next(&mut self) -> Result<Raw, OrderError> {
        loop {
            let Some(feed) = &mut self.feed else {
                self.feed = self.open().await?;
                continue;
            };
            match timeout(SILENCE, feed.next(self.log)).await {
                // A server that has not caught up begins before the place that we asked for.
                Ok(Fed::Record(place, ..)) if place < self.after => {}
                Ok(Fed::Record(place, nanos, ..)) if place == self.after => {
                    if self.stamp.is_none_or(|stamp| stamp == nanos) {
                        self.doubts.is_the_same();
                    } else {
                        self.feed = None;
                        let believed = self.doubts.is_another(Instant::now());
                        doubt(believed, OrderError::Replaced { place }).await?;
                    }
                }
                Ok(Fed::Record(place, nanos, payload, headers)) if place == self.after + 1 => {
                    return Ok(self.take(place, nanos, payload, headers));
                }
                Ok(Fed::Record(place, ..)) => {
                    self.feed = None;
                    self.missing(place).await?;
                }
                Ok(Fed::Broken) | Err(_) => self.feed = None,
            }
        }
    }

    fn take(
        &mut self,
        place: Place,
        nanos: i128,
        payload: Bytes,
        headers: Option<HeaderMap>,
    ) -> Raw {
        (self.after, self.stamp) = (place, Some(nanos));
        self.log.has_read(place, nanos);
        self.doubts.goes_on();
        self.at = self.at.max(u64::try_from(nanos / 1_000_000).unwrap_or(0));
        Raw { place, nanos, at: self.at, payload, headers }
    }

    /// Asks the engine for a consumer; `None` when there is none yet.
    async fn open(&mut self) -> Result<Option<Feed>, OrderError> {
        self.log.connection.up().await;
        self.log.connection.check_server().map_err(OrderError::Engine)?;
        let log = self.log;
        let Some(info) = self.answered(self.patience / 2, log.info()).await else {
            return Ok(None);
        };
        let reach = reach_of(&info);
        let out = OrderError::OutOfReach { after: self.after, first: reach.first };
        if self.after.saturating_add(1) < reach.first {
            return Err(out);
        }
        if self.after > reach.last {
            doubt(self.doubts.ends_early(Instant::now()), out).await?;
            return Ok(None);
        }
        self.doubts.is_long_enough();
        let asking = self.ask();
        let feed = self.answered(self.patience, asking).await;
        if feed.is_some() {
            self.patience = PATIENCE;
        }
        Ok(feed)
    }

    /// What the engine answers within a time; `None` when it does not.
    async fn answered<T, E: std::fmt::Display>(
        &mut self,
        within: Duration,
        asking: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        match timeout(within, asking).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(why)) => {
                debug!(why = %said(why), "the engine gives no consumer");
                sleep(REST).await;
                None
            }
            Err(_) => {
                self.patience = (self.patience + MORE_PATIENCE).min(MOST_PATIENCE);
                None
            }
        }
    }

    /// Asks for a consumer.
    fn ask(&self) -> impl Future<Output = Result<Feed, String>> + use<'a> {
        let log = self.log;
        // What was read last comes once more, to be compared with that.
        let start_sequence = self.after.saturating_add(u64::from(self.stamp.is_none()));
        async move {
            let stream = log.stream().await.map_err(said)?;
            let client = &log.connection.client;
            let inbox = client.new_inbox();
            let subscriber = client.subscribe(inbox.clone()).await.map_err(said)?;
            let config = push::Config {
                deliver_subject: inbox,
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
                ack_policy: AckPolicy::None,
                replay_policy: ReplayPolicy::Instant,
                max_deliver: 1,
                // It delivers as much as we take, so that what waits here is bounded.
                flow_control: true,
                idle_heartbeat: HEARTBEAT,
                inactive_threshold: FORGOTTEN,
                memory_storage: true,
                num_replicas: 1,
                ..push::Config::default()
            };
            stream.create_consumer(config).await.map_err(said)?;
            Ok(Feed { subscriber, delivered: 0 })
        }
    }

    /// Something is missing before a place that has come. It may be that it was removed at the front of the log meanwhile; that a
    /// server has yet to catch up; or that the engine has lost it.
    async fn missing(&mut self, came: Place) -> Result<(), OrderError> {
        if let Ok(Ok(info)) = timeout(MOST_PATIENCE, self.log.info()).await {
            let first = reach_of(&info).first;
            if self.after + 1 < first {
                return Err(OrderError::OutOfReach { after: self.after, first });
            }
        }
        let place = self.after + 1;
        let why = format!("it is missing, and place {came} is there");
        doubt(self.doubts.has_a_hole(Instant::now()), OrderError::Unreadable { place, why }).await
    }
}

/// Says what the engine says, if it is believed, and else waits a moment.
async fn doubt(is_believed: bool, error: OrderError) -> Result<(), OrderError> {
    if is_believed {
        return Err(error);
    }
    sleep(REST).await;
    Ok(())
}

impl Feed {
    /// What comes next out of the consumer.
    async fn next(&mut self, log: &JetStream) -> Fed {
        while let Some(message) = self.subscriber.next().await {
            match message.status {
                // The engine asks whether we keep up, or says that it waits for us.
                Some(StatusCode::IDLE_HEARTBEAT) => {
                    let stalled = message.headers.as_ref().and_then(|headers| headers.get(STALLED));
                    let stalled = stalled.map(|subject| subject.as_str().into());
                    if let Some(subject) = message.reply.or(stalled)
                        && log.connection.client.publish(subject, Bytes::new()).await.is_err()
                    {
                        return Fed::Broken;
                    }
                }
                Some(_) => return Fed::Broken,
                None => {
                    let context = log.connection.context.clone();
                    let message = Message { message, context };
                    let Ok(info) = message.info() else { return Fed::Broken };
                    if info.consumer_sequence != self.delivered + 1 {
                        return Fed::Broken;
                    }
                    self.delivered = info.consumer_sequence;
                    let (place, nanos) =
                        (info.stream_sequence, info.published.unix_timestamp_nanos());
                    let Message { message, .. } = message;
                    return Fed::Record(place, nanos, message.payload, message.headers);
                }
            }
        }
        Fed::Broken
    }
}
