//! What reaches members of other nodes beside messages: they are told something, a mute ends, their commands follow their level.

#![allow(clippy::disallowed_methods, reason = "the edge: waits for a bounded time")]

use std::time::Duration;

use chatterbox_hub::{MemberId, Proposal, ReadMark, Tell};

use crate::chat::shared::Chat;

/// Whoever comes to a node that lags waits so long at most until it has caught up. An election of the engine takes longer, and the
/// session is not lost by it: the client tries again.
const CATCHING_UP: Duration = Duration::from_secs(5);

impl Chat {
    /// Tells those whom it is for, at whichever node they are. One node alone does so at once.
    pub(super) fn tell_those(&self, tell: Tell) {
        let mut hub = self.hub();
        if hub.is_in_cluster() {
            drop(hub);
            if !self.proposals().tell_others(Proposal::Tell(Box::new(tell))) {
                tracing::warn!("too much is to be told already: nobody is told something");
            }
            return;
        }
        let mut wakes = Vec::new();
        hub.tell_those(tell, &mut wakes);
        self.wake(hub, wakes);
    }

    /// Tells the other devices of users how far they have read, at whichever node they are.
    pub fn tell_marks(&self, marks: &[ReadMark]) {
        let mut hub = self.hub();
        if hub.is_in_cluster() {
            drop(hub);
            for some in marks.chunks(ReadMark::AT_ONCE) {
                // What is not told is in the next welcome.
                let _ = self.proposals().tell_others(Proposal::Read(some.to_vec()));
            }
            return;
        }
        let mut wakes = Vec::new();
        hub.tell_marks(marks, &mut wakes);
        self.wake(hub, wakes);
    }

    /// Takes the marks of members of this node that are to be written down.
    pub fn take_marks(&self) -> Vec<ReadMark> {
        self.hub_now().take_marks()
    }

    /// Gives those back that could not be written.
    pub fn give_back_marks(&self, marks: Vec<ReadMark>) {
        self.hub().give_back_marks(marks);
    }

    /// Ends the mute that flood control has imposed on a member, at the node where it is counted.
    pub fn pardon(&self, member: MemberId) {
        if self.is_elsewhere(member) {
            self.proposals().tell_others(Proposal::Pardon(member));
        } else {
            self.pardon_here(member);
        }
    }

    pub(super) fn pardon_here(&self, member: MemberId) {
        if let Some(speaker) = self.speaker(member, &[]) {
            self.flood().pardon(speaker.number);
        }
    }

    /// Whether this node is one of several.
    pub fn is_in_cluster(&self) -> bool {
        self.hub().is_in_cluster()
    }

    /// Waits until this node has applied what was decided before it was asked, if it is one of several; says whether it has.
    pub async fn catch_up(&self) -> bool {
        if !self.hub().is_in_cluster() {
            return true;
        }
        let caught_up = tokio::time::timeout(CATCHING_UP, self.proposals().catch_up());
        caught_up.await.unwrap_or(false)
    }

    /// Waits until something that is proposed now has come round, on a node that is alone as well; says `false` when that is not going to
    /// be. There is no bound for the time that it takes.
    pub async fn comes_round(&self) -> bool {
        self.proposals().catch_up().await
    }

    /// Tells somebody from now on which members of this node were given another account or level by another node: what they may
    /// call is another list then. A second one is ignored.
    pub fn watch_amended(&self, watch: Box<dyn Fn(MemberId) + Send + Sync>) {
        self.amended().watch(watch);
    }

    /// Does what is left to do of a proposal that another node has made.
    pub(super) fn follow_other(&self, proposal: &Proposal) {
        match proposal {
            Proposal::Pardon(member) if !self.is_elsewhere(*member) => self.pardon_here(*member),
            Proposal::Amend(member, _) if !self.is_elsewhere(*member) => {
                self.amended().tell(*member);
            }
            _ => {}
        }
    }
}
