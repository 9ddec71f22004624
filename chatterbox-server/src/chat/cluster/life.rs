//! The life of the nodes of a cluster, as one of them learns of it from the order: who is up, who has not been heard for too long,
//! and whether all have read the same.
//!
//! Each node writes a tick into the order each second. Silence is counted in ticks of one's own that came round: where the engine
//! stands still nobody's come round, so nobody is accused, and no clock of one machine is compared with that of another. A tick says
//! what its node has read, as a checksum of everything up to a place. Who has another checksum there was told another story
//! by the engine, and stops: two chats that look like one are worse than none.
//!
//! Nothing here has a clock or waits: `now` is the time since the node's program began, and what is to be done is given back.

use std::collections::BTreeMap;
use std::time::Duration;

use chatterbox_hub::{Group, Incarnation, Proposal, Tick, Up};

use crate::chat::cluster::checksums::Checksums;
use crate::chat::cluster::digests::Digests;
use crate::order::{Decided, Place};

/// The time between two ticks of a node.
const TICK: Duration = Duration::from_secs(1);

/// A node is declared down when so many ticks of whoever declares it came round, and nothing of it in between. Nodes find a new
/// leader of the engine some seconds apart from each other.
const UNHEARD: u32 = 10;

/// The nodes that are declared down by one tick, at most: a group has a bounded number of proposals. The others have the next one.
const DOWN: usize = 16;

/// The proposals that a node has to say of the life of all in one group, at most: a tick, who is down, and a newer format.
pub(super) const PROPOSALS: usize = 1 + DOWN + 1;

/// Places between two snapshots.
const SNAPSHOT: Place = 10_000;

/// Milliseconds of the order between two digests of the state.
const DIGEST: u64 = 60_000;

/// What a node knows of the life of all.
#[derive(Debug)]
pub(crate) struct Life {
    /// This life of this node.
    own: Incarnation,
    /// The format that this program reads and writes: programs of another one may have another digest of the same state.
    speaks: u16,
    /// All other nodes that are up.
    others: BTreeMap<Incarnation, Other>,
    checksums: Checksums,
    /// The format that groups are written in.
    level: u16,
    /// Of the state.
    digests: Digests,
    /// Of what nodes store alike.
    stored: Digests,
    /// The minute of the order that was begun last; none while no place was applied.
    minute: Option<u64>,
    /// When the next tick is due.
    next_tick: Duration,
    /// Whether a tick is on its way.
    is_ticking: bool,
    /// When a tick of this node came round last.
    ticked: Option<Duration>,
    /// Whether what others say that they have read ends this node where it is something else.
    judges: bool,
    /// Whether a disagreement from before that was told.
    has_told_of_past: bool,
}

/// Another node that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    /// What its operator calls it.
    pub(crate) name: Box<str>,
    /// The format that it reads and writes.
    pub(crate) speaks: u16,
    /// The ticks of this node that came round since it was heard.
    pub(crate) unheard: u32,
    /// The place up to which it has applied the order, as its last tick says.
    pub(crate) applied: Place,
    /// When something of it came round last.
    pub(crate) heard: Duration,
}

/// What is to be done behind a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Digests as it is behind this place, for [`Life::has_digest`].
    pub(crate) digest: bool,
    /// A snapshot of the state, before anything else is applied.
    pub(crate) snapshot: bool,
    /// A tick of this node has come round.
    pub(crate) ticked: bool,
    /// The first disagreement that this node has read without being up, to be logged.
    pub(crate) past: Option<Split>,
}

/// Nodes have read, or become, something else. The engine has split or lost what it had confirmed, or programs differ where they
/// must not: whoever finds it stops, and somebody has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Split {
    /// Another node has read something else up to a place.
    #[error(
        "node {node} has read another order than this one up to place {place}: the engine has split, or has lost what it had"
    )]
    Order {
        /// The other node.
        node: Incarnation,
        /// The place.
        place: Place,
    },
    /// Another node has read the same, and is in another state.
    #[error(
        "node {node} has made another state than this one of the same order up to place {place}"
    )]
    State {
        /// The other node.
        node: Incarnation,
        /// The place.
        place: Place,
    },
    /// Another node has applied what is not decided yet.
    #[error(
        "node {node} has applied place {applied}, but says so at place {place}: the engine has lost what it had"
    )]
    Ahead {
        /// The other node.
        node: Incarnation,
        /// The place that it says.
        applied: Place,
        /// Where it says so.
        place: Place,
    },
    /// Another node has read the same, and has stored something else of what all nodes store alike.
    #[error(
        "node {node} has other accounts, settings or acts of moderation than this one, as they were up to place {place}"
    )]
    Stores {
        /// The other node.
        node: Incarnation,
        /// The place.
        place: Place,
    },
    /// A place is missing, or there twice.
    #[error("place {place} was read where place {expected} has to be")]
    Hole {
        /// What was read.
        place: Place,
        /// What has to be there.
        expected: Place,
    },
}

