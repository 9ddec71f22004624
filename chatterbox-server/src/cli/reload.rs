//! SIGHUP: the settings and the certificates are read again.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use chatterbox_server::Live;
use chatterbox_server::net::tls::Transport;

use crate::cli::layers::{self, Effective};
use crate::cli::serve::bounded_by_machine;

/// What a running server can take over; the rest waits for the next start.
const LIVE: &[&str] = &[
    "max-connections",
    "max-per-address",
    "no-limits",
    "max-frame",
    "max-name",
    "join-timeout",
    "stall-timeout",
    "grace",
    "hold-name",
    "guests",
    "legacy-commands",
];

/// Reads all layers and the certificates again. A mistake leaves everything of its kind as it was.
pub fn reload(
    arguments: &[OsString],
    live: &Live,
    transport: &Transport,
    in_force: &Mutex<Vec<Effective>>,
) {
    match layers::read(arguments) {
        Ok(fresh) => {
            live.replace(bounded_by_machine(fresh.serve.config()));
            let mut in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
            let changed: Vec<_> = fresh
                .effective
                .iter()
                .filter(|setting| {
                    in_force.iter().any(|old| old.key == setting.key && old.value != setting.value)
                })
                .map(|setting| setting.key.clone())
                .collect();
            let waiting: Vec<_> =
                changed.iter().filter(|key| !LIVE.contains(&key.as_str())).cloned().collect();
            if !waiting.is_empty() {
                tracing::warn!(settings = waiting.join(", "), "changed at the next start only");
            }
            for setting in &mut *in_force {
                if LIVE.contains(&setting.key.as_str())
                    && let Some(fresh) = fresh.effective.iter().find(|new| new.key == setting.key)
                {
                    *setting = fresh.clone();
                }
            }
            let live: Vec<_> = changed.into_iter().filter(|key| !waiting.contains(key)).collect();
            tracing::info!(changed = live.join(", "), "settings read again");
        }
        Err(error) => tracing::error!(%error, "the old settings stay in use"),
    }
    reload_certificates(transport);
}

pub fn reload_certificates(transport: &Transport) {
    match transport.reload() {
        Ok(()) => tracing::info!("certificates read again"),
        Err(error) => tracing::error!(%error, "the old certificates stay in use"),
    }
}
