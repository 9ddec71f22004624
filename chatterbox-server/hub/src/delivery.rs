//! Delivery: what a member has not been handed out yet, assembled into frames that all with the same view share.

use std::collections::HashSet;
use std::sync::Arc;

use crate::encode::batch::Batch;
use crate::event::Event;
use crate::hub::Hub;
use crate::ids::{MemberId, RoomId};
use crate::member::Member;
use crate::reading::Piece;
use crate::removal::Removal;
use crate::room::stamp::Stamp;
use crate::room::timeline::{Overtaken, Timeline};
use crate::rooms::Rooms;
use crate::runs::{Run, Senders};

/// What a member can be sent now.
#[derive(Debug)]
pub enum Delivery {
    /// Whole frames.
    Frames {
        /// The frames, shared with everybody who gets the same ones.
        frames: Batch,
        /// Whether the member is to be given their compressed form, which it takes (ZS-4).
        compressed: bool,
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
    /// Hands out the next events that a member has not got yet, those of one room as far as they fit one batch, to a connection that
    /// has written everything that was handed out before.
    pub fn take(&mut self, id: MemberId) -> Delivery {
        if let Some(member) = self.members.get_mut(&id) {
            let before = member.own_bytes();
            member.has_written_all();
            self.budget.change(before, member.own_bytes());
        }
        self.take_more(id)
    }

    /// The same for one that writes it together with what was handed out before.
    pub fn take_more(&mut self, id: MemberId) -> Delivery {
        let Some(member) = self.members.get_mut(&id) else {
            // A member that has left by itself takes nothing more, so there is a reason.
            return Delivery::Removed(self.removal(id).unwrap_or(Removal::TooSlow));
        };
        if member.is_filter_stale() {
            member.set_filter(Arc::new(self.replica.presence().filter(id)));
        }
        let before = member.own_bytes();
        let welcomed = std::mem::take(&mut member.is_being_welcomed);
        let delivery = Self::take_next(member, &mut self.rooms);
        if self.elsewhere.is_told(id) && member.is_quarter_full() {
            self.elsewhere.empties(id);
        }
        self.budget.change(before, member.own_bytes());
        if welcomed && self.history.pinned() > 0 {
            self.history.forget_unpinned();
        }
        delivery
    }

    fn take_next(member: &mut Member, rooms: &mut Rooms) -> Delivery {
        member.forget_left_rooms();
        match rooms.next_piece(member) {
            Ok(None) => Delivery::UpToDate,
            Ok(Some(piece)) => Self::take_piece(member, rooms, piece),
            // The timeline has moved past the cursor; the next eviction removes the member.
            Err(Overtaken) => Delivery::Removed(Removal::TooSlow),
        }
    }

    fn take_piece(member: &mut Member, rooms: &mut Rooms, piece: Piece) -> Delivery {
        let Some(room) = rooms.get(piece.room) else { return Delivery::UpToDate };
        member.progressed = true;
        // Members with the same view and place share one run, unless events of their own lie in between.
        let view = member.view;
        let limit = member.next_direct().map_or(piece.end, |own| own.min(piece.end));
        let run = room.runs.get(view, piece.from, limit);
        let hidden = member.hidden_in(piece.room);
        let shares = hidden.is_none() || run.is_none();
        if let Some(run) = run.filter(|run| run.senders.are_shown(hidden)) {
            let frames = run.frames.clone();
            member.cursor = run.end;
            let compressed = member.zstd && rooms.hand_to_zstd(&frames);
            member.shared_handed_out += frames.counted();
            return Delivery::Frames { frames, compressed, more: rooms.is_behind(member) };
        }
        let Ok(gathered) = gather(member, &room.timeline, piece) else {
            return Delivery::Removed(Removal::TooSlow);
        };
        let has_meta = gathered.events.iter().any(|event| event.meta().is_some());
        let is_kept = shares && !gathered.has_own && !gathered.leaves_out;
        let frames = if is_kept {
            Batch::new(gathered.events, view)
        } else if gathered.has_own && !gathered.is_private && member.zstd {
            Batch::of_one(gathered.events, view)
        } else {
            Batch::plain(gathered.events, view)
        };
        let compressed = if is_kept {
            let Gathered { from, senders, .. } = gathered;
            let run = Run { from, end: member.cursor, frames: frames.clone(), senders, has_meta };
            rooms.keep(piece.room, view, run);
            let compressed = member.zstd && rooms.hand_to_zstd(&frames);
            member.shared_handed_out += frames.counted();
            compressed
        } else {
            member.hand_out_more(frames.counted());
            member.zstd && frames.hand_to_zstd()
        };
        Delivery::Frames { frames, compressed, more: rooms.is_behind(member) }
    }

    /// Whether a member that is here has not been handed out something of its rooms that has happened before this stamp.
    pub fn lags_behind(&self, id: MemberId, stamp: Stamp) -> bool {
        self.members.get(&id).is_some_and(|member| self.rooms.lags_behind(member, stamp))
    }

    /// The reason why a member was removed, until its connection leaves.
    pub fn removal(&self, id: MemberId) -> Option<Removal> {
        self.removed.get(&id).cloned()
    }
}

/// The events of one batch.
struct Gathered {
    events: Vec<Event>,
    /// The cursors that are at its beginning, as in [`Run`].
    from: (Stamp, Stamp),
    /// Whose messages are among them.
    senders: Senders,
    /// Whether there are any of the member's own.
    has_own: bool,
    /// Whether one of these may not be compressed (ZS-3).
    is_private: bool,
    /// Whether there are others, which it hides.
    leaves_out: bool,
}

/// Moves a member over a piece of a timeline, as far as it fits one batch, with its own events among those of the lobby.
fn gather(member: &mut Member, timeline: &Timeline, piece: Piece) -> Result<Gathered, Overtaken> {
    let (lowest, shared) = timeline.since(piece.from)?;
    let mut shared = shared.take_while(|(stamp, _)| *stamp < piece.end).peekable();
    let first = shared.peek().map_or(piece.from, |(stamp, _)| *stamp);
    let mut gathered = Gathered {
        events: Vec::new(),
        from: (lowest, first),
        senders: Senders::default(),
        has_own: false,
        is_private: false,
        leaves_out: false,
    };
    let (mut bytes, mut count) = (0, 0);
    while bytes < BATCH_BYTES && count < BATCH_EVENTS {
        let next = shared.peek().map_or(piece.end, |(stamp, _)| *stamp);
        let own = if piece.room == RoomId::LOBBY { member.pop_direct(next) } else { None };
        let event = if let Some(event) = own {
            gathered.has_own = true;
            gathered.is_private |= !event.is_compressible();
            event
        } else if let Some((stamp, event)) = shared.next() {
            member.cursor = stamp.next();
            event.clone()
        } else {
            break;
        };
        bytes += event.size();
        count += 1;
        let is_hidden = |hidden: &HashSet<_>| event.source().is_some_and(|by| hidden.contains(by));
        if member.hidden_in(piece.room).is_some_and(is_hidden) {
            gathered.leaves_out = true;
        } else {
            gathered.senders.add(&event);
            gathered.events.push(event);
        }
    }
    Ok(gathered)
}
