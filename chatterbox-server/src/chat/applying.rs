//! What was decided is applied to the hub here, and nowhere else, and whoever it concerns is woken.

use std::collections::BTreeSet;
use std::sync::MutexGuard;

use chatterbox_hub::{Applied, Greeting, Hub, MemberId, Outcome, Proposal, Refused, RoomId, Wake};

use crate::chat::shared::Chat;
use crate::order::Decided;

/// Whom a group has given something to read.
#[derive(Debug, Default)]
struct Woken {
    everybody: bool,
    soon: bool,
    rooms: BTreeSet<RoomId>,
    rooms_soon: BTreeSet<RoomId>,
    single: Vec<MemberId>,
    removed: Vec<MemberId>,
    /// Who has said something.
    senders: Vec<MemberId>,
}

impl Woken {
    fn add(&mut self, wake: Wake) {
        match wake {
            Wake::All => self.everybody = true,
            Wake::AllSoon => self.soon = true,
            Wake::Room(room) => drop(self.rooms.insert(room)),
            Wake::RoomSoon(room) => drop(self.rooms_soon.insert(room)),
            Wake::One(member) => self.single.push(member),
            Wake::Nobody => {}
        }
    }
}

impl Chat {
    /// Unlocks the hub, then wakes whom something concerns.
    fn unlock_and_wake(&self, hub: MutexGuard<'_, Hub>, woken: Woken) {
        let Woken { everybody, soon, rooms, mut rooms_soon, single, removed, mut senders } = woken;
        senders.sort_unstable();
        senders.dedup();
        // Whoever is woken now takes along what could wait.
        rooms_soon.retain(|room| !everybody && !rooms.contains(room));
        let of = |room: &RoomId| hub.readers(*room);
        let readers: Vec<_> = if everybody { Vec::new() } else { rooms.iter().map(of).collect() };
        let readers_soon: Vec<_> = rooms_soon.iter().map(|room| (*room, of(room))).collect();
        self.unlock(hub);
        let notifier = self.notifier();
        if everybody {
            notifier.notify_all_and(&senders);
        } else if soon {
            notifier.notify_all_soon();
        }
        readers.iter().for_each(|readers| notifier.notify_each(readers));
        notifier.notify_soon(readers_soon);
        notifier.notify_each(&single);
        notifier.notify_removed(&removed);
    }

    /// Wakes those whom calls of the hub concern, and unlocks it.
    pub(super) fn wake(&self, hub: MutexGuard<'_, Hub>, wakes: impl IntoIterator<Item = Wake>) {
        let mut woken = Woken::default();
        wakes.into_iter().for_each(|wake| woken.add(wake));
        self.unlock_and_wake(hub, woken);
    }

    /// Applies a group that was decided, its messages under one lock. Where it is one of ours, `greeting` has what is said to a user who
    /// joins with the proposal of an index; gives what has become of each proposal, or nothing if the group does not count.
    pub(super) fn apply<'a>(
        &self,
        decided: &Decided,
        mut greeting: impl FnMut(usize) -> Option<Greeting<'a>>,
    ) -> Vec<Result<Outcome, Refused>> {
        let Decided { at, group, .. } = decided;
        let mut woken = Woken::default();
        let mut outcomes = Vec::with_capacity(group.proposals.len());
        let mut happened = Vec::new();
        let mut hub = self.hub_now();
        if hub.begin(group, *at) {
            for (index, proposal) in group.proposals.iter().enumerate() {
                let applied = hub.step(group.from, proposal.clone(), greeting(index));
                if let Proposal::Say(say) = proposal {
                    woken.senders.push(say.member);
                }
                let Applied { outcome, wake, wakes, removed, renamed } = applied;
                // Before anybody is told: whoever has read the new name may use it.
                self.notifier().note_renamed(&renamed);
                woken.add(wake);
                wakes.into_iter().for_each(|wake| woken.add(wake));
                woken.removed.extend(removed);
                outcomes.push(outcome);
                happened.append(&mut hub.take_happened());
                match proposal {
                    Proposal::Room(..) => self.note_lobby(&hub),
                    Proposal::Up(_) | Proposal::Down(_) => {
                        self.flood().share_among(hub.nodes_up().len());
                    }
                    _ => {}
                }
                if !matches!(proposal, Proposal::Say(_) | Proposal::Old(_)) {
                    let is_other = hub.is_other(group.from);
                    // A welcome or a block list may take milliseconds. Nobody else applies anything meanwhile.
                    self.unlock(hub);
                    if is_other {
                        self.follow_other(proposal);
                    }
                    hub = self.hub();
                }
            }
        }
        self.unlock_and_wake(hub, woken);
        self.tell_observer(happened);
        outcomes
    }
}
