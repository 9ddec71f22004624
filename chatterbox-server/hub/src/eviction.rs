//! Slow consumers: members that fall behind are waited for while they read, and removed when the timeline of one of their
//! rooms overtakes them.

use crate::hub::Hub;
use crate::ids::MemberId;
use crate::removal::Removal;
use crate::room::timeline::{Lag, Overtaken};

/// A member that has moved within this many milliseconds is reading.
pub const MOVING: u64 = 1000;

/// The result of [`Hub::evict_overtaken`].
#[derive(Debug, PartialEq, Eq)]
pub struct Laggards {
    /// The members whom the timeline of one of their rooms had overtaken. Their connections have to end; the others are told
    /// then.
    pub overtaken: Vec<MemberId>,
    /// Whether a member more than half a timeline behind in the lobby is reading, so that back-pressure on senders would save it.
    pub catching_up: bool,
}

impl Hub {
    /// Marks a member as reading: bytes are moving in the middle of what was handed out, of whose parts so many are left.
    pub fn progressed(&mut self, id: MemberId, left: usize, of: usize) {
        self.with_member(id, |member| {
            member.progressed = true;
            member.has_left(left, of);
        });
    }

    /// Notes that a member has written all that it was handed out, and waits for more: it holds nothing.
    pub fn has_written(&mut self, id: MemberId) {
        self.with_member(id, |member| {
            member.progressed = true;
            member.hand_out_own(0);
            member.shared_handed_out = 0;
        });
    }

    /// Removes a member that does not read; its connection has to end.
    pub(crate) fn remove_slow(&mut self, id: MemberId) {
        self.forget_member(id);
        self.removed.insert(id, Removal::TooSlow);
    }

    /// Removes all members of this node, whose connections have to end, and gives them. The others are told when they leave.
    pub fn remove_all(&mut self, reason: &Removal) -> Vec<MemberId> {
        let mut all: Vec<_> = self.members.keys().copied().collect();
        all.sort_unstable();
        for id in &all {
            self.forget_member(*id);
            self.removed.insert(*id, reason.clone());
        }
        all
    }

    /// Removes the members whom the timeline of one of their rooms has overtaken, and says whether one that is reading is in
    /// danger of it in the lobby. Other rooms don't slow the chat down.
    ///
    /// `now` is in milliseconds of any clock that does not go back. A member is reading when it has taken or written something
    /// within [`MOVING`]: the system reports that a socket is writable again in steps that may take that long.
    pub fn evict_overtaken(&mut self, now: u64) -> Laggards {
        self.tick(now);
        let now = self.now;
        let lobby = &self.rooms.lobby().timeline;
        let limits = lobby.limits();
        let half = Lag { events: limits.events as u64 / 2, bytes: limits.bytes / 2 };
        let mut overtaken = Vec::new();
        let mut catching_up = false;
        for (id, member) in &mut self.members {
            match lobby.lag(member.cursor) {
                Ok(_) if self.rooms.has_overtaken(member) => overtaken.push(*id),
                Err(Overtaken) => overtaken.push(*id),
                Ok(lag) => {
                    let behind = lag.events > half.events || lag.bytes > half.bytes;
                    if std::mem::take(&mut member.progressed) {
                        member.moved_at = now;
                    }
                    catching_up |= behind && now.saturating_sub(member.moved_at) < MOVING;
                }
            }
        }
        for id in &overtaken {
            self.forget_member(*id);
            self.removed.insert(*id, Removal::TooSlow);
        }
        Laggards { overtaken, catching_up }
    }
}
