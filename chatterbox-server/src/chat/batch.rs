//! A batch: what has come for one group, and who waits for what becomes of it.
//!
//! Messages are the first proposals of their group, whatever came between them, and a wish about rooms is next. So what is
//! decided of them while they are stored is what is decided when they are applied. Nobody can tell: none of the others in the group was made when they were
//! sent, and what one connection wants beside its post comes behind it.

use chatterbox_hub::{
    Greeting, Group, JoinError, Outcome, Proposal, Refused, RoomRefusal, RoomWish, Say, format,
};
use chatterbox_proto::{Code, Refusal};
use tokio::sync::oneshot;

use crate::chat::catching_up::CaughtUp;
use crate::chat::posts::{Held, POST_RECORDS, Post, Receipt, Tags};
use crate::chat::proposals::{Admitted, Change, Entry, Joining, OwnGreeting, WishDone};
use crate::chat::shared::Chat;

/// A batch takes further entries up to these bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Of messages: what is applied at once has to be a small part of the timeline.
    messages: usize,
    /// Of their bytes, and in a group of several nodes of all its bytes.
    bytes: usize,
    /// Of joins and other changes: each welcome is taken under the lock.
    others: usize,
}

impl Bounds {
    /// Those of a node that is alone.
    pub(super) const ALONE: Self = Self { messages: 1024, bytes: 2 * 1024 * 1024, others: 64 };

    /// The messages up to which a group of a node of several takes further ones.
    const MESSAGES_OF_SEVERAL: usize = Group::PROPOSALS - 2 * Self::ALONE.others;

    /// The proposals of such a group at most: the last post may go beyond the bound of messages, and there may be one wish.
    pub(super) const MOST_OF_SEVERAL: usize =
        Self::MESSAGES_OF_SEVERAL - 1 + POST_RECORDS + 1 + Self::ALONE.others;

    /// Those of a node of several, whose groups have so many bytes at most; what is larger has a group of its own.
    pub(super) fn of_several(bytes: usize) -> Self {
        let Self { others, .. } = Self::ALONE;
        let messages = Self::MESSAGES_OF_SEVERAL;
        Self { messages, bytes: bytes.min(Self::ALONE.bytes), others }
    }
}

/// What has come for one group.
#[derive(Default)]
pub(super) struct Batch {
    says: Vec<Say>,
    bytes: usize,
    /// A wish about rooms. What follows from one is judged by what followed from those before, so a group has one at most.
    wish: Option<(Box<RoomWish>, WishDone)>,
    others: Vec<Proposal>,
    posts: Vec<Posted>,
    waiting: Vec<Waiting>,
    /// How many messages are the first proposals of the group.
    said: usize,
    /// Who waits for the wish, if it is the next proposal.
    wished: Option<WishDone>,
}

/// Who waits for the messages of one post.
struct Posted {
    messages: usize,
    tags: Option<Tags>,
    done: oneshot::Sender<Result<Receipt, Code>>,
    _held: Held,
}

/// Who waits for another proposal.
enum Waiting {
    Join(OwnGreeting, oneshot::Sender<Result<Admitted, JoinError>>),
    Change(oneshot::Sender<Result<Outcome, Refused>>),
    CaughtUp(Vec<CaughtUp>),
    Nobody,
}

/// The bytes of a proposal beside what it holds: what it is, of whom, and the lengths of its parts.
const BESIDE: usize = 24;

/// The bytes that an entry takes in a group.
fn size(entry: &Entry) -> usize {
    let size = match entry {
        Entry::Post(post, _) => {
            let records = post.records.iter().map(|record| format::size_of_record(record) + BESIDE);
            let tags = post.tags.iter().flatten().flatten().map(|tag| tag.len());
            records.chain(tags).sum()
        }
        Entry::Join(Joining { join, .. }) => format::size(join),
        Entry::Wish(wish, _) => format::size(wish),
        Entry::Change(Change { proposal, .. }) => format::size(proposal),
        Entry::Leave(_) | Entry::CatchUp(_) => 0,
    };
    size.saturating_add(BESIDE)
}

