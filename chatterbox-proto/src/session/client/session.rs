//! The state machine of the client: it turns frames of the server into events for the user.
//!
//! A session may outlive its connection: where `ids` was negotiated, [`ClientSession::disconnected`] and
//! [`ClientSession::resume`] continue it on the next connection, and no message is lost or shown twice.

use bytes::Bytes;

use super::event::Event;
use super::file_bounds::FileBounds;
use super::room::{Room, Rooms};
use super::roster::Roster;
use super::seen::Seen;
use super::sent::{self, Sent};
use super::unfolding::Unfolding;
use crate::capability::accounts::{Proof, Secret};
use crate::capability::ids::{RefusedTag, Resume};
use crate::capability::meta::{DeviceId, NewMeta};
use crate::capability::{Capabilities, Capability};
use crate::client_frame::{self, Offer, Said};
use crate::entry::Entry;
use crate::frame::TooLong;
use crate::limits;
use crate::name::{ALL, Username};
use crate::server_frame::{Deviation, LazyFrame};
use crate::text::WireText;

/// The reason why a message can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SayError {
    /// The session has not joined.
    #[error("not joined yet")]
    NotJoined,
    /// Too many messages are not acknowledged (ID-5).
    #[error("too many messages wait for the server already")]
    TooMany,
    /// It does not fit a frame.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// A message that the session has taken for sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The frame to send; `None` while disconnected: the message waits for [`ClientSession::resend`].
    pub frame: Option<Bytes>,
    /// Its idempotency key, under which it is acknowledged (ID-3); only with `ids`.
    pub tag: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Nameless,
    Asked(String),
    Joined(String),
    /// The connection is gone; the session can be resumed.
    Lost(String),
    AskedAgain(String),
}

/// The session of one user.
#[derive(Debug)]
pub struct ClientSession {
    pub(super) state: State,
    pub(super) offer: Capabilities,
    /// How many messages a welcome shall have at most (RC-1).
    recent: Option<u16>,
    /// The device of the account that this client is (EE-4).
    device: Option<DeviceId>,
    pub(super) agreed: Capabilities,
    pub(super) roster: Roster,
    pub(super) rooms: Rooms,
    pub(super) sent: Sent,
    pub(super) seen: Seen,
    /// The token that resumes this session (ID-7).
    pub(super) resume: Option<Secret>,
    /// The longest body that the server accepts, if it announced one (CP-7).
    pub(super) longest: Option<usize>,
    /// The longest message to everybody in characters, if it announced one (CP-13).
    pub(super) content: Option<u64>,
    /// What the server takes of files.
    pub(super) file_bounds: FileBounds,
    /// Whether messages that the server takes later are kept.
    is_patient: bool,
    /// The frame that is worked off.
    pub(super) frame: Unfolding,
}

impl Default for ClientSession {
    fn default() -> Self {
        Self::offering(Capabilities::NONE)
    }
}

impl ClientSession {
    /// A session that offers no capabilities.
    pub fn new() -> Self {
        Self::default()
    }

    /// A session that offers these capabilities.
    pub fn offering(offer: Capabilities) -> Self {
        Self {
            state: State::Nameless,
            offer,
            recent: None,
            device: None,
            agreed: Capabilities::NONE,
            roster: Roster::default(),
            rooms: Rooms::default(),
            sent: Sent::default(),
            seen: Seen::default(),
            resume: None,
            longest: None,
            content: None,
            file_bounds: FileBounds::default(),
            is_patient: false,
            frame: Unfolding::default(),
        }
    }

    /// Asks for welcomes with at most so many messages, where that is offered (RC-1); a resumed session gets all that it has
    /// missed.
    #[must_use]
    pub fn with_recent(self, recent: Option<u16>) -> Self {
        Self { recent, ..self }
    }

    /// Offers this capability as well, from the next join on.
    pub fn also_offer(&mut self, capability: Capability) {
        self.offer = self.offer.with(capability);
    }

    /// Says with every join which device of its account this client is (EE-4).
    pub fn set_device(&mut self, device: Option<DeviceId>) {
        self.device = device;
    }

    /// The frame that joins under a name (NM-1), with the offer if there is one.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit a frame.
    pub fn join(&mut self, name: &str) -> Result<Bytes, TooLong> {
        self.join_with(name, None)
    }

