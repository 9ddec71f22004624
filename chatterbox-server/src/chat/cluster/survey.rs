//! What a cluster is like, as its order alone tells it: for whoever looks after it, and is no node of it.
//!
//! A survey begins with the newest snapshot, and applies what was decided behind it to a hub that has no members of its own. When
//! nodes were heard last stands in the order some way before that as well, so it is read from a little before the snapshot on.

use std::collections::BTreeMap;

use chatterbox_hub::{Group, Hub, Incarnation, Keep, NodeUp, Proposal, TimelineLimits, format};
use futures_util::StreamExt as _;

use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::snapshot::unpack;
use crate::order::{Decided, Order, OrderError, Place, Reach, Snapshot, Snapshots};

/// The places before a snapshot that are read to find out who was heard: more than there are in the seconds after which a node that
/// is not heard is declared down, where nothing but ticks is decided.
const BEFORE: Place = 1000;

/// A cluster at a place of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The place.
    pub place: Place,
    /// The time of that place, in milliseconds since 1970 UTC.
    pub at: u64,
    /// The format that groups may be written in.
    pub format: u16,
    /// The nodes that are up.
    pub nodes: Vec<SurveyedNode>,
    /// How many users are here.
    pub users: usize,
    /// How many rooms there are beside the lobby.
    pub rooms: usize,
}

/// A node that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyedNode {
    /// What its operator calls it.
    pub name: Box<str>,
    /// This life of it.
    pub life: Incarnation,
    /// The format that it reads and writes.
    pub speaks: u16,
    /// The time of the last group of it, in milliseconds since 1970 UTC; `None` when it is not among those that were read.
    pub heard: Option<u64>,
    /// The last place that it has said to have applied; 0 when it has said nothing in what was read.
    pub place: Place,
    /// How many users are connected with it, or were and are waited for.
    pub users: usize,
}

/// Reads the order to its end as it is now.
///
/// # Errors
/// [`ClusterError`].
pub async fn survey(order: &dyn Order, snapshots: &dyn Snapshots) -> Result<Survey, ClusterError> {
    let Reach { first, last } = order.reach().await?;
    let mut places = snapshots.places().await?;
    places.retain(|place| *place + 1 >= first && *place <= last);
    let snapshot = loop {
        match places.pop() {
            // Somebody may have dropped it meanwhile, or not written it wholly.
            Some(place) => {
                if let Some(snapshot) = snapshots.read(place).await? {
                    break Some(snapshot);
                }
            }
            None if first > 1 => return Err(ClusterError::NoSnapshot(first)),
            None => break None,
        }
    };
    let mut surveyor = Surveyor::new(snapshot)?;
    let from = surveyor.place.saturating_sub(BEFORE).max(first - 1);
    let mut decided = order.follow(from);
    let mut read = from;
    while read < last {
        let next = decided.next().await.unwrap_or(Err(OrderError::Ended))?;
        read = next.place;
        surveyor.read(&next)?;
    }
    Ok(surveyor.survey())
}

/// Whoever reads the order for a survey.
#[derive(Debug)]
pub(super) struct Surveyor {
    hub: Hub,
    /// What was applied.
    place: Place,
    /// When something of a node came last, and the place that it had applied then.
    heard: BTreeMap<Incarnation, (u64, Place)>,
}

impl Surveyor {
    /// Begins behind a snapshot, or before the first place.
    ///
    /// # Errors
    /// [`ClusterError::Snapshot`].
    pub(super) fn new(snapshot: Option<Snapshot>) -> Result<Self, ClusterError> {
        let mut hub = Hub::new(TimelineLimits::default(), Keep::NOTHING);
        // Nobody's members are here.
        hub.serves(Incarnation::default());
        let place = snapshot.as_ref().map_or(0, |snapshot| snapshot.place);
        if let Some(Snapshot { place, state, .. }) = snapshot {
            let failed = |why: String| ClusterError::Snapshot { place, why };
            let both = unpack(&state).ok_or_else(|| failed("it is none of ours".to_owned()))?;
            hub.thaw(&both.0).map_err(|error| failed(error.to_string()))?;
        }
        Ok(Self { hub, place, heard: BTreeMap::new() })
    }

    /// Reads what was decided in the next place, which may be one before the snapshot.
    ///
    /// # Errors
    /// [`ClusterError::TooOldFor`].
    pub(super) fn read(&mut self, decided: &Decided) -> Result<(), ClusterError> {
        let Decided { place, at, group, .. } = decided;
        if *place <= self.place {
            // Whether it counts is not known any more; who is up now is.
            self.hear(*place, *at, group);
            return Ok(());
        }
        self.place = *place;
        if self.hub.begin(group, *at) {
            self.hear(*place, *at, group);
            for proposal in &group.proposals {
                drop(self.hub.step(group.from, proposal.clone(), None));
            }
        }
        let level = self.hub.level();
        if level > format::LEVEL { Err(ClusterError::TooOldFor(level)) } else { Ok(()) }
    }

    fn hear(&mut self, place: Place, at: u64, group: &Group) {
        let known = self.heard.entry(group.from).or_insert((at, place.saturating_sub(1)));
        known.0 = at;
        for proposal in &group.proposals {
            if let Proposal::Tick(tick) = proposal {
                known.1 = tick.place;
            }
        }
    }

    /// What there is to see.
    pub(super) fn survey(&self) -> Survey {
        let hub = &self.hub;
        let node = |NodeUp { node, name, speaks }: NodeUp| {
            let heard = self.heard.get(&node);
            SurveyedNode {
                name,
                life: node,
                speaks,
                heard: heard.map(|(at, _)| *at),
                place: heard.map_or(0, |(_, place)| *place),
                users: hub.members_at(node),
            }
        };
        Survey {
            place: self.place,
            at: hub.time_of_order(),
            format: hub.level(),
            nodes: hub.nodes_up().into_iter().map(node).collect(),
            users: hub.members(),
            rooms: hub.room_counts().len(),
        }
    }
}
