//! Wakes the writers of connections when the hub has events for them.
//!
//! A message wakes everybody at once. Changes of presence are delayed a little and sent together, so that a thousand users
//! who join cause a few writes to everybody instead of a thousand; the next message takes along what is delayed.

#![allow(clippy::disallowed_methods, reason = "the edge: presence is delayed by the clock")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatterbox_hub::{MemberId, RoomId};
use tokio::sync::Notify;

use crate::chat::wake_flag::WakeFlag;
use crate::chat::wake_round::{PendingFlag, WakeRound};

/// The time between two broadcasts of presence. Nobody sees the difference, and 1,000 users who join within a second
/// cost everybody some 16 writes.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(20);

/// It grows by this for each member, several times the cost of one delivery, so that presence takes a bounded part of the
/// processor. With 10,000 members it is 420 ms.
const PRESENCE_INTERVAL_PER_MEMBER: Duration = Duration::from_micros(40);

/// What all halves of a connection share of its member: its number, its wake flags, and whether anything reaches it still.
#[derive(Debug)]
pub struct Signals {
    /// The member.
    pub id: MemberId,
    pending: PendingFlag,
    round: Arc<WakeRound>,
    /// Raised when the member was removed.
    pub removed: WakeFlag,
    /// Set when another device has changed the name of the user; whoever reads the frames looks before each of them.
    pub renamed: AtomicBool,
    /// Notified whenever something was handed out to the member.
    pub handed_out: Notify,
    /// Set when nothing reaches the member any more.
    pub muted: AtomicBool,
}

impl Signals {
    /// Waits until there is something to take from the hub.
    pub async fn pending(&self) {
        poll_fn(|context| self.pending.poll_raised(&self.round, context)).await;
    }

    /// The member does something else, and takes what there is when that is done. Until it waits for [`Self::pending`] again, it is
    /// not woken.
    pub fn looks_later(&self) {
        self.pending.defer(&self.round);
    }

    /// The same for somebody else than who waits for [`Self::pending`]: that one looks when the task of the member is run again.
    pub fn postpone(&self) {
        self.pending.postpone(&self.round);
    }

    fn wake(&self) {
        self.pending.raise(&self.round);
    }
}

/// The wake flags of all members.
#[derive(Debug, Default)]
pub struct Notifier {
    round: Arc<WakeRound>,
    signals: Mutex<HashMap<MemberId, Arc<Signals>>>,
    /// Raised when presence has changed.
    presence: WakeFlag,
    /// Who is woken then.
    delayed: Mutex<Delayed>,
}

/// Who is woken when presence is told.
#[derive(Debug, Default)]
struct Delayed {
    everybody: bool,
    /// The readers of rooms, of which there is a bounded number.
    rooms: HashMap<RoomId, Arc<Vec<MemberId>>>,
}