    /// The same with a credential to authenticate with (AN-1); it needs an offer.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit a frame.
    pub fn join_with(&mut self, name: &str, proof: Option<&Proof>) -> Result<Bytes, TooLong> {
        let frame = self.join_frame(name, proof, None)?;
        self.state = State::Asked(name.to_owned());
        Ok(frame)
    }

    fn join_frame(
        &self,
        name: &str,
        proof: Option<&Proof>,
        resume: Option<&Resume>,
    ) -> Result<Bytes, TooLong> {
        if self.offer.is_empty() {
            return client_frame::join(name);
        }
        let recent = self.recent.filter(|_| self.offer.has(Capability::Recent));
        let device = self.device.as_ref().filter(|_| self.offer.has(Capability::E2ee));
        let capabilities = self.offer;
        client_frame::join_with(name, &Offer { capabilities, proof, resume, recent, device })
    }

    /// The name under which this user has joined.
    pub fn me(&self) -> Option<&str> {
        match &self.state {
            State::Joined(name) | State::Lost(name) | State::AskedAgain(name) => Some(name),
            State::Nameless | State::Asked(_) => None,
        }
    }

    /// Whether the session is joined and connected.
    pub fn is_joined(&self) -> bool {
        matches!(self.state, State::Joined(_))
    }

    /// The capabilities that are offered.
    pub fn offered(&self) -> Capabilities {
        self.offer
    }

    /// The capabilities in force.
    pub fn agreed(&self) -> Capabilities {
        self.agreed
    }

