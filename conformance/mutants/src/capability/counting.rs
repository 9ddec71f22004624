//! What is said is counted, and what is too much is refused (FL-1 to FL-3).

use conformance_suite::fault::Fault;
use serde_json::Value;

use super::{
    flood::{Stopped, costs},
    state::Refusal,
};
use crate::chat::Chat;

impl Chat {
    /// Counts a frame of messages.
    pub(crate) fn count(&mut self, connection: u64, list: &[Value]) -> Stopped {
        let f = self.faults.clone();
        let mut stopped = Stopped::default();
        let Some(member) = self.member(connection).cloned() else { return stopped };
        if f.acts(Fault::FloodUnlimited) {
            return stopped;
        }
        let sender = (member.token.as_str(), !member.agreed.offered());
        for (dest, cost) in costs(list, &f) {
            if let Err(refusal) = self.flood.count(sender, &dest, cost, &f) {
                stopped.stop(dest, refusal);
                if self.flood.has_muted(&member.token) && f.acts(Fault::FloodCloses) {
                    member.outbox.close();
                }
            }
        }
        stopped
    }

    /// Whether something that is stopped is said all the same; why not.
    pub(crate) fn may_say(
        &mut self,
        connection: u64,
        tag: Option<&str>,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let f = self.faults.clone();
        if f.acts(Fault::FloodDelivered) {
            return Ok(());
        }
        if let Some(tag) = tag
            && f.acts(Fault::FloodTagBurnt)
        {
            self.remember(connection, tag, 1);
        }
        let base = self.member(connection).is_some_and(|member| !member.agreed.offered());
        let untold = base && f.acts(Fault::FloodBaseUntold);
        Err(if untold { Refusal { text: "", ..refusal } } else { refusal })
    }
}
