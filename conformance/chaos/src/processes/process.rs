//! One process: started, signalled, ended.
#![allow(clippy::disallowed_methods, reason = "the output of a process goes to a file")]

use std::{
    fs::OpenOptions,
    io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use conformance_kit::subject::environment::as_no_service;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use thiserror::Error;
use tokio::{
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

use super::wall_clock::WallClock;
use crate::evidence::Ending;

/// Why a process is not as it was to be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It can't be started.
    #[error("{0} can't be started: {1}")]
    Start(String, io::Error),
    /// It can't be signalled.
    #[error("{0} can't be signalled: {1}")]
    Signal(String, io::Error),
    /// It does not end.
    #[error("{0} has not ended after {1} s, and was killed")]
    Stays(String, u64),
    /// It is not ready.
    #[error("{0} was not ready after {1} s")]
    NotReady(String, u64),
    /// It has ended by itself.
    #[error("{0} has ended by itself: {1}")]
    Ended(String, String),
    /// It was told to end, and has failed at that.
    #[error("{0} was told to end, and ended with {1}")]
    Badly(String, Ending),
    /// The engine does not say who leads.
    #[error("the engine names no leader of the stream {0}")]
    NoLeader(String),
    /// The network can't be made, or cut.
    #[error("the network: {0}")]
    Network(String),
    /// A disk can't be filled, or emptied.
    #[error("the data in {0}: {1}")]
    Disk(String, io::Error),
    /// A clock can't be set.
    #[error("the clock of {0} can't be set: {1}")]
    Clock(String, io::Error),
    /// A fault that this cluster can't have.
    #[error("this cluster has nothing to do that to")]
    Nothing,
}

/// A process that can be started again.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    line: String,
    log: Option<PathBuf>,
    child: Option<Child>,
    /// Its number, while it runs.
    number: watch::Sender<Option<u32>>,
    /// Its clock, where that can be set.
    pub(super) clock: Option<WallClock>,
}

impl Process {
    pub(super) fn new(name: &str, line: &str, logs: Option<&Path>) -> Self {
        let log = logs.map(|logs| logs.join(format!("{name}.log")));
        let number = watch::Sender::new(None);
        Self { name: name.to_owned(), line: line.to_owned(), log, child: None, number, clock: None }
    }

    /// The same process with a clock that can be set.
    pub(super) fn with_clock(mut self, clock: Option<WallClock>) -> Self {
        self.clock = clock;
        self
    }

    /// Its number, as it changes.
    pub(super) fn number(&self) -> watch::Receiver<Option<u32>> {
        self.number.subscribe()
    }

    /// Starts it; its shell gives way to it, so that signals reach it and nobody else. Variables may stand before the command.
    pub(super) fn start(&mut self) -> Result<(), ProcessError> {
        let failed = |error| ProcessError::Start(self.name.clone(), error);
        let mut command = Command::new("sh");
        as_no_service(&mut command).args(["-c", &format!("exec env {}", self.line)]);
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        match &self.log {
            None => command.stdout(Stdio::null()).stderr(Stdio::null()),
            Some(file) => {
                let log =
                    OpenOptions::new().create(true).append(true).open(file).map_err(failed)?;
                command.stdout(log.try_clone().map_err(failed)?).stderr(log)
            }
        };
        let child = command.spawn().map_err(failed)?;
        self.number.send_replace(child.id());
        self.child = Some(child);
        Ok(())
    }

    fn pid(&self) -> Option<Pid> {
        let id = i32::try_from(self.child.as_ref()?.id()?).ok()?;
        Pid::from_raw(id)
    }

    /// How it has ended by itself, if it has.
    pub(super) fn ending(&mut self) -> Option<ProcessError> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        self.is_gone();
        Some(ProcessError::Ended(self.name.clone(), status.to_string()))
    }

    /// Nothing of it is left.
    fn is_gone(&self) {
        let number = self.number.send_replace(None);
        if let (Some(clock), Some(number)) = (&self.clock, number) {
            clock.forget(number);
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        let failed = |error: io::Error| ProcessError::Signal(self.name.clone(), error);
        let pid = self.pid().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        kill_process(pid, signal).map_err(|error| failed(error.into()))
    }

    /// Waits until it has ended, and says how, where that is known; it is killed where it takes too long.
    pub(super) async fn gone(
        &mut self,
        patience: Duration,
    ) -> Result<Option<Ending>, ProcessError> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let status = timeout(patience, child.wait()).await;
        if status.is_err() {
            let _ = child.kill().await;
        }
        self.child = None;
        self.is_gone();
        match status {
            Ok(status) => Ok(status.ok().and_then(ending)),
            Err(_) => Err(ProcessError::Stays(self.name.clone(), patience.as_secs())),
        }
    }

    /// The same for one that was told to end: where it takes too long, the signal that has killed it is how it ended.
    pub(super) async fn ended(
        &mut self,
        patience: Duration,
    ) -> Result<Option<Ending>, ProcessError> {
        match self.gone(patience).await {
            Err(ProcessError::Stays(..)) => Ok(Some(Ending::Signal(Signal::KILL.as_raw()))),
            gone => gone,
        }
    }

    /// Kills it at once.
    pub(super) async fn kill(&mut self) -> Result<(), ProcessError> {
        self.signal(Signal::KILL)?;
        self.gone(Duration::from_secs(10)).await.map(drop)
    }
}

fn ending(status: ExitStatus) -> Option<Ending> {
    status.code().map(Ending::Code).or_else(|| status.signal().map(Ending::Signal))
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it has started ends with it.
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, Signal::KILL);
            self.is_gone();
        }
    }
}
