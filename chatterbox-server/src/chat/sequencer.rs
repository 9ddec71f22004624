//! The only proposer of a node, and its follower: collects what is to change the chat into groups, stores their messages, offers
//! them to the order, and applies what comes round.
//!
//! Whatever came while one group is under way makes the next, so under load many share the cost of one write and of one lock.
//! Nothing is told to anybody before it has come round, and a message not before it is stored; one that could not be stored
//! was delivered to nobody. Whoever comes and goes needs no disk.

#![allow(clippy::disallowed_methods, reason = "the edge: paces by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{
    Group, Incarnation, Proposal, Record, RoomRecord, RoomRefusal, RoomWish, Say, Sequence,
    TimelineLimits, Up,
};
use chatterbox_proto::Code;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::time::Instant;

use crate::chat::batch::{Batch, Bounds};
use crate::chat::pace::Pace;
use crate::chat::proposals::{ProposalQueue, WishDone};
use crate::chat::shared::Chat;
use crate::order::{Decided, Order, OrderError};
use crate::store::{Store, StoreError};

/// So many messages are told while a round of wakes is under way, before those behind them wait for its end.
const AT_ONCE: usize = 4;

/// They wait no longer than this.
const LONGEST_ROUND: Duration = Duration::from_millis(25);

/// The sequencer of one node.
pub struct Sequencer {
    /// This life of the node.
    pub node: Incarnation,
    /// What is changed.
    pub chat: Arc<Chat>,
    /// Where messages are stored.
    pub store: Arc<dyn Store>,
    /// Where it is decided.
    pub order: Arc<dyn Order>,
}

impl Sequencer {
    /// Proposes and applies until `stop` is done; what was in the queue by then is finished.
    pub async fn run(
        self,
        mut queue: ProposalQueue,
        limits: TimelineLimits,
        stop: impl Future<Output = ()>,
    ) {
        let mut pace = Pace::new(limits, self.chat.volume(), Instant::now());
        let mut stop = std::pin::pin!(stop);
        let mut stopping = false;
        let mut numbering = Numbering::default();
        let mut refused = Refused::default();
        let mut of_round = 0;
        let mut rounds = Rounds::new(&self);
        let started = rounds.go(vec![Proposal::Up(Up::default())], Batch::default()).await;
        if let Err(error) = started {
            return tracing::error!(%error, "the order can't be followed");
        }
        loop {
            let first = tokio::select! {
                first = queue.recv() => first,
                others = rounds.others() => match others {
                    Ok(()) => continue,
                    Err(error) => return tracing::error!(%error, "the order can't be followed"),
                },
                () = &mut stop, if !stopping => {
                    stopping = true;
                    queue.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut batch = Batch::default();
            batch.add(first);
            fill(&mut batch, &mut queue);
            self.gather(&mut batch, &mut queue, &mut of_round).await;
            let says = batch.take_says();
            let said = says.len();
            let mut proposals = match self.keep(says, &mut numbering).await {
                Ok(says) => {
                    if said > 0 {
                        refused.end();
                    }
                    says.into_iter().map(Proposal::Say).collect()
                }
                Err(error) => {
                    refused.add(said, &error);
                    batch.refuse_posts(Code::NotStored);
                    Vec::new()
                }
            };
            if let Some((wish, done)) = batch.take_wish()
                && let Some((done, proposal)) = self.keep_wish(wish, done, &mut numbering).await
            {
                batch.wishes(done);
                proposals.push(proposal);
            }
            proposals.append(&mut batch.take_others());
            if let Err(error) = rounds.go(proposals, batch).await {
                return tracing::error!(%error, "the order can't be followed");
            }
            pace.keep(&self.chat).await;
        }
    }

    /// Lets a batch grow until all who were woken have looked, when many messages are told in that time: all would be woken again
    /// behind those who still wait for their turn. A first message waits for nothing, and nor do few.
    async fn gather(&self, batch: &mut Batch, queue: &mut ProposalQueue, of_round: &mut usize) {
        let notifier = self.chat.notifier();
        if notifier.all_have_looked() {
            *of_round = 0;
        } else if batch.messages() > 0 && *of_round + batch.messages() > AT_ONCE {
            // Whoever is woken looks soon, but a round of very many takes its time.
            let _ = tokio::time::timeout(LONGEST_ROUND, notifier.until_all_have_looked()).await;
            fill(batch, queue);
            *of_round = 0;
        }
        *of_round += batch.messages();
    }

    /// Stores what follows from a wish about rooms, if it is going to be granted. Nothing comes between here and its turn but
    /// messages, by which rooms don't change. Where it is not, whoever waits is told at once.
    async fn keep_wish(
        &self,
        wish: Box<RoomWish>,
        done: WishDone,
        numbering: &mut Numbering,
    ) -> Option<(WishDone, Proposal)> {
        let refuse = |done: WishDone, refusal| {
            // The connection may have ended meanwhile.
            let _ = done.send(Err(refusal));
            None
        };
        let newest = match numbering.newest(&*self.store).await {
            Ok(newest) => newest,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store can't be read"
                );
                return refuse(done, RoomRefusal::NotStored);
            }
        };
        let number = newest + 1;
        let judged = match self.chat.judge_room(&wish, number) {
            Ok(judged) => judged,
            Err(refusal) => {
                numbering.newest = Some(newest);
                return refuse(done, refusal);
            }
        };
        let durable: Vec<_> = judged.records.into_iter().filter(RoomRecord::is_durable).collect();
        if !durable.is_empty()
            && let Err(error) = self.store.keep_rooms(number, &durable).await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "a room was not changed");
            return refuse(done, RoomRefusal::NotStored);
        }
        numbering.newest = Some(number);
        Some((done, Proposal::Room(wish, number)))
    }

    /// Stores the messages that are going to be accepted, under their numbers. Nothing comes between here and their turn: they
    /// are the first of their group, and the node is alone.
    async fn keep(
        &self,
        mut says: Vec<Say>,
        numbering: &mut Numbering,
    ) -> Result<Vec<Say>, StoreError> {
        if says.is_empty() {
            return Ok(says);
        }
        let newest = numbering.newest(&*self.store).await?;
        let accepted = self.chat.judge(self.node, &mut says, newest + 1);
        let accepted = says.iter().zip(accepted).filter(|(_, is_accepted)| *is_accepted);
        let numbered: Vec<(Sequence, Record)> =
            accepted.map(|(say, _)| (say.number, say.record.clone())).collect();
        if !numbered.is_empty() {
            let begun = Instant::now();
            self.store.keep(&numbered).await?;
            self.chat.traffic().stored(begun.elapsed());
        }
        numbering.newest = Some(newest + numbered.len() as u64);
        Ok(says)
    }
}

