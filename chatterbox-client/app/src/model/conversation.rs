//! Conversations: a timeline, and what of it is unread.

use std::collections::{HashSet, VecDeque};

use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::ids::Id;

use super::item::{Body, Hole, Item, Key};
use super::moves::Moves;
use super::timeline::{Put, Spot, Timeline};
use crate::target::Target;

/// So many users who have spoken are remembered.
const SPEAKERS: usize = 32;

/// Of so many messages that are unread it is known which; more are only counted.
const UNSEEN: usize = 1000;

/// What was asked for and did not come can be asked for again after so many seconds.
const PATIENCE: i64 = 15;

/// Whether there is more before the oldest item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Nobody knows: it can be asked for, where the server has pages.
    Unknown,
    /// There is.
    More,
    /// It was asked for.
    Asked,
    /// The oldest item is the beginning.
    Beginning,
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    spot: Spot,
    /// The number behind the place where it belongs.
    before: Option<Id>,
    at: i64,
}

/// What was said at one target.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Where it is said.
    pub target: Target,
    /// What is talked about, of a room.
    pub topic: ScreenText,
    /// The items.
    pub timeline: Timeline,
    /// How many messages of others were not seen.
    pub unread: usize,
    /// How many of them name this user, or are private.
    pub mentions: usize,
    /// Behind this item begins what is new since the user looked elsewhere.
    pub marker: Option<Key>,
    /// What is before the oldest item.
    pub older: Older,
    /// Whether it is a room of which the user is not a member any more.
    pub gone: bool,
    /// The number of the room: another room of that name has another one.
    pub(super) number: Option<u64>,
    /// Its identity, whatever its name.
    pub(super) serial: u64,
    /// The greatest number of a message that was shown to the user.
    seen: Id,
    /// How far the server knows it to be read.
    marked: Id,
    /// When it was in front last; the greatest is the latest.
    pub(super) opened: u64,
    asked: Option<Asked>,
    /// The numbers of the last messages that are unread, and whether they are mentions.
    unseen: VecDeque<(Option<Id>, bool)>,
    /// The newest message of those that are unread and only counted.
    counted_to: Id,
    /// Whether the user has seen its end and looks elsewhere since.
    left: bool,
    /// Whether the messages that come now are those of the page that was asked for.
    paging: bool,
    /// Before this time nothing is asked again.
    again_at: i64,
    speakers: VecDeque<ScreenText>,
}

impl Conversation {
    pub(super) fn new(target: Target, serial: u64) -> Self {
        Self {
            target,
            topic: ScreenText::new(""),
            timeline: Timeline::default(),
            unread: 0,
            mentions: 0,
            marker: None,
            older: Older::Unknown,
            gone: false,
            number: None,
            serial,
            seen: 0,
            marked: 0,
            opened: 0,
            asked: None,
            unseen: VecDeque::new(),
            counted_to: 0,
            left: false,
            paging: false,
            again_at: i64::MIN,
            speakers: VecDeque::new(),
        }
    }

    /// Its identity: it stays when the room or the user gets another name, and no other conversation ever has it.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether it is the one at this target; names of users and rooms are compared without regard to case.
    pub fn is_at(&self, target: &Target) -> bool {
        self.target.is(target)
    }

    /// Those who have spoken last, the last one first; this user is none of them.
    pub fn recent_speakers(&self) -> impl ExactSizeIterator<Item = &ScreenText> {
        self.speakers.iter()
    }

    /// The user has seen its end: nothing is unread.
    pub(super) fn read(&mut self) {
        self.unread = 0;
        self.mentions = 0;
        self.unseen.clear();
        self.left = false;
        self.seen = self.seen.max(self.timeline.newest_id().unwrap_or(0));
    }

    /// A message of this number was shown to the user.
    pub(super) fn shown(&mut self, id: Id) {
        self.seen = self.seen.max(id);
    }

    /// The message up to which the user has read and the server does not know it.
    pub(super) fn news(&self) -> Option<Id> {
        (self.seen > self.marked).then_some(self.seen)
    }

    /// The same; the server is told of it now.
    pub(super) fn take_news(&mut self) -> Option<Id> {
        let news = self.news();
        self.marked = self.marked.max(self.seen);
        news
    }

