//! The parts of the server that all connections share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatterbox_proto::Code;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::chat::paging::Pages;
use crate::chat::shared::Chat;
use crate::config::Live;
use crate::net::ahead::Places;
use crate::net::compressing::Compressing;
use crate::net::drain::Drain;
use crate::net::limits::{ConnectionLimits, LimitReached};
use crate::net::long_frame::LongFrames;
use crate::net::long_work::LongWork;
use crate::net::tls::Transport;
use crate::pacing::{InputPacing, JoinPacing, LogPacing};

/// Everything that a connection needs from the server.
#[derive(Debug)]
pub struct Context {
    pub chat: Arc<Chat>,
    /// Authenticates users, and serves the requests of members.
    pub access: Access,
    /// Lets so many join from one address.
    pub joins: JoinPacing,
    /// Lets so much be sent from one address.
    pub input: InputPacing,
    /// Lets so many lines about joins and leaves be logged.
    pub logged: LogPacing,
    /// Looks up pages of history.
    pub pages: Arc<Pages>,
    /// The settings, which may be reloaded.
    pub config: Live,
    pub transport: Transport,
    /// Counts the connections.
    pub limits: Arc<ConnectionLimits>,
    /// Counts those that were turned away.
    pub turned_away: AtomicU64,
    /// The memory that long frames of all connections may take.
    pub long_frames: Arc<LongFrames>,
    /// The places of connections that are written to ahead.
    pub ahead: Places,
    /// Admits work on long frames.
    pub long_work: LongWork,
    /// Compresses and inflates frames of members who agreed to `zstd`.
    pub compressing: Compressing,
    /// Cancelled when the history of earlier runs is loaded. Nobody joins before: a welcome holds all of the history.
    pub history_loaded: CancellationToken,
    /// Ends the connections of members, one after the other where others go on for them.
    pub drain: Drain,
    /// Cancelled when connections have to end.
    pub closing: CancellationToken,
}

impl Context {
    /// Notes that a connection is turned away, at whatever listener.
    pub(crate) fn turned_away(&self, peer: SocketAddr, reason: LimitReached) {
        self.chat.traffic().join_refused(Code::from(reason).word());
        let turned_away = self.turned_away.fetch_add(1, Ordering::Relaxed) + 1;
        // Logged at 1, 2, 4, 8 ...: a flood of connections must not flood the log.
        if turned_away.is_power_of_two() {
            tracing::warn!(%peer, turned_away, "turned away: {reason}");
        }
    }
}

#[cfg(test)]
impl Context {
    /// Without TLS and accounts.
    pub(crate) fn plain(chat: Arc<Chat>) -> Self {
        Self {
            chat,
            access: Access::new(crate::access::NoAccounts),
            joins: JoinPacing::default(),
            input: InputPacing::default(),
            logged: LogPacing::default(),
            pages: Arc::new(Pages::new(
                Arc::new(crate::store::Memory::default()),
                Box::new(|_| Box::pin(async { None })),
            )),
            config: Live::new(crate::config::Config::default()),
            transport: Transport::Plaintext,
            limits: Arc::new(ConnectionLimits::with_kept_places()),
            turned_away: AtomicU64::default(),
            long_frames: Arc::default(),
            ahead: Places::default(),
            long_work: LongWork::default(),
            compressing: Compressing::default(),
            history_loaded: CancellationToken::new(),
            drain: Drain::default(),
            closing: CancellationToken::new(),
        }
    }
}
