//! A server to talk to: found, or started for the run and ended with it.

use std::{io, time::Duration};

use thiserror::Error;

use super::{place::Place, printed::Mark, spawn::Spawned};
use crate::{authority::Authority, clock::Clock, net::target::Target};

/// Why there is no server.
#[derive(Debug, Error)]
pub enum OpenError {
    /// No folder for its files.
    #[error("no folder: {0}")]
    Folder(io::Error),
    /// The command can't be started.
    #[error("can't start the server: {0}")]
    Start(io::Error),
}

/// Why waiting for an answer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// The process that was started has ended.
    Ended,
    /// Time is up.
    Late,
}

/// Waits for a server that may not listen yet.
pub struct Waiting {
    clock: Clock,
    patience: Duration,
}

impl Waiting {
    /// Waits so long at most, from now on.
    #[must_use]
    pub fn for_at_most(patience: Duration) -> Self {
        Self { clock: Clock::start(), patience }
    }

    /// Waits a moment before the next attempt. A server whose port was taken in the meantime is started
    /// again: its target may be another afterwards.
    ///
    /// # Errors
    /// When another attempt has no prospects.
    pub async fn again(&self, server: &mut Server) -> Result<(), NoAnswer> {
        if !server.is_running() {
            return if server.try_another_port().await { Ok(()) } else { Err(NoAnswer::Ended) };
        }
        if self.clock.elapsed() > self.patience {
            return Err(NoAnswer::Late);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// A server that runs, or that the suite started.
pub struct Server {
    /// Its address.
    pub target: Target,
    spawned: Option<Spawned>,
    /// How often it was started again because its port was taken.
    moved: u8,
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    /// Finds a server, or starts it. With an authority, `{cert}`, `{key}` and `{dir}` are filled into
    /// the command.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn open(place: &Place, authority: Option<&Authority>) -> Result<Self, OpenError> {
        let command = match place {
            Place::Running(target) => {
                return Ok(Self { target: target.clone(), spawned: None, moved: 0, _folder: None });
            }
            Place::Command(command) => command,
        };
        let (command, folder) = match authority {
            Some(authority) => {
                let folder = tempfile::tempdir().map_err(OpenError::Folder)?;
                let files = [
                    ("{cert}", authority.cert_file()),
                    ("{key}", authority.key_file()),
                    ("{dir}", folder.path().to_owned()),
                ];
                let fill = |command: String, (name, file): &(&str, std::path::PathBuf)| {
                    command.replace(name, &file.display().to_string())
                };
                (files.iter().fold(command.clone(), fill), Some(folder))
            }
            None => (command.clone(), None),
        };
        let mut spawned = Spawned::new(&command);
        let target = spawned.start().await.map_err(OpenError::Start)?;
        Ok(Self { target, spawned: Some(spawned), moved: 0, _folder: folder })
    }

    /// Starts the server again, in place of the one before; `None` when it is somebody else's.
    pub async fn restart(&mut self) -> Option<io::Result<Target>> {
        self.moved = 0;
        self.start_again().await
    }

    async fn start_again(&mut self) -> Option<io::Result<Target>> {
        let started = self.spawned.as_mut()?.start().await;
        if let Ok(target) = &started {
            self.target.clone_from(target);
        }
        Some(started)
    }

    /// Whether it has ended because somebody else has its port: who answers there is another.
    pub async fn has_lost_its_port(&mut self) -> bool {
        if self.is_running() {
            return false;
        }
        self.drained().await;
        self.spawned.as_ref().is_some_and(Spawned::lost_its_port)
    }

    /// Starts it again when somebody else had taken its port; false when that is not why it ended.
    async fn try_another_port(&mut self) -> bool {
        if !self.has_lost_its_port().await || self.moved == MOST_MOVES {
            return false;
        }
        self.moved += 1;
        matches!(self.start_again().await, Some(Ok(_)))
    }

    /// Whether the suite started it.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.spawned.is_some()
    }

    /// Whether anything that was started still runs; true for those of others.
    pub fn is_running(&mut self) -> bool {
        self.spawned.as_mut().is_none_or(Spawned::is_running)
    }

    /// The process of a server that was started: the one that listens, wherever it is below the shell.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.spawned.as_ref().and_then(Spawned::id)
    }

    /// Seconds of CPU, in user mode and in the kernel, of processes that were started beside that one and
    /// its shell, those that have ended included; 0 for a server of others.
    #[must_use]
    pub fn others_cpu(&self) -> f64 {
        self.spawned.as_ref().map_or(0.0, Spawned::others_cpu)
    }

    /// How it has ended, such as `it has ended with exit code 1`; looked at by [`Server::is_running`].
    #[must_use]
    pub fn ending(&self) -> Option<String> {
        self.spawned.as_ref().and_then(Spawned::ending)
    }

    /// The ports on which it listens instead of the one that it was given, as far as the system tells.
    #[must_use]
    pub fn other_ports(&self) -> Vec<u16> {
        self.spawned.as_ref().map(Spawned::other_ports).unwrap_or_default()
    }

    /// The end of its output, escaped: of the process that runs, and before it of an earlier one that
    /// ended by itself or had more to say.
    #[must_use]
    pub fn output(&self) -> String {
        self.spawned.as_ref().map(Spawned::output).unwrap_or_default()
    }

    /// This moment in its output, for [`Server::output_since`].
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.spawned.as_ref().map(Spawned::mark).unwrap_or_default()
    }

    /// What it printed since then, whichever process it was; escaped, and only the end where it is much.
    #[must_use]
    pub fn output_since(&self, mark: Mark) -> String {
        self.spawned.as_ref().map(|spawned| spawned.output_since(mark)).unwrap_or_default()
    }

    /// Waits until all is there that a process printed which has ended: half a second at most.
    pub async fn drained(&mut self) {
        if let Some(spawned) = &mut self.spawned {
            spawned.drained().await;
        }
    }
}

/// How often a server may find its port taken.
const MOST_MOVES: u8 = 3;

const PAUSE: Duration = Duration::from_millis(20);
