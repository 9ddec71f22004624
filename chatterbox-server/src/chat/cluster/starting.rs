//! How a node begins: with the state of some place, and what is behind it.

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::Durable;

use crate::chat::cluster::common::Cluster;
use crate::chat::cluster::engine_patience::{reach_at_least, until_answered};
use crate::chat::cluster::error::ClusterError;
use crate::chat::cluster::follower::Follower;
use crate::chat::cluster::progress::Progress;
use crate::chat::cluster::snapshot::unpack;
use crate::chat::history_loading::load_history;
use crate::chat::shared::Chat;
use crate::order::{Place, Position, Reach, Snapshot};
use crate::store::{Followed, Store, StoreError};

/// Begins: gives the chat the state that it has behind some place, and gives whoever follows the order from there on.
pub(super) async fn begin(
    cluster: &Cluster,
    chat: &Arc<Chat>,
    store: &Arc<dyn Store>,
    progress: &Arc<Progress>,
) -> Result<Follower, ClusterError> {
    let mut before = store.enter(&cluster.name).await?;
    let mut reach = reach_at_least(&*cluster.order, before.place).await?;
    let mut places = until_answered(|| cluster.snapshots.places()).await?;
    let mut gone = Vec::new();
    let position = loop {
        let place = choose(before.place, reach, &places)?;
        if place == 0 {
            break Position::default();
        }
        match until_answered(|| cluster.snapshots.read(place)).await? {
            Some(snapshot) => {
                let now = reach_at_least(&*cluster.order, before.place).await?;
                let went = now.first.saturating_sub(reach.first);
                reach = now;
                if is_falling_off(before.place, place, reach, went, &places) {
                    tracing::warn!(
                        place,
                        "the order is full, and goes on behind another snapshot soon: taking that"
                    );
                    gone.push(place);
                    places.retain(|other| *other != place);
                    continue;
                }
                let read = snapshot.read;
                let (hub, stores) = thaw(chat, snapshot)?;
                tracing::info!(place, bytes = hub.len() + stores.len(), "begins with a snapshot");
                if before.place == 0 {
                    let begun = Followed { place, read };
                    begin_stores(cluster, chat, &**store, begun, stores).await?;
                    before = begun;
                } else if place == before.place && read != before.read {
                    return Err(ClusterError::AnotherOrder(place));
                }
                break Position { place, read, at: 0 };
            }
            // Somebody has dropped it meanwhile, or not written it wholly.
            None => {
                gone.push(place);
                places = until_answered(|| cluster.snapshots.places()).await?;
                places.retain(|other| !gone.contains(other));
            }
        }
    };
    // What is behind comes with what is applied. By its place nobody knows it: messages from before there were places have lower
    // numbers than any of those.
    load_history(chat, &**store, chat.newest_number().saturating_add(1)).await?;
    chat.leave_durable();
    let commands = cluster.commands.clone();
    let (chat, store, progress) = (Arc::clone(chat), Arc::clone(store), Arc::clone(progress));
    Ok(Follower::new(chat, store, commands, progress, position, before))
}

/// Gives the chat the state of a snapshot, and gives both parts of that.
fn thaw(chat: &Chat, snapshot: Snapshot) -> Result<(Bytes, Bytes), ClusterError> {
    let Snapshot { place, state, .. } = snapshot;
    let failed = |why: String| ClusterError::Snapshot { place, why };
    let both = unpack(&state).ok_or_else(|| failed("it is none of ours".to_owned()))?;
    chat.thaw(&both.0).map_err(|error| failed(error.to_string()))?;
    Ok(both)
}

/// Begins what is stored here with the state of a place. Done twice it is the same, so a node that is killed meanwhile begins again.
async fn begin_stores(
    cluster: &Cluster,
    chat: &Chat,
    store: &dyn Store,
    begun: Followed,
    stores: Bytes,
) -> Result<(), StoreError> {
    // Accounts come first: whoever is a member of a room has to be there.
    if let Some(commands) = &cluster.commands {
        commands.restore(stores).await?;
    }
    store.follow(begun, &[Durable::Begin(chat.room_facts())]).await
}