impl Notifier {
    // If a panic has poisoned the lock, the other members are still woken.
    fn signals(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<Signals>>> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes a new member. Its flags start raised, so events between joining and subscribing are not missed, nor another name
    /// that a device of its user has asked for meanwhile.
    pub fn subscribe(&self, id: MemberId) -> Arc<Signals> {
        let signals = Arc::new(Signals {
            id,
            pending: PendingFlag::default(),
            round: Arc::clone(&self.round),
            removed: WakeFlag::default(),
            renamed: AtomicBool::new(true),
            handed_out: Notify::new(),
            muted: AtomicBool::new(false),
        });
        self.signals().insert(id, Arc::clone(&signals));
        signals
    }

    /// Removes a member that has left.
    pub fn unsubscribe(&self, id: MemberId) {
        if let Some(left) = self.signals().remove(&id) {
            left.looks_later();
        }
    }

    /// Whether all who were woken have looked what there is.
    pub fn all_have_looked(&self) -> bool {
        self.round.is_over()
    }

    /// Waits until all who were woken have looked what there is; one task may wait.
    pub async fn until_all_have_looked(&self) {
        self.round.over().await;
    }

    fn delayed(&self) -> MutexGuard<'_, Delayed> {
        self.delayed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody.
    pub fn notify_all(&self) {
        self.signals().values().for_each(|signals| signals.wake());
    }

    /// Wakes everybody, and these, of whom the list is sorted, as the last ones: the runtime polls first of many who was woken last. Who
    /// has said something waits for it, and can go on while the others are told.
    pub fn notify_all_and(&self, senders: &[MemberId]) {
        let signals = self.signals();
        let others = signals.iter().filter(|(id, _)| senders.binary_search(id).is_err());
        others.for_each(|(_, signals)| signals.wake());
        senders.iter().filter_map(|id| signals.get(id)).for_each(|signals| signals.wake());
    }

    /// Wakes everybody in a moment.
    pub fn notify_all_soon(&self) {
        self.delayed().everybody = true;
        self.presence.raise();
    }

    /// Wakes the readers of rooms in a moment.
    pub fn notify_soon(&self, rooms: Vec<(RoomId, Arc<Vec<MemberId>>)>) {
        if !rooms.is_empty() {
            self.delayed().rooms.extend(rooms);
            self.presence.raise();
        }
    }

    /// Wakes some members.
    pub fn notify_each(&self, ids: &[MemberId]) {
        self.each(ids, Signals::wake);
    }

    /// Wakes members that were removed, also from a write that is stalled.
    pub fn notify_removed(&self, ids: &[MemberId]) {
        self.each(ids, |signals| {
            signals.removed.raise();
            signals.wake();
        });
    }

    /// Notes that members have another name, before they are told.
    pub fn note_renamed(&self, ids: &[MemberId]) {
        self.each(ids, |signals| signals.renamed.store(true, Ordering::Release));
    }

    fn each(&self, ids: &[MemberId], raise: impl Fn(&Signals)) {
        if ids.is_empty() {
            return;
        }
        let signals = self.signals();
        ids.iter().filter_map(|id| signals.get(id)).for_each(|signals| raise(signals));
    }

    /// Sends the delayed wakes; a task of the server runs it.
    pub async fn notify_of_presence(&self) -> Infallible {
        loop {
            self.presence.raised().await;
            let Delayed { everybody, rooms } = std::mem::take(&mut *self.delayed());
            if everybody {
                self.notify_all();
            } else {
                rooms.values().for_each(|readers| self.notify_each(readers));
            }
            let members = u32::try_from(self.signals().len()).unwrap_or(u32::MAX);
            tokio::time::sleep(
                PRESENCE_INTERVAL + PRESENCE_INTERVAL_PER_MEMBER.saturating_mul(members),
            )
            .await;
        }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{Hub, JoinRequest, Keep, TimelineLimits};
    use chatterbox_proto::Username;

    use super::*;

    fn a_member() -> MemberId {
        let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
        hub.admit(JoinRequest::base(&Username::parse("ann").unwrap(), "")).unwrap().id
    }

    #[test]
    fn who_subscribes_looks_at_its_name_once() {
        let notifier = Notifier::default();
        let id = a_member();
        // Before it can be told.
        notifier.note_renamed(&[id]);
        let signals = notifier.subscribe(id);
        assert!(signals.renamed.load(Ordering::Acquire));
    }

    #[tokio::test(start_paused = true)]
    async fn presence_is_told_at_once_and_then_together() {
        let notifier = Arc::new(Notifier::default());
        let signals = notifier.subscribe(a_member());
        signals.pending().await;
        let task = Arc::clone(&notifier);
        let notifying = tokio::spawn(async move { task.notify_of_presence().await });
        let start = tokio::time::Instant::now();
        notifier.notify_all_soon();
        signals.pending().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "the first does not wait");
        for _ in 0..100 {
            notifier.notify_all_soon();
        }
        signals.pending().await;
        // The clock of the runtime counts in milliseconds.
        let waited = start.elapsed();
        assert!(waited >= PRESENCE_INTERVAL && waited < 2 * PRESENCE_INTERVAL, "{waited:?}");
        let more = tokio::time::timeout(Duration::from_secs(60), signals.pending());
        assert!(more.await.is_err(), "a hundred are one");
        let start = tokio::time::Instant::now();
        notifier.notify_all();
        signals.pending().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "a message does not wait");
        notifying.abort();
    }
}
