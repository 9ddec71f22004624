//! How full the chat is at a moment, for whoever watches over it.

use chatterbox_hub::{Lag, TimelineLimits};

use crate::chat::proposals::Waiting;
use crate::chat::shared::Chat;

/// How full the chat is at a moment. There is nothing in it that takes longer where more users or rooms are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauges {
    /// Users, on all nodes.
    pub(crate) users: usize,
    /// Members who are connected with this node.
    pub(crate) members: usize,
    /// Rooms beside the lobby.
    pub(crate) rooms: usize,
    /// Sanctions.
    pub(crate) sanctions: usize,
    /// What the timeline of the lobby holds.
    pub(crate) timeline: Lag,
    /// What it may hold.
    pub(crate) timeline_limits: TimelineLimits,
    /// The bytes that wait for members, and how many may.
    pub(crate) unread: (usize, usize),
    /// What waits for the sequencer.
    pub(crate) proposals: Waiting,
}

impl Chat {
    /// How full it is now.
    pub(crate) fn gauges(&self) -> Gauges {
        let proposals = self.proposals().waiting();
        let hub = self.hub();
        let (timeline, timeline_limits) = hub.lobby_timeline();
        Gauges {
            users: hub.members(),
            members: hub.members_here(),
            rooms: hub.room_counts().len(),
            sanctions: hub.sanction_count(),
            timeline,
            timeline_limits,
            unread: (hub.waiting(), hub.waiting_limit()),
            proposals,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chatterbox_hub::JoinRequest;
    use chatterbox_proto::Username;

    use super::*;
    use crate::chat::handle::Seat;
    use crate::store::Memory;

    async fn join(chat: &Arc<Chat>, name: &str) -> Seat {
        let name = Username::parse(name).unwrap();
        Seat::join(chat, JoinRequest::base(&name, "Hi")).await.unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_here_is_counted_and_what_has_gone_is_not() {
        let chat = crate::chat::opened::chat(Arc::new(Memory::default()));
        let _ann = join(&chat, "ann").await;
        let bob = join(&chat, "bob").await;
        let gauges = chat.gauges();
        assert_eq!((gauges.users, gauges.members, gauges.rooms, gauges.sanctions), (2, 2, 0, 0));
        let Lag { events, bytes } = gauges.timeline;
        assert!((1..=gauges.timeline_limits.events as u64).contains(&events), "{events}");
        assert!((1..=gauges.timeline_limits.bytes).contains(&bytes), "{bytes}");
        let Waiting { posts, joins, bytes } = gauges.proposals;
        assert_eq!([posts.0, joins.0, bytes.0], [0; 3], "nothing is under way");
        assert!(posts.1 > 0 && joins.1 > 0 && bytes.1 > 0 && gauges.unread.1 > 0);
        let room = chat.post_room(1000).await;
        assert_eq!(chat.gauges().proposals.bytes.0, 1000);
        drop((room, bob));
        // Whoever comes behind the one who has gone finds that done.
        let _eve = join(&chat, "eve").await;
        let gauges = chat.gauges();
        assert_eq!((gauges.members, gauges.proposals.bytes.0), (2, 0));
    }
}
