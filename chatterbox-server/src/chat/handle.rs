//! A member's two ends in the chat: the seat, which is its presence and takes its deliveries, and handles to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use chatterbox_hub::{
    BlockFilter, Delivery, Event, Filing, Hub, Identity, JoinError, JoinReply, JoinRequest,
    MemberId, Proposal, ReadIn, Removal, Rename, SessionId, Stamp, To,
};
use chatterbox_proto::capability::marks::ReadUpTo;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capability, Code, NameKey, Refusal, Username};

use crate::chat::notifier::Signals;
use crate::chat::proposals::Admitted;
use crate::chat::reserved::Reserved;
use crate::chat::shared::Chat;

/// What a new member gets.
#[derive(Debug)]
pub struct Welcomed {
    /// The name, in the spelling under which the others know it.
    pub name: Username,
    /// The welcome: pieces of one frame.
    pub welcome: Vec<Bytes>,
    /// Whether it may be compressed (ZS-3).
    pub is_compressible: bool,
}

/// Steps of putting a welcome together between two yields: each takes up to 0.1 ms where much is hidden.
const STEPS: usize = 8;

/// A member's place in the chat, for the half of the connection that writes. Dropping it is leaving.
#[derive(Debug)]
pub struct Seat {
    chat: Arc<Chat>,
    signals: Arc<Signals>,
}

impl Seat {
    /// Joins, as the request says.
    ///
    /// # Errors
    /// [`JoinError`] when the name can't be had.
    pub async fn join(
        chat: &Arc<Chat>,
        request: JoinRequest<'_>,
    ) -> Result<(Self, Welcomed), JoinError> {
        let Admitted { reply, leaving } = chat.join(request).await?;
        let JoinReply { id, name, welcome, .. } = *reply;
        let seat = Self { chat: Arc::clone(chat), signals: chat.notifier().subscribe(id) };
        leaving.taken_over();
        // It may have been removed already, when nobody could be told.
        if chat.hub().removal(seat.signals.id).is_some() {
            chat.notifier().notify_removed(&[seat.signals.id]);
        }
        // This reads the history, which would hold the lock for too long.
        let is_compressible = welcome.is_compressible();
        let mut assembly = welcome.begin();
        let mut steps = 0_usize;
        while assembly.step() {
            steps += 1;
            if steps.is_multiple_of(STEPS) {
                // Others go on in between: all steps may take several milliseconds.
                tokio::task::yield_now().await;
            }
        }
        let own_bytes = assembly.own_bytes();
        let welcome = assembly.finish()?;
        chat.welcome_takes(seat.signals.id, own_bytes);
        Ok((seat, Welcomed { name, welcome, is_compressible }))
    }

    /// A handle for the other half of the connection; it does not keep the place.
    pub fn handle(&self) -> Handle {
        Handle { chat: Arc::clone(&self.chat), signals: Arc::clone(&self.signals) }
    }

    /// Reserves memory that this member could do without, and says what it held before; see [`Hub::reserve_spare`].
    ///
    /// [`Hub::reserve_spare`]: chatterbox_hub::Hub::reserve_spare
    pub fn reserve_spare(&self, bytes: usize) -> Option<usize> {
        self.chat.hub().reserve_spare(self.signals.id, bytes)
    }

    /// Tells a device that asked for a name which its user has changed while it was cut off how it is called now (DV-2). One that does
    /// not read of changes of name goes on under the one that it knows.
    pub fn tell_name(&self, asked: &Username, name: &Username) {
        let identity = self.chat.hub().identity(self.signals.id).cloned();
        let agreed = identity.and_then(|identity| identity.agreed).unwrap_or_default();
        if agreed.has(Capability::Rename) {
            // It has just come, so there is room.
            self.chat.tell(self.signals.id, Event::other_name(asked, name));
        }
    }

    /// Notes that the welcome takes so many bytes for this member alone.
    pub fn welcome_takes(&self, own_bytes: usize) {
        self.chat.welcome_takes(self.signals.id, own_bytes);
    }

    /// The session that this member can resume later.
    pub fn session(&self) -> Option<SessionId> {
        self.chat.hub().session(self.signals.id)
    }

    /// Takes what is to be sent now; everything before it was written.
    pub fn take(&self) -> Delivery {
        self.taken(Hub::take)
    }

    /// Takes what is to be sent together with what was taken before.
    pub fn take_more(&self) -> Delivery {
        self.taken(Hub::take_more)
    }

    fn taken(&self, take: impl FnOnce(&mut Hub, MemberId) -> Delivery) -> Delivery {
        let mut hub = self.chat.hub();
        let delivery = take(&mut hub, self.signals.id);
        self.chat.unlock(hub);
        self.signals.handed_out.notify_waiters();
        delivery
    }

