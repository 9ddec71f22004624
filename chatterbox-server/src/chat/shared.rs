//! The hub behind its lock.
//!
//! This is the only place where the pure [`Hub`] meets tasks and the clock. The lock is held for single calls and never
//! across an await.

#![allow(clippy::disallowed_methods, reason = "the edge: tells the hub the time")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatterbox_hub::{
    Delivery, Event, Hub, IgnoreFilter, JoinError, JoinReply, JoinRequest, Lag, Laggards, LoggedIn,
    MemberId, Record, Removal, Sequence, SessionId, SessionKey, View, Wake, unescaped,
};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, Refusal, Username};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::chat::notifier::{Notifier, Signals};
use crate::chat::sequencer::{Acks, Posts, Tags};

/// The chat, shared by all connections.
#[derive(Debug)]
pub struct Chat {
    hub: Mutex<Hub>,
    notifier: Notifier,
    posts: Posts,
    start: Instant,
}

impl Chat {
    /// A chat whose messages go through `posts`.
    pub fn new(hub: Hub, posts: Posts) -> Self {
        Self { hub: Mutex::new(hub), notifier: Notifier::default(), posts, start: Instant::now() }
    }

    // A panic under the lock would be our bug; the others' chat goes on.
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hub, told what time it is.
    fn hub_now(&self) -> MutexGuard<'_, Hub> {
        let now = self.now();
        let mut hub = self.hub();
        hub.tick(now);
        hub
    }

    /// Milliseconds since the chat was opened.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The signals, which somebody has to ring for notices.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// [`JoinError`] when the name is not to be had.
    pub fn admit(
        self: &Arc<Self>,
        request: JoinRequest<'_>,
    ) -> Result<(Seat, JoinReply), JoinError> {
        let view = request.agreed.map_or(View::BASE, View::of);
        let mut joined = self.hub_now().admit(request)?;
        let signals = self.notifier.subscribe(joined.id);
        match joined.replaced {
            Some(replaced) => self.notifier.notify_removed(&[replaced]),
            None => self.notifier.notify(Wake::AllSoon),
        }
        let handed_out = Arc::new(Notify::new());
        let seat = Seat {
            id: joined.id,
            chat: Arc::clone(self),
            signals,
            handed_out,
            muted: Arc::default(),
        };
        if view.utf8() {
            // The whole history is looked at, which is not for the lock.
            joined.welcome = unescaped(joined.welcome)?;
        }
        Ok((seat, joined))
    }

    /// Whether a session can be gone on with under this name, and if so, with which account.
    pub fn resumable(&self, key: SessionKey, name: &Username) -> Option<Option<LoggedIn>> {
        self.hub().resumable(key, name)
    }

    /// Who is here, in the order in which they came.
    pub fn users(&self) -> Vec<Username> {
        self.hub().users().cloned().collect()
    }

    /// In which spelling somebody is here.
    pub fn spelling(&self, name: &Username) -> Option<Username> {
        let hub = self.hub();
        hub.who(name).and_then(|id| hub.name_of(id)).cloned()
    }

    /// Who is here under a name.
    pub fn who(&self, name: &Username) -> Option<MemberId> {
        self.hub().who(name)
    }

    /// Notes whom a member has ignored out, in place of what was noted before.
    pub fn ignore(&self, id: MemberId, ignored: IgnoreFilter) {
        self.hub().ignore(id, ignored);
    }

    /// Queues something for a member, behind everything that has happened so far; says `false`, and does nothing, when too
    /// much is waiting for them.
    pub fn tell(&self, id: MemberId, event: Event) -> bool {
        let mut hub = self.hub();
        if !hub.has_room(id) {
            return false;
        }
        let wake = hub.tell(id, event);
        drop(hub);
        self.notifier.notify(wake);
        true
    }

    /// The number of the message that a session sent with this tag, if it is among its last.
    pub fn known_tag(&self, session: SessionId, tag: &str) -> Option<Sequence> {
        self.hub().known_tag(session, tag)
    }

    /// Reserves room for a private message of a member, and gives the spelling that its recipient is here under.
    ///
    /// # Errors
    /// [`Code::NoSuchUser`], [`Code::Blocked`] or [`Code::RecipientBusy`].
    pub fn reserve(
        &self,
        sender: MemberId,
        name: &Username,
        bytes: usize,
    ) -> Result<Username, Code> {
        self.hub().reserve(sender, name, bytes)
    }

    /// Gives back what was reserved for messages that were not stored; for the sequencer only.
    pub fn give_back(&self, records: &[Record]) {
        let mut hub = self.hub();
        for record in records {
            hub.give_back(record);
        }
    }

    /// Hands messages to the sequencer, and waits until they are stored and delivered. Says what numbers those with tags
    /// have.
    ///
    /// # Errors
    /// [`Code::NotStored`] when they were not; nobody has seen them then.
    pub async fn post(&self, records: Vec<Record>, tags: Option<Tags>) -> Result<Acks, Code> {
        self.posts.post(records, tags).await
    }

    /// Applies what the backlog has from number `first` on, and the tags of it; for the sequencer only.
    pub fn apply<'a>(
        &self,
        first: Sequence,
        records: Vec<Record>,
        tags: impl Iterator<Item = (SessionId, &'a str, Sequence)>,
    ) {
        let mut everybody = false;
        let mut single = Vec::new();
        let mut hub = self.hub();
        for (id, record) in (first..).zip(records) {
            match hub.apply(id, record) {
                Wake::All | Wake::AllSoon => everybody = true,
                Wake::One(id) => single.push(id),
                Wake::Nobody => {}
            }
        }
        for (session, tag, id) in tags {
            hub.note_tag(session, tag, id);
        }
        drop(hub);
        if everybody {
            self.notifier.notify(Wake::All);
        }
        self.notifier.notify_each(&single);
    }

    /// Takes messages of an earlier run into the history.
    pub fn remember<'a>(&self, records: impl Iterator<Item = &'a (Sequence, Record)>) {
        let mut hub = self.hub();
        for (id, record) in records {
            hub.remember(*id, record);
        }
    }

    /// Forgets what arrived before `oldest`, in seconds since 1970 UTC.
    pub fn forget_before(&self, oldest: i64) {
        self.hub().forget_before(oldest);
    }

    /// Tells everybody something that is not part of the history.
    pub fn announce(&self, event: Event) {
        let wake = self.hub().announce(event);
        self.notifier.notify(wake);
    }

    /// Removes those who are too slow; see [`Hub::evict_overtaken`].
    pub fn evict_overtaken(&self, now: u64) -> Laggards {
        let slow = self.hub().evict_overtaken(now);
        if !slow.overtaken.is_empty() {
            self.notifier.notify(Wake::AllSoon);
            self.notifier.notify_removed(&slow.overtaken);
        }
        slow
    }

    /// What went through the lobby so far.
    pub fn volume(&self) -> Lag {
        self.hub().volume()
    }
}

