//! The frames of capabilities that a joined client may send.

use conformance_suite::fault::Fault;
use serde_json::Value;

use super::{agreed::Agreed, filed};
use crate::session::Session;

impl Session {
    /// Takes a key of a capability; `None` when it is none that was agreed on.
    pub(crate) async fn extended(
        &mut self,
        agreed: &Agreed,
        key: &str,
        value: &Value,
    ) -> Option<bool> {
        let f = self.shared.faults.clone();
        Some(match key {
            "PING" if agreed.has("ping") || f.acts(Fault::PingWithoutOffer) => {
                self.ping(value).await
            }
            "HISTORY" if agreed.has("ids") => self.history(value).await,
            "READ" if agreed.has("marks") => self.read_up_to(value).await,
            key if agreed.has("files") && filed::KEYS.contains(&key) => self.file(key, value).await,
            "KEYS_PUT" | "KEYS_GET" | "KEYS_CLAIM" | "KEYS_DONE" if agreed.has("e2ee") => {
                self.keys(key, value).await
            }
            "COMMAND" if agreed.has("commands") => self.command(value).await,
            "ANSWER" if agreed.has("commands") => self.answer(value).await,
            _ => return None,
        })
    }
}
