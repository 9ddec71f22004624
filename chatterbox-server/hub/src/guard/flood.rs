//! Flood control: how much one sender says to one destination, and all together in a room (FL-1 to FL-3).
//!
//! What a frame says to one destination is admitted or refused as a whole, so that half of a paste is never read by others. It
//! costs what it takes of everybody's screen and line: a token for each 16 messages or 4 KiB begun. A frame is admitted when its
//! tokens are there. One that costs more than a bucket holds, such as a message of megabytes, could then never be sent; it is
//! admitted when the bucket is full, and what is missing is owed, so that it can't be repeated. A room is charged no more
//! than its bucket holds: it would otherwise be silent for others because of what one owes.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::guard::bucket::{Buckets, Rate};
use crate::guard::throttle::ENTRIES;
use crate::ids::RoomNumber;

/// What one sender says to one destination.
pub const MESSAGES: Rate = Rate { burst: 40, every: Duration::from_secs(1) };

/// What all together say in one room.
pub const ROOM: Rate = Rate { burst: 400, every: Duration::from_millis(25) };

/// Users to whom one sender has not written lately.
pub const RECIPIENTS: Rate = Rate { burst: 20, every: Duration::from_secs(3) };

/// So many messages of a frame cost one token, and so many bytes of their contents.
const UNIT_MESSAGES: usize = 16;
const UNIT_BYTES: usize = 4 * 1024;

/// So many messages of one frame go to one destination, whatever the bucket holds: as many as a room's bucket has room for.
/// One of megabytes that has tiny messages in it would be a hundred thousand lines on every screen.
pub const MOST_MESSAGES: usize = 400 * UNIT_MESSAGES;

/// Refusals within [`WINDOW`] after which a sender is muted.
const REFUSALS: usize = 20;
const WINDOW: Duration = Duration::from_secs(60);

/// How long a sender is muted for the first time. Each further time is twice as long, up to the longest.
const FIRST_MUTE: Duration = Duration::from_secs(60);
const LONGEST_MUTE: Duration = Duration::from_secs(15 * 60);

/// After so long without a mute the next one is as long as the first.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// Destinations of one sender whose buckets are remembered; the fullest is forgotten first.
const DESTINATIONS: usize = 64;

/// Users to whom a sender has written last.
const KNOWN_RECIPIENTS: usize = 64;

/// Rooms whose buckets are remembered. There are fewer.
const ROOMS: usize = 4_096;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloodTo {
    /// A room, or the lobby.
    Room(RoomNumber),
    /// A room in which the sender is staff: only their own bucket holds, and not that of the room (FL-4).
    RoomOfStaff(RoomNumber),
    /// Private messages, to whomever.
    Private,
}

impl FloodTo {
    /// Whether one bucket of the sender is that of both.
    pub fn is_with(self, other: Self) -> bool {
        self.room() == other.room()
    }

    const fn room(self) -> Option<RoomNumber> {
        match self {
            Self::Room(room) | Self::RoomOfStaff(room) => Some(room),
            Self::Private => None,
        }
    }
}

/// Why something is not admitted, and how long to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    /// The sender has said too much to this destination.
    Sender(Duration),
    /// All together have said too much in the room.
    Room(Duration),
}

