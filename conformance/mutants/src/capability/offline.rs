//! Private messages to accounts whose users are not here (AN-7).

use conformance_suite::fault::Fault;
use serde_json::Value;

use super::state::{Refusal, Taken};
use crate::chat::Chat;

/// So many messages wait for one account.
const MOST_WAITING: usize = 200;

impl Chat {
    /// Keeps a private message for an account, whose user is told of it at the next join; refuses it where there is none.
    pub(crate) fn leave_for(
        &mut self,
        connection: u64,
        dest: &str,
        parts: &[Value],
        tag: Option<(&str, u64)>,
    ) -> Result<Taken, Refusal> {
        let f = self.faults.clone();
        let sender = self.member(connection).filter(|member| member.account.is_some());
        let account = self.account_of(dest).filter(|account| account.eq_ignore_ascii_case(dest));
        let (Some(sender), Some(account)) = (sender, account.map(str::to_owned)) else {
            let silent = f.acts(Fault::UnknownDestIgnored);
            return Err(Refusal::new("no-such-user", if silent { "" } else { "nobody there" }));
        };
        if self.apart(&sender.name, &account) {
            return Err(Refusal::new("blocked", "one of you has blocked the other"));
        }
        if let Some((tag, earlier)) = tag
            && let Some(id) = self.used(connection, tag, earlier)
        {
            return Ok(Taken::Before(id));
        }
        let waiting = self.accounts.waiting.entry(account.clone()).or_default();
        if *waiting >= MOST_WAITING && !f.acts(Fault::OfflinePrivateUnbounded) {
            return Err(Refusal::new("busy", "too much waits for them"));
        }
        *waiting += 1;
        let tag = tag.map(|(tag, _)| tag);
        let mut parts = parts.to_vec();
        if let Some(dest) = parts.get_mut(1) {
            *dest = Value::from(account);
        }
        let entry = self.store(&parts, tag);
        if f.acts(Fault::OfflinePrivateLost) {
            self.history.retain(|kept| kept.id != entry.id);
        }
        if let Some(tag) = tag {
            self.remember(connection, tag, entry.id);
        }
        Ok(Taken::Now(entry.id))
    }
}
