//! Moving in: a database that one server has written becomes the beginning of a cluster.
//!
//! The log begins behind a place above whose numbers all of the database's are, so old messages keep their numbers and everything
//! new has greater ones. What nodes have in common is kept as the snapshot of that place, and *last*: until it is there no node can
//! begin, so nobody sees half of a chat. The messages stand in the log behind it. Whoever moves in applies what it has written, as any
//! node would, so it knows what counts: it can be killed at any place, and goes on there.

#![allow(clippy::disallowed_methods, reason = "the edge: waits for the engine")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::format::{self, FormatError};
use chatterbox_hub::{
    Group, Hub, Incarnation, Keep, Moderation, ModerationAct, Old, Proposal, Record, Sequence,
    TimelineLimits, Up,
};
use chatterbox_proto::SERVER;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::time::Instant;

use crate::chat::cluster::snapshot::pack;
use crate::order::{Decided, OfferError, Order, OrderError, Place, Position, Snapshot, Snapshots};
use crate::store::Followed;
use crate::store::sqlite::{Load, OpenError, Stopped};

/// An engine that answers nothing for so long is given up: whoever waits can ask again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A group that has not come round after this time is offered again.
const ROUND: Duration = Duration::from_secs(2);

/// The time between two attempts that have failed at once.
const AGAIN: Duration = Duration::from_millis(250);

/// How often a life is begun that does not count: the first may have read too little to count.
const LIVES: usize = 5;

/// What whoever moves in is called among the nodes. The number behind it tells one database from another.
const NAME: &str = "move-in";

/// The messages that whoever moves in remembers of what it applies: none is read there.
const REMEMBERED: Keep = Keep { messages: 1, bytes: 1 };

/// Why a database can't move in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The engine does not answer. Done again, it goes on where it was.
    #[error(
        "the engine does not answer: {0}; no node starts with what is there until this is run again and ends"
    )]
    Unanswered(String),
    /// A message is larger than any that the log takes.
    #[error("message {number}, or one with it, is larger than what the log takes: {why}")]
    TooLarge {
        /// Its number; 0 where none is known.
        number: Sequence,
        /// How large.
        why: String,
    },
    /// The log can't be followed.
    #[error(transparent)]
    Order(OrderError),
    /// The database can't be read, or marked.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The state can't be written.
    #[error(transparent)]
    State(#[from] FormatError),
    /// Sanctions of the database can't be made true.
    #[error("who is banned could not be noted")]
    Sanctions,
    /// It belongs to another cluster.
    #[error("the database belongs to cluster {0}")]
    OfAnother(String),
    /// It has followed the log of this cluster: it has a node's copy, and nothing of its own.
    #[error("the database is that of a node of cluster {0}")]
    OfNode(String),
    /// The log was begun by somebody else.
    #[error(
        "the log in the engine begins at place {first}, and for this database it has to begin at {wanted}: somebody else has made it"
    )]
    Begins {
        /// Where it begins.
        first: Place,
        /// Where it has to.
        wanted: Place,
    },
    /// There is something in the log that nobody has written who moves this database in.
    #[error(
        "somebody else has written into the log, at place {0}: nodes, or another database that was moved in"
    )]
    Foreign(Place),
    /// Somebody else moves the same database in.
    #[error(
        "another move-in of this database has begun meanwhile, and goes on in place of this one"
    )]
    Overtaken,
}

impl From<OrderError> for MoveError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Engine(why) => Self::Unanswered(why),
            other => Self::Order(other),
        }
    }
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The place of the snapshot with which nodes begin.
    pub place: Place,
    /// What there was to move.
    pub load: Load,
    /// Whether all of it was there before.
    pub before: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving {
    /// The messages and bytes that this run has written.
    pub written: Load,
    /// What there is to move in all.
    pub load: Load,
}

/// A database that is going to move into a cluster.
#[derive(Debug)]
pub struct MoveIn {
    database: Stopped,
    cluster: Box<str>,
    /// The place with whose state nodes begin, and what tells this database from others.
    begins: Followed,
    /// Whether the database says so already.
    is_marked: bool,
    load: Load,
}

impl MoveIn {
    /// Looks at a database that is to move into this cluster. One that has begun to goes on.
    ///
    /// # Errors
    /// [`MoveError::Database`], [`MoveError::OfAnother`], [`MoveError::OfNode`].
    pub fn of(database: Stopped, cluster: &str) -> Result<Self, MoveError> {
        let marked = match database.cluster()? {
            Some((name, _)) if name != cluster => return Err(MoveError::OfAnother(name)),
            Some((_, followed)) => Some(followed),
            None => None,
        };
        let place = begins_behind(&database)?;
        if marked.is_some_and(|marked| marked.place != place) {
            return Err(MoveError::OfNode(cluster.to_owned()));
        }
        let (cluster, is_marked) = (cluster.into(), marked.is_some());
        let begins = marked.unwrap_or_else(|| Followed { place, read: random() });
        let load = database.load()?;
        Ok(Self { database, cluster, begins, is_marked, load })
    }

