//! Rooms: where a line goes, which room is in front, and what is shown of the others.

use chatterbox_proto::capability::ids::{Id, Page};
use chatterbox_proto::capability::rooms::{RoomLeft, RoomTold};
use chatterbox_proto::session::{self, Room};
use chatterbox_proto::{ALL, Capability, RoomName, SERVER, ScreenText, WireText};

use super::App;
use crate::effect::{Effect, note};
use crate::front::{At, InFront, Unrolled};
use crate::gaps::{End, Filled};
use crate::model::mentions;
use crate::output::{
    GapState, Lock, Message, MessageKind, Output, RoomChange, RoomView, RoomWhy, Wire,
};
use crate::target::Target;

/// Where a message was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'m> {
    /// In the lobby, or in a room of this name.
    Room(&'m str),
    /// Between two users, or by the server itself: it concerns the user whatever is in front.
    Personal,
}

impl App {
    /// Whether a destination is a room.
    pub(super) fn is_room(&self, name: &str) -> bool {
        self.session.agreed().has(Capability::Rooms) && RoomName::is_meant(name)
    }

    fn is_member(&self, room: &str) -> bool {
        room == ALL || self.session.room(room).is_some()
    }

    fn place<'m>(&self, message: &'m session::Message) -> Place<'m> {
        match message.recipient.as_ref().map(WireText::as_wire) {
            None if message.source.as_wire() == SERVER => Place::Personal,
            None => Place::Room(ALL),
            Some(room) if self.is_room(room) => Place::Room(room),
            Some(_) => Place::Personal,
        }
    }

    /// Shows a message, unless it waits for what was said before it, or is said in a room that is not in front.
    pub(super) fn show(
        &mut self,
        message: session::Message,
        kind: MessageKind,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let Some(message) = self.opened(message, kind, now, effects) else { return };
        if kind == MessageKind::History {
            return self.show_at_once(message, kind, now, effects);
        }
        let room = match self.place(&message) {
            Place::Room(room) if self.gaps.has(room) => room.to_owned(),
            _ => return self.deliver(message, kind, now, effects),
        };
        if let Some(message) = self.gaps.hold(&room, message, kind) {
            self.deliver(message, kind, now, effects);
        }
    }

    /// Shows a message that comes after everything that was said before it.
    fn deliver(
        &mut self,
        message: session::Message,
        kind: MessageKind,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        match self.place(&message) {
            // What is said in a room of which the user is no member is not kept for later: a server could name rooms without end.
            Place::Room(room) if self.front.hides(room) && self.is_member(room) => {
                let room = room.to_owned();
                let own = self.is_own(&message);
                self.note_said(&message, own);
                let behind = self.as_output(message.clone(), own, kind, now);
                match message.id.filter(|_| own) {
                    // Said on another device: whoever says something has read what was said before it.
                    Some(id) => self.front.cleared(&room, id),
                    None => self.front.count(&room, message, kind, behind.mention),
                }
                if self.model.is_some() {
                    effects.push(Effect::Show(Output::Behind(behind)));
                }
            }
            _ => self.show_at_once(message, kind, now, effects),
        }
    }

    fn show_at_once(
        &mut self,
        message: session::Message,
        kind: MessageKind,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let own = self.is_own(&message);
        self.note_said(&message, own);
        effects.push(Effect::Show(Output::Message(self.as_output(message, own, kind, now))));
    }

    /// A message as it is shown; `own`: this user has said it.
    pub(super) fn as_output(
        &self,
        message: session::Message,
        own: bool,
        kind: MessageKind,
        now: i64,
    ) -> Message {
        let at = self.target_of(&message, own);
        let session::Message { source, recipient, timestamp, content, id, taken, meta } = message;
        let in_room = recipient.as_ref().is_some_and(|to| self.is_room(to.as_wire()));
        let is_private = recipient.is_some() && !in_room;
        let meta = meta.map(|meta| *meta).unwrap_or_default();
        let room = recipient.as_ref().filter(|_| in_room).map(WireText::as_wire);
        let named = self.is_named(&meta, room);
        // Whoever puts names into MENTIONS means these and no others; of who does not only the text says it.
        let in_text = |me: &str| meta.mentions.is_empty() && mentions(content.as_wire(), me);
        let mention = self.me().is_some_and(|me| !own && (is_private || named || in_text(me)));
        let quote = meta.reply.map(|id| Box::new(self.quotes.quote(&at, id)));
        let file = meta.file.map(|file| Box::new(self.attached(file, own, now)));
        Message {
            when: self.time.format(timestamp, now),
            time: timestamp,
            from: source,
            own,
            in_room,
            to: recipient,
            text: content,
            id,
            taken,
            tag: None,
            quote,
            file,
            mentions: meta.mentions,
            mention,
            named,
            kind,
            lock: Lock::Open,
        }
    }

    /// Begins in the room that the user has set as default (RM-5).
    pub(super) fn begin_in_default(&mut self) {
        let default = self.session.default_room().map(InFront::new);
        self.front.bring(default.map_or(At::Lobby, At::Room));
        self.model_follows();
    }

    /// The model knows what each room is about, as a welcome has it.
    pub(super) fn note_rooms(&mut self) {
        if let Some(model) = &mut self.model {
            for room in self.session.rooms() {
                model.room(room.name.as_wire(), room.number, room.topic.as_wire());
            }
        }
    }

    /// Says at the end of a welcome which rooms the user is in.
    pub(super) fn show_rooms(&mut self, effects: &mut Vec<Effect>) {
        self.note_rooms();
        let front = self.front.room().map(|front| WireText::new(front.name.clone()));
        let rooms: Vec<_> = self.session.rooms().map(|room| room.name.clone()).collect();
        if rooms.is_empty() && !(self.json && self.session.agreed().has(Capability::Rooms)) {
            return;
        }
        effects.push(Effect::Show(Output::Rooms { rooms, front }));
        for room in self.session.rooms() {
            let in_front = self.front.room().is_some_and(|front| front.is(room));
            if self.json {
                effects.push(shown(room, RoomWhy::Member));
            } else if in_front {
                effects.push(shown(room, RoomWhy::Front));
            }
        }
    }

    /// Says something in the room in front, as the answer to a message or not.
    pub(super) fn say_in_front(&mut self, text: &str, reply: Option<Id>, now: i64) -> Vec<Effect> {
        let front = match self.front.at() {
            At::Lobby => return self.say(None, text, reply, now),
            At::User(name) => return self.say(Some(&name.clone()), text, reply, now),
            At::Room(room) => room.clone(),
        };
        // A line that was meant for a room never goes anywhere else, nor to another room of that name.
        if self.session.room(&front.name).is_some_and(|room| front.is(room)) {
            return self.say(Some(&front.name), text, reply, now);
        }
        let name = ScreenText::shortened(&front.name, 40);
        self.not_sent(&format!("you are not in {name} any more; /room ALL talks to everybody"))
    }

    /// Says something in a room that is named.
    pub(super) fn say_in_room(&mut self, to: &str, text: &str, now: i64) -> Vec<Effect> {
        match self.session.room(to).map(|room| room.name.as_wire().to_owned()) {
            Some(name) => self.say(Some(&name), text, None, now),
            None => {
                let name = ScreenText::shortened(to, 40);
                self.not_sent(&format!(
                    "you are not in {name}: /join {name} comes first; #{name} says it as a text"
                ))
            }
        }
    }

    /// Carries out `/room [NAME]`.
    pub(super) fn bring_to_front(&mut self, name: Option<&str>, now: i64) -> Vec<Effect> {
        let Some(name) = name else {
            let unread = self.front.unread_line().map(Effect::Show);
            let mut effects: Vec<_> = vec![self.show_front()];
            effects.extend(unread);
            return effects;
        };
        if name == ALL {
            return self.unroll(At::Lobby, now);
        }
        if let Some(user) = name.strip_prefix('@').filter(|user| !user.is_empty()) {
            return match user.contains(char::is_whitespace) {
                true => self.not_done("/room @NAME talks to that user only."),
                false => self.unroll(At::User(self.spelt(user)), now),
            };
        }
        // A number that was typed without the sign is that of a conversation, unless there is such a room.
        let with_sign = if RoomName::is_meant(name) { name.to_owned() } else { format!("#{name}") };
        if let Some(target) = self.numbered(name)
            && self.session.room(&with_sign).is_none()
        {
            return self.open(&target, now);
        }
        if with_sign.contains(char::is_whitespace) {
            return self.not_done("/room NAME, or /room ALL for the lobby.");
        }
        // As a screen calls it.
        if name.eq_ignore_ascii_case("lobby") && self.session.room(&with_sign).is_none() {
            return self.open(&Target::Lobby, now);
        }
        self.open(&Target::Room(with_sign), now)
    }

    /// Brings the conversation at a target to the front. A room that the user is not a member of is joined first.
    pub(super) fn open(&mut self, target: &Target, now: i64) -> Vec<Effect> {
        let name = match target {
            Target::Lobby => return self.unroll(At::Lobby, now),
            Target::User(user) => return self.unroll(At::User(self.spelt(user)), now),
            Target::Room(name) => name,
        };
        match self.session.room(name).map(InFront::new) {
            Some(room) => self.unroll(At::Room(room), now),
            None if self.server_has("join") && self.session.is_joined() => {
                let effects = self.call(&format!("join {name}"));
                if effects.iter().any(|effect| matches!(effect, Effect::Send(_))) {
                    self.front.want(name);
                }
                effects
            }
            // Through pipes the next lines would go where they were not meant to go.
            None => self.not_done(format!("You are not in {}.", ScreenText::shortened(name, 40))),
        }
    }

    /// The name of a user as the conversation with them has it.
    fn spelt(&self, user: &str) -> String {
        let target = Target::User(user.to_owned());
        let known = self.model.as_ref().and_then(|model| model.conversation(&target));
        known.map_or(user, |known| known.target.wire()).to_owned()
    }

    fn unroll(&mut self, at: At, now: i64) -> Vec<Effect> {
        let name = at.wire().to_owned();
        let Unrolled { messages, older } = self.front.bring(at);
        self.model_follows();
        if let Some(model) = &mut self.model {
            model.unroll(messages.len());
        }
        let mut effects = vec![self.show_front()];
        if older > 0 {
            let what =
                if older == 1 { "1 message".to_owned() } else { format!("{older} messages") };
            let name = ScreenText::shortened(&name, 40);
            effects.extend(note(format!("{what} before these: /history {name}")));
        }
        for (message, kind) in messages {
            self.show_at_once(message, kind, now, &mut effects);
        }
        effects
    }

    fn show_front(&self) -> Effect {
        match self.front.at() {
            At::Lobby => Effect::Show(Output::Lobby),
            At::User(name) => Effect::Show(Output::WithUser(WireText::new(name.clone()))),
            At::Room(front) => match self.session.room(&front.name) {
                Some(room) => shown(room, RoomWhy::Front),
                None => Effect::Show(Output::note(format!(
                    "You are not in {} any more; /room ALL talks to everybody.",
                    self.prompt()
                ))),
            },
        }
    }

    pub(super) fn room_joined(&mut self, name: &Wire, now: i64, effects: &mut Vec<Effect>) {
        // What is unread under this name was said in another room.
        self.front.forget(name.as_wire());
        let Some(room) = self.session.room(name.as_wire()) else { return };
        if !self.front.is_wanted(name.as_wire()) {
            return effects.push(shown(room, RoomWhy::Joined));
        }
        if self.json {
            effects.push(shown(room, RoomWhy::Joined));
        }
        let front = InFront::new(room);
        effects.extend(self.unroll(At::Room(front), now));
    }

    /// A person is told what changes where they are; a program gets everything.
    pub(super) fn room_changed(&mut self, told: &RoomTold, effects: &mut Vec<Effect>) {
        let name = told.room.as_wire();
        if let Some(floor) = told.floor {
            self.front.cleared(name, floor);
            // A person is told of it only where they are.
            if let Some(model) = self.model.as_mut().filter(|_| name != ALL) {
                model.clear(&Target::Room(name.to_owned()), floor);
            }
        }
        // A whole object says how things are, not what has changed.
        let is_whole = match name {
            // The lobby has fewer keys (RM-4).
            ALL => told.topic.is_some() && told.talk.is_some() && told.floor.is_some(),
            _ => told.last.is_some() && told.keep.is_some(),
        };
        let mut changes = Vec::new();
        for (change, is_there) in [
            (RoomChange::Topic, told.topic.is_some()),
            (RoomChange::Talk, told.talk.is_some()),
            (RoomChange::Slow, told.slow.is_some()),
            (RoomChange::Floor, told.floor.is_some()),
        ] {
            if is_there && !is_whole {
                changes.push(change);
            }
        }
        let room = if name == ALL { Some(self.session.lobby()) } else { self.session.room(name) };
        let Some(room) = room else { return };
        if self.json || !(changes.is_empty() || self.front.hides(name)) {
            effects.push(shown(room, RoomWhy::Changed(changes)));
        }
    }

    pub(super) fn room_left(&mut self, left: RoomLeft, now: i64, effects: &mut Vec<Effect>) {
        let name = left.room.as_wire().to_owned();
        for (message, kind) in self.gaps.give_up(&name) {
            self.deliver(message, kind, now, effects);
        }
        self.front.forget(&name);
        effects.push(Effect::Show(Output::RoomLeft(left)));
        if self.front.room().is_some_and(|front| front.name == name) {
            effects
                .extend(note("Lines go nowhere until you choose: /room ALL talks to everybody."));
        }
    }

    pub(super) fn room_users(
        &self,
        room: Wire,
        users: Vec<Wire>,
        joined: bool,
        effects: &mut Vec<Effect>,
    ) {
        if !self.front.hides(room.as_wire()) {
            effects.push(Effect::Show(Output::RoomUsers { room, users, joined }));
        }
    }

    /// Some of what was missed in a room did not come.
    pub(super) fn gap_found(&mut self, name: &Wire, after: Id, effects: &mut Vec<Effect>) {
        let query = self.session.room(name.as_wire()).and_then(|room| self.gaps.open(room, after));
        if let Some(query) = query {
            effects
                .push(Effect::Show(Output::Gap { room: name.clone(), state: GapState::Fetching }));
            effects.extend(self.pages.request_for_gap(&query));
        }
    }

    /// On a new connection: what is still missing is asked for again, where the room is still the same. Another history
    /// has other numbers.
    pub(super) fn fill_gaps_again(&mut self, same: bool, now: i64, effects: &mut Vec<Effect>) {
        let session = &self.session;
        let is_same = |name: &str, number| {
            same && session.room(name).is_some_and(|room| room.number == number)
        };
        for (message, kind) in self.gaps.retain(is_same) {
            self.deliver(message, kind, now, effects);
        }
        for query in self.gaps.queries() {
            effects.extend(self.pages.request_for_gap(&query));
        }
    }

    pub(super) fn gap_page(&mut self, page: Page, now: i64, effects: &mut Vec<Effect>) {
        let room = page.with.clone();
        let Filled { messages, next, end, rest } = self.gaps.page_received(page);
        // This user's own messages were shown when they were typed, but for those of other devices.
        let me = self.session.me().map(str::to_owned);
        for (message, kind) in messages {
            let own = Some(message.source.as_wire()) == me.as_deref();
            if !own || self.session.is_of_other_device(&message) {
                self.deliver(message, kind, now, effects);
            }
        }
        // The line about what is left out stands where it is left out.
        if let Some(End { count, complete }) = end {
            let state = if complete { GapState::Filled(count) } else { GapState::Cut(count) };
            effects.push(Effect::Show(Output::Gap { room, state }));
        }
        for (message, kind) in rest {
            self.deliver(message, kind, now, effects);
        }
        if let Some(query) = next {
            effects.extend(self.pages.request_for_gap(&query));
        }
    }
}

/// The effect that shows a room.
fn shown(room: &Room, why: RoomWhy) -> Effect {
    let names = !matches!(why, RoomWhy::Changed(_));
    let name = if room.number == 0 && room.name.as_wire().is_empty() {
        WireText::new(ALL)
    } else {
        room.name.clone()
    };
    let view = RoomView {
        name,
        number: room.number,
        owner: room.owner.clone(),
        level: room.level,
        topic: room.topic.clone(),
        description: room.description.clone(),
        count: room.count(),
        users: room
            .users()
            .filter(|_| names)
            .map(|users| users.map(WireText::into_owned).collect()),
        staff: room.staff.clone(),
        limit: room.limit,
        talk: room.talk,
        slow: room.slow,
        length: room.length,
        keep: room.keep,
        show: room.show,
        flags: room.flags.clone(),
        last: room.last,
        floor: room.floor,
    };
    Effect::Show(Output::Room(Box::new(view), why))
}
