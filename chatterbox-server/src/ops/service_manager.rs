//! The service manager that has started the server, such as systemd: it is told what the server is doing (sd_notify(3)). Without one,
//! nothing is done.
//!
//! What it is told is a datagram to a socket of this machine. It is written at once, also by a task: it takes microseconds, and waits
//! only for a manager that does not read any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Locked while it is told something: several tasks do that, and what comes behind the word of a stop would take it back.
    state: Mutex<State>,
    /// It ends a server that has not said for so long that it is alive.
    watchdog: Option<Duration>,
}

/// What the manager knows of the server. A reload is told while it runs alone: its end has the same word as that of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Running,
    Stopping,
}

impl State {
    /// Goes on to this state, unless the server stops, which is the last thing that is told; says whether it may be told.
    fn goes_on(&mut self, is_ready: bool) -> bool {
        if *self != Self::Stopping && is_ready {
            *self = Self::Running;
        }
        *self != Self::Stopping
    }
}

impl Manager {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServiceManager {
    /// The one that the environment names.
    pub fn of_environment() -> Self {
        let is_there = std::env::var_os(SOCKET).is_some_and(|socket| !socket.is_empty());
        let manager = || {
            let watchdog = sd_notify::watchdog_enabled().filter(|time| !time.is_zero());
            Arc::new(Manager { state: Mutex::new(State::Starting), watchdog })
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
        let mut state = manager.state();
        if !state.goes_on(readiness.is_ready()) {
            return;
        }
        if readiness.is_ready() {
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
        let Some(manager) = &self.0 else { return Reloading(None) };
        let state = manager.state();
        if *state != State::Running {
            return Reloading(None);
        }
        match NotifyState::monotonic_usec_now() {
            // Managers of today want the time beside it.
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
        Reloading(Some(Arc::clone(manager)))
    }

    /// Tells that the server stops, and that connections end within this time at the latest.
    pub(crate) fn stopping(&self, grace: Duration) {
        let Some(manager) = &self.0 else { return };
        let status = format!("stops: connections end within {} s", grace.as_secs());
        let most = grace.saturating_add(BEYOND_GRACE).as_micros();
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let extended = NotifyState::ExtendTimeoutUsec(most);
        let mut state = manager.state();
        *state = State::Stopping;
        tell(&[NotifyState::Stopping, NotifyState::Status(&status), extended]);
    }
}

/// A reload of which the manager knows. Dropping this tells it that it is over.
#[derive(Debug)]
#[must_use = "dropping it ends the reload"]
pub struct Reloading(Option<Arc<Manager>>);

impl Drop for Reloading {
    fn drop(&mut self) {
        let Some(manager) = &self.0 else { return };
        let state = manager.state();
        if *state == State::Running {
            tell(&[NotifyState::Ready]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager can't be told what the server is doing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_the_last_thing_that_is_told() {
        let mut state = State::Starting;
        assert!(state.goes_on(false) && state == State::Starting);
        assert!(state.goes_on(true) && state == State::Running);
        assert!(
            state.goes_on(false) && state == State::Running,
            "an engine that is gone is no start"
        );
        state = State::Stopping;
        assert!(!state.goes_on(true) && !state.goes_on(false) && state == State::Stopping);
    }
}
