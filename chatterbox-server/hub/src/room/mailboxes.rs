//! Private messages by mailbox, and which of them goes when there are too many.
//!
//! Nobody's talk takes a message from a mailbox that has little in it: a mailbox has a part of the bounds, and beyond all of
//! them the largest gives up its messages first; within a mailbox, the sender who has the most there.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::filing::Sender;
use crate::record::Sequence;
use crate::room::limits::Keep;
use crate::room::shares::Shares;

/// One mailbox has this part of the bounds at most.
const MAILBOX_PART: u64 = 4;

/// The bytes that a private message counts beside its JSON: without them, many empty ones would be free.
const OVERHEAD: u64 = 128;

/// A private message, as far as its place is concerned.
#[derive(Debug, Clone)]
pub struct Kept<T> {
    /// Whose share it takes.
    pub sender: Sender,
    /// When it arrived.
    pub arrived: i64,
    /// The size of its JSON.
    pub bytes: u64,
    /// The message.
    pub message: T,
}

/// All private messages that are kept, by the keys of their recipients.
#[derive(Debug)]
pub struct Mailboxes<T> {
    keep: Keep,
    held: Keep,
    by_owner: HashMap<Arc<str>, Mailbox<T>>,
    /// The mailboxes by what is in them.
    by_bytes: BTreeSet<(u64, Arc<str>)>,
    /// The mailbox of each message.
    order: BTreeMap<Sequence, Arc<str>>,
    /// The messages of each sender.
    by_sender: HashMap<i64, Sent>,
    /// Messages of senders up to this number may be missing where a sender has none left.
    sent_forgotten: Sequence,
    shares: Shares,
    /// Messages up to this number may be missing where there is no mailbox.
    forgotten: Sequence,
}

#[derive(Debug)]
struct Mailbox<T> {
    messages: BTreeMap<Sequence, Kept<T>>,
    held: Keep,
    piles: HashMap<i64, Pile>,
    /// The senders by what they have in it.
    by_bytes: BTreeSet<(u64, i64)>,
    /// Messages up to this number may be missing.
    forgotten: Sequence,
}

/// The messages of one sender, in whichever mailbox.
#[derive(Debug)]
struct Sent {
    ids: BTreeSet<Sequence>,
    /// Messages up to this number may be missing.
    forgotten: Sequence,
}

/// The messages of one sender in one mailbox, oldest first.
#[derive(Debug, Default)]
struct Pile {
    order: VecDeque<Sequence>,
    bytes: u64,
}

impl<T> Kept<T> {
    fn counted(&self) -> u64 {
        self.bytes + OVERHEAD
    }
}

