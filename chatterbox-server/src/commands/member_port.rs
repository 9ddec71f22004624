//! The connection of a member, as its commands see it.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: measures how long a client takes to answer"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{
    AccountRef, Amendment, Event, Filing, Identity, Level, LoggedIn, MemberId, Record, Rename,
    RoomActor, RoomChange, RoomDone, RoomMemberView, RoomNumber, RoomRef, RoomView, Sequence, To,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::notices::NewNotice;
use chatterbox_proto::capability::ping;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{
    ALL, Capabilities, Capability, Code, Entry, Refusal, RoomName, SERVER, Username,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::access::Renamer;
use crate::chat::flood_gate::FloodGate;
use crate::chat::handle::{Handle, resolve};
use crate::chat::paging::{Pages, ReadableMessage};
use crate::chat::reserved::Reserved;
use crate::chat::waiting_mail::resolve_waiting;
use crate::commands::client_port::{ClientPort, PostError};
use crate::commands::moderating::ModerationPort;
use crate::commands::state::CommandState;
use crate::ops::clock::unix_now;
use crate::store::StoreError;

/// A PING that is not answered in this time is not going to be.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// The connection of a member, as commands see it.
#[derive(Debug)]
pub(super) struct MemberPort {
    member: Handle,
    pages: Arc<Pages>,
    state: Arc<CommandState>,
    renamer: Renamer,
    agreed: Capabilities,
    /// The number of the newest PING.
    pings: AtomicI64,
    pongs: Arc<Pongs>,
}

/// The PONGs of a member: the number of the newest one.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    newest: AtomicI64,
    changed: Notify,
}

impl Pongs {
    /// Notes a PONG, and wakes who waits for it.
    pub(super) fn heard(&self, number: i64) {
        self.newest.store(number, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Waits until the newest one has this number.
    async fn reach(&self, number: i64) {
        loop {
            // Subscribes before it looks, so that none between the two is missed.
            let changed = self.changed.notified();
            if self.newest.load(Ordering::Acquire) == number {
                return;
            }
            changed.await;
        }
    }
}

impl ClientPort for MemberPort {
    fn tell(&self, members: Bytes) -> bool {
        self.member.tell(Event::members(members))
    }

    fn tell_base(&self, text: &str) -> bool {
        let Some(name) = self.member.name() else { return true };
        let entry = Entry {
            source: SERVER.into(),
            destination: name.as_str().into(),
            timestamp: unix_now(),
            content: text.into(),
        };
        self.member.tell(Event::notice(entry.to_json().into()))
    }

    fn tell_error(&self, text: &str) -> bool {
        self.member.tell_error(text)
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        self.member.room().boxed()
    }

    fn caught_up(&self) -> BoxFuture<'_, ()> {
        self.member.chat().catch_up().map(drop).boxed()
    }

    fn id(&self) -> MemberId {
        self.member.id()
    }

    fn identity(&self) -> Option<Identity> {
        self.member.identity()
    }

    fn blocked(&self) -> Vec<Username> {
        self.member.blocked()
    }

    fn users(&self, limit: usize) -> Vec<Identity> {
        self.member.chat().users(limit)
    }

    fn users_behind(&self, after: Option<&Username>, limit: usize) -> Vec<Identity> {
        self.member.chat().users_behind(after, limit)
    }

    fn are_here(&self, all: Vec<(Username, Option<i64>)>) -> Vec<bool> {
        self.member.chat().are_here(&all)
    }

    fn user_count(&self) -> usize {
        self.member.chat().user_count()
    }

    fn find(&self, name: &Username) -> Option<Identity> {
        self.member.chat().find(name)
    }

    fn refuses(&self, other: &Username) -> bool {
        self.member.filter().refused.contains(other)
    }

    fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.member.chat().logged_in(account)
    }

