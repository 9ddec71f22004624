//! Applies what is decided, and stores what follows from it.

#![allow(clippy::disallowed_methods, reason = "the edge: tries again by the clock")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Durable, Greeting, Group, Outcome, Proposal, Refused};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::progress::Progress;
use crate::chat::cluster::snapshot::pack;
use crate::chat::shared::Chat;
use crate::order::{Decided, Place, Position, Snapshot};
use crate::store::{Followed, Store, StoreCommands, StoreError};

/// What is applied is stored when so much of it waits, or nothing more is decided at the moment.
const WAITING: usize = 1024;

/// The same for the bytes of the messages that wait: with one group more it is what a node holds twice. What is applied at once is also what
/// is paused for, and a second of it is enough ([`FLOOR_BYTES`](crate::chat::pace::FLOOR_BYTES)).
const WAITING_BYTES: usize = 8 * 1024 * 1024;

/// Where nothing follows from what is decided, the place is stored after so many: whoever starts again reads them once more.
const PLACES: u64 = 1000;

/// The time between two attempts to store something: from this to that.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MOST: Duration = Duration::from_secs(5);

/// A node's end of the order.
pub(super) struct Follower {
    pub(super) chat: Arc<Chat>,
    store: Arc<dyn Store>,
    /// What all nodes store alike.
    commands: Option<Arc<dyn StoreCommands>>,
    pub(super) progress: Arc<Progress>,
    /// What was applied.
    pub(super) position: Position,
    /// What the store had followed when the node began: what is read there again has to be the same.
    pub(super) before: Followed,
    /// What has to be stored.
    waiting: Vec<Durable>,
    /// The bytes of the messages in that.
    bytes: usize,
    /// The place that the store has noted.
    noted: Place,
}

impl Follower {
    /// Begins behind a position, with a store that may be ahead of it.
    pub(super) fn new(
        chat: Arc<Chat>,
        store: Arc<dyn Store>,
        commands: Option<Arc<dyn StoreCommands>>,
        progress: Arc<Progress>,
        position: Position,
        before: Followed,
    ) -> Self {
        progress.applies(position.place);
        progress.has_stored(position.place);
        let noted = before.place;
        Self {
            chat,
            store,
            commands,
            progress,
            position,
            before,
            waiting: Vec::new(),
            bytes: 0,
            noted,
        }
    }