/// One member's place in the chat; giving it up is leaving.
#[derive(Debug)]
pub struct Seat {
    id: MemberId,
    chat: Arc<Chat>,
    signals: Arc<Signals>,
    handed_out: Arc<Notify>,
    muted: Arc<AtomicBool>,
}

impl Seat {
    /// A second handle for the other half of the connection; it does not hold the place.
    pub fn handle(&self) -> Handle {
        Handle {
            id: self.id,
            chat: Arc::clone(&self.chat),
            signals: Arc::clone(&self.signals),
            handed_out: Arc::clone(&self.handed_out),
            muted: Arc::clone(&self.muted),
        }
    }

    /// The session that this member can go on with later.
    pub fn session(&self) -> Option<SessionId> {
        self.chat.hub().session(self.id)
    }

    /// What is to be sent now.
    pub fn take(&self) -> Delivery {
        let taken = self.chat.hub().take(self.id);
        self.handed_out.notify_waiters();
        taken
    }

    /// Waits until there may be something to send.
    pub async fn news(&self) {
        self.signals.pending.raised().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let wake = self.chat.hub_now().leave(self.id);
        self.chat.notifier.unsubscribe(self.id);
        self.chat.notifier.notify(wake);
    }
}

/// What the halves of a connection do with their member.
#[derive(Debug, Clone)]
pub struct Handle {
    id: MemberId,
    chat: Arc<Chat>,
    signals: Arc<Signals>,
    handed_out: Arc<Notify>,
    muted: Arc<AtomicBool>,
}

impl Handle {
    /// The chat.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Queues one ERROR for this member, behind everything that has happened so far.
    ///
    /// Says `false`, and does nothing, when too much is waiting: the member is not reading the answers to its mistakes.
    pub fn tell_error(&self, text: &str) -> bool {
        if self.muted.load(Ordering::Relaxed) {
            return true;
        }
        self.tell(Event::error(text))
    }

    /// Queues something for this member, as [`Handle::tell_error`] does.
    pub fn tell(&self, event: Event) -> bool {
        self.muted.load(Ordering::Relaxed) || self.chat.tell(self.id, event)
    }

    /// The same, as soon as there is room: who does not read the answers is not listened to.
    pub async fn tell_when_read(&self, event: Event) {
        while !self.tell(event.clone()) {
            self.room().await;
        }
    }

    /// The member.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// Under which name it is here now, if it is.
    pub fn name(&self) -> Option<Username> {
        self.chat.hub().name_of(self.id).cloned()
    }