    fn set_blocked(&self, blocked: Vec<Username>) -> BoxFuture<'_, ()> {
        self.member.set_blocked(blocked).boxed()
    }

    fn set_away<'a>(&'a self, words: Option<&'a str>) -> BoxFuture<'a, ()> {
        self.member.set_away(words).boxed()
    }

    fn amend(&self, member: MemberId, amendment: Amendment) -> BoxFuture<'_, bool> {
        self.member.chat().amend(member, amendment).boxed()
    }

    fn rename(&self, rename: Rename) -> BoxFuture<'_, Result<(), Refusal>> {
        self.renamer.rename(rename).boxed()
    }

    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>> {
        self.send(Destination::User(to.clone()), text).map(|sent| sent.map_err(PostError)).boxed()
    }

    fn room_named(&self, name: &RoomName) -> Option<RoomView> {
        self.member.chat().room_named(self.member.id(), name)
    }

    fn room_behind(&self, name: &RoomName) -> Option<RoomView> {
        self.member.chat().room_to_join(self.member.id(), name)
    }

    fn rooms_seen(&self) -> Vec<RoomView> {
        self.member.chat().rooms_seen(self.member.id())
    }

    fn members_of(
        &self,
        room: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode> {
        self.member.chat().members_of(self.member.id(), room, after, limit)
    }

    fn default_room(&self) -> Option<RoomRef> {
        self.member.chat().default_room(self.member.id())
    }

    fn change_room(&self, change: RoomChange) -> BoxFuture<'_, Result<RoomDone, OutcomeCode>> {
        let by = RoomActor::Member(self.member.id());
        self.member.chat().change_room(by, change).boxed()
    }

    fn may_change_room(&self, change: &RoomChange) -> Result<(), OutcomeCode> {
        let by = RoomActor::Member(self.member.id());
        self.member.chat().may_change_room(by, change)
    }

    fn tell_room(&self, room: RoomNumber) {
        self.member.chat().tell_room(self.member.id(), room);
    }

    fn say_in<'a>(
        &'a self,
        room: &'a RoomRef,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), PostError>> {
        let to = match room.number {
            RoomNumber::LOBBY => Destination::All,
            _ => Destination::Room(room.name.clone()),
        };
        self.send(to, text).map(|sent| sent.map_err(PostError)).boxed()
    }

    fn level_in(&self, room: RoomNumber, account: &AccountRef) -> Level {
        self.member.chat().level_of_account_in(room, account)
    }

    fn excluded_as(&self, name: &Username) -> Option<Refusal> {
        self.member.chat().excluded_as(self.member.id(), name)
    }

    fn tell_report(&self, room: Option<RoomNumber>, about: &Username, notice: &NewNotice<'_>) {
        self.member.chat().tell_report(room, about, notice);
    }

    fn moderation(&self) -> &dyn ModerationPort {
        &**self.member.chat()
    }

    fn message_of<'a>(
        &'a self,
        source: &'a Username,
        id: Sequence,
    ) -> BoxFuture<'a, Result<Option<ReadableMessage>, StoreError>> {
        async move {
            let Some(identity) = self.member.identity() else { return Ok(None) };
            let (chat, member) = (self.member.chat(), self.member.id());
            self.pages.message_of(source, id, chat, member, &identity).await
        }
        .boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Option<Duration>> {
        self.measure().boxed()
    }
}

impl MemberPort {
    /// The port of a member whose PONGs are told to `pongs` by whoever takes its requests.
    pub(super) fn new(
        member: Handle,
        pages: Arc<Pages>,
        state: Arc<CommandState>,
        renamer: Renamer,
        agreed: Capabilities,
        pongs: Arc<Pongs>,
    ) -> Self {
        let pings = AtomicI64::new(0);
        Self { member, pages, state, renamer, agreed, pings, pongs }
    }

    async fn send(&self, to: Destination, text: &str) -> Result<(), Code> {
        let name = self.member.name().ok_or(Code::NotJoined)?;
        let mut reserved = Reserved::default();
        let mut gate = FloodGate::new(self.agreed.has(Capability::Notices));
        let config = self.state.config();
        if !config.no_limits && gate.begin(&self.member, config.exempt()) {
            gate.count(&self.member, &to, text.len());
            gate.decide(&self.member);
            if let Some(news) = gate.news() {
                self.member.tell_when_read(news).await;
            }
            if let Some(code) = gate.refusal(&self.member, &to) {
                return Err(code);
            }
        }
        let resolved = match resolve(&self.member, &to, text, text.len(), &mut reserved) {
            Err(Code::NoSuchUser) => self.leave(&to, text.len(), &mut reserved).await,
            resolved => resolved,
        };
        let taken = resolved.and_then(|(destination, filing)| {
            gate.take(&self.member, &destination, &filing, text.len())?;
            Ok((destination, filing))
        });
        gate.end(&self.member);
        let (destination, filing) = taken?;
        let written = match &destination {
            Destination::All => ALL,
            Destination::Room(room) => room.name.as_str(),
            Destination::User(recipient) => recipient.as_str(),
        };
        let arrived = unix_now();
        let entry = Entry {
            source: name.as_str().into(),
            destination: written.into(),
            timestamp: arrived,
            content: text.into(),
        };
        let json = entry.to_json().into();
        let record = Record { source: name, destination, json, arrived, filing, meta: None };
        let chat = self.member.chat();
        chat.post(self.member.id(), vec![record], reserved.into(), None, None).await?.all()
    }

    /// Resolves a private message to an account whose user is not here (AN-7).
    async fn leave(
        &self,
        to: &Destination,
        bytes: usize,
        reserved: &mut Reserved,
    ) -> Result<(To, Filing), Code> {
        let (Destination::User(name), Some(who)) = (to, self.member.identity()) else {
            return Err(Code::NoSuchUser);
        };
        let found = self.state.mailbox(self.member.id(), &who, name).await?;
        let mailbox = found.ok_or(Code::NoSuchUser)?;
        resolve_waiting(&self.member, &mailbox, bytes, reserved)
    }

    async fn measure(&self) -> Option<Duration> {
        if !self.agreed.has(Capability::Ping) {
            return None;
        }
        // One that was answered late is not taken for the next.
        let number = self.pings.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let asked = tokio::time::Instant::now();
        self.member.tell_when_read(Event::own(ping::ping(number))).await;
        let answered = tokio::time::timeout(PONG_WITHIN, self.pongs.reach(number));
        answered.await.ok()?;
        Some(asked.elapsed())
    }
}
