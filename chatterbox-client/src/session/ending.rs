//! How a session ends: what the user is told, what is still shown, and the terminal in order.

use std::io;
use std::time::Duration;

use chatterbox_app::{GiveUpReason, Output};
use tokio::sync::mpsc::channel;
use tokio::time::timeout;

use super::driver::Session;
use super::timeouts::Stage;
use crate::exit::{Exit, Failure};
use crate::net::connection::ReadError;

/// How long closing may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Why it is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The user wants to leave, or all is said.
    Left(Exit),
    /// The output is gone.
    OutputGone(io::Result<()>),
    /// The server is gone, or something is wrong.
    Failed(Failure),
}

impl Session {
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.end = Some(End::Failed(failure));
    }

    pub(crate) fn leave(&mut self) {
        self.end = Some(End::Left(Exit::Ok));
    }

    pub(crate) fn give_up(&mut self, reason: GiveUpReason) {
        let no_name = |what| Failure::new(Exit::NoName, what);
        self.fail(match reason {
            GiveUpReason::NoName => no_name("the server did not accept the name")
                .hint("give another one with --username"),
            GiveUpReason::PasswordNeeded => {
                no_name("the name is registered, and needs its password")
                    .hint("give it with --password-file FILE or --password-stdin")
            }
            GiveUpReason::WrongPassword => no_name("the server did not accept the password")
                .hint("a name that nobody has registered is refused so, too"),
            GiveUpReason::NotAsked => Failure::new(
                Exit::NotAsked,
                "a command failed without asking what the next line was to answer",
            )
            .detail("nothing more was sent, since that line may be a secret"),
        });
    }

    /// The server is gone.
    pub(crate) fn closed(&mut self, error: Option<ReadError>) {
        let lost = |what: String| Failure::new(Exit::Unavailable, what);
        let failure = match (error, self.write_error.take()) {
            (Some(error @ ReadError::SpeaksTls), _) => {
                return self.fail(
                    Failure::new(Exit::Protocol, error.to_string()).hint("leave --plaintext away"),
                );
            }
            (Some(error @ ReadError::TooLong(_)), _) => {
                return self.fail(
                    Failure::new(Exit::Protocol, error.to_string())
                        .hint("perhaps this is no server of this protocol at all"),
                );
            }
            (_, Some(error)) => lost(format!("the connection was lost: {error}")),
            (Some(error), None) => lost(error.to_string()),
            // All was said, and whether the server or this client goes first makes no difference.
            (None, None) if self.stage.0 == Stage::Drain => return self.leave(),
            (None, None) if self.app.me().is_none() && self.app.was_refused() => {
                return self.fail(
                    Failure::new(
                        Exit::NoName,
                        "the server closed the connection without a name accepted",
                    )
                    .hint("start again with another name"),
                );
            }
            (None, None) => lost("the server closed the connection".to_owned()),
        };
        self.lose(failure);
    }

    /// The connection is gone for good.
    pub(crate) fn connection_gone(&mut self) {
        if self.app.has_logged_out() {
            return self.leave();
        }
        let failure = self
            .trouble
            .take()
            .unwrap_or_else(|| Failure::new(Exit::Unavailable, "the connection was lost"));
        let mut failure = match self.app.reconnect_for().filter(|_| self.app.is_down()) {
            Some(patience) => Failure::new(
                Exit::Unavailable,
                format!("there was no way back to the server for {} s", patience.as_secs()),
            )
            .detail(format!("the last time: {}", failure.message())),
            None => failure,
        };
        match self.app.unanswered() {
            0 => {}
            1 => failure = failure.detail("1 message may not have arrived"),
            more => failure = failure.detail(format!("{more} messages may not have arrived")),
        }
        self.fail(failure);
    }

    /// Says good bye to the server, shows what is left to show, and puts the terminal in order.
    pub(crate) async fn finish(mut self, end: End) -> Result<Exit, Failure> {
        let leaves = matches!(end, End::Left(_) | End::OutputGone(_));
        if leaves
            && self.write_error.is_none()
            && let Some(connection) = &mut self.connection
        {
            // Closing with unread bytes would reset the connection, and the reset could overtake the last message.
            let _ = timeout(CLOSE_TIME, connection.writer.close()).await;
            let _ = timeout(CLOSE_TIME, connection.reader.discard()).await;
        }
        if leaves && self.is_down() && self.app.unanswered() > 0 {
            let what = format!("Not sent: {}.", self.app.unanswered());
            self.to_show.push_back(Output::note(what));
        }
        (std::mem::replace(&mut self.console.before_last, Box::new(|_| {})))(self.asked.is_some());
        let outcome = match end {
            End::OutputGone(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(
                Failure::new(Exit::InputOutput, format!("the output can't be written: {error}")),
            ),
            End::OutputGone(_) => Ok(Exit::Ok),
            End::Left(exit @ (Exit::Interrupted | Exit::Terminated)) => Ok(exit),
            End::Left(exit) => self.show_rest().await.map(|()| exit),
            End::Failed(failure) => {
                // The failure is what matters, wherever the output went.
                let _ = self.show_rest().await;
                Err(failure)
            }
        };
        (self.console.restore)();
        outcome
    }

    /// Shows everything that waits. A reader of the output that takes its time gets it; the user can still interrupt.
    async fn show_rest(&mut self) -> Result<(), Failure> {
        while let Some(chunk) = self.console.chunk(&mut self.to_show) {
            tokio::select! {
                sent = self.console.output.send(chunk) => if sent.is_err() { break },
                _ = self.signals.next() => return Ok(()),
            }
        }
        // Without a sender the thread ends when it has shown everything.
        let (nowhere, _) = channel(1);
        self.console.output = nowhere;
        tokio::select! {
            shown = &mut self.console.output_ended => match shown {
                Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
                    Exit::InputOutput,
                    format!("the output can't be written: {error}"),
                )),
                _ => Ok(()),
            },
            _ = self.signals.next() => Ok(()),
        }
    }
}