    /// It was read up to a message before, and the server counts what is behind it. `newest` is the newest message of it, where the
    /// server says it, or 0.
    pub(super) fn counted(&mut self, upto: Id, unread: usize, newest: Id, is_private: bool) {
        self.marked = self.marked.max(upto);
        self.seen = self.seen.max(upto);
        let marker = self.timeline.last_up_to(upto);
        self.unread = unread;
        self.mentions = if is_private { unread } else { 0 };
        self.unseen = self.timeline.others_behind(upto).map(|id| (Some(id), is_private)).collect();
        // What is not in the welcome is older than what is. Where it has nothing of this conversation, and nobody says what the newest
        // message is, whoever reads on has read all.
        let older = self.timeline.oldest_id().map_or(newest, |oldest| oldest.saturating_sub(1));
        self.counted_to = older.max(upto.saturating_add(1));
        self.marker = marker.filter(|_| unread > 0).or(self.marker);
    }

    /// It was read up to a message on another device.
    pub(super) fn read_to(&mut self, upto: Id) {
        self.marked = self.marked.max(upto);
        self.seen = self.seen.max(upto);
        self.seen_up_to(upto);
    }

    /// What is up to this message is not unread. Of what is only counted nobody knows how much that is, unless it is all.
    fn seen_up_to(&mut self, upto: Id) {
        let (before, named) = (self.unseen.len(), self.named());
        self.unseen.retain(|(id, _)| id.is_none_or(|id| id > upto));
        if self.counted_to <= upto {
            self.unread = self.unseen.len();
            self.mentions = self.named();
        } else {
            self.unread = self.unread.saturating_sub(before - self.unseen.len());
            self.mentions = self.mentions.saturating_sub(named - self.named());
        }
    }

    /// How many of the messages of which it is known that they are unread concern the user.
    fn named(&self) -> usize {
        self.unseen.iter().filter(|(_, names)| *names).count()
    }

    /// The user looks elsewhere, and has seen all: what comes from now on is new.
    pub(super) fn leave(&mut self) {
        if self.unread == 0 {
            self.marker = self.timeline.end();
            self.left = true;
        }
    }

    /// Puts a message where it belongs. `unseen` says that the user does not see it come, and `names` that it concerns them.
    pub(super) fn speech(&mut self, item: Item, unseen: bool, names: bool) -> Put {
        let (id, from) = match &item.body {
            Body::Speech(speech) => {
                (speech.id, Some(&speech.from).filter(|_| !speech.own).cloned())
            }
            _ => (None, None),
        };
        let last = self.timeline.end();
        let put = self.timeline.insert(item, self.spot());
        if put == Put::Known {
            return put;
        }
        if unseen {
            // What was seen ends here; where the user looks elsewhere it has ended when they left.
            if self.unread == 0 && !self.left {
                self.marker = last;
            }
            self.unread += 1;
            self.mentions += usize::from(names);
            if self.unseen.len() >= UNSEEN
                && let Some((id, _)) = self.unseen.pop_front()
            {
                self.counted_to = self.counted_to.max(id.unwrap_or(0));
            }
            self.unseen.push_back((id, names));
        }
        if let Some(from) = from {
            self.spoke(from, put == Put::Last);
        }
        put
    }

    /// Gives an own message its number, which may move it down; the marker stays where it is.
    pub(super) fn number(&mut self, key: Key, id: Id) {
        // The server moves the mark with it.
        (self.seen, self.marked) = (self.seen.max(id), self.marked.max(id));
        let place = self.timeline.place(key);
        let above = place.and_then(|place| self.timeline.end_before(place));
        self.timeline.number(key, id);
        if self.marker == Some(key) && self.timeline.place(key) != place {
            self.marker = above;
        }
    }

    fn spoke(&mut self, from: ScreenText, last: bool) {
        let known = self.speakers.iter().position(|speaker| *speaker == from);
        match (known, last) {
            (Some(place), true) => {
                self.speakers.remove(place);
                self.speakers.push_front(from);
            }
            (None, true) => {
                self.speakers.truncate(SPEAKERS - 1);
                self.speakers.push_front(from);
            }
            (None, false) if self.speakers.len() < SPEAKERS => self.speakers.push_back(from),
            _ => {}
        }
    }

    pub(super) fn renamed(&mut self, old: &ScreenText, new: &ScreenText) {
        for speaker in self.speakers.iter_mut().filter(|speaker| *speaker == old) {
            *speaker = new.clone();
        }
    }

