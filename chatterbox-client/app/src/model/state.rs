//! The state of a model: the conversations, and which of them is in front.

use chatterbox_proto::ScreenText;

use super::alert::{Alert, Alerts};
use super::attention::{Attention, Attentions};
use super::conversation::{Conversation, Older};
use super::item::{Body, Delivery, Hole, Key};
use super::limits::Limits;
use super::list::List;
use super::mentioned::Mentioned;
use super::sent::Unnumbered;
use super::timeline::Spot;
use crate::target::Target;

/// What a screen shows of the chat.
#[derive(Debug)]
pub struct Model {
    pub(super) list: List,
    pub(super) front: Target,
    /// Whether the end of the conversation in front is seen.
    pub(super) seeing: bool,
    /// Whether everything is read as it is shown, line by line; what is unread is behind the front then.
    pub(super) by_line: bool,
    pub(super) alerts: Alerts,
    pub(super) attentions: Attentions,
    pub(super) mentioned: Mentioned,
    pub(super) unnumbered: Unnumbered,
    /// The conversation with a user of which a page is coming: what is said on it under an earlier name belongs there.
    pub(super) paging: Option<Target>,
    /// So many of the next messages are here already: a screen of lines shows them only now.
    pub(super) unrolled: usize,
    /// The notice that the connection is lost: it is rewritten with each try that fails, while it is the last item.
    pub(super) lost: Option<Key>,
    /// How often a conversation came to the front.
    opened: u64,
}

impl Model {
    /// A model of a chat in which nothing was said.
    pub fn new(limits: Limits) -> Self {
        Self {
            list: List::new(limits),
            front: Target::Lobby,
            seeing: true,
            by_line: false,
            alerts: Alerts::default(),
            attentions: Attentions::default(),
            mentioned: Mentioned::default(),
            unnumbered: Unnumbered::default(),
            paging: None,
            unrolled: 0,
            lost: None,
            opened: 0,
        }
    }

    /// The same, where everything is read as it is shown, line by line.
    pub(crate) fn by_line(self, by_line: bool) -> Self {
        Self { by_line, ..self }
    }

    /// What of a conversation the user is told.
    pub fn attention(&self, target: &Target) -> Attention {
        self.attentions.of(target)
    }

    /// Of a conversation the user wants to be told this.
    pub(crate) fn attend(&mut self, target: &Target, attention: Attention) {
        self.attentions.set(target, attention);
    }

    /// The conversations, in the order in which they are numbered from 1 on.
    pub fn conversations(&self) -> &[Conversation] {
        self.list.all()
    }

    /// The target of the conversation in front.
    pub fn front(&self) -> &Target {
        &self.front
    }

    /// The conversation in front.
    pub fn in_front(&self) -> Option<&Conversation> {
        self.conversation(&self.front)
    }

    /// The conversation at a target, if there is one.
    pub fn conversation(&self, target: &Target) -> Option<&Conversation> {
        self.list.find(target)
    }

    /// The place of a conversation in the list, from 0 on.
    pub fn place(&self, target: &Target) -> Option<usize> {
        self.list.place(target)
    }

    /// Whether a page of so many messages would still find room above those that are loaded.
    pub fn has_room(&self, target: &Target, page: usize) -> bool {
        self.list.has_room(target, page)
    }

    /// Takes the next alert.
    pub fn take_alert(&mut self) -> Option<Alert> {
        self.alerts.take()
    }

    /// Brings a conversation to the front. That which was there until now is left: its marker is set to its end, unless some of it
    /// was not seen.
    pub(crate) fn bring(&mut self, target: &Target) {
        if target.is(&self.front) {
            return;
        }
        let left = std::mem::replace(&mut self.front, target.clone());
        self.open(target);
        if self.list.change(&left, |left| left.leave()).is_some()
            && self.conversation(&left).is_some_and(|left| left.gone)
        {
            self.remove(&left);
        }
        self.opened += 1;
        let (opened, seeing) = (self.opened, self.seeing);
        self.list.change(target, |front| {
            front.opened = opened;
            if seeing {
                front.read();
            }
        });
    }

    /// Whether the end of the conversation in front is seen from now on.
    pub(crate) fn see(&mut self, seeing: bool) {
        self.seeing = seeing;
        if seeing {
            self.list.change(&self.front.clone(), Conversation::read);
        }
    }

    /// So many messages that were [`crate::Output::Behind`] are shown next.
    pub(crate) fn unroll(&mut self, count: usize) {
        self.unrolled = count;
    }