    /// The users who are present, in the order in which the server named them.
    pub fn users(&self) -> impl Iterator<Item = WireText<'_>> {
        self.roster.names().map(|name| WireText::new(&**name))
    }

    /// Whether a user who is present has said that they are away (PR-1).
    pub fn is_away(&self, name: &str) -> bool {
        self.roster.is_away(name)
    }

    /// How many users are present.
    pub fn user_count(&self) -> usize {
        self.roster.len()
    }

    /// The rooms of which this user is a member.
    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    /// The room of this name, in any spelling, if this user is a member of it.
    pub fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.find(name)
    }

    /// What is known of the lobby as a room (RM-4).
    pub fn lobby(&self) -> &Room {
        &self.rooms.lobby
    }

    /// The most characters of a message to a room of this user, or to everybody, as far as the server has announced it (CP-13, RM-15).
    pub fn most_characters(&self, room: Option<&str>) -> Option<usize> {
        let most = match room {
            None => {
                let bounds = [self.content, self.rooms.lobby.length];
                bounds.into_iter().flatten().filter(|most| *most > 0).min()
            }
            Some(name) => self.room(name)?.length.filter(|most| *most > 0),
        };
        most.and_then(|most| usize::try_from(most).ok())
    }

    /// The room that this user has set as default, if it is one (RM-5).
    pub fn default_room(&self) -> Option<&Room> {
        self.rooms.default.as_ref().and_then(|name| self.rooms.find(name.as_wire()))
    }

    /// Takes a message for sending, to `recipient` (a user or a room) or to everybody.
    ///
    /// # Errors
    /// [`SayError::NotJoined`] without a name, [`SayError::TooMany`] when too many are not acknowledged,
    /// [`SayError::TooLong`] when it does not fit a frame.
    pub fn say(
        &mut self,
        recipient: Option<&str>,
        content: &str,
        now: i64,
    ) -> Result<Outgoing, SayError> {
        self.say_with(recipient, content, now, None)
    }

    /// The same, with what goes with the message; without `meta` that is left out (MT-2).
    ///
    /// # Errors
    /// As [`ClientSession::say`].
    pub fn say_with(
        &mut self,
        recipient: Option<&str>,
        content: &str,
        now: i64,
        meta: Option<Box<NewMeta>>,
    ) -> Result<Outgoing, SayError> {
        let me = self.me().ok_or(SayError::NotJoined)?.to_owned();
        let destination = recipient.unwrap_or(ALL);
        let said = if self.agreed.has(Capability::Ids) {
            let agreed = self.agreed;
            // A later connection on which `meta` is agreed would send it in a frame whose length nobody has looked at.
            let meta = meta.filter(|meta| agreed.has(Capability::Meta) && !meta.is_empty());
            let waiting = self.sent.tag(destination, content, now, meta);
            let waiting = waiting.ok_or(SayError::TooMany)?;
            let tag = waiting.tag.clone();
            let frame = tagged(&[waiting], &me, agreed);
            // A frame above the server's limit ends the connection, and resending it would end the next one.
            let frame = frame.and_then(|frame| self.fitting(frame)).inspect_err(|_| {
                self.sent.answered(&tag);
            })?;
            Outgoing { frame: self.is_joined().then_some(frame), tag: Some(tag) }
        } else if self.is_joined() {
            let entry = Entry {
                source: me.into(),
                destination: destination.into(),
                timestamp: now,
                content: content.into(),
            };
            Outgoing { frame: Some(client_frame::say([&entry])?), tag: None }
        } else {
            return Err(SayError::NotJoined);
        };
        self.sent.say(destination, content, said.tag.as_deref());
        Ok(said)
    }

    fn fitting(&self, frame: Bytes) -> Result<Bytes, TooLong> {
        let announced = frame.len().saturating_sub(limits::PREFIX);
        match self.longest {
            Some(limit) if announced > limit => Err(TooLong { announced, limit }),
            _ => Ok(frame),
        }
    }

    /// Whether the message sent last was echoed, and with it everything that was due before (RT-3, RT-4).
    ///
    /// A client that is done uses it to leave early; it is never true with servers that send no echo.
    pub fn last_echoed(&self) -> bool {
        self.sent.last_echoed()
    }

    /// The number of messages that the server has neither acknowledged nor rejected (ID-4).
    pub fn unanswered(&self) -> usize {
        self.sent.unanswered().len()
    }

    /// The key of the oldest message that the server is to acknowledge or to reject now, which leaves out what it takes later.
    pub fn oldest_unanswered(&self) -> Option<&str> {
        self.sent.oldest_unanswered()
    }

    /// Whether the server is still to acknowledge or to reject the message with this key.
    pub fn awaits(&self, tag: &str) -> bool {
        self.sent.unanswered().iter().any(|message| message.tag == tag)
    }

    /// Whether this session can be resumed after its connection.
    pub fn can_resume(&self) -> bool {
        self.me().is_some() && self.agreed.has(Capability::Ids)
    }

    /// Notes that the connection is gone.
    pub fn disconnected(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Nameless) {
            State::Joined(name) | State::AskedAgain(name) | State::Lost(name) => State::Lost(name),
            State::Nameless | State::Asked(_) => State::Nameless,
        };
    }

    /// The frame that resumes the session on a new connection (ID-7).
    ///
    /// # Errors
    /// [`SayError::NotJoined`] when there is no session to resume.
    pub fn resume(&mut self, proof: Option<&Proof>) -> Result<Bytes, SayError> {
        let (State::Lost(name) | State::AskedAgain(name)) = &self.state else {
            return Err(SayError::NotJoined);
        };
        let name = name.clone();
        let resume = self.resume.clone().map(|token| Resume { token, after: self.seen.last() });
        let frame = self.join_frame(&name, proof, resume.as_ref())?;
        self.state = State::AskedAgain(name);
        Ok(frame)
    }

    /// The messages that are not acknowledged, in order, in as few frames as they fit: flood control counts a frame by how much is in
    /// it (FL-1). The server delivers none of them twice, since they have their idempotency keys (ID-5).
    pub fn resend(&mut self) -> Vec<Bytes> {
        let State::Joined(me) = &self.state else { return Vec::new() };
        if self.agreed.has(Capability::Ids) {
            let waiting: Vec<_> = self.sent.unanswered().iter().collect();
            let frames = in_frames(&waiting, self.room_of_frame());
            let frames =
                frames.filter_map(|messages| tagged(messages, me, self.agreed).ok()).collect();
            self.sent.sent_again();
            return frames;
        }
        let room = self.room_of_frame();
        let waiting = self.sent.take_unanswered();
        let frame = |messages: &[&sent::Unacknowledged]| {
            let entries: Vec<_> = messages.iter().map(|message| message.entry(me)).collect();
            client_frame::say(&entries).ok()
        };
        let waiting: Vec<_> = waiting.iter().collect();
        in_frames(&waiting, room).filter_map(frame).collect()
    }

    /// Whether messages that the server takes later are kept and told of with [`Event::PutOff`], instead of being given up.
    #[must_use]
    pub fn patient(self, is_patient: bool) -> Self {
        Self { is_patient, ..self }
    }

    /// Whether a refusal is only for now: too much was said (FL-2, FL-3), or too fast (RM-15).
    pub(super) fn is_patient(&self, refused: &RefusedTag, wait: u64) -> bool {
        let for_now = matches!(refused.code.as_wire(), "flood" | "room-busy" | "slow-mode");
        self.is_patient && for_now && wait <= PATIENCE
    }

    /// Puts off a message that was not sent yet. Says whether there is one with this key.
    pub fn put_off(&mut self, tag: &str) -> bool {
        self.sent.put_off(tag)
    }

    /// Whether messages wait for [`ClientSession::say_again`].
    pub fn has_put_off(&self) -> bool {
        self.sent.unanswered().iter().any(|message| message.put_off)
    }

    /// The first of the messages that were put off, in order: as many as fit one frame, since each frame that is refused counts
    /// against the sender (FL-2).
    pub fn say_again(&mut self) -> Option<Bytes> {
        let State::Joined(me) = &self.state else { return None };
        let waiting = self.sent.unanswered().iter().filter(|message| message.put_off);
        let waiting: Vec<_> = waiting.collect();
        let first = in_frames(&waiting, self.room_of_frame()).next()?;
        let (frame, count) = (tagged(first, me, self.agreed).ok(), first.len());
        self.sent.put_off_are_sent(count);
        frame
    }

    /// About how much text fits a frame.
    fn room_of_frame(&self) -> usize {
        self.longest.unwrap_or(RESENT).min(RESENT) / ESCAPED
    }

    /// Takes the body of one frame of the server; its events come from [`ClientSession::next_event`]. Those of the frame
    /// before that are left are dropped.
    pub fn take(&mut self, body: &Bytes) {
        // Before the answer to an offer, keys of any offered capability may be present.
        let known = if self.is_joined() { self.agreed } else { self.offer };
        self.frame = Unfolding::default();
        match LazyFrame::parse(body, known) {
            Ok((frame, notes)) => {
                self.frame.notes = notes;
                self.unfold(frame);
            }
            Err(code) => self.frame.event(Event::Deviation(Deviation::Unreadable(code))),
        }
    }

    /// Processes the body of one frame of the server at once: all its events, for programs that trust their server.
    pub fn receive(&mut self, body: &[u8]) -> Vec<Event> {
        self.take(&Bytes::copy_from_slice(body));
        std::iter::from_fn(|| self.next_event()).collect()
    }

    /// Takes this user's new name, if `was_me`. Says whether it did.
    pub(super) fn is_renamed(&mut self, was_me: bool, new: &WireText<'_>) -> bool {
        match &mut self.state {
            State::Joined(name) if was_me => {
                new.as_wire().clone_into(name);
                true
            }
            _ => false,
        }
    }

    pub(super) fn is_me(&self, name: &str) -> bool {
        self.me().is_some_and(|me| {
            me == name
                || Username::parse_within(me, limits::USERNAME_CHARS).is_ok_and(|me| me.is(name))
        })
    }
}