    /// Waits until there may be something to send.
    pub async fn pending(&self) {
        self.signals.pending().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // That it leaves comes round behind what it has posted.
        self.chat.leave(self.signals.id);
    }
}

/// A member, for whoever reads its frames or serves its commands.
#[derive(Debug, Clone)]
pub struct Handle {
    chat: Arc<Chat>,
    signals: Arc<Signals>,
}

impl Handle {
    pub(crate) fn chat(&self) -> &Arc<Chat> {
        &self.chat
    }

    /// Queues one ERROR for this member, behind everything that has happened so far.
    ///
    /// Says `false`, and does nothing, when too much is waiting: the member is not reading the answers to its mistakes.
    pub fn tell_error(&self, text: &str) -> bool {
        if self.signals.muted.load(Ordering::Relaxed) {
            return true;
        }
        self.tell(Event::error(text))
    }

    /// Queues something for this member, as [`Handle::tell_error`] does.
    pub fn tell(&self, event: Event) -> bool {
        self.signals.muted.load(Ordering::Relaxed) || self.chat.tell(self.signals.id, event)
    }

    /// Back-pressure: the same, as soon as there is room. A member that does not read its answers is not read from.
    pub async fn tell_when_read(&self, event: Event) {
        while !self.tell(event.clone()) {
            self.room().await;
        }
    }

    /// The member.
    pub fn id(&self) -> MemberId {
        self.signals.id
    }

    /// Its name now, if it is here.
    pub fn name(&self) -> Option<Username> {
        self.chat.hub().name_of(self.signals.id).cloned()
    }

    /// Its name, if it has another one since the last call, whichever device of its user has asked for that.
    pub fn take_new_name(&self) -> Option<Username> {
        // Read before it is written: nearly always there is nothing to take.
        let renamed = &self.signals.renamed;
        let is_new = renamed.load(Ordering::Acquire) && renamed.swap(false, Ordering::AcqRel);
        is_new.then(|| self.name()).flatten()
    }

    /// Who it is now, if it is here.
    pub fn identity(&self) -> Option<Identity> {
        self.chat.hub().identity(self.signals.id).cloned()
    }

    /// Whether it is logged in with an account.
    pub fn is_logged_in(&self) -> bool {
        self.chat.hub().identity(self.signals.id).is_some_and(|identity| identity.login.is_some())
    }

    /// Whom it blocks, in the order in which it did.
    pub fn blocked(&self) -> Vec<Username> {
        self.chat.hub().blocked(self.signals.id).to_vec()
    }

    /// Replaces its own block list.
    pub async fn set_blocked(&self, blocked: Vec<Username>) {
        // Who is not here any more blocks nobody.
        let _ = self.chat.change(Proposal::SetBlocked(self.signals.id, blocked)).await;
    }

    /// Notes that it is away, with these words, or is back (PR-2).
    pub async fn set_away(&self, words: Option<&str>) {
        // Who is not here any more is not away either.
        let _ = self.chat.change(Proposal::SetAway(self.signals.id, words.map(Arc::from))).await;
    }

    /// Notes how far it has read (MK-1).
    pub fn read_up_to(&self, read: &ReadUpTo) {
        // Before the lock: to judge a name costs far more than to note how far it was read.
        let Some(with) = ReadIn::parse(read) else { return };
        self.chat.hub().read_up_to(self.signals.id, with, read.upto);
    }

    /// What block lists mean for it.
    pub fn filter(&self) -> Arc<BlockFilter> {
        self.chat.hub().shared_filter(self.signals.id)
    }

