//! The hub behind its lock, shared by all connections.
//!
//! Only here the pure [`Hub`] meets tasks and the clock: each method locks it for single calls, never across an await, and
//! wakes the receivers afterwards.

#![allow(clippy::disallowed_methods, reason = "the edge: tells the hub the time")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chatterbox_hub::{
    AccountChange, AccountRef, Amendment, Event, Happened, Hub, Identity, Incarnation, JoinError,
    JoinRequest, Judged, Lag, Laggards, Level, LoggedIn, Login, MemberId, Outcome, Party, Proposal,
    Record, Refused, Reserved as Place, RoomDone, RoomNumber, RoomRefusal, RoomWish, Say, Sequence,
    SessionId, SessionKey, Speaker, Stamp,
};
use chatterbox_proto::{Code, NameKey, Refusal, Username};
use tokio::time::Instant;

use crate::chat::amended::Amended;
use crate::chat::doors::Doors;
use crate::chat::notifier::Notifier;
use crate::chat::posts::{Held, PostRoom, Receipt, Tags};
use crate::chat::proposals::{Admitted, Leaving, Proposals, Starter};
use crate::chat::traffic::Traffic;
use crate::flood::FloodControl;
use crate::store::Proposer;

/// Is told what happens, by whoever applies it: it must not wait for anything.
pub struct Observer(pub Box<dyn Fn(Vec<Happened>) + Send + Sync>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// The chat, shared by all connections.
#[derive(Debug)]
pub struct Chat {
    hub: Mutex<Hub>,
    notifier: Notifier,
    proposals: Proposals,
    /// Whoever keeps track of what happens, if anybody does.
    observer: OnceLock<Observer>,
    /// Whether the lobby has no TALK and no SLOW, so that nobody has to ask whether they may write there.
    is_lobby_open: AtomicBool,
    doors: Doors,
    /// Whoever follows what other nodes change of members of this one.
    amended: Amended,
    traffic: Traffic,
    /// Counts what members say. It has a lock of its own, which nothing else is waited for under.
    flood: FloodControl,
    start: Instant,
}

impl Chat {
    /// A chat whose changes go through `proposals`.
    pub fn new(hub: Hub, proposals: Proposals) -> Self {
        let (hub, start) = (Mutex::new(hub), Instant::now());
        let is_lobby_open = AtomicBool::new(true);
        let (notifier, traffic, flood) =
            (Notifier::default(), Traffic::default(), FloodControl::default());
        let (observer, doors) = (OnceLock::new(), Doors::default());
        let amended = Amended::default();
        Self {
            hub,
            notifier,
            proposals,
            observer,
            is_lobby_open,
            doors,
            amended,
            traffic,
            flood,
            start,
        }
    }

    /// Tells an observer what happens from now on, in its order; of what is said only if it wants that. A second one is
    /// ignored.
    pub fn observe(&self, observer: Observer, messages: bool) {
        if self.observer.set(observer).is_ok() {
            self.hub().keep_track(messages);
        }
    }

    /// Tells the observer what has happened.
    pub(super) fn tell_observer(&self, happened: Vec<Happened>) {
        if let Some(Observer(observer)) = self.observer.get()
            && !happened.is_empty()
        {
            observer(happened);
        }
    }

    // A panic under the lock would be our bug; the others' chat goes on.
    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the hub, and tells it the time first.
    pub(super) fn hub_now(&self) -> MutexGuard<'_, Hub> {
        let now = self.now();
        let mut hub = self.hub();
        hub.tick(now);
        hub
    }

    /// Milliseconds since the chat was opened.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The notifier, whose [`Notifier::notify_of_presence`] somebody has to poll.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Who may come in, and how members go.
    pub(crate) const fn doors(&self) -> &Doors {
        &self.doors
    }

    pub(super) const fn proposals(&self) -> &Proposals {
        &self.proposals
    }

    pub(super) const fn amended(&self) -> &Amended {
        &self.amended
    }

    /// What is counted of it.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// What members say, where it is counted.
    pub(crate) const fn flood(&self) -> &FloodControl {
        &self.flood
    }

    /// Who a member is for flood control; see [`Hub::speaker`].
    pub(super) fn speaker(&self, member: MemberId, exempt: &[Username]) -> Option<Speaker> {
        self.hub().speaker(member, exempt)
    }

    /// The room of a name that a member is in, and whether they are staff there.
    pub(super) fn room_of_speaker(
        &self,
        member: MemberId,
        name: &impl NameKey,
    ) -> Option<(RoomNumber, bool)> {
        self.hub().room_of_speaker(member, name)
    }

    /// Whether somebody who is muted may write to the user of this name.
    pub(super) fn hears_the_muted(&self, name: &impl NameKey) -> bool {
        self.hub().hears_the_muted(name)
    }

    /// Stands for whom a private message is to.
    pub(super) fn recipient_number(&self, to: &Party) -> u64 {
        self.hub().recipient_number(to)
    }

    /// The account of a session that can be resumed under this name; see [`Hub::resumable`].
    pub fn resumable(&self, key: SessionKey, name: &Username) -> Option<Option<LoggedIn>> {
        self.hub().resumable(key, name)
    }

    /// The first `limit` of those who are here, in the order in which they joined.
    pub fn users(&self, limit: usize) -> Vec<Identity> {
        self.hub().users().take(limit).cloned().collect()
    }

    /// Those who are here under names behind this one; see [`Hub::users_behind`].
    pub fn users_behind(&self, after: Option<&Username>, limit: usize) -> Vec<Identity> {
        self.hub().users_behind(after, limit)
    }

    /// Whether each of these is here; see [`Hub::are_here`].
    pub fn are_here(&self, all: &[(Username, Option<i64>)]) -> Vec<bool> {
        self.hub().are_here(all)
    }

    /// How many are here.
    pub fn user_count(&self) -> usize {
        self.hub().members()
    }

    /// Who is here under a name.
    pub fn find(&self, name: &Username) -> Option<Identity> {
        self.hub().find(name).map(|(_, identity)| identity.clone())
    }

    /// Whether a member is connected with another node.
    pub fn is_elsewhere(&self, member: MemberId) -> bool {
        self.hub().is_elsewhere(member)
    }

    /// Which member is here under a name.
    pub fn who(&self, name: &impl NameKey) -> Option<MemberId> {
        self.hub().who(name)
    }

    /// Whether somebody has a name who can be told something; see [`Hub::is_reachable`].
    pub fn is_reachable(&self, name: &impl NameKey) -> bool {
        self.hub().is_reachable(name)
    }

    /// The members that are logged in with an account, under whatever names.
    pub fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.hub().logged_in(account).map(|(id, identity)| (id, identity.clone())).collect()
    }

    /// Lets a user in, and waits until they are.
    ///
    /// # Errors
    /// [`JoinError`] when the name can't be had.
    pub(super) async fn join(&self, request: JoinRequest<'_>) -> Result<Admitted, JoinError> {
        if !self.doors.are_open() {
            return Err(JoinError::Refused(Refusal::Busy));
        }
        let (join, greeting) = request.into_parts();
        self.proposals.join(join, greeting).await
    }

    /// Drops what waits for a member whose connection has ended, and proposes that it leaves.
    pub(super) fn leave(&self, member: MemberId) {
        let is_held = {
            let mut hub = self.hub();
            hub.disconnect(member);
            self.doors.hold() && hub.session(member).is_some()
        };
        self.notifier.unsubscribe(member);
        if !is_held {
            self.proposals.leave(member);
        }
    }

    /// Gets commands for the stores of all nodes into the order.
    pub fn proposer(&self) -> Arc<dyn Proposer> {
        Arc::new(self.starter())
    }

    /// Begins changes from elsewhere.
    pub(super) fn starter(&self) -> Starter {
        self.proposals.starter()
    }

    /// A member who leaves if nobody takes it over.
    pub(super) fn leaving(&self, member: MemberId) -> Leaving {
        self.proposals.leaving(member)
    }

    /// Changes a member, and waits until it is changed.
    ///
    /// # Errors
    /// [`Refused`], by the rules of the change.
    pub(crate) async fn change(&self, proposal: Proposal) -> Result<Outcome, Refused> {
        self.proposals.change(proposal).await
    }

    /// The same where it changes who the member is: what it owes goes with it at once, and not when it says something next, before
    /// which it may have gone and come back (FL-1).
    pub(super) async fn change_who(
        &self,
        id: MemberId,
        proposal: Proposal,
    ) -> Result<Outcome, Refused> {
        let number = || self.speaker(id, &[]).map(|speaker| speaker.number);
        let before = number();
        let outcome = self.change(proposal).await;
        if let (Some(before), Some(after)) = (before, number()) {
            self.flood.rename(before, after);
        }
        outcome
    }

    /// Changes the account or the level of a member. Says whether it may do something else now than before.
    pub async fn amend(&self, id: MemberId, amendment: Amendment) -> bool {
        let actor = || self.hub().identity(id).map(Identity::actor);
        let before = actor();
        let logs_in = match &amendment.login {
            Some(Login::In(login)) => Some(AccountRef::from(login)),
            Some(Login::Out) | None => None,
        };
        // Who is not here any more can do nothing.
        let _ = self.change_who(id, Proposal::Amend(id, amendment)).await;
        if let Some(account) = logs_in {
            self.adopt_rooms(id, account).await;
        }
        actor() != before
    }

    /// Queues an answer for a member, behind everything that has happened so far; says `false`, and does nothing, when too
    /// much is waiting for them.
    pub fn tell(&self, id: MemberId, event: Event) -> bool {
        let mut hub = self.hub();
        if !hub.has_room(id, event.size()) {
            return false;
        }
        let wake = hub.tell(id, event);
        self.wake(hub, [wake]);
        true
    }

    /// Notes what the welcome of a member takes; see [`Hub::welcome_takes`].
    pub(super) fn welcome_takes(&self, id: MemberId, own_bytes: usize) {
        let mut hub = self.hub();
        hub.welcome_takes(id, own_bytes);
        self.unlock(hub);
    }

    /// Unlocks the hub after a call that may have given members more to read than there is memory for.
    pub(super) fn unlock(&self, mut hub: MutexGuard<'_, Hub>) {
        let removed = hub.keep_within_budget();
        drop(hub);
        if !removed.is_empty() {
            tracing::warn!(removed = removed.len(), "too much was waiting for members");
            self.notifier.notify_removed(&removed);
        }
    }

    /// The number of the message that a session sent with this tag, if it is among its last.
    pub fn known_tag(&self, session: SessionId, tag: &str) -> Option<Sequence> {
        self.hub().known_tag(session, tag)
    }

    /// Reserves room for a private message of a member, and gives its recipient, with the spelling that it is here under and who
    /// it is.
    ///
    /// # Errors
    /// [`Code::NoSuchUser`], [`Code::Blocked`] or [`Code::RecipientBusy`].
    pub(super) fn reserve(
        &self,
        sender: MemberId,
        name: &impl NameKey,
        bytes: usize,
    ) -> Result<(MemberId, Username, Option<Party>), Code> {
        let mut hub = self.hub();
        let reserved = hub.reserve(sender, name, bytes).map(|(id, spelling)| {
            let party = hub.identity(id).map(Identity::party);
            (id, spelling, party)
        });
        self.unlock(hub);
        reserved
    }

    /// Reserves a place for a private message to an account whose name nobody here has; see [`Hub::reserve_waiting`].
    ///
    /// # Errors
    /// [`Code`].
    pub(super) fn reserve_waiting(
        &self,
        sender: MemberId,
        account: &LoggedIn,
        since: i64,
        bytes: usize,
    ) -> Result<Place, Code> {
        let mut hub = self.hub();
        let reserved = hub.reserve_waiting(sender, account, since, bytes);
        self.unlock(hub);
        reserved
    }

    /// Numbers the messages that are going to be accepted if this node proposes them next; see [`Hub::judge`].
    pub(super) fn judge(&self, from: Incarnation, says: &mut [Say], first: Sequence) -> Vec<bool> {
        self.hub().judge(from, says, first)
    }

    /// Whether everybody may write to everybody at any time.
    pub(super) fn is_lobby_open(&self) -> bool {
        self.is_lobby_open.load(Ordering::Relaxed)
    }

    /// Notes who may write in the lobby, after it may have changed.
    pub(super) fn note_lobby(&self, hub: &Hub) {
        let lobby = &hub.lobby().settings;
        let is_open = lobby.talk == Level::GUEST && lobby.slow == 0;
        self.is_lobby_open.store(is_open, Ordering::Relaxed);
    }

    /// Asks for a wish about rooms to be granted.
    pub(super) async fn wish(&self, wish: RoomWish) -> Result<RoomDone, RoomRefusal> {
        self.proposals.wish(wish).await
    }

    /// What follows from a wish about rooms; see [`Hub::judge_room`].
    pub(super) fn judge_room(
        &self,
        wish: &RoomWish,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        self.hub().judge_room(wish, number)
    }

    /// Gives back what was reserved for messages of these sizes to these members, and of these accounts to others.
    pub(super) fn release(&self, each: &[(MemberId, usize)], waiting: &[(i64, i64)]) {
        let mut hub = self.hub();
        for (sender, account) in waiting {
            hub.release_waiting(*sender, *account);
        }
        for (recipient, bytes) in each {
            hub.release(*recipient, *bytes);
        }
    }

    /// The stamp of whatever happens next.
    pub fn clock(&self) -> Stamp {
        self.hub().clock()
    }

    /// Waits for memory for messages of this size, before they are encoded.
    pub async fn post_room(&self, bytes: usize) -> Option<PostRoom> {
        self.proposals.room(bytes).await
    }

    /// Hands messages of a member to the sequencer, and waits until they are stored and delivered. Gives the numbers of those
    /// with tags.
    ///
    /// # Errors
    /// [`Code::NotStored`] when they were not; nobody has seen them then.
    pub async fn post(
        &self,
        sender: MemberId,
        mut records: Vec<Record>,
        held: Held,
        tags: Option<Tags>,
        room: Option<PostRoom>,
    ) -> Result<Receipt, Code> {
        self.hub().file_from(sender, &mut records);
        self.proposals.post(sender, records, held, tags, room).await
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
        let mut hub = self.hub();
        let wake = hub.announce(event);
        self.wake(hub, [wake]);
    }

    /// Tells who is away, and who is back, if it is time; see [`Hub::tell_presence`].
    pub fn tell_presence(&self) {
        let mut hub = self.hub_now();
        let wake = hub.tell_presence();
        self.wake(hub, [wake]);
    }

    /// Removes slow consumers; see [`Hub::evict_overtaken`].
    pub fn evict_overtaken(&self, now: u64) -> Laggards {
        let laggards = self.hub().evict_overtaken(now);
        self.notifier.notify_removed(&laggards.overtaken);
        laggards
    }

    /// Ends the logins that a change of an account has ended. Nobody waits for it: whatever is proposed later finds them ended.
    pub fn change_account(&self, change: &AccountChange) {
        self.proposals.tell(Proposal::EndLogins(change.clone()));
    }

    /// What went through the rooms so far.
    pub fn volume(&self) -> Lag {
        self.hub().volume()
    }
}