impl<T> Mailboxes<T> {
    /// No messages, within these bounds.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            held: Keep::NOTHING,
            by_owner: HashMap::new(),
            by_bytes: BTreeSet::new(),
            order: BTreeMap::new(),
            by_sender: HashMap::new(),
            sent_forgotten: 0,
            shares: Shares::new(keep),
            forgotten: 0,
        }
    }

    /// What is kept of all of them.
    pub fn held(&self) -> Keep {
        self.held
    }

    /// Adds the newest message, and gives those that had to go for it.
    pub fn push(&mut self, id: Sequence, owner: &str, kept: Kept<T>) -> Vec<(Sequence, Kept<T>)> {
        let forgotten = self.forgotten;
        let owner = match self.by_owner.get_key_value(owner) {
            Some((owner, _)) => Arc::clone(owner),
            None => Arc::from(owner),
        };
        let (sender, many) = (kept.sender, Keep::one(kept.counted()));
        let mailbox = self.by_owner.entry(Arc::clone(&owner)).or_insert_with(|| Mailbox {
            messages: BTreeMap::new(),
            held: Keep::NOTHING,
            piles: HashMap::new(),
            by_bytes: BTreeSet::new(),
            forgotten,
        });
        self.by_bytes.remove(&(mailbox.held.bytes, Arc::clone(&owner)));
        mailbox.add(id, kept);
        let full = self.keep.part(MAILBOX_PART);
        self.by_bytes.insert((mailbox.held.bytes, Arc::clone(&owner)));
        self.order.insert(id, Arc::clone(&owner));
        let forgotten = self.sent_forgotten;
        let sent = self.by_sender.entry(sender.number);
        sent.or_insert_with(|| Sent { ids: BTreeSet::new(), forgotten }).ids.insert(id);
        self.shares.add(sender, many);
        self.held = self.held.plus(many);

        let mut gone = Vec::new();
        while let Some(sender) = self.shares.exceeded_by(sender.number) {
            let oldest = self.by_sender.get(&sender).and_then(|sent| sent.ids.first().copied());
            let Some(removed) = oldest.and_then(|id| self.remove(id)) else { break };
            gone.push(removed);
        }
        while self.by_owner.get(&owner).is_some_and(|mailbox| full.is_exceeded_by(mailbox.held)) {
            let Some(removed) = self.remove_from(&owner) else { break };
            gone.push(removed);
        }
        while self.keep.is_exceeded_by(self.held) {
            let Some((_, largest)) = self.by_bytes.last().cloned() else { break };
            let Some(removed) = self.remove_from(&largest) else { break };
            gone.push(removed);
        }
        gone
    }

    /// Removes the oldest message of who has the most in a mailbox.
    fn remove_from(&mut self, owner: &str) -> Option<(Sequence, Kept<T>)> {
        let id = self.by_owner.get_mut(owner)?.oldest_of_the_most()?;
        self.remove(id)
    }

    fn remove(&mut self, id: Sequence) -> Option<(Sequence, Kept<T>)> {
        let owner = self.order.remove(&id)?;
        let mailbox = self.by_owner.get_mut(&owner)?;
        self.by_bytes.remove(&(mailbox.held.bytes, Arc::clone(&owner)));
        let kept = mailbox.remove(id)?;
        mailbox.forgotten = mailbox.forgotten.max(id);
        if mailbox.messages.is_empty() {
            self.forgotten = self.forgotten.max(mailbox.forgotten);
            self.by_owner.remove(&owner);
        } else {
            self.by_bytes.insert((mailbox.held.bytes, owner));
        }
        let (sender, many) = (kept.sender.number, Keep::one(kept.counted()));
        if let Some(sent) = self.by_sender.get_mut(&sender) {
            sent.ids.remove(&id);
            sent.forgotten = sent.forgotten.max(id);
            if sent.ids.is_empty() {
                self.sent_forgotten = self.sent_forgotten.max(sent.forgotten);
                self.by_sender.remove(&sender);
            }
        }
        self.shares.remove(sender, many);
        self.held = self.held.minus(many);
        Some((id, kept))
    }

    /// Removes the oldest message if it arrived before `oldest`.
    pub fn expire_one(&mut self, oldest: i64) -> Option<(Sequence, Kept<T>)> {
        let (id, owner) = self.order.first_key_value()?;
        let kept = self.by_owner.get(owner)?.messages.get(id)?;
        if kept.arrived >= oldest {
            return None;
        }
        self.remove(*id)
    }

    /// Those who have messages.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &str> {
        self.by_owner.keys().map(|owner| &**owner)
    }

    /// Removes all that somebody has: nobody is to read it any more.
    pub fn seal(&mut self, owner: &str) -> Vec<Sequence> {
        let ids =
            self.by_owner.get(owner).map(|mailbox| mailbox.messages.keys().copied().collect());
        let ids: Vec<Sequence> = ids.unwrap_or_default();
        for id in &ids {
            self.remove(*id);
        }
        ids
    }

    /// The messages in a mailbox after a number, oldest first.
    pub fn after<'a>(
        &'a self,
        owner: &str,
        id: Sequence,
    ) -> impl Iterator<Item = (Sequence, &'a Kept<T>)> + use<'a, T> {
        let mailbox = self.by_owner.get(owner).into_iter();
        let after = id.saturating_add(1);
        mailbox.flat_map(move |m| m.messages.range(after..)).map(|(id, kept)| (*id, kept))
    }

    /// The messages in a mailbox, newest first.
    pub fn newest<'a>(
        &'a self,
        owner: &str,
    ) -> impl Iterator<Item = (Sequence, &'a Kept<T>)> + use<'a, T> {
        let mailbox = self.by_owner.get(owner).into_iter();
        mailbox.flat_map(|m| m.messages.iter().rev()).map(|(id, kept)| (*id, kept))
    }

    /// The messages of a sender after a number, oldest first, each with the key of its recipient.
    pub fn sent(
        &self,
        sender: i64,
        after: Sequence,
    ) -> impl DoubleEndedIterator<Item = (Sequence, &str, &Kept<T>)> {
        let sent = self.by_sender.get(&sender).into_iter();
        let ids = sent.flat_map(move |sent| sent.ids.range(after.saturating_add(1)..));
        ids.filter_map(|id| {
            let owner = self.order.get(id)?;
            Some((*id, &**owner, self.by_owner.get(owner)?.messages.get(id)?))
        })
    }

    /// Up to which number messages of a sender may be missing.
    pub fn sent_forgotten(&self, sender: i64) -> Sequence {
        self.by_sender.get(&sender).map_or(self.sent_forgotten, |sent| sent.forgotten)
    }

    /// Up to which number messages may be missing in a mailbox.
    pub fn forgotten(&self, owner: &str) -> Sequence {
        self.by_owner.get(owner).map_or(self.forgotten, |mailbox| mailbox.forgotten)
    }

    /// Whether nothing is left of anything.
    pub fn is_empty(&self) -> bool {
        let few = self.by_owner.is_empty() && self.by_bytes.is_empty() && self.order.is_empty();
        few && self.by_sender.is_empty() && self.shares.is_empty() && self.held == Keep::NOTHING
    }
}

impl<T> Mailbox<T> {
    fn add(&mut self, id: Sequence, kept: Kept<T>) {
        let counted = kept.counted();
        self.held = self.held.plus(Keep::one(counted));
        self.change(kept.sender.number, |pile| {
            pile.order.push_back(id);
            pile.bytes += counted;
        });
        self.messages.insert(id, kept);
    }

    fn remove(&mut self, id: Sequence) -> Option<Kept<T>> {
        let kept = self.messages.remove(&id)?;
        let counted = kept.counted();
        self.held = self.held.minus(Keep::one(counted));
        self.change(kept.sender.number, |pile| {
            // Whatever goes is the oldest of its sender here.
            if pile.order.front() == Some(&id) {
                pile.order.pop_front();
            }
            pile.bytes -= counted;
        });
        Some(kept)
    }

    fn change(&mut self, sender: i64, change: impl FnOnce(&mut Pile)) {
        let pile = self.piles.entry(sender).or_default();
        self.by_bytes.remove(&(pile.bytes, sender));
        change(pile);
        if pile.order.is_empty() {
            self.piles.remove(&sender);
        } else {
            self.by_bytes.insert((pile.bytes, sender));
        }
    }

    fn oldest_of_the_most(&self) -> Option<Sequence> {
        let (_, sender) = self.by_bytes.last()?;
        self.piles.get(sender)?.order.front().copied()
    }
}

#[cfg(test)]
mod tests;