    /// Gives it another name, told to everybody. Only the task that reads its frames calls this, because it checks their
    /// sources.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub async fn rename(&self, rename: Rename) -> Result<(), Refusal> {
        // Before the lock, under which the roster looks at it.
        rename.name.looks();
        let renamed =
            self.chat.change_who(self.signals.id, Proposal::Rename(self.signals.id, rename)).await;
        renamed.map(drop).map_err(Refusal::from)
    }

    /// Waits until all answers that were waiting for the member have been handed out, so that there is room for any.
    pub async fn room(&self) {
        self.until(|hub| hub.has_room(self.signals.id, usize::MAX)).await;
    }

    /// Whoever writes to the member does something else for a while: nobody waits until it takes what there is to send.
    pub fn looks_later(&self) {
        self.signals.looks_later();
    }

    /// Whoever reads from the member keeps its task for a while: nobody waits until it is run again and takes what there is to send.
    pub fn postpone(&self) {
        self.signals.postpone();
    }

    /// Waits until everything that has happened before this was handed out to the member, too.
    pub async fn handed(&self, stamp: Stamp) {
        self.until(|hub| !hub.lags_behind(self.signals.id, stamp)).await;
    }

    /// Whether it was.
    pub fn was_handed(&self, stamp: Stamp) -> bool {
        !self.chat.hub().lags_behind(self.signals.id, stamp)
    }

    /// Checks again whenever something was handed out. The reader, a command and the catalogue may wait at the same time.
    async fn until(&self, is_so: impl Fn(&Hub) -> bool) {
        loop {
            // Subscribes before it checks, so that nothing handed out between the two is missed.
            let handed_out = self.signals.handed_out.notified();
            if self.signals.muted.load(Ordering::Relaxed) || is_so(&self.chat.hub()) {
                return;
            }
            handed_out.await;
        }
    }

    /// Discards everything that is queued for this member from now on: nobody is going to write it.
    pub fn mute(&self) {
        self.signals.muted.store(true, Ordering::Relaxed);
        self.signals.handed_out.notify_waiters();
    }

    /// Notes that bytes are moving in the middle of what was handed out, of whose parts so many are left.
    pub fn progressed(&self, left: usize, of: usize) {
        self.chat.hub().progressed(self.signals.id, left, of);
    }

    /// Notes that all that was handed out is written.
    pub fn has_written(&self) {
        self.chat.hub().has_written(self.signals.id);
    }

    /// Waits until the hub has removed the member, and gives the reason.
    pub async fn removed(&self) -> Removal {
        loop {
            self.signals.removed.raised().await;
            if let Some(removal) = self.chat.hub().removal(self.signals.id) {
                return removal;
            }
        }
    }
}

/// Resolves the destination of a message: the spelling under which its recipient is here, or a room has, and under whom it is
/// filed. Memory of about `bytes` for a private one is reserved, and added to `reserved`.
///
/// # Errors
/// [`Code::NoSuchUser`], [`Code::Blocked`] or [`Code::RecipientBusy`]; for a room what RM-15 says.
pub fn resolve(
    sender: &Handle,
    destination: &Destination<impl NameKey, impl NameKey>,
    content: &str,
    bytes: usize,
    reserved: &mut Reserved,
) -> Result<(To, Filing), Code> {
    match destination {
        Destination::All => {
            sender.chat.may_say_to_all(sender.id())?;
            Ok((Destination::All, Filing::default()))
        }
        Destination::Room(name) => {
            let room = sender.chat.may_say_in(sender.id(), name, content)?;
            Ok((Destination::Room(room), Filing::default()))
        }
        Destination::User(name) => {
            let (recipient, name, to) = sender.chat.reserve(sender.id(), name, bytes)?;
            reserved.add(&sender.chat, recipient, bytes);
            Ok((Destination::User(name), Filing { to, ..Filing::default() }))
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Memory;

    async fn join(chat: &Arc<Chat>, name: &str) -> Seat {
        let name = Username::parse(name).unwrap();
        Seat::join(chat, JoinRequest::base(&name, "Hi")).await.unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_is_up_to_date_when_it_was_handed_what_has_happened() {
        let chat = crate::chat::opened::chat(Arc::new(Memory::default()));
        let ann = join(&chat, "ann").await;
        let handle = ann.handle();
        handle.handed(chat.clock()).await;
        let _bob = join(&chat, "bob").await;
        let waiting = tokio::time::timeout(Duration::from_secs(60), handle.handed(chat.clock()));
        assert!(waiting.await.is_err(), "ann was not told of bob");
        let task = tokio::spawn({
            let (handle, now) = (handle.clone(), chat.clock());
            async move { handle.handed(now).await }
        });
        tokio::task::yield_now().await;
        assert!(matches!(ann.take(), Delivery::Frames { more: false, .. }));
        task.await.unwrap();
        drop(ann);
        handle.handed(chat.clock()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_who_waits_for_a_member_is_woken() {
        let chat = crate::chat::opened::chat(Arc::new(Memory::default()));
        let ann = join(&chat, "ann").await;
        let handle = ann.handle();
        while handle.tell_error(&"x".repeat(1000)) {}
        let _bob = join(&chat, "bob").await;
        let all = async { tokio::join!(handle.room(), handle.handed(chat.clock()), handle.room()) };
        let mut all = std::pin::pin!(all);
        let early = tokio::time::timeout(Duration::from_secs(1), all.as_mut()).await;
        assert!(early.is_err(), "nothing was handed out");
        while let Delivery::Frames { more: true, .. } = ann.take() {}
        tokio::time::timeout(Duration::from_secs(1), all).await.unwrap();
    }
}