    /// Takes the conversation with a user off the list.
    pub(crate) fn close(&mut self, target: &Target) {
        if matches!(target, Target::User(_)) {
            self.remove(target);
        }
    }

    /// Whether messages can be asked for now: those before the oldest one, or those that are missing at a hole.
    pub(crate) fn may_ask(
        &self,
        target: &Target,
        hole: Option<Key>,
        page: usize,
        now: i64,
    ) -> bool {
        let Some(conversation) = self.conversation(target) else { return false };
        let lacks = match hole {
            None => conversation.older != Older::Beginning,
            Some(hole) => {
                let timeline = &conversation.timeline;
                let item = timeline.place(hole).and_then(|place| timeline.item(place));
                item.is_some_and(|item| matches!(item.body, Body::Hole(Hole::Open | Hole::Asked)))
            }
        };
        lacks && conversation.may_ask(now) && self.has_room(target, page)
    }

    /// The number before which the messages are that are to be asked for.
    pub(crate) fn asks_before(&self, target: &Target, hole: Option<Key>) -> Option<u64> {
        self.conversation(target)?.id_at(spot(hole))
    }

    /// They were asked for.
    pub(crate) fn asked(&mut self, target: &Target, hole: Option<Key>, now: i64) {
        self.list.change(target, |conversation| conversation.ask(spot(hole), now));
    }

    /// The messages of the page that was asked for follow.
    pub(crate) fn page_comes(&mut self, target: &Target) {
        self.list.change(target, Conversation::page_comes);
        self.paging = Some(target.clone()).filter(|target| matches!(target, Target::User(_)));
    }

    /// Notes what a room is about.
    pub(crate) fn room(&mut self, name: &str, number: u64, topic: &str) {
        let target = Target::Room(name.to_owned());
        let known = self.list.room(number).map(|known| known.target.clone());
        if let Some(known) = known.filter(|known| *known != target)
            && self.list.rename(&known, &target)
        {
            self.attentions.renamed(&known, &target);
            if known.is(&self.front) {
                self.front = target.clone();
            }
        }
        let another = |known: &Conversation| known.number.is_some_and(|known| known != number);
        // Another room has the name: nothing of the one before belongs to it.
        if self.conversation(&target).is_some_and(another) {
            self.remove(&target);
        }
        self.open(&target);
        self.list.change(&target, |room| {
            room.number = Some(number);
            room.gone = false;
            room.topic = ScreenText::new(topic);
        });
    }

    /// Nothing of a room up to this message is shown any more (RH-4).
    pub(crate) fn clear(&mut self, target: &Target, floor: u64) {
        let cleared = self.list.change(target, |room| room.clear(floor));
        for key in cleared.unwrap_or_default() {
            self.mentioned.forget(key);
        }
    }

    /// The server answers own messages no more, except these: the others have arrived.
    pub(crate) fn settle(&mut self, awaited: impl Fn(&str) -> bool) {
        for sent in self.unnumbered.settle(awaited) {
            self.delivered(sent.serial, sent.key, Delivery::Stored, None);
        }
    }

    pub(super) fn delivered(&mut self, serial: u64, key: Key, delivery: Delivery, id: Option<u64>) {
        let target = self.list.with_serial(serial).map(|one| one.target.clone());
        let Some(target) = target else { return };
        self.list.change(&target, |conversation| {
            conversation.timeline.change(key, |body| {
                if let Body::Speech(speech) = body {
                    speech.delivery = delivery;
                }
            });
            if let Some(id) = id {
                conversation.number(key, id);
            }
        });
    }

    /// Opens a conversation, where there is none.
    pub(super) fn open(&mut self, target: &Target) {
        if let Some(gone) = self.list.open(target, &self.front) {
            self.mentioned.forget_all(gone.serial);
        }
    }

    pub(super) fn remove(&mut self, target: &Target) {
        if let Some(gone) = self.list.remove(target) {
            self.mentioned.forget_all(gone.serial);
        }
    }

    /// How many items and bytes there are, as they are counted.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.list.counts()
    }

    /// Drops what is beyond the bounds, after something has changed.
    pub(super) fn trim(&mut self, changed: &Target) {
        for item in self.list.trim(changed, &self.front) {
            if matches!(&item.body, Body::Speech(speech) if speech.mention) {
                self.mentioned.forget(item.key);
            }
        }
    }
}

fn spot(hole: Option<Key>) -> Spot {
    hole.map_or(Spot::Top, Spot::Behind)
}