/// Messages that are sent again share frames up to this size.
const RESENT: usize = 64 * 1024;

/// JSON makes a text longer; the names and the rest of a message are small beside that.
const ESCAPED: usize = 4;

/// The frame of messages with their idempotency keys, and with what goes with them where that was agreed.
fn tagged(
    messages: &[&sent::Unacknowledged],
    me: &str,
    agreed: Capabilities,
) -> Result<Bytes, TooLong> {
    let entries: Vec<_> = messages.iter().map(|message| message.entry(me)).collect();
    let said = messages.iter().zip(&entries).map(|(message, entry)| {
        let meta = message.meta.as_deref().filter(|_| agreed.has(Capability::Meta));
        Said { entry, tag: &message.tag, meta }
    });
    client_frame::say_tagged(&said.collect::<Vec<_>>())
}

/// For so many seconds a message is kept that the server does not take now.
const PATIENCE: u64 = 60;

/// Cuts messages into parts whose texts have about this size together; one that is longer has a part of its own.
fn in_frames<'m>(
    messages: &'m [&'m sent::Unacknowledged],
    room: usize,
) -> impl Iterator<Item = &'m [&'m sent::Unacknowledged]> {
    let mut bytes = 0;
    messages.chunk_by(move |before, next| {
        bytes += before.size();
        let fits = bytes + next.size() <= room;
        if !fits {
            bytes = 0;
        }
        fits
    })
}