/// How many tokens messages of one frame to one destination cost.
pub fn cost(messages: usize, bytes: usize) -> u32 {
    let units = messages.div_ceil(UNIT_MESSAGES).max(bytes.div_ceil(UNIT_BYTES));
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// What such a frame costs a room. What fits a room's bucket fits its timeline, so nobody who reads is overtaken by it. That of the
/// lobby holds twice as much, and a frame costs half there: a class that says hello and then pastes thirty lines each is heard.
fn cost_to(room: RoomNumber, tokens: u32) -> u32 {
    let price = if room == RoomNumber::LOBBY { tokens.div_ceil(2) } else { tokens };
    price.min(ROOM.burst)
}

/// What is remembered of one sender.
#[derive(Debug, Default)]
struct Sender {
    /// When the bucket of a destination is full again.
    full_at: Vec<(FloodTo, Duration)>,
    /// The same of the bucket for new recipients.
    recipients_full_at: Duration,
    /// Those written to last, the oldest first.
    recipients: VecDeque<u64>,
    /// When frames were refused, the oldest first.
    refusals: VecDeque<Duration>,
    muted_until: Duration,
    /// How often in a row.
    mutes: u32,
}

impl Sender {
    /// From when on there is nothing to remember but recipients.
    fn blank_at(&self) -> Duration {
        let mute = if self.mutes > 0 { self.muted_until + FORGOTTEN } else { Duration::ZERO };
        let refusals = self.refusals.back().map_or(Duration::ZERO, |last| *last + WINDOW);
        let buckets = self.full_at.iter().map(|(_, at)| *at).max().unwrap_or_default();
        mute.max(refusals).max(buckets).max(self.recipients_full_at)
    }

    fn full_in(&self, now: Duration, to: FloodTo) -> Duration {
        let found = self.full_at.iter().find(|(of, _)| of.is_with(to));
        found.map_or(Duration::ZERO, |(_, at)| at.saturating_sub(now))
    }

    fn set_full_at(&mut self, now: Duration, to: FloodTo, at: Duration) {
        if let Some((_, full_at)) = self.full_at.iter_mut().find(|(of, _)| of.is_with(to)) {
            *full_at = at;
            return;
        }
        if self.full_at.len() >= DESTINATIONS {
            self.full_at.retain(|(_, at)| *at > now);
        }
        if self.full_at.len() >= DESTINATIONS {
            let fullest = self.full_at.iter().enumerate().min_by_key(|(_, (_, at))| *at);
            if let Some((place, _)) = fullest {
                self.full_at.swap_remove(place);
            }
        }
        self.full_at.push((to, at));
    }

    fn take(&mut self, now: Duration, to: FloodTo, tokens: u32) {
        let at = now + self.full_in(now, to);
        self.set_full_at(now, to, at.saturating_add(MESSAGES.price(tokens)));
    }

    /// Whether somebody was written to lately; from now on they were.
    fn note_recipient(&mut self, recipient: u64) {
        if self.recipients.len() >= KNOWN_RECIPIENTS {
            self.recipients.pop_front();
        }
        self.recipients.push_back(recipient);
    }

    /// Takes over what another one owes.
    fn inherit(&mut self, now: Duration, other: Self) {
        for (to, at) in other.full_at {
            let own = now + self.full_in(now, to);
            if at > own {
                self.set_full_at(now, to, at);
            }
        }
        self.recipients_full_at = self.recipients_full_at.max(other.recipients_full_at);
        self.muted_until = self.muted_until.max(other.muted_until);
        self.mutes = self.mutes.max(other.mutes);
        if other.refusals.len() > self.refusals.len() {
            self.refusals = other.refusals;
        }
    }
}

/// Whether the number of a sender stands for a guest.
const fn is_guest(sender: i64) -> bool {
    sender < 0
}

/// The buckets of all senders and rooms. A sender is a number: that of an account, or a negative one that stands for a
/// guest's name and network ([`crate::Sender`]).
#[derive(Debug)]
pub struct Flood {
    senders: HashMap<i64, Sender>,
    entries: usize,
    rooms: Buckets<RoomNumber>,
    /// How many nodes count for themselves what is said in a room.
    nodes: u32,
}

impl Default for Flood {
    fn default() -> Self {
        Self::new(ENTRIES)
    }
}

impl Flood {
    /// Nobody has said anything yet; so many senders are remembered at most.
    pub fn new(entries: usize) -> Self {
        Self { senders: HashMap::new(), entries, rooms: Buckets::new(ROOM, ROOMS), nodes: 1 }
    }

    /// From now on so many nodes count for themselves: the bucket of a room is shared among them, so that together they take
    /// what one would.
    pub fn share_among(&mut self, nodes: usize) {
        self.nodes = u32::try_from(nodes).unwrap_or(u32::MAX).max(1);
    }

    /// What a frame costs a room here.
    fn price(&self, room: RoomNumber, tokens: u32) -> u32 {
        cost_to(room, tokens).saturating_mul(self.nodes).min(ROOM.burst)
    }

    /// How long to wait for so many tokens; see [`Flood::admit`].
    pub fn wait(&self, now: Duration, sender: i64, to: FloodTo, tokens: u32) -> Duration {
        let full_in = self.senders.get(&sender).map(|sender| sender.full_in(now, to));
        MESSAGES.wait(full_in.unwrap_or_default(), tokens)
    }

    /// Takes what a frame costs at one destination from the buckets of its sender and of the room. `now` is any clock that
    /// does not go back.
    ///
    /// # Errors
    /// [`TooMuch`]; nothing is taken then.
    pub fn admit(
        &mut self,
        now: Duration,
        sender: i64,
        to: FloodTo,
        tokens: u32,
    ) -> Result<(), TooMuch> {
        let wait = self.wait(now, sender, to, tokens);
        if !wait.is_zero() {
            return Err(TooMuch::Sender(wait));
        }
        if let FloodTo::Room(room) = to {
            let tokens = self.price(room, tokens);
            let wait = self.rooms.wait_for(now, &room, tokens);
            if !wait.is_zero() {
                return Err(TooMuch::Room(wait));
            }
            self.rooms.take_many(now, &room, tokens);
        }
        self.sender(now, sender).take(now, to, tokens);
        Ok(())
    }

    /// Gives back what was taken for messages that were refused for another reason, of a frame that cost `before` and would
    /// have cost `after` without them.
    pub fn give_back(&mut self, sender: i64, to: FloodTo, before: u32, after: u32) {
        if let FloodTo::Room(room) = to {
            let unused = self.price(room, before).saturating_sub(self.price(room, after));
            self.rooms.give_back(&room, unused);
        }
        let kept = self.senders.get_mut(&sender);
        let bucket = kept.and_then(|kept| kept.full_at.iter_mut().find(|(of, _)| of.is_with(to)));
        if let Some((_, full_at)) = bucket {
            *full_at = full_at.saturating_sub(MESSAGES.price(before.saturating_sub(after)));
        }
    }

    /// Notes that a sender writes to somebody, and takes a token if they have not done so lately.
    ///
    /// # Errors
    /// How long to wait, where there is no token.
    pub fn write_to(&mut self, now: Duration, sender: i64, recipient: u64) -> Result<(), Duration> {
        let sender = self.sender(now, sender);
        if sender.recipients.contains(&recipient) {
            return Ok(());
        }
        let full_in = sender.recipients_full_at.saturating_sub(now);
        let wait = RECIPIENTS.wait(full_in, 1);
        if !wait.is_zero() {
            return Err(wait);
        }
        sender.recipients_full_at = now + full_in + RECIPIENTS.price(1);
        sender.note_recipient(recipient);
        Ok(())
    }

    /// How long a sender is muted still.
    pub fn muted(&self, now: Duration, sender: i64) -> Option<Duration> {
        let left = self.senders.get(&sender)?.muted_until.saturating_sub(now);
        (!left.is_zero()).then_some(left)
    }

    /// Notes that a frame was refused because of its sender's bucket, and says for how long the sender is muted now, if it was
    /// one too many (FL-2).
    pub fn refused(&mut self, now: Duration, sender: i64) -> Option<Duration> {
        let sender = self.sender(now, sender);
        sender.refusals.push_back(now);
        while sender.refusals.front().is_some_and(|at| now.saturating_sub(*at) >= WINDOW) {
            sender.refusals.pop_front();
        }
        if sender.refusals.len() < REFUSALS {
            return None;
        }
        sender.refusals.clear();
        if now >= sender.muted_until + FORGOTTEN {
            sender.mutes = 0;
        }
        let doubled =
            FIRST_MUTE.saturating_mul(1_u32.checked_shl(sender.mutes).unwrap_or(u32::MAX));
        let length = doubled.min(LONGEST_MUTE);
        sender.mutes = sender.mutes.saturating_add(1);
        sender.muted_until = now + length;
        Some(length)
    }

    /// Ends a mute, and forgets those before it; what is owed stays owed. Says whether there was one.
    pub fn pardon(&mut self, now: Duration, sender: i64) -> bool {
        let Some(sender) = self.senders.get_mut(&sender) else { return false };
        let was_muted = sender.muted_until > now;
        sender.refusals.clear();
        (sender.muted_until, sender.mutes) = (Duration::ZERO, 0);
        was_muted
    }

    /// Makes a guest who goes on under another name or with an account owe there what they owed before: a new name is no new
    /// bucket. The old one is free of it then. Whoever went from name to name would otherwise leave a mute at each of them, for
    /// others behind the same address. What an account owes stays with it: logging out would shed it otherwise, or pass it on.
    pub fn rename(&mut self, now: Duration, from: i64, to: i64) {
        if from == to || !is_guest(from) {
            return;
        }
        if let Some(old) = self.senders.remove(&from) {
            self.sender(now, to).inherit(now, old);
        }
    }

    fn sender(&mut self, now: Duration, number: i64) -> &mut Sender {
        if self.senders.len() >= self.entries && !self.senders.contains_key(&number) {
            self.make_room(now);
        }
        self.senders.entry(number).or_default()
    }

    /// Forgets those of whom there is nothing to remember; failing that, the tenth that owes least.
    fn make_room(&mut self, now: Duration) {
        self.senders.retain(|_, sender| sender.blank_at() > now);
        if self.senders.len() < self.entries {
            return;
        }
        let mut each: Vec<_> =
            self.senders.iter().map(|(number, sender)| (sender.blank_at(), *number)).collect();
        each.sort_unstable();
        for (_, number) in each.iter().take(1 + self.entries / 10) {
            self.senders.remove(number);
        }
    }
}

#[cfg(test)]
mod tests;