impl Batch {
    /// Whether it takes another entry.
    pub(super) fn has_room(&self, bounds: &Bounds) -> bool {
        self.says.len() < bounds.messages
            && self.bytes < bounds.bytes
            && self.others.len() < bounds.others
            && self.wish.is_none()
    }

    /// How many messages it has.
    pub(super) fn messages(&self) -> usize {
        self.says.len()
    }

    /// Takes an entry in if all of it is not larger then than a group of several nodes is to be; else gives it back. The first one is
    /// taken whatever it is: who waits for it alone learns whether the order takes it.
    pub(super) fn add_within(&mut self, entry: Entry, bounds: &Bounds) -> Option<Entry> {
        let bytes = self.bytes.saturating_add(size(&entry));
        if self.bytes > 0 && bytes > bounds.bytes {
            return Some(entry);
        }
        self.add(entry);
        self.bytes = bytes;
        None
    }

    /// How many proposals of the group somebody may wait for: the first ones.
    pub(super) fn proposals(&self) -> usize {
        self.said + usize::from(self.wished.is_some()) + self.waiting.len()
    }

    /// Takes an entry in.
    pub(super) fn add(&mut self, entry: Entry) {
        let (proposal, waiting) = match entry {
            // The next post may wait from here on.
            Entry::Post(post, _place) => return self.post(post),
            // Whoever does not wait any more would come and go, and take the name from themselves.
            Entry::Join(Joining { done, .. }) if done.is_closed() => return,
            Entry::Join(Joining { join, greeting, done, _place }) => {
                (Proposal::Join(join), Waiting::Join(greeting, done))
            }
            Entry::Wish(wish, done) => {
                self.wish = Some((wish, done));
                return;
            }
            Entry::Leave(member) => (Proposal::Leave(member), Waiting::Nobody),
            Entry::CatchUp(turn) => {
                let all = turn.take();
                if all.is_empty() {
                    return;
                }
                // It says nothing, and comes round behind everything before it.
                (Proposal::Crowded(Vec::new()), Waiting::CaughtUp(all))
            }
            Entry::Change(Change { proposal, done, _place }) => {
                (proposal, done.map_or(Waiting::Nobody, Waiting::Change))
            }
        };
        self.others.push(proposal);
        self.waiting.push(waiting);
    }

    fn post(&mut self, post: Post) {
        let Post { sender: member, records, _held, tags, bytes, done } = post;
        self.bytes += bytes;
        let messages = records.len();
        let mut each = tags.iter().flatten();
        for record in records {
            let tag = each.next().cloned().flatten();
            self.says.push(Say { member, number: 0, tag, record });
        }
        self.posts.push(Posted { messages, tags, done, _held });
    }

    /// The messages, to be stored.
    pub(super) fn take_says(&mut self) -> Vec<Say> {
        self.said = self.says.len();
        std::mem::take(&mut self.says)
    }

    /// The wish about rooms, if there is one.
    pub(super) fn take_wish(&mut self) -> Option<(Box<RoomWish>, WishDone)> {
        self.wish.take()
    }

    /// Notes that the wish is proposed behind the messages, and who waits for it.
    pub(super) fn wishes(&mut self, done: WishDone) {
        self.wished = Some(done);
    }

    /// All of it, to be judged when it is applied, and numbered when it has its place.
    pub(super) fn take_unjudged(&mut self) -> Vec<Proposal> {
        let mut proposals: Vec<_> = self.take_says().into_iter().map(Proposal::Say).collect();
        if let Some((wish, done)) = self.take_wish() {
            self.wishes(done);
            proposals.push(Proposal::Room(wish, 0));
        }
        proposals.append(&mut self.take_others());
        proposals
    }

    /// All else, which comes behind them.
    pub(super) fn take_others(&mut self) -> Vec<Proposal> {
        std::mem::take(&mut self.others)
    }