    /// Changes the comings and goings at the end; where there are none yet it begins with them.
    pub(super) fn moves(&mut self, key: Key, time: i64, change: impl FnOnce(&mut Moves)) {
        let last = self.timeline.last().filter(|item| matches!(item.body, Body::Moves(_)));
        let key = last.map(|item| item.key).unwrap_or_else(|| {
            self.timeline.push(Item { key, time, body: Body::Moves(Moves::default()) });
            key
        });
        let over = self.timeline.change(key, |body| match body {
            Body::Moves(moves) => {
                change(moves);
                moves.is_empty()
            }
            _ => false,
        });
        self.timeline.touch_last(time);
        if over == Some(true) {
            self.timeline.pop_newest();
            if self.marker == Some(key) {
                self.marker = self.timeline.end();
            }
        }
    }

    /// Whether older messages can be asked for.
    pub(super) fn may_ask(&self, now: i64) -> bool {
        match self.asked {
            Some(asked) => now >= asked.at.saturating_add(PATIENCE),
            None => now >= self.again_at,
        }
    }

    /// Notes that the messages before the oldest one are asked for, or those of a hole. Gives the number before which they are,
    /// if there is one.
    pub(super) fn ask(&mut self, spot: Spot, now: i64) -> Option<Id> {
        self.forget_asked();
        let before = self.id_at(spot);
        match spot {
            Spot::Behind(hole) => self.fill(hole, Hole::Asked),
            _ => self.older = Older::Asked,
        }
        self.asked = Some(Asked { spot, before, at: now });
        before
    }

    pub(super) fn id_at(&self, spot: Spot) -> Option<Id> {
        match spot {
            Spot::Behind(hole) => self.timeline.first_id_behind(hole),
            Spot::Top | Spot::End => self.timeline.oldest_id(),
        }
    }

    /// The page that was asked for begins to come.
    pub(super) fn page_comes(&mut self) {
        self.paging = self.asked.is_some();
    }

    /// A page is over. `more` says whether there are older messages, `refused` that the server does not show it.
    pub(super) fn page_over(&mut self, more: bool, refused: bool, now: i64) {
        let asked = if std::mem::take(&mut self.paging) { self.asked.take() } else { None };
        let Some(Asked { spot, before, .. }) = asked else {
            // The user has asked for it by a command.
            if !more && !refused && self.asked.is_none() {
                self.older = Older::Beginning;
            }
            return;
        };
        if refused {
            self.again_at = now.saturating_add(PATIENCE);
        }
        // A page that brings nothing would be asked for without end.
        let goes_on = more && self.id_at(spot) != before;
        match (spot, goes_on) {
            _ if refused => self.reopen(spot),
            (Spot::Behind(hole), true) => self.fill(hole, Hole::Open),
            (Spot::Behind(hole), false) => self.fill(hole, Hole::Lost),
            (_, true) => self.older = Older::More,
            (_, false) => self.older = Older::Beginning,
        }
    }

    /// What was asked for does not come any more; it can be asked for again.
    pub(super) fn forget_asked(&mut self) {
        self.paging = false;
        if let Some(asked) = self.asked.take() {
            self.reopen(asked.spot);
        }
    }

    fn reopen(&mut self, spot: Spot) {
        match spot {
            Spot::Behind(hole) => self.fill(hole, Hole::Open),
            _ => self.older = Older::Unknown,
        }
    }

    fn fill(&mut self, hole: Key, state: Hole) {
        self.timeline.change(hole, |body| {
            if let Body::Hole(hole) = body {
                *hole = state;
            }
        });
    }

    fn spot(&self) -> Spot {
        self.asked.filter(|_| self.paging).map_or(Spot::End, |asked| asked.spot)
    }

    /// Forgets the oldest item; a message can be asked for again.
    pub(super) fn drop_oldest(&mut self) -> Option<Item> {
        let dropped = self.timeline.pop_oldest()?;
        if matches!(dropped.body, Body::Speech(_)) && self.older != Older::Asked {
            self.older = Older::More;
        }
        if self.marker == Some(dropped.key) {
            self.marker = None;
        }
        Some(dropped)
    }

    /// Clears the messages up to a number; gives their keys (RH-4).
    pub(super) fn clear(&mut self, floor: Id) -> Vec<Key> {
        self.seen_up_to(floor);
        let place = self.marker.and_then(|marker| self.timeline.place(marker));
        let before: Vec<_> = self.timeline.iter().map(|item| item.key).collect();
        let cleared = self.timeline.clear(floor);
        // The marker stays between the same items.
        let gone: HashSet<_> = cleared.iter().copied().collect();
        let up_to = before.iter().take(place.map_or(0, |place| place + 1));
        self.marker = up_to.rev().copied().find(|key| !gone.contains(key));
        if self.asked.is_none() {
            self.older = Older::Beginning;
        }
        cleared
    }
}
