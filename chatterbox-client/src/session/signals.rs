//! The signals that end a session: SIGINT, SIGTERM and SIGHUP. On a terminal also those that suspend it and let it go
//! on: SIGTSTP (Ctrl-Z) and SIGCONT.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};

/// The signals that end a session.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// SIGTSTP and SIGCONT.
    job: Option<(Signal, Signal)>,
}

/// What a signal asks for.
#[derive(Debug)]
pub(super) enum SignalEvent {
    /// The session ends with this code.
    End(Exit),
    /// The program is to be stopped.
    Suspend,
    /// It goes on.
    Resume,
}

impl Signals {
    /// Takes the signals over from now on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Software, format!("signals can't be handled: {error}"))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            job: None,
        })
    }

    /// Takes over the signals that suspend the program, too, for a screen that has settings to restore.
    pub(crate) fn suspend_by_session(&mut self) {
        let listen = |signal: rustix::process::Signal| signal_of(signal).ok();
        self.job = listen(rustix::process::Signal::TSTP).zip(listen(rustix::process::Signal::CONT));
    }

    /// The next event. Cancelling it loses nothing.
    pub(super) async fn event(&mut self) -> SignalEvent {
        let Self { interrupt, terminate, hangup, job } = self;
        tokio::select! {
            exit = end(interrupt, terminate, hangup) => SignalEvent::End(exit),
            event = suspension(job.as_mut()) => event,
        }
    }

    /// The exit code of the next signal. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Exit {
        end(&mut self.interrupt, &mut self.terminate, &mut self.hangup).await
    }
}

async fn end(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) -> Exit {
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
        _ = hangup.recv() => Exit::Terminated,
    }
}

async fn suspension(job: Option<&mut (Signal, Signal)>) -> SignalEvent {
    let Some((suspend, resume)) = job else { return pending().await };
    tokio::select! {
        _ = suspend.recv() => SignalEvent::Suspend,
        _ = resume.recv() => SignalEvent::Resume,
    }
}

fn signal_of(number: rustix::process::Signal) -> io::Result<Signal> {
    signal(SignalKind::from_raw(number.as_raw()))
}
