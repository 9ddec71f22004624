//! Delivery: what a member has not been handed out yet, assembled into frames that all with the same view share.

use std::collections::HashSet;
use std::sync::Arc;

use crate::encode::batch::{Batch, BatchCache};
use crate::event::Event;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::member::Member;
use crate::removal::Removal;
use crate::room::timeline::Timeline;

/// What a member can be sent now.
#[derive(Debug)]
pub enum Delivery {
    /// Whole frames.
    Frames {
        /// The frames, shared with everybody who gets the same ones.
        frames: Batch,
        /// Whether something else is waiting already.
        more: bool,
    },
    /// Nothing new.
    UpToDate,
    /// The hub has removed the member.
    Removed(Removal),
}

/// The bounds of one batch: the lock is held shortly, and a slow reader advances in small steps.
pub(crate) const BATCH_EVENTS: usize = 1024;
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

impl Hub {
    /// Hands out the events that a member has not got yet, as far as they fit one batch.
    pub fn take(&mut self, id: MemberId) -> Delivery {
        let Some(member) = self.members.get_mut(&id) else {
            // A member that has left by itself takes nothing more, so there is a reason.
            return Delivery::Removed(self.removal(id).unwrap_or(Removal::TooSlow));
        };
        if member.is_filter_stale() {
            member.set_filter(Arc::new(self.replica.presence().filter(id)));
        }
        let before = member.own_bytes();
        let welcomed = std::mem::take(&mut member.is_being_welcomed);
        // It has written everything, or it would not ask.
        member.hand_out_own(0);
        member.shared_handed_out = 0;
        let delivery = Self::take_next(member, &self.lobby, &mut self.batches);
        self.budget.change(before, member.own_bytes());
        if welcomed && self.history.pinned() > 0 {
            self.history.forget_unpinned();
        }
        delivery
    }

    fn take_next(member: &mut Member, lobby: &Timeline, batches: &mut BatchCache) -> Delivery {
        let (from, head) = (member.cursor, lobby.head());
        if !member.is_behind(head) {
            return Delivery::UpToDate;
        }
        member.progressed = true;
        // Members with the same view and cursor share one batch, unless events of their own lie in between.
        let limit = member.next_direct().unwrap_or(head);
        let view = member.view;
        let shares = member.hidden().is_none();
        if shares && let Some((to, frames)) = batches.get(view, from, limit) {
            member.cursor = to;
            member.shared_handed_out = frames.size();
            return Delivery::Frames { frames, more: member.is_behind(head) };
        }
        let Some(mut shared) = lobby.since(from) else {
            // The timeline has moved past the cursor; the next eviction removes the member.
            return Delivery::Removed(Removal::TooSlow);
        };
        let mut events: Vec<Event> = Vec::new();
        let (mut bytes, mut count, mut own) = (0, 0, false);
        while bytes < BATCH_BYTES && count < BATCH_EVENTS {
            let event = if let Some(event) = member.pop_direct(member.cursor) {
                own = true;
                event
            } else if let Some(event) = shared.next() {
                member.cursor += 1;
                event.clone()
            } else {
                break;
            };
            bytes += event.size();
            count += 1;
            let is_hidden =
                |hidden: &HashSet<_>| event.source().is_some_and(|by| hidden.contains(by));
            if !member.hidden().is_some_and(is_hidden) {
                events.push(event);
            }
        }
        let more = member.is_behind(head);
        let frames = Batch::new(events, view);
        if shares && !own {
            batches.put(view, from, member.cursor, &frames);
            member.shared_handed_out = frames.size();
        } else {
            member.hand_out_own(frames.size());
        }
        Delivery::Frames { frames, more }
    }

    /// Whether a member that is here has not been handed out an event before this place of the timeline.
    pub fn lags_behind(&self, id: MemberId, place: u64) -> bool {
        self.members.get(&id).is_some_and(|member| member.cursor < place)
    }

    /// The reason why a member was removed, until its connection leaves.
    pub fn removal(&self, id: MemberId) -> Option<Removal> {
        self.removed.get(&id).copied()
    }
}
