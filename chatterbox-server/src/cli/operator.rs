//! The process of a server, as whoever controls it asks for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chatterbox_server::net::Transport;
use chatterbox_server::ops::clock::unix_now;
use chatterbox_server::ops::logging::LogFormat;
use chatterbox_server::ops::operator::{Facts, Operator, Reloaded};
use chatterbox_server::store::sqlite;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::gateways::Gateways;
use crate::cli::reload::Reloader;
use crate::cli::settings::Serve;

/// This process, which serves.
#[derive(Debug)]
pub struct Process {
    reloader: Arc<Reloader>,
    /// Counts the wishes to stop, with the signals.
    stop: watch::Sender<u32>,
    transport: Transport,
    addresses: Vec<SocketAddr>,
    web: Vec<SocketAddr>,
    telnet: Vec<SocketAddr>,
    health: Vec<SocketAddr>,
    /// The folder of the database.
    folder: Option<PathBuf>,
    log: String,
    activity_log: Option<PathBuf>,
}

impl Process {
    pub fn new(
        options: &Serve,
        reloader: Arc<Reloader>,
        stop: watch::Sender<u32>,
        listeners: &[TcpListener],
        gateways: &Gateways,
    ) -> Self {
        let addresses = |listeners: &[TcpListener]| -> Vec<SocketAddr> {
            listeners.iter().filter_map(|one| one.local_addr().ok()).collect()
        };
        let format = match options.log_format {
            LogFormat::Text => "text",
            LogFormat::Json => "JSON",
        };
        Self {
            transport: reloader.transport.clone(),
            reloader,
            stop,
            addresses: addresses(listeners),
            web: gateways.web.as_ref().map_or(Vec::new(), |web| addresses(&web.listeners)),
            telnet: addresses(&gateways.telnet),
            health: addresses(&gateways.health),
            folder: options.store().map(|store| store.folder),
            log: format!("{}, as {format}", options.log),
            activity_log: options.activity_log.clone(),
        }
    }
}

impl Operator for Process {
    fn reload(&self) -> Reloaded {
        self.reloader.reload()
    }

    fn stop(&self) {
        self.stop.send_modify(|count| *count += 1);
    }

    fn facts(&self) -> Facts {
        let extent = self.folder.as_deref().and_then(|folder| {
            let failed = |error| tracing::warn!(%error, "what is stored could not be counted");
            sqlite::extent(folder).map_err(failed).ok()
        });
        let now = unix_now();
        Facts {
            addresses: self.addresses.clone(),
            web: self.web.clone(),
            telnet: self.telnet.clone(),
            health: self.health.clone(),
            tls: matches!(self.transport, Transport::Tls(_)),
            certificate_days: self.transport.certificate_days(now),
            certificate_early: self.transport.is_certificate_early(now),
            certificate_warnings: self.transport.certificate_warnings(now),
            folder: self.folder.clone(),
            messages: extent.map(|extent| extent.messages),
            database_bytes: extent.map(|extent| extent.bytes),
            log: self.log.clone(),
            activity_log: self.activity_log.clone(),
        }
    }
}
