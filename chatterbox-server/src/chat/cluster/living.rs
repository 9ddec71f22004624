//! The life of this node: how it begins among the others, ends, and begins again.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{
    AccountChange, AccountChangeKind, AccountRef, Group, Incarnation, Proposal, Up,
};
use futures_util::stream::StreamExt as _;
use tokio::time::Instant;

use crate::chat::batch::Batch;
use crate::chat::cluster::common::Standing;
use crate::chat::cluster::engine_patience::reach_at_least;
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::life::Split;
use crate::chat::cluster::namesakes::Namesakes;
use crate::chat::cluster::report::Report;
use crate::chat::cluster::rounds::Rounds;
use crate::chat::cluster::under_way::UnderWay;
use crate::store::StoreCommands;

/// A node that must not go on tells the others for so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A node that begins watches a node of its name for so long. Whoever lives says something each second.
const WATCHED: Duration = Duration::from_secs(3);

/// The time between two attempts to begin a life: from this to that.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MOST: Duration = Duration::from_secs(10);

impl Rounds<'_> {
    /// Waits until it is certain that no other node has this name and goes on. Says `false` if it is to stop.
    ///
    /// # Errors
    /// [`ClusterError::NameTaken`], and what stands in the way of reading on.
    pub(super) async fn watch_namesakes(&mut self) -> Result<bool, ClusterError> {
        let mut suspects = false;
        loop {
            let up = self.follower.chat.nodes_up();
            self.namesakes = Namesakes::of(self.name, Incarnation::default(), up);
            if self.namesakes.is_empty() {
                return Ok(true);
            }
            tracing::info!(
                node = self.name,
                "a node of this name is up: watching whether it goes on"
            );
            match self.watch().await {
                Err(ClusterError::NameTaken { .. }) if !suspects => suspects = true,
                watched => return watched,
            }
            // What was heard may be of a process that has ended: a server of the engine that was hung says late how far the order goes, so that
            // this node has taken for new what was decided before it began. It reads on to where the order ends now, and what is heard behind that
            // is certain.
            self.namesakes = Namesakes::default();
            let reach = reach_at_least(self.order, self.follower.position.place);
            let Some(reach) = self.stop.run_until_cancelled(reach).await else { return Ok(false) };
            if !self.read_up_to(reach?.last).await? {
                return Ok(false);
            }
        }
    }

    /// Watches for a while, in which the engine answers, whether a namesake goes on. Says `false` if it is to stop.
    async fn watch(&mut self) -> Result<bool, ClusterError> {
        loop {
            let end = Instant::now() + WATCHED;
            let watched = loop {
                let next = tokio::time::timeout_at(end, self.decided.next());
                match self.stop.run_until_cancelled(next).await {
                    None => return Ok(false),
                    Some(Err(_)) => break self.order.reach().await,
                    Some(Ok(decided)) => {
                        if !self.take(decided).await? {
                            return Ok(false);
                        }
                    }
                }
            };
            // While the engine elects, nothing of anybody comes round.
            if let Ok(reach) = watched {
                return self.read_up_to(reach.last).await;
            }
        }
    }

    /// Begins a life, as a node that has read everything so far.
    pub(super) fn begin_life(&mut self) {
        self.own = incarnation();
        self.begins = None;
        self.follower.chat.serves(self.own);
        self.number = 0;
        // As all have it: what this node has read since it began may be nothing at all.
        let read_to = self.follower.chat.time_of_order();
        self.life.is_reborn(self.own, self.began.elapsed());
        let (_, speaks) = self.life.own();
        let up = Up { read_to, name: self.name.into(), speaks };
        self.offer(vec![Proposal::Up(up)], Batch::default());
    }

    /// Ends this life: what is still here of its members goes, and nobody has to miss it first.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        self.offer(vec![Proposal::Down(self.own)], Batch::default());
    }

    /// Tells the others what this node has read, before it stops.
    pub(super) async fn warn_others(&mut self, split: Split) -> ClusterError {
        if self.is_up() {
            self.number += 1;
            let proposals = vec![self.life.last_words()];
            let group = Group { from: self.own, number: self.number, proposals };
            let _ = tokio::time::timeout(LAST_WORDS, self.order.offer(Arc::new(group))).await;
        }
        split.into()
    }

    pub(super) fn beat(&self) {
        let report = Report::of(&self.life, self.name, self.began);
        self.pulse.beats(Instant::now(), report);
    }

    /// Looks whether this life has begun, or has ended.
    pub(super) fn look_at_life(&mut self) {
        if self.own == Incarnation::default() || self.is_leaving {
            return;
        }
        let is_up = self.follower.chat.is_up(self.own);
        let was_up = self.is_up();
        match (was_up, is_up) {
            (false, true) => self.is_born(),
            (true, false) => {
                tracing::error!(
                    node = self.name, life = %self.own,
                    "the others have missed this node, and decided that it has ended; it begins again"
                );
                self.standing.send_replace(Standing::Fenced);
                self.end_life();
                self.begin_life();
            }
            (false, false) if self.under_way.is_none() && self.begins.is_none() => {
                self.is_not_born();
            }
            (false, false) | (true, true) => {}
        }
    }

    fn is_born(&mut self) {
        tracing::info!(node = self.name, life = %self.own, "is up");
        self.refused = 0;
        // Two of one name may have begun at the same moment: the later one finds the other here.
        let up = self.follower.chat.nodes_up();
        self.namesakes = Namesakes::of(self.name, self.own, up);
        if let Some(commands) = self.commands {
            commands.begin(self.follower.chat.proposer());
            self.ends_what_is_gone(commands);
        }
        self.life.is_up();
        self.beat();
        self.standing.send_replace(Standing::Up(self.own));
    }

    /// Looks for accounts of which this node knows something, and that are not there any more. Whoever has removed one tells it
    /// afterwards, and so do all who are up then; where all have ended in between, nobody has told it, and rooms would have it
    /// for ever.
    fn ends_what_is_gone(&mut self, commands: &Arc<dyn StoreCommands>) {
        let chat = Arc::clone(&self.follower.chat);
        let known = chat.known_accounts();
        // As it is now. Accounts that are made later are none of these.
        let gone = commands.gone(known.iter().map(|account| account.id).collect());
        self.looking.abort_all();
        self.looking.spawn(async move {
            let gone = match gone.await {
                Ok(gone) => gone,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    return tracing::warn!(error, "removed accounts are not looked for");
                }
            };
            for AccountRef { id: account, name } in known {
                if gone.binary_search(&account).is_ok() {
                    tracing::info!(account, "an account was removed, and nobody has told so");
                    let kind = AccountChangeKind::Removed;
                    chat.change_account(&AccountChange { account, name, kind });
                }
            }
        });
    }

    /// The beginning of this life has come round and does not count: by then, what this node had read was too long ago, as it is where
    /// all nodes were away for longer than that. Having read so far, it tries again, and not in a hurry.
    fn is_not_born(&mut self) {
        self.refused = self.refused.saturating_add(1);
        let pause =
            AGAIN.saturating_mul(1 << self.refused.min(8).saturating_sub(1)).min(AGAIN_MOST);
        let pause_ms = pause.as_millis();
        if self.refused == 1 {
            tracing::info!("nothing was decided for long: this node begins once more");
        } else {
            tracing::error!(
                attempts = self.refused, %pause_ms,
                "this node does not come up: more than ten minutes of the order lie between what it has read and its beginning; \
                 trying again"
            );
        }
        self.begins = Some(Instant::now() + pause);
    }

    /// What is under way counts no more, wherever it is.
    fn end_life(&mut self) {
        if let Some(UnderWay { batch, .. }) = self.under_way.take() {
            batch.answer(Vec::new(), &self.follower.chat);
        }
    }
}

/// A life that nobody else has.
fn incarnation() -> Incarnation {
    let random = ring::rand::generate::<[u8; 8]>(&ring::rand::SystemRandom::new());
    // Without random numbers there was no TLS either.
    let random = random.map(|random| u64::from_le_bytes(random.expose()));
    Incarnation(random.unwrap_or_default() >> 1)
}
