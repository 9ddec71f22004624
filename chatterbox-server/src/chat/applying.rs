//! What was decided is applied to the hub here, and nowhere else, and whoever it concerns is woken.

use chatterbox_hub::{Applied, Greeting, MemberId, Outcome, Proposal, Refused, Wake};

use crate::chat::shared::Chat;
use crate::order::Decided;

/// Whom a group has given something to read.
#[derive(Debug, Default)]
struct Woken {
    everybody: bool,
    soon: bool,
    single: Vec<MemberId>,
    removed: Vec<MemberId>,
}

impl Woken {
    fn add(&mut self, wake: Wake, removed: Vec<MemberId>) {
        match wake {
            Wake::All => self.everybody = true,
            Wake::AllSoon => self.soon = true,
            Wake::One(member) => self.single.push(member),
            Wake::Nobody => {}
        }
        self.removed.extend(removed);
    }
}

impl Chat {
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
        let mut hub = self.hub_now();
        if hub.begin(group, *at) {
            for (index, proposal) in group.proposals.iter().enumerate() {
                let applied = hub.step(group.from, proposal.clone(), greeting(index));
                let Applied { outcome, wake, removed } = applied;
                woken.add(wake, removed);
                outcomes.push(outcome);
                if !matches!(proposal, Proposal::Say(_)) {
                    // A welcome or a block list may take milliseconds. Nobody else applies anything meanwhile.
                    self.unlock(hub);
                    hub = self.hub();
                }
            }
        }
        self.unlock(hub);
        if woken.everybody {
            self.notifier().notify(Wake::All);
        } else if woken.soon {
            self.notifier().notify(Wake::AllSoon);
        }
        self.notifier().notify_each(&woken.single);
        self.notifier().notify_removed(&woken.removed);
        outcomes
    }
}
