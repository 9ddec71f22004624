//! The rooms that the configuration names.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::time::Duration;

use chatterbox_hub::{ConfiguredRoom, RoomActor, RoomChange, RoomRefusal};
use chatterbox_proto::RoomName;

use crate::chat::shared::Chat;
use crate::store::StoreError;

/// How often a change is tried that nobody has decided: a node that is declared to have ended so often while it starts has no engine that it
/// could serve anybody with.
const TRIES: u32 = 10;

/// The time between two of them: a node that has ended is seen to have by then.
const AGAIN: Duration = Duration::from_millis(200);

/// Makes, or changes, the rooms that the configuration names; others are no configured ones any more (RM-16).
///
/// `is_up` waits until a node of a cluster is one of those that are up, and says `false` where it has ended, or where there is no cluster.
///
/// # Errors
/// [`StoreError`] when a room can't be stored, or nothing is decided any more. Nobody may come in then: they would miss the room. What
/// is wrong with one room in the configuration is logged, and the others are made.
pub(crate) async fn configure_rooms<F: Future<Output = bool>>(
    chat: &Chat,
    rooms: &[ConfiguredRoom],
    is_up: impl Fn() -> F,
) -> Result<(), StoreError> {
    let named = |name: &RoomName| rooms.iter().any(|room| room.name == *name);
    let released = chat.configured_rooms().into_iter().filter(|room| !named(&room.name));
    let released = released.map(|room| RoomChange::Release(room.number));
    let configured = rooms.iter().map(|room| RoomChange::Configure(Box::new(room.clone())));
    for change in released.chain(configured) {
        match decided(chat, change, &is_up).await {
            Ok(()) => {}
            Err(RoomRefusal::NotStored) => {
                return Err(StoreError::Failed("a configured room could not be stored".into()));
            }
            Err(RoomRefusal::Failed) => {
                return Err(StoreError::Failed("nobody decides on a configured room".into()));
            }
            Err(refusal) => {
                tracing::error!(reason = refusal.word(), "a configured room is not there");
            }
        }
    }
    if !rooms.is_empty() {
        tracing::info!(rooms = rooms.len(), "rooms configured");
    }
    Ok(())
}

/// Makes a change. A node that is declared to have ended meanwhile does not know what has become of it, and makes it again in its next
/// life: made twice it is the same.
async fn decided<F: Future<Output = bool>>(
    chat: &Chat,
    change: RoomChange,
    is_up: &impl Fn() -> F,
) -> Result<(), RoomRefusal> {
    for _ in 1..TRIES {
        match chat.change_room(RoomActor::Operator, change.clone()).await {
            Err(RoomRefusal::Failed) => {}
            decided => return decided.map(drop),
        }
        tokio::time::sleep(AGAIN).await;
        if !is_up().await {
            return Err(RoomRefusal::Failed);
        }
        tracing::warn!("a configured room is asked for again");
    }
    chat.change_room(RoomActor::Operator, change).await.map(drop)
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::Proposal;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::chat::cluster::Standing;
    use crate::chat::cluster::kit::{Kit, TestNode};

    fn room(text: &str) -> ConfiguredRoom {
        let name = RoomName::parse(text).unwrap();
        name.looks();
        ConfiguredRoom { name, settings: Vec::new(), owner: None, auto: false }
    }

    async fn is_up(node: &TestNode) -> bool {
        let is_up = |standing: &Standing| matches!(standing, Standing::Up(_));
        node.standing.clone().wait_for(is_up).await.is_ok()
    }

    fn names(node: &TestNode) -> Vec<String> {
        let rooms = node.chat.configured_rooms().into_iter();
        rooms.map(|room| room.name.as_str().to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_declared_down_meanwhile_makes_its_rooms_in_its_next_life() {
        let kit = Kit::new();
        let (one, two) = (kit.node("one").await, kit.node("two").await);
        let rooms = [room("#garden"), room("#attic")];
        let life = one.up().await;
        one.link.cut(true);
        let mut configuring = Box::pin(configure_rooms(&one.chat, &rooms, || is_up(&one)));
        assert!(configuring.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        two.chat.change(Proposal::Down(life)).await.unwrap();
        one.link.cut(false);
        configuring.await.unwrap();
        assert_ne!(one.up().await, life);
        assert_eq!(names(&one), ["#garden", "#attic"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_has_ended_says_so() {
        let kit = Kit::new();
        let one = kit.node("one").await;
        let chat = std::sync::Arc::clone(&one.chat);
        let rooms = [room("#garden")];
        one.end().await;
        let failed =
            configure_rooms(&chat, &rooms, || std::future::ready(false)).await.unwrap_err();
        assert!(failed.to_string().contains("nobody decides"), "{failed}");
        configure_rooms(&chat, &[], || std::future::ready(false)).await.unwrap();
    }
}
