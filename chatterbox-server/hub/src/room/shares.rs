//! How much of the kept messages each sender has, so that nobody's talk pushes out what others have said.
//!
//! A sender has a tenth at most. Names are cheap, so what comes from one network has a half at most, and what is too much of
//! it goes from the sender there who has the most: whoever says little loses nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::filing::Sender;
use crate::room::limits::Keep;

/// One sender has this part of what is kept at most.
const SENDER_PART: u64 = 10;

/// The senders of one network together have this part at most.
const ORIGIN_PART: u64 = 2;

/// Every sender may have this much, however little is kept.
const LEAST: Keep = Keep { messages: 64, bytes: 64 * 1024 };

/// What a message weighs beside its bytes, when two senders are compared.
const OVERHEAD: u64 = 128;

/// The shares of the senders of some kept messages.
#[derive(Debug)]
pub struct Shares {
    /// What one sender may have.
    of_sender: Keep,
    /// What one network may have.
    of_origin: Keep,
    senders: HashMap<i64, Share>,
    origins: HashMap<i64, Origin>,
}

#[derive(Debug)]
struct Share {
    held: Keep,
    /// Where the sender came from first. What it says from elsewhere is counted there as long as it has anything.
    origin: Option<i64>,
}

#[derive(Debug)]
struct Origin {
    held: Keep,
    /// Its senders by what they have.
    by_weight: BTreeSet<(u64, i64)>,
}

impl Shares {
    /// The shares of a store with these bounds.
    pub fn new(keep: Keep) -> Self {
        let at_least = |part: Keep| Keep {
            messages: part.messages.max(LEAST.messages),
            bytes: part.bytes.max(LEAST.bytes),
        };
        Self {
            of_sender: at_least(keep.part(SENDER_PART)),
            of_origin: at_least(keep.part(ORIGIN_PART)),
            senders: HashMap::new(),
            origins: HashMap::new(),
        }
    }

    /// Counts kept messages of a sender.
    pub fn add(&mut self, sender: Sender, many: Keep) {
        if sender.number != 0 {
            let origin = sender.origin;
            let new = || Share { held: Keep::NOTHING, origin };
            self.senders.entry(sender.number).or_insert_with(new);
            self.change(sender.number, |held| held.plus(many));
        }
    }

    /// Counts messages of a sender that are not kept any more.
    pub fn remove(&mut self, sender: i64, many: Keep) {
        self.change(sender, |held| held.minus(many));
    }

    fn change(&mut self, sender: i64, change: impl Fn(Keep) -> Keep) {
        let Some(share) = self.senders.get_mut(&sender) else { return };
        let old = share.held;
        share.held = change(old);
        let (new, origin) = (share.held, share.origin);
        if new.messages == 0 {
            self.senders.remove(&sender);
        }
        let Some(number) = origin else { return };
        let new_origin = || Origin { held: Keep::NOTHING, by_weight: BTreeSet::new() };
        let origin = self.origins.entry(number).or_insert_with(new_origin);
        origin.held = origin.held.minus(old).plus(new);
        origin.by_weight.remove(&(weight(old), sender));
        if new.messages > 0 {
            origin.by_weight.insert((weight(new), sender));
        }
        if origin.by_weight.is_empty() {
            self.origins.remove(&number);
        }
    }

    /// Whose oldest message has to go now that this sender has said something, if anybody's has. The last message of a sender
    /// may be larger than a share.
    pub fn exceeded_by(&self, sender: i64) -> Option<i64> {
        let share = self.senders.get(&sender)?;
        if self.of_sender.is_exceeded_by(share.held) && share.held.messages > 1 {
            return Some(sender);
        }
        let origin = self.origins.get(&share.origin?)?;
        let several = origin.held.messages > 1;
        let heaviest = || origin.by_weight.last().map(|(_, sender)| *sender);
        (several && self.of_origin.is_exceeded_by(origin.held)).then(heaviest).flatten()
    }

    /// Which of some senders give up messages together with the one that [`Shares::exceeded_by`] has named: it alone for
    /// its own share; for that of its network, all there who have half as much at least, so that many who have a little in many
    /// places are not cut one by one.
    pub fn together_with(&self, sender: i64, among: &[i64]) -> HashSet<i64> {
        let alone = HashSet::from([sender]);
        let Some(share) = self.senders.get(&sender) else { return alone };
        let Some(origin) = share.origin.filter(|_| !self.of_sender.is_exceeded_by(share.held))
        else {
            return alone;
        };
        let heavy = |of: &i64| {
            let other = self.senders.get(of).filter(|other| other.origin == Some(origin));
            other.is_some_and(|other| weight(other.held).saturating_mul(2) >= weight(share.held))
        };
        among.iter().copied().filter(heavy).chain(alone).collect()
    }

    /// What a sender has.
    pub fn held_by(&self, sender: i64) -> Keep {
        self.senders.get(&sender).map_or(Keep::NOTHING, |share| share.held)
    }

    /// Whether nobody has anything.
    pub fn is_empty(&self) -> bool {
        self.senders.is_empty() && self.origins.is_empty()
    }
}

fn weight(held: Keep) -> u64 {
    held.bytes.saturating_add(held.messages.saturating_mul(OVERHEAD))
}

#[cfg(test)]
mod tests;