/// Takes what has come into a batch, as far as there is room.
fn fill(batch: &mut Batch, queue: &mut ProposalQueue) {
    while batch.has_room(&Bounds::ALONE)
        && let Ok(entry) = queue.try_recv()
    {
        batch.add(entry);
    }
}

/// The rounds that groups of this node make through the order, and what comes round of others.
struct Rounds<'a> {
    sequencer: &'a Sequencer,
    decided: BoxStream<'a, Result<Arc<Decided>, OrderError>>,
    /// The number of the newest group.
    number: u64,
}

impl<'a> Rounds<'a> {
    fn new(sequencer: &'a Sequencer) -> Self {
        Self { sequencer, decided: sequencer.order.follow(0), number: 0 }
    }

    /// Offers a group, applies what is decided until it has come round, and answers those who wait for it.
    async fn go(&mut self, proposals: Vec<Proposal>, batch: Batch) -> Result<(), OrderError> {
        let Sequencer { node, chat, order, .. } = self.sequencer;
        if proposals.is_empty() {
            // Turns of senders whose messages were refused.
            batch.answer(Vec::new(), chat);
            return Ok(());
        }
        self.number += 1;
        let group = Arc::new(Group { from: *node, number: self.number, proposals });
        if let Err(unconfirmed) = order.offer(Arc::clone(&group)).await {
            return Err(OrderError::Engine(unconfirmed.to_string()));
        }
        loop {
            let decided = self.next().await?;
            let Group { from, number, .. } = *decided.group;
            if from == *node && number == self.number {
                let outcomes = chat.apply(&decided, |index| batch.greeting(index));
                batch.answer(outcomes, chat);
                return Ok(());
            }
            chat.apply(&decided, |_| None);
        }
    }

    /// Applies the next group of another node.
    async fn others(&mut self) -> Result<(), OrderError> {
        let decided = self.next().await?;
        self.sequencer.chat.apply(&decided, |_| None);
        Ok(())
    }

    async fn next(&mut self) -> Result<Arc<Decided>, OrderError> {
        self.decided.next().await.unwrap_or(Err(OrderError::Ended))
    }
}

/// Gives the messages of this node their numbers: each the next one.
#[derive(Default)]
struct Numbering {
    /// The newest number; unknown at the start, and after a group of which nobody knows whether the store has it.
    newest: Option<Sequence>,
}

impl Numbering {
    /// Takes the newest number out.
    async fn newest(&mut self, store: &dyn Store) -> Result<Sequence, StoreError> {
        match self.newest.take() {
            Some(newest) => Ok(newest),
            None => store.newest().await,
        }
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

#[cfg(test)]
mod tests;
