//! What goes beyond the base protocol, in miniature: a module for each part of it.

use conformance_suite::fault::server::Fault;
use serde_json::Value;

use super::session::Session;

use offer::Agreed;

pub(super) mod accounts;
mod blocking;
pub(super) mod commands;
mod history;
pub(super) mod ids;
pub(super) mod offer;
mod ping;
mod rename;
pub(super) mod resume;
pub(super) mod utf8;

impl Session {
    /// Takes a key of a capability; `None` when it is none that was agreed on.
    pub(super) async fn extended(
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
            "COMMAND" if agreed.has("commands") => self.command(value).await,
            "ANSWER" if agreed.has("commands") => self.answer(value).await,
            _ => return None,
        })
    }
}
