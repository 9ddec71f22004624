//! What is told of users beside who comes and goes: since when they are here, and whether they are away (PR-1, PR-2).
//!
//! A change is noted, and told with others a moment later, as things are then. So who goes away and comes back all the time
//! costs everybody else one object every two seconds at most.

use chatterbox_proto::json::LIST_SEPARATOR;

use crate::event::Event;
use crate::hub::Hub;
use crate::wake::Wake;

/// The time between two tellings, in milliseconds; and above so many members.
const EVERY: u64 = 2_000;
const EVERY_OF_MANY: u64 = 10_000;
const MANY: usize = 500;

/// One telling takes further users up to this size; the others are told with the next one.
const BYTES: usize = 32 * 1024;

impl Hub {
    /// Tells those who agreed to `presence` what has changed, if the time for it has come. To be called again and again.
    pub fn tell_presence(&mut self) -> Wake {
        let every = if self.members() > MANY { EVERY_OF_MANY } else { EVERY };
        let is_due = self.presence.told.is_none_or(|at| self.now.saturating_sub(at) >= every);
        if self.presence.waiting.is_empty() || !is_due {
            return Wake::Nobody;
        }
        if !self.members.values().any(|member| member.view.presence()) {
            self.presence.waiting.clear();
            self.presence.known.clear();
            return Wake::Nobody;
        }
        let mut object = b"{".to_vec();
        while object.len() < BYTES
            && let Some(user) = self.presence.waiting.pop_front()
        {
            self.presence.known.remove(&user);
            let all = self.replica.presence();
            let Some(person) = all.first_of(user).and_then(|id| all.person(id)) else { continue };
            if object.len() > 1 {
                object.extend_from_slice(LIST_SEPARATOR);
            }
            person.push_state(&mut object);
        }
        if object.len() == 1 {
            return Wake::Nobody;
        }
        object.push(b'}');
        self.presence.told = Some(self.now);
        self.rooms.push_lobby(Event::presence(object.into()));
        Wake::AllSoon
    }
}