    /// Whose messages it is not shown.
    pub fn hidden(&self) -> HashSet<Username> {
        self.chat.hub().hidden(self.id)
    }

    /// Gives it another name, told to everybody; for whoever reads its frames only, which has to know.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub fn rename(&self, name: &Username, owns: bool) -> Result<(), Refusal> {
        let wake = self.chat.hub_now().rename(self.id, name, owns)?;
        self.chat.notifier.notify(wake);
        Ok(())
    }

    /// Notes the account that it is logged in with, for when its session goes on.
    pub fn set_account(&self, account: Option<LoggedIn>) {
        self.chat.hub().set_account(self.id, account);
    }

    /// Waits until some of what was waiting for the member has been handed out.
    pub async fn room(&self) {
        self.until(|hub| hub.has_room(self.id)).await;
    }

    /// Waits until everything that has happened by now was handed out to the member, too.
    pub async fn up_to_date(&self) {
        let now = self.chat.volume().events;
        self.until(|hub| !hub.lags_behind(self.id, now)).await;
    }

    /// Looks again whenever something was handed out. The reader, a command and the catalogue may wait at the same time.
    async fn until(&self, is_so: impl Fn(&Hub) -> bool) {
        loop {
            // Before looking, so that what is handed out between the two is not missed.
            let handed_out = self.handed_out.notified();
            if self.muted.load(Ordering::Relaxed) || is_so(&self.chat.hub()) {
                return;
            }
            handed_out.await;
        }
    }

    /// Lets nothing more be queued for this member: nobody is going to write it.
    pub fn mute(&self) {
        self.muted.store(true, Ordering::Relaxed);
        self.handed_out.notify_waiters();
    }

    /// Notes that bytes are moving in the middle of a long batch.
    pub fn progressed(&self) {
        self.chat.hub().progressed(self.id);
    }

    /// Waits until the hub has removed the member, and gives the reason.
    pub async fn removed(&self) -> Removal {
        loop {
            self.signals.removed.raised().await;
            if let Some(removal) = self.chat.hub().removal(self.id) {
                return removal;
            }
        }
    }
}

/// Where a message of about `bytes` goes, in the spelling that its recipient has joined under, with room for it.
///
/// # Errors
/// [`Code::NoSuchUser`], [`Code::Blocked`] or [`Code::RecipientBusy`].
pub fn resolve(
    sender: &Handle,
    destination: Destination,
    bytes: usize,
) -> Result<Destination, Code> {
    match destination {
        Destination::All => Ok(Destination::All),
        Destination::User(name) => {
            sender.chat.reserve(sender.id, &name, bytes).map(Destination::User)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use chatterbox_hub::{Keep, TimelineLimits};

    fn join(chat: &Arc<Chat>, name: &str) -> Seat {
        let name = Username::parse(name).unwrap();
        chat.admit(JoinRequest::base(&name, "Hi")).unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_is_up_to_date_when_it_was_handed_what_has_happened() {
        let (posts, _inbox) = crate::chat::sequencer::queue();
        let hub = Hub::new(TimelineLimits::default(), Keep::default());
        let chat = Arc::new(Chat::new(hub, posts));
        let ann = join(&chat, "ann");
        let handle = ann.handle();
        handle.up_to_date().await;
        let _bob = join(&chat, "bob");
        let waiting = tokio::time::timeout(Duration::from_secs(60), handle.up_to_date());
        assert!(waiting.await.is_err(), "ann was not told of bob");
        let task = tokio::spawn({
            let handle = handle.clone();
            async move { handle.up_to_date().await }
        });
        tokio::task::yield_now().await;
        assert!(matches!(ann.take(), Delivery::Frames { more: false, .. }));
        task.await.unwrap();
        drop(ann);
        handle.up_to_date().await;
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_who_waits_for_a_member_is_woken() {
        let (posts, _inbox) = crate::chat::sequencer::queue();
        let hub = Hub::new(TimelineLimits::default(), Keep::default());
        let chat = Arc::new(Chat::new(hub, posts));
        let ann = join(&chat, "ann");
        let handle = ann.handle();
        while handle.tell_error(&"x".repeat(1000)) {}
        let _bob = join(&chat, "bob");
        let all = async { tokio::join!(handle.room(), handle.up_to_date(), handle.room()) };
        let mut all = std::pin::pin!(all);
        let early = tokio::time::timeout(Duration::from_secs(1), all.as_mut()).await;
        assert!(early.is_err(), "nothing was handed out");
        while let Delivery::Frames { more: true, .. } = ann.take() {}
        tokio::time::timeout(Duration::from_secs(1), all).await.unwrap();
    }
}