    /// Tells those who have posted that their messages are not going to be proposed.
    pub(super) fn refuse_posts(&mut self, code: Code) {
        self.said = 0;
        for post in self.posts.drain(..) {
            // The connection may have ended meanwhile.
            let _ = post.done.send(Err(code));
        }
    }

    /// What is said to the user who joins with the proposal of this index.
    pub(super) fn greeting(&self, index: usize) -> Option<Greeting<'_>> {
        let before = self.said + usize::from(self.wished.is_some());
        match self.waiting.get(index.checked_sub(before)?)? {
            Waiting::Join(greeting, _) => Some(greeting.get()),
            Waiting::Change(_) | Waiting::CaughtUp(_) | Waiting::Nobody => None,
        }
    }

    /// Tells all who wait what has become of the proposals of the group; where it does not count, of none.
    pub(super) fn answer(self, outcomes: Vec<Result<Outcome, Refused>>, chat: &Chat) {
        let said = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Said(_))));
        chat.traffic().said(said.count() as u64);
        let mut outcomes = outcomes.into_iter();
        for post in self.posts {
            let receipt = post.receipt(&mut outcomes);
            // The connection may have ended meanwhile.
            let _ = post.done.send(receipt);
        }
        if let Some(done) = self.wished {
            let outcome = match outcomes.next() {
                Some(Ok(Outcome::Rooms(granted))) => Ok(granted),
                Some(Err(Refused::Room(refusal))) => Err(refusal),
                _ => Err(RoomRefusal::Failed),
            };
            // The connection may have ended meanwhile.
            let _ = done.send(outcome);
        }
        for waiting in self.waiting {
            let outcome = outcomes.next().unwrap_or(Err(Refused::NotHere));
            match waiting {
                Waiting::Join(_, done) => {
                    // Who does not wait any more goes again.
                    let _ = done.send(admitted(outcome, chat));
                }
                Waiting::Change(done) => {
                    let _ = done.send(outcome);
                }
                Waiting::CaughtUp(all) => {
                    for done in all {
                        let _ = done.send(outcome.is_ok());
                    }
                }
                Waiting::Nobody => {}
            }
        }
    }
}

impl Posted {
    fn receipt(
        &self,
        outcomes: &mut impl Iterator<Item = Result<Outcome, Refused>>,
    ) -> Result<Receipt, Code> {
        let mut receipt = Receipt::default();
        let mut judged = 0;
        let mut tags = self.tags.iter().flatten();
        for outcome in outcomes.take(self.messages) {
            judged += 1;
            let tag = tags.next().cloned().flatten();
            match outcome {
                Ok(Outcome::Said(number)) | Err(Refused::Known(number)) => {
                    receipt.acks.extend(tag.map(|tag| (tag, number)));
                }
                Err(Refused::Room(RoomRefusal::NoSuchRoom)) => {
                    receipt.refused.push((tag, Code::NoSuchRoom));
                }
                Err(Refused::Muted(until)) => receipt.refused.push((tag, Code::Muted(until))),
                Err(Refused::Room(_)) => receipt.refused.push((tag, Code::NotAMember)),
                _ => receipt.refused.push((tag, Code::NotStored)),
            }
        }
        if judged == self.messages { Ok(receipt) } else { Err(Code::NotStored) }
    }
}

fn admitted(outcome: Result<Outcome, Refused>, chat: &Chat) -> Result<Admitted, JoinError> {
    match outcome? {
        Outcome::Welcomed(reply) => {
            chat.traffic().joined();
            Ok(Admitted { leaving: chat.leaving(reply.id), reply })
        }
        Outcome::NotWelcomed(member, error) => {
            chat.leave(member);
            Err(error.into())
        }
        Outcome::Said(_) | Outcome::Rooms(_) | Outcome::Moderated(_) | Outcome::Done => {
            Err(Refusal::Busy.into())
        }
    }
}

#[cfg(test)]
mod tests;