    /// The place behind which the log has to begin.
    pub const fn place(&self) -> Place {
        self.begins.place
    }

    /// How much there is to move.
    pub const fn load(&self) -> Load {
        self.load
    }

    /// Marks the database as one of the cluster, so that it does not start alone any more and nothing in it changes; writes what is not
    /// there yet, and says how far it is.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn run(
        mut self,
        order: &dyn Order,
        snapshots: &dyn Snapshots,
        mut told: impl FnMut(Moving),
    ) -> Result<Moved, MoveError> {
        let Followed { place, read } = self.begins;
        let done = |before| Moved { place, load: self.load, before };
        for kept in answered(|| snapshots.places()).await? {
            match answered(|| snapshots.read(kept)).await? {
                Some(found) if kept == place && found.read == read => return Ok(done(true)),
                Some(_) => return Err(MoveError::Foreign(kept)),
                None => {}
            }
        }
        let reach = answered(|| order.reach()).await?;
        if reach.first != place + 1 {
            return Err(MoveError::Begins { first: reach.first, wanted: place + 1 });
        }
        if !self.is_marked {
            // Nothing of it can be there.
            if reach.last > place {
                return Err(MoveError::Foreign(reach.first));
            }
            self.database.enter(&self.cluster, self.begins)?;
        }
        let hub = common(&self.database)?;
        let state = hub.freeze()?;
        let mut writer = Writer::new(order, self.begins, hub);
        writer.catch_up(reach.last).await?;
        writer.begin_life().await?;
        let mut written = Load::default();
        loop {
            let after = writer.hub.newest_number();
            let messages = self.database.messages(after, Group::PROPOSALS, order.group_bytes())?;
            let Some((newest, _)) = messages.last() else { break };
            let newest = *newest;
            written.messages += messages.len() as u64;
            written.bytes += messages.iter().map(|(_, record)| record.weight() as u64).sum::<u64>();
            writer.write(messages.into_iter().map(old).collect()).await?;
            if writer.hub.newest_number() != newest {
                return Err(MoveError::Overtaken);
            }
            told(Moving { written, load: self.load });
        }
        writer.end_life().await?;
        drop(writer);
        let state = pack(&state, &self.database.dump()?);
        let snapshot = Snapshot { place, read, state };
        answered(|| snapshots.keep(snapshot.clone())).await?;
        Ok(done(false))
    }
}

/// The place above whose numbers all of a database are not. It is not 0: a node could begin before the first place without a snapshot.
fn begins_behind(database: &Stopped) -> Result<Place, OpenError> {
    let newest = database.newest()?;
    Ok((newest / Group::PROPOSALS as u64).max(1))
}

fn random() -> u64 {
    let random = ring::rand::generate::<[u8; 8]>(&ring::rand::SystemRandom::new());
    random.map(|random| u64::from_le_bytes(random.expose())).unwrap_or_default()
}

/// What nodes have in common, as a server would begin that starts alone with this database.
fn common(database: &Stopped) -> Result<Hub, MoveError> {
    let mut hub = Hub::new(TimelineLimits::default(), REMEMBERED);
    for record in database.rooms()? {
        hub.restore_room(&record);
    }
    for (room, newest) in database.newest_of_rooms()? {
        hub.restore_newest(room, newest);
    }
    let sanctions = database.sanctions()?;
    if !sanctions.is_empty() {
        let act = ModerationAct::Impose(sanctions);
        let by = SERVER.into();
        let now = database.moment()?;
        let restored = Moderation { by, level: None, now, silent: true, written: None, act };
        let moderate = Proposal::Moderate(Box::new(restored));
        let applied = hub.step(Incarnation::default(), moderate, None);
        applied.outcome.map_err(|_| MoveError::Sanctions)?;
    }
    Ok(hub)
}

fn old((number, record): (Sequence, Record)) -> Proposal {
    Proposal::Old(Old { number, below: 0, record })
}

