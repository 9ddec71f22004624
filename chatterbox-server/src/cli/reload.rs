//! SIGHUP and `reload`: the settings and the certificates are read again.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use chatterbox_server::net::Transport;
use chatterbox_server::ops::clock::unix_now;
use chatterbox_server::ops::machine;
use chatterbox_server::ops::operator::{ChangedSetting, Reloaded};
use chatterbox_server::ops::service_manager::ServiceManager;
use chatterbox_server::{Config, Live};

use crate::cli::layers::{self, Effective, Settings};
use crate::cli::rooms;

/// The key of the setting with the names that browsers use.
const WEB_HOST: &str = "web-host";

/// Replaces what a running server can replace.
#[derive(Debug)]
pub struct Reloader {
    /// The command line of the start, which stays the highest layer.
    pub arguments: Vec<OsString>,
    pub live: Live,
    pub transport: Transport,
    /// The settings in force, to tell which ones have changed.
    pub in_force: Mutex<Vec<Effective>>,
    pub manager: ServiceManager,
}

impl Reloader {
    /// Reads all layers and the certificates again. An error leaves everything of its kind as it was.
    pub fn reload(&self) -> Reloaded {
        let _told = self.manager.reloading();
        let mut reloaded = match layers::read(&self.arguments) {
            Ok(fresh) => self.take_over(fresh),
            Err(error) => {
                tracing::error!(%error, "the old settings stay in use");
                Reloaded { problems: vec![error.to_string()], ..Reloaded::default() }
            }
        };
        reloaded.problems.extend(self.reload_certificates().err());
        reloaded.certificate = self.transport.certificate_warnings(unix_now());
        if reloaded.changed.iter().any(|setting| setting.key == WEB_HOST) {
            self.warn_of_names();
        }
        reloaded
    }

    /// Names of browsers' requests are a setting that changes at once; the local authority certifies those of the start.
    fn warn_of_names(&self) {
        let config = self.live.current();
        let names = config.web_host.iter().flat_map(|names| names.as_slice());
        let missing: Vec<_> = names.filter(|name| !self.transport.is_certified(name)).collect();
        if matches!(self.transport, Transport::Tls(_)) && !missing.is_empty() {
            tracing::warn!(
                names = ?missing,
                "the certificate is not for these names; the local authority adds them at the next start"
            );
        }
    }

    fn take_over(&self, fresh: Settings) -> Reloaded {
        let config = fresh.serve.config().bounded_by(machine::allow_many_connections());
        // Rooms are made at a start: those of the file that it has read stay in force.
        let rooms = self.live.current().rooms.clone();
        let same_rooms = rooms == config.rooms;
        self.live.replace(Config { rooms, ..config });
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut changed, mut waiting) = (Vec::new(), Vec::new());
        // The arguments are the same as at the start, so both lists have the same settings in the same order.
        for (old, new) in in_force.iter_mut().zip(fresh.effective) {
            let setting = new.setting;
            if old.value != new.value {
                let list = if setting.reloadable { &mut changed } else { &mut waiting };
                let key = setting.key.clone();
                list.push(ChangedSetting { key, old: old.value.clone(), new: new.value.clone() });
            }
            if setting.reloadable {
                *old = new;
            }
        }
        if !same_rooms {
            waiting.push(ChangedSetting { key: rooms::KEY.to_owned(), old: None, new: None });
        }
        if !waiting.is_empty() {
            tracing::warn!(settings = keys(&waiting), "changed at the next start only");
        }
        tracing::info!(changed = keys(&changed), "settings read again");
        Reloaded { changed, waiting, ..Reloaded::default() }
    }

    /// Reads the certificates again, and renews them when they are those of the local authority and about to expire.
    ///
    /// # Errors
    /// What is wrong with the new ones; the old ones stay in use.
    pub fn reload_certificates(&self) -> Result<(), String> {
        match self.transport.reload() {
            Ok(()) => {
                tracing::info!("certificates read again");
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "the old certificates stay in use");
                Err(error.to_string())
            }
        }
    }
}

fn keys(settings: &[ChangedSetting]) -> String {
    settings.iter().map(|setting| setting.key.as_str()).collect::<Vec<_>>().join(", ")
}