impl Life {
    /// Begins behind a place, having read all up to it to this checksum, while these other nodes are up.
    pub(crate) fn new(
        (own, speaks): (Incarnation, u16),
        (place, read): (Place, u64),
        others: impl IntoIterator<Item = (Incarnation, Up)>,
        now: Duration,
    ) -> Self {
        let others = others.into_iter().filter(|(node, _)| *node != own);
        Self {
            own,
            speaks,
            others: others.map(|(node, up)| (node, Other::new(up, place, now))).collect(),
            checksums: Checksums::new(place, read),
            level: speaks,
            digests: Digests::default(),
            stored: Digests::default(),
            minute: None,
            next_tick: now,
            is_ticking: false,
            ticked: None,
            judges: false,
            has_told_of_past: false,
        }
    }

    /// The node is up: from here on, whoever has read something else than it ends it.
    ///
    /// Ticks from before are a record of what was decided without this node. One wrong tick in it has ended those who were up then,
    /// and would end every node that reads it again, for as long as it is kept. Nothing is lost by waiting: a checksum is of
    /// everything up to its place, so where the orders differ, the first tick of any other node that comes now says so. What a node has
    /// read before it was started is compared with what it reads again by itself ([`ClusterError::AnotherOrder`]).
    ///
    /// [`ClusterError::AnotherOrder`]: crate::chat::cluster::ClusterError::AnotherOrder
    pub(crate) fn is_up(&mut self) {
        self.judges = true;
    }

    /// The node begins another life, because its last one was declared to have ended.
    pub(crate) fn is_reborn(&mut self, own: Incarnation, now: Duration) {
        self.judges = false;
        self.others.remove(&own);
        (self.own, self.is_ticking, self.next_tick) = (own, false, now);
    }

    /// Learns what was decided, and applied. `at` is the time of the order behind it, as all have it, `read` the checksum of everything that
    /// was read up to there, and `counts` says whether the group counts: what is late, repeated or of a node that has ended is nothing
    /// that was heard.
    ///
    /// # Errors
    /// [`Split`]: the node must not go on.
    pub(crate) fn applied(
        &mut self,
        decided: &Decided,
        (at, read): (u64, u64),
        counts: bool,
        now: Duration,
    ) -> Result<Due, Split> {
        let Decided { place, group, .. } = decided;
        if let Err(expected) = self.checksums.push(*place, read) {
            return Err(Split::Hole { place: *place, expected });
        }
        let mut due = Due { digest: self.begins_minute(at), ..Due::default() };
        if counts {
            self.hear(*place, group, now, &mut due)?;
        }
        due.snapshot = place.is_multiple_of(SNAPSHOT) && self.is_first();
        Ok(due)
    }