    /// Applies a group; see [`Chat::apply`].
    pub(super) fn apply<'a>(
        &mut self,
        decided: &Decided,
        greeting: impl FnMut(usize) -> Option<Greeting<'a>>,
    ) -> Result<Vec<Result<Outcome, Refused>>, ClusterError> {
        let position = self.position.then(decided);
        if position.place == self.before.place && position.read != self.before.read {
            return Err(ClusterError::AnotherOrder(position.place));
        }
        // Before anybody hears of it: whoever does, and reads, waits for it.
        self.progress.applies(decided.place);
        let outcomes = self.chat.apply(decided, greeting);
        self.position = position;
        let durable = self.chat.take_durable();
        if position.place > self.before.place {
            self.bytes += durable.iter().map(bytes_of).sum::<usize>();
            self.waiting.extend(durable);
        }
        Ok(outcomes)
    }

    /// Whether a group asks for something of what all nodes store alike. What was decided before it has to be stored before it is
    /// applied: it may be about the same accounts.
    pub(super) fn asks_stores(&self, decided: &Decided) -> bool {
        self.commands.is_some() && decided.group.proposals.iter().any(is_of_stores)
    }

    /// Does what the proposals of a group, with these outcomes, ask of what all nodes store alike. Says `false` if `stop` came first.
    ///
    /// # Errors
    /// [`ClusterError::NotUnderstood`], and what is no better however often it is tried: nothing may be skipped.
    pub(super) async fn carry_out(
        &mut self,
        decided: &Decided,
        outcomes: &[Result<Outcome, Refused>],
        stop: &CancellationToken,
    ) -> Result<bool, ClusterError> {
        let Some(commands) = &self.commands else { return Ok(true) };
        let all = decided.group.proposals.iter().zip(outcomes).enumerate();
        for (index, (proposal, outcome)) in all.filter(|(_, (proposal, _))| is_of_stores(proposal))
        {
            let number = Group::number_of(decided.place, index);
            let mut failed = Failed::default();
            while let Err(error) = commands.apply(number, proposal, outcome.is_ok()).await {
                if !failed.waits(error, decided.place, stop).await? {
                    return Ok(false);
                }
            }
            failed.end();
        }
        Ok(true)
    }

    /// The state behind what was applied when this is called, for others to begin with. It is put together while more is applied.
    ///
    /// # Errors
    /// [`ClusterError`]; there is none of this place then.
    pub(super) fn freeze(&self) -> BoxFuture<'static, Result<Snapshot, ClusterError>> {
        let Position { place, read, .. } = self.position;
        let hub = self.chat.copy_state();
        let stores = self.commands.as_ref().map(|commands| commands.dump());
        async move {
            let failed = |why: String| ClusterError::Snapshot { place, why };
            // It may take a tenth of a second.
            let hub = tokio::task::spawn_blocking(move || hub.freeze()).await;
            let hub = hub.map_err(|error| failed(error.to_string()))?;
            let hub = hub.map_err(|error| failed(error.to_string()))?;
            let stores = match stores {
                Some(stores) => stores.await?,
                None => Bytes::new(),
            };
            Ok(Snapshot { place, read, state: pack(&hub, &stores) })
        }
        .boxed()
    }

    /// Whether so much waits that it has to be stored before more is applied.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING || self.bytes >= WAITING_BYTES
    }

    /// Stores what waits. A store that takes nothing at the moment is asked again until it does: nothing may be skipped, and nothing more
    /// is applied until then. Says `false` if `stop` came first: whoever starts again finds it in the order.
    ///
    /// # Errors
    /// [`ClusterError::Store`] with what is no better however often it is tried.
    pub(super) async fn store(&mut self, stop: &CancellationToken) -> Result<bool, ClusterError> {
        let place = self.position.place;
        if self.waiting.is_empty() && place < self.noted.saturating_add(PLACES) {
            self.progress.has_stored(place);
            return Ok(true);
        }
        self.store_now(stop).await
    }

    /// The same, also where only the place has to be noted.
    pub(super) async fn store_now(
        &mut self,
        stop: &CancellationToken,
    ) -> Result<bool, ClusterError> {
        let Position { place, read, .. } = self.position;
        let mut failed = Failed::default();
        let mut begun = Instant::now();
        while let Err(error) = self.store.follow(Followed { place, read }, &self.waiting).await {
            if !failed.waits(error, place, stop).await? {
                return Ok(false);
            }
            begun = Instant::now();
        }
        self.chat.traffic().stored(begun.elapsed());
        failed.end();
        self.waiting.clear();
        self.bytes = 0;
        self.noted = self.noted.max(place);
        self.progress.has_stored(place);
        Ok(true)
    }
}

fn bytes_of(durable: &Durable) -> usize {
    if let Durable::Message(_, record) = durable { record.weight() } else { 0 }
}

fn is_of_stores(proposal: &Proposal) -> bool {
    match proposal {
        Proposal::Store(_) | Proposal::Moderate(_) => true,
        // The file that it announces is its own from then on.
        Proposal::Say(say) => say.record.file().is_some(),
        _ => false,
    }
}

/// How often something could not be stored.
#[derive(Default)]
struct Failed(u32);

impl Failed {
    /// Waits for the next attempt, and says `false` if `stop` came first. Logged at 1, 2, 4, 8 ... attempts: the log may be on the
    /// disk that is full.
    ///
    /// # Errors
    /// What another attempt would not change.
    async fn waits(
        &mut self,
        error: StoreError,
        place: Place,
        stop: &CancellationToken,
    ) -> Result<bool, ClusterError> {
        match error {
            StoreError::NotUnderstood => return Err(ClusterError::NotUnderstood(place)),
            error if !error.may_pass() => return Err(error.into()),
            _ => {}
        }
        let pause = AGAIN.saturating_mul(1 << self.0.min(6)).min(AGAIN_MOST);
        self.0 = self.0.saturating_add(1);
        if self.0.is_power_of_two() {
            let error = &error as &dyn std::error::Error;
            let count = self.0;
            tracing::error!(error, count, "what is decided can't be stored; this node waits");
        }
        Ok(stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some())
    }

    fn end(&self) {
        if self.0 > 0 {
            tracing::warn!(attempts = self.0, "what is decided is stored again");
        }
    }
}
