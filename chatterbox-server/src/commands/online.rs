//! The callers: the connections whose commands are served. The hub's presence knows who is here and who each of them is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatterbox_hub::{Amendment, MemberId};

use crate::commands::caller::Caller;

/// An index on the hub's presence: the caller of each member, by its number.
#[derive(Debug, Default)]
pub struct Online {
    callers: Mutex<HashMap<MemberId, Arc<Caller>>>,
}

impl Online {
    fn callers(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<Caller>>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a caller, for as long as the guard is kept.
    pub fn enter(self: &Arc<Self>, caller: &Arc<Caller>) -> OnlineGuard {
        let id = caller.port.id();
        self.callers().insert(id, Arc::clone(caller));
        OnlineGuard { online: Arc::clone(self), id }
    }

    /// Changes the account or the level of a member, at the request of whichever caller. Its catalogue follows.
    pub(super) async fn amend(&self, by: &Caller, member: MemberId, amendment: Amendment) {
        if by.port.amend(member, amendment).await {
            self.permissions_changed(member);
        }
    }

    /// Tells the caller of a member that its catalogue may have changed.
    pub(super) fn permissions_changed(&self, member: MemberId) {
        if let Some(caller) = self.callers().get(&member) {
            caller.changed.notify_one();
        }
    }

    /// Tells all callers that their catalogues may have changed.
    pub(super) fn catalogues_changed(&self) {
        for caller in self.callers().values() {
            caller.changed.notify_one();
        }
    }
}

/// That a caller is online; dropping it is leaving.
#[derive(Debug)]
pub struct OnlineGuard {
    online: Arc<Online>,
    id: MemberId,
}

impl Drop for OnlineGuard {
    fn drop(&mut self) {
        self.online.callers().remove(&self.id);
    }
}