    fn hear(
        &mut self,
        place: Place,
        group: &Group,
        now: Duration,
        due: &mut Due,
    ) -> Result<(), Split> {
        let from = group.from;
        if from != self.own {
            let known = self.others.entry(from);
            let other = known.or_insert_with(|| Other::new(Up::default(), place, now));
            (other.unheard, other.heard) = (0, now);
        }
        for proposal in &group.proposals {
            match proposal {
                Proposal::Up(up) => {
                    if let Some(other) = self.others.get_mut(&from) {
                        (other.name, other.speaks) = (up.name.clone(), up.speaks);
                    }
                }
                Proposal::Tick(tick) => {
                    let compared = self.compare(from, tick, place);
                    if self.judges {
                        compared?;
                    } else if let Err(split) = compared
                        && !std::mem::replace(&mut self.has_told_of_past, true)
                    {
                        due.past = Some(split);
                    }
                    match self.others.get_mut(&from) {
                        Some(other) => other.applied = tick.place,
                        None => {
                            due.ticked = true;
                            (self.is_ticking, self.ticked) = (false, Some(now));
                            self.others.values_mut().for_each(|other| other.unheard += 1);
                        }
                    }
                }
                Proposal::Down(node) => drop(self.others.remove(node)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Compares what a node says that it has read with what was read here.
    fn compare(&self, node: Incarnation, tick: &Tick, at: Place) -> Result<(), Split> {
        let Tick { place, read, state, stores } = *tick;
        if place >= at {
            return Err(Split::Ahead { node, applied: place, place: at });
        }
        // What is behind the memory of this node, or before its beginning, others compare.
        if self.checksums.at(place).is_some_and(|own| own != read) {
            return Err(Split::Order { node, place });
        }
        let is_alike = self.others.get(&node).is_none_or(|other| other.speaks == self.speaks);
        match (self.digests.differs(state), self.stored.differs(stores)) {
            (Some(place), _) if is_alike => Err(Split::State { node, place }),
            (_, Some(place)) if is_alike => Err(Split::Stores { node, place }),
            _ => Ok(()),
        }
    }

    /// Whether a minute of the order begins at this time. All nodes find the same places, but for the first minute that one sees:
    /// it does not know when that has begun.
    fn begins_minute(&mut self, at: u64) -> bool {
        let minute = at / DIGEST;
        let before = self.minute.replace(minute);
        before.is_some_and(|before| before != minute)
    }

    /// Whether this node is the one of all which looks after what one has to do. All see the same nodes at the same place, so it is one.
    fn is_first(&self) -> bool {
        self.others.keys().next().is_none_or(|first| self.own < *first)
    }

    /// Takes the digest of the state as it was behind a place where digests were due. It may come later: others that have told theirs by then
    /// hear this one.
    pub(crate) fn has_digest(&mut self, place: Place, digest: u64) {
        self.digests.add(place, digest);
    }

    /// The same of what nodes store alike.
    pub(crate) fn has_digest_of_stores(&mut self, place: Place, digest: u64) {
        self.stored.add(place, digest);
    }

    /// Takes the format that groups are written in.
    pub(crate) fn writes(&mut self, level: u16) {
        self.level = level;
    }

    /// A newer format that all who are up read, for the one of them who proposes it.
    fn newer_format(&self) -> Option<u16> {
        let others = self.others.values().map(|other| other.speaks);
        let all_read = others.chain([self.speaks]).min()?;
        (all_read > self.level && self.is_first()).then_some(all_read)
    }

    /// What this node proposes in the group that it is going to offer, if it is time: a tick, the end of those that it has not
    /// heard for too long, and a newer format when all read it. One tick is under way at a time, so a node that waited for the engine has missed no more than before.
    pub(crate) fn proposals(&mut self, now: Duration) -> Vec<Proposal> {
        if self.next().is_none_or(|next| now < next) {
            return Vec::new();
        }
        (self.is_ticking, self.next_tick) = (true, now + TICK);
        let (place, read) = (self.checksums.place(), self.checksums.read());
        let (state, stores) = (self.digests.take_untold(), self.stored.take_untold());
        let tick = Tick { place, read, state, stores };
        let gone = self.others.iter().filter(|(_, other)| other.unheard >= UNHEARD);
        let gone = gone.map(|(node, _)| Proposal::Down(*node)).take(DOWN);
        let newer = self.newer_format().map(Proposal::Speak);
        std::iter::once(Proposal::Tick(tick)).chain(gone).chain(newer).collect()
    }

    /// What this node says when it has found a split, before it stops. Whoever stops says nothing any more, and who has read the other
    /// story would go on without ever hearing of this one.
    pub(crate) fn last_words(&self) -> Proposal {
        let (place, read) = (self.checksums.place(), self.checksums.read());
        let (state, stores) = (self.digests.newest(), self.stored.newest());
        Proposal::Tick(Tick { place, read, state, stores })
    }

    /// When [`Self::proposals`] has something next; never while a tick is on its way.
    pub(crate) fn next(&self) -> Option<Duration> {
        (!self.is_ticking).then_some(self.next_tick)
    }

    /// The last place.
    pub(crate) fn place(&self) -> Place {
        self.checksums.place()
    }

    /// This life of this node, and the format that it reads and writes.
    pub(crate) fn own(&self) -> (Incarnation, u16) {
        (self.own, self.speaks)
    }

    /// When a tick of this node came round last.
    pub(crate) fn ticked(&self) -> Option<Duration> {
        self.ticked
    }

    /// The other nodes that are up.
    pub(crate) fn others(&self) -> impl Iterator<Item = (Incarnation, &Other)> {
        self.others.iter().map(|(node, other)| (*node, other))
    }
}

impl Other {
    fn new(up: Up, applied: Place, heard: Duration) -> Self {
        let Up { name, speaks, .. } = up;
        Self { name, speaks, unheard: 0, applied, heard }
    }
}

#[cfg(test)]
mod tests;
