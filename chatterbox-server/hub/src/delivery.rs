//! Delivery: what a member has not been handed out yet, assembled into frames that all with the same view share.

use std::sync::Arc;

use crate::block_lists::BlockFilter;
use crate::encode::batch::{Batch, assemble};
use crate::encode::view::View;
use crate::event::Event;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::removal::Removal;

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

/// What a member can be sent now, before it is put together.
#[derive(Debug)]
pub enum Taken {
    /// Nothing is to be done any more: the frames are shared, or there are none.
    Done(Delivery),
    /// Events for this member alone.
    Apart(Apart),
}

/// Events of one member, in order, that nobody shares: some are its own, or it hides somebody.
#[derive(Debug)]
pub struct Apart {
    events: Vec<Event>,
    view: View,
    /// Whose messages are left out.
    filter: Option<Arc<BlockFilter>>,
    more: bool,
}

impl Taken {
    /// Puts it together. This is not done under a lock: however many members hide somebody, or get what nobody else gets,
    /// each of them works for itself.
    pub fn assemble(self) -> Delivery {
        match self {
            Self::Done(delivery) => delivery,
            Self::Apart(Apart { events, view, filter, more }) => {
                let hidden = filter.as_ref().map(|filter| &filter.hidden);
                let shown = |event: &&Event| {
                    let source = event.source().zip(hidden);
                    source.is_none_or(|(source, hidden)| !hidden.contains(source))
                };
                let shown: Vec<_> = events.iter().filter(shown).collect();
                Delivery::Frames { frames: assemble(&shown, view), more }
            }
        }
    }
}

impl Hub {
    /// [`Hub::take_parts`], put together at once: for whoever holds no lock.
    pub fn take(&mut self, id: MemberId) -> Delivery {
        self.take_parts(id).assemble()
    }

    /// Hands out the events that a member has not got yet, as far as they fit one batch. Nothing that concerns one member
    /// alone is put together here: events share their bytes, so taking them is counting references.
    pub fn take_parts(&mut self, id: MemberId) -> Taken {
        let Some(member) = self.members.get_mut(&id) else {
            // A member that has left by itself takes nothing more, so there is a reason.
            let reason = self.removal(id).unwrap_or(Removal::TooSlow);
            return Taken::Done(Delivery::Removed(reason));
        };
        if member.is_filter_stale() {
            member.set_filter(Arc::new(self.presence.filter(id)));
        }
        let (from, head) = (member.cursor, self.lobby.head());
        if !member.is_behind(head) {
            return Taken::Done(Delivery::UpToDate);
        }
        member.progressed = true;
        // Members with the same view and cursor share one batch, unless events of their own lie in between.
        let limit = member.next_direct().unwrap_or(head);
        let view = member.view;
        let filter = member.hiding().cloned();
        if filter.is_none()
            && let Some((to, batch)) = self.batches.get(view, from, limit)
        {
            member.cursor = to;
            return Taken::Done(Delivery::Frames { frames: batch, more: member.is_behind(head) });
        }
        let Some(mut lobby) = self.lobby.since(from) else {
            // The timeline has moved past the cursor; the next eviction removes the member.
            return Taken::Done(Delivery::Removed(Removal::TooSlow));
        };
        let mut own = Vec::new();
        let mut shared = Vec::new();
        let (mut bytes, mut events) = (0, 0);
        while bytes < BATCH_BYTES && events < BATCH_EVENTS {
            bytes += if let Some(event) = member.pop_direct(member.cursor) {
                let size = event.size();
                own.push((shared.len(), event));
                size
            } else if let Some(event) = lobby.next() {
                member.cursor += 1;
                shared.push(event);
                event.size()
            } else {
                break;
            };
            events += 1;
        }
        let more = member.is_behind(head);
        if own.is_empty() && filter.is_none() {
            let frames = assemble(&shared, view);
            self.batches.put(view, from, member.cursor, &frames);
            return Taken::Done(Delivery::Frames { frames, more });
        }
        Taken::Apart(Apart { events: merge(own, shared), view, filter, more })
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

/// Events of a member's own among those of the timeline, each with the number of those that stand before it.
fn merge(own: Vec<(usize, Event)>, shared: Vec<&Event>) -> Vec<Event> {
    let mut merged = Vec::with_capacity(shared.len() + own.len());
    let mut shared = shared.into_iter().cloned();
    let mut merged_shared = 0;
    for (before, event) in own {
        merged.extend(shared.by_ref().take(before - merged_shared));
        merged_shared = before;
        merged.push(event);
    }
    merged.extend(shared);
    merged
}