/// Asks until there is an answer.
async fn answered<T, F>(mut ask: impl FnMut() -> F) -> Result<T, MoveError>
where
    F: Future<Output = Result<T, OrderError>>,
{
    let began = Instant::now();
    loop {
        match ask().await {
            Err(OrderError::Engine(_)) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(AGAIN).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Offers a group once, and waits until it has to be offered again; says why, if it is known.
///
/// # Errors
/// [`MoveError::TooLarge`]: offering it again is of no use.
async fn offered(order: &dyn Order, group: &Arc<Group>) -> Result<Option<String>, MoveError> {
    let offering = tokio::time::timeout(ROUND, order.offer(Arc::clone(group)));
    match offering.await {
        // It comes round in a moment.
        Ok(Ok(())) => {
            tokio::time::sleep(ROUND).await;
            Ok(None)
        }
        Ok(Err(OfferError::TooLarge(why))) => {
            let number = group.proposals.iter().find_map(|proposal| match proposal {
                Proposal::Old(old) => Some(old.number),
                _ => None,
            });
            Err(MoveError::TooLarge { number: number.unwrap_or_default(), why })
        }
        Ok(Err(error)) => {
            tokio::time::sleep(AGAIN).await;
            Ok(Some(error.to_string()))
        }
        Err(_) => Ok(None),
    }
}

/// Whoever writes into the log, and follows what it writes.
struct Writer<'a> {
    order: &'a dyn Order,
    decided: BoxStream<'a, Result<Arc<Decided>, OrderError>>,
    /// The state behind what was read.
    hub: Hub,
    position: Position,
    name: Box<str>,
    life: Incarnation,
    number: u64,
}

impl<'a> Writer<'a> {
    fn new(order: &'a dyn Order, Followed { place, read }: Followed, hub: Hub) -> Self {
        Self {
            order,
            decided: order.follow(place),
            hub,
            position: Position { place, read, at: 0 },
            name: format!("{NAME}-{read:016x}").into(),
            life: Incarnation::default(),
            number: 0,
        }
    }

    /// Reads what is in the log already.
    async fn catch_up(&mut self, last: Place) -> Result<(), MoveError> {
        while self.position.place < last {
            let Ok(next) = tokio::time::timeout(PATIENCE, self.next()).await else {
                return Err(MoveError::Unanswered("nothing can be read".to_owned()));
            };
            next?;
        }
        Ok(())
    }

    /// Begins a life, and ends those of whoever moved in before: nothing of them counts any more, wherever it is.
    async fn begin_life(&mut self) -> Result<(), MoveError> {
        for _ in 0..LIVES {
            self.life = Incarnation(random() >> 1);
            self.number = 0;
            let (read_to, name) = (self.position.at, self.name.clone());
            let up = Proposal::Up(Up { read_to, name, speaks: format::LEVEL });
            let others = self.hub.nodes_up().into_iter().map(|up| Proposal::Down(up.node));
            // Something may go with old messages, which an earlier version could not read.
            let newest = Proposal::Speak(format::LEVEL);
            let proposals = std::iter::once(up).chain(others).chain([newest]).collect();
            self.round(proposals).await?;
            if self.hub.is_up(self.life) {
                return Ok(());
            }
        }
        Err(MoveError::Overtaken)
    }

    async fn end_life(&mut self) -> Result<(), MoveError> {
        self.write(vec![Proposal::Down(self.life)]).await
    }

    /// Writes something as this life.
    async fn write(&mut self, proposals: Vec<Proposal>) -> Result<(), MoveError> {
        if self.hub.is_up(self.life) {
            self.round(proposals).await
        } else {
            Err(MoveError::Overtaken)
        }
    }

    /// Offers a group until it has come round.
    async fn round(&mut self, proposals: Vec<Proposal>) -> Result<(), MoveError> {
        self.number += 1;
        let (life, number) = (self.life, self.number);
        let group = Arc::new(Group { from: life, number, proposals });
        let began = Instant::now();
        let order = self.order;
        let mut why = "it takes nothing".to_owned();
        loop {
            let offering = std::pin::pin!(offered(order, &group));
            let comes_round = self.comes_round(life, number);
            tokio::select! {
                biased;
                done = comes_round => return done,
                failed = offering => why = failed?.unwrap_or(why),
            }
            if began.elapsed() >= PATIENCE {
                return Err(MoveError::Unanswered(why));
            }
        }
    }

    /// Applies what is decided, until a group of these numbers was.
    async fn comes_round(&mut self, life: Incarnation, number: u64) -> Result<(), MoveError> {
        while self.next().await? != Some((life, number)) {}
        Ok(())
    }

    /// Applies the next group; says whose it is.
    async fn next(&mut self) -> Result<Option<(Incarnation, u64)>, MoveError> {
        match self.decided.next().await.unwrap_or(Err(OrderError::Ended)) {
            Ok(decided) => {
                self.apply(&decided)?;
                Ok(Some((decided.group.from, decided.group.number)))
            }
            Err(OrderError::Engine(_)) => {
                // Whoever waits for this may give it up in between.
                self.decided = self.order.follow(self.position.place);
                tokio::time::sleep(AGAIN).await;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn apply(&mut self, decided: &Decided) -> Result<(), MoveError> {
        let Decided { place, at, group, .. } = decided;
        let is_ours = |proposal: &Proposal| match proposal {
            Proposal::Up(up) => up.name == self.name,
            Proposal::Down(_) | Proposal::Old(_) | Proposal::Speak(_) => true,
            _ => false,
        };
        if !group.proposals.iter().all(is_ours) {
            return Err(MoveError::Foreign(*place));
        }
        self.position = self.position.then(decided);
        if self.hub.begin(group, *at) {
            for proposal in &group.proposals {
                // What is refused was there before.
                let _ = self.hub.step(group.from, proposal.clone(), None);
            }
        }
        Ok(())
    }
}