/// The place with whose state a node begins: 0 is before the first, and else there is a snapshot of it.
///
/// A node that has followed the order up to some place needs a state that is no newer, for nobody else can tell it which of the
/// messages up to there it has stored. One that has followed nothing takes the oldest, and so gets all messages that there are.
fn choose(followed: Place, reach: Reach, snapshots: &[Place]) -> Result<Place, ClusterError> {
    let Reach { first, last } = reach;
    if followed > last {
        return Err(ClusterError::EndsEarly { followed, last });
    }
    let can_be_followed = |place: &Place| place.saturating_add(1) >= first && *place <= last;
    let all = std::iter::once(0).chain(snapshots.iter().copied()).filter(can_be_followed);
    let oldest = all.clone().min();
    let chosen = if followed == 0 { oldest } else { all.filter(|place| *place <= followed).max() };
    chosen.ok_or(match oldest {
        Some(from) => ClusterError::TooOld { followed, from },
        None => ClusterError::NoSnapshot(first),
    })
}

/// Whether the order can't be followed any more from behind a place that was chosen, or won't be when all of it is read: a log that is
/// full loses its oldest end while this node reads the snapshot, and went on by so many places meanwhile. As many may go once more
/// until what is behind the snapshot is read, so another one is taken if there is one. A log that is not full loses nothing, so
/// whoever begins there has all of it.
fn is_falling_off(
    followed: Place,
    chosen: Place,
    reach: Reach,
    went: Place,
    snapshots: &[Place],
) -> bool {
    let is_behind = |first: Place| chosen.saturating_add(1) >= first;
    if !is_behind(reach.first) {
        return true;
    }
    let soon = reach.first.saturating_add(went);
    // A node that has followed the order needs this one, and no newer.
    followed == 0
        && !is_behind(soon)
        && snapshots.iter().any(|other| other.saturating_add(1) >= soon && *other <= reach.last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_that_falls_off_a_full_order_is_left_for_a_newer_one() {
        // Followed up to, chosen, the order from and to, how much of it went meanwhile, and whether another one is taken.
        for (followed, chosen, first, last, went, expected) in [
            // Nothing goes: it is the one that begins where the order does.
            (0, 5, 6, 99, 0, false),
            (0, 5, 7, 99, 1, true),
            (0, 5, 6, 99, 1, true),
            (0, 8, 6, 99, 3, false),
            (0, 8, 6, 99, 4, true),
            (0, 20, 20, 99, 4, false),
            // There is no other.
            (0, 20, 20, 29, 4, false),
            (9, 8, 6, 99, 4, false),
            (9, 8, 10, 99, 4, true),
        ] {
            let reach = Reach { first, last };
            let found = is_falling_off(followed, chosen, reach, went, &[chosen, 10, 20]);
            assert_eq!(found, expected, "{chosen} of {first} to {last}, {went} gone");
        }
    }

    fn chosen(followed: Place, first: Place, last: Place, snapshots: &[Place]) -> Option<Place> {
        choose(followed, Reach { first, last }, snapshots).ok()
    }

    #[test]
    fn a_node_begins_with_a_state_that_is_not_newer_than_what_it_has_stored() {
        // Followed up to, the order from and to, snapshots, and what is chosen.
        for (followed, first, last, snapshots, expected) in [
            (0, 1, 0, &[][..], Some(0)),
            (0, 1, 9, &[5], Some(0)),
            (7, 1, 9, &[5, 8], Some(5)),
            (5, 1, 9, &[5, 8], Some(5)),
            (4, 1, 9, &[5, 8], Some(0)),
            // What is dropped of the order.
            (0, 6, 9, &[3, 5, 8], Some(5)),
            (0, 7, 9, &[3, 5, 8], Some(8)),
            (9, 7, 9, &[3, 5, 8], Some(8)),
            (7, 7, 9, &[3, 5, 8], None),
            (0, 7, 9, &[3, 5], None),
            // Everything was dropped, behind the newest snapshot.
            (9, 10, 9, &[9], Some(9)),
            (0, 10, 9, &[9], Some(9)),
            // Another order, or one that has lost something.
            (10, 1, 9, &[5, 8], None),
            (0, 1, 9, &[12], Some(0)),
        ] {
            let found = chosen(followed, first, last, snapshots);
            assert_eq!(found, expected, "{followed} of {first} to {last}, {snapshots:?}");
        }
        let early = choose(10, Reach { first: 1, last: 9 }, &[]);
        assert!(matches!(early, Err(ClusterError::EndsEarly { followed: 10, last: 9 })));
        let old = choose(7, Reach { first: 7, last: 9 }, &[8]);
        assert!(matches!(old, Err(ClusterError::TooOld { followed: 7, from: 8 })));
    }
}
