//! The service manager that has started the server, such as systemd: it is told what the server is doing (sd_notify(3)). Without one,
//! nothing is done.
//!
//! What it is told is a datagram to a socket of this machine. It is written at once, also by a task: it takes microseconds, and waits
//! only for a manager that does not read any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::ops::readiness::Readiness;

/// The variable that names the manager's socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// A stop may take so much longer than its grace: last writes, and a slow disk.
const BEYOND_GRACE: Duration = Duration::from_secs(30);

/// The service manager, if there is one.
#[derive(Debug, Clone, Default)]
pub struct ServiceManager(Option<Arc<Manager>>);

#[derive(Debug)]
struct Manager {
    /// Whether it knows that the server has started, and not that it stops. A reload is told in between alone: its end has the same
    /// word as that of a start.
    is_running: AtomicBool,
    /// It ends a server that has not said for so long that it is alive.
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that the environment names.
    pub fn of_environment() -> Self {
        let is_there = std::env::var_os(SOCKET).is_some_and(|socket| !socket.is_empty());
        let manager = || {
            let watchdog = sd_notify::watchdog_enabled().filter(|time| !time.is_zero());
            Arc::new(Manager { is_running: AtomicBool::new(false), watchdog })
        };
        Self(is_there.then(manager))
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The time after which it ends a server that says nothing.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.0.as_ref()?.watchdog
    }

    /// Tells whether users are taken; the first time that they are, the server has started. Of a stop more is told by
    /// [`Self::stopping`].
    pub(super) fn is_at(&self, readiness: Readiness) {
        let Some(manager) = &self.0 else { return };
        let status = NotifyState::Status(match readiness {
            Readiness::Starting => "loads what earlier runs have left",
            Readiness::Ready => "takes users",
            Readiness::NoEngine => "takes no users: nothing comes round in the order",
            Readiness::Draining => return,
        });
        if readiness.is_ready() {
            manager.is_running.store(true, Ordering::Relaxed);
            tell(&[NotifyState::Ready, status]);
        } else {
            tell(&[status]);
        }
    }

    /// Tells that the server is alive.
    pub(super) fn is_alive(&self) {
        if self.0.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// Tells that the settings are read again, from here until what is returned is dropped.
    pub fn reloading(&self) -> Reloading {
        let manager = self.0.as_ref().filter(|one| one.is_running.load(Ordering::Relaxed)).cloned();
        if manager.is_some() {
            match NotifyState::monotonic_usec_now() {
                // Managers of today want the time beside it.
                Ok(now) => tell(&[NotifyState::Reloading, now]),
                Err(_) => tell(&[NotifyState::Reloading]),
            }
        }
        Reloading(manager)
    }

    /// Tells that the server stops, and that connections end within this time at the latest.
    pub(crate) fn stopping(&self, grace: Duration) {
        let Some(manager) = &self.0 else { return };
        manager.is_running.store(false, Ordering::Relaxed);
        let status = format!("stops: connections end within {} s", grace.as_secs());
        let most = grace.saturating_add(BEYOND_GRACE).as_micros();
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let extended = NotifyState::ExtendTimeoutUsec(most);
        tell(&[NotifyState::Stopping, NotifyState::Status(&status), extended]);
    }
}

/// A reload of which the manager knows. Dropping this tells it that it is over.
#[derive(Debug)]
#[must_use = "dropping it ends the reload"]
pub struct Reloading(Option<Arc<Manager>>);

impl Drop for Reloading {
    fn drop(&mut self) {
        if self.0.as_ref().is_some_and(|manager| manager.is_running.load(Ordering::Relaxed)) {
            tell(&[NotifyState::Ready]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager can't be told what the server is doing");
    }
}
