//! One session from its first line to its last: moves things between the app, the connection and the console, and
//! decides when it is over.
//!
//! Everything waits in one place, nothing is unbounded: frames are read only when everything before is shown, lines
//! only when what was said before has left. So a flood, a slow terminal or a server that stops reading holds up itself.
#![allow(clippy::disallowed_methods, reason = "this module owns the clock of the session")]

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatterbox_proto::ScreenText;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};

use super::console::{Chunk, Console, Input, Prompt};
use super::signals::Signals;
use crate::app::line::Line;
use crate::app::{App, Effect, Wants};
use crate::exit::{Exit, Failure};
use crate::net::connection::{Connection, ReadError, Reader, Writer};

/// After the input has ended: how long what is already on its way is waited for.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// After the input has ended: how long the server may take to answer a name or to take a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server that can't be written to may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long closing may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// More than this is not taken from the user before the server has taken some.
const UNSENT: usize = 256 * 1024;

/// A session under way.
pub(super) struct Talk {
    app: App,
    reader: Reader,
    writer: Writer,
    console: Console,
    signals: Signals,
    to_show: VecDeque<Line>,
    /// Whether a line was asked for and has not come yet.
    asked: bool,
    input_over: bool,
    write_error: Option<io::Error>,
    stage: (Stage, Instant),
    end: Option<End>,
}

/// Why it is over.
#[derive(Debug)]
enum End {
    /// The user wants to leave, or all is said.
    Left(Exit),
    /// The output is gone.
    OutputGone(io::Result<()>),
    /// The server is gone, or something is wrong.
    Failed(Failure),
}

/// What is being waited for, where that has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Whatever happens.
    Chat,
    /// The last words of a server that takes nothing any more.
    LastWords,
    /// The answer to a name, with no more lines to come.
    Answer,
    /// The server taking the last messages, this many bytes of them.
    Sending(usize),
    /// What is already on its way.
    Drain,
}

impl Talk {
    pub(super) fn new(
        app: App,
        connection: Connection,
        console: Console,
        signals: Signals,
    ) -> Self {
        let Connection { reader, writer } = connection;
        Self {
            app,
            reader,
            writer,
            console,
            signals,
            to_show: VecDeque::new(),
            asked: false,
            input_over: false,
            write_error: None,
            stage: (Stage::Chat, Instant::now()),
            end: None,
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> Result<Exit, Failure> {
        let effects = self.app.start();
        self.perform(effects);
        let end = loop {
            if let Some(end) = self.end.take() {
                break end;
            }
            self.ask_for_line();
            let deadline = self.deadline();
            self.step(deadline).await;
        };
        self.finish(end).await
    }

    /// Waits for one thing to happen.
    async fn step(&mut self, deadline: Option<Instant>) {
        let timer = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            exit = self.signals.next() => self.end = Some(End::Left(exit)),
            shown = &mut self.console.output_ended => {
                self.end = Some(End::OutputGone(shown.unwrap_or(Ok(()))));
            }
            input = self.console.input.recv(), if self.asked => self.typed(input.unwrap_or(Input::End)),
            sent = self.writer.progress(), if self.write_error.is_none() && !self.writer.is_idle() => {
                self.write_error = sent.err();
            }
            _ = room(&self.console.output), if !self.to_show.is_empty() => {
                if let Some(chunk) = Console::chunk(&mut self.to_show, self.console.colours) {
                    // There is room, since nobody else sends; or the output has ended, which is told above.
                    let _ = self.console.output.try_send(chunk);
                }
            }
            frame = self.reader.next(), if self.to_show.is_empty() => match frame {
                Ok(Some(body)) => {
                    let effects = self.app.received(&body, now());
                    self.perform(effects);
                }
                Ok(None) => self.closed(None),
                Err(error) => self.closed(Some(error)),
            },
            () = timer => self.timed_out(),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Show(line) => self.to_show.push_back(line),
                Effect::Send(frame) => self.writer.push(&frame),
                Effect::Leave => self.end = Some(End::Left(Exit::Ok)),
                Effect::GiveUp => self.fail(
                    Failure::new(Exit::NoName, "the server did not accept the name")
                        .hint("give another one with --username"),
                ),
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.end = Some(End::Failed(failure));
    }

    fn ask_for_line(&mut self) {
        if self.asked || self.input_over || self.writer.waiting() > UNSENT {
            return;
        }
        let prompt = match self.app.wants() {
            Wants::Answer => return,
            Wants::Name => Prompt::Name,
            Wants::Talk => Prompt::Talk(ScreenText::new(self.app.me().unwrap_or_default())),
        };
        // The thread has answered everything it was asked, so there is room; or it has ended, which its last answer told.
        self.asked = self.console.prompts.try_send(prompt).is_ok();
    }

    fn typed(&mut self, input: Input) {
        self.asked = false;
        match input {
            Input::Line(line) => {
                let effects = self.app.typed(&line, now());
                self.perform(effects);
            }
            Input::TooLong => {
                let note = Line::note("Nothing was sent: the line is too long.");
                self.to_show.push_back(note);
            }
            Input::End if self.console.interactive => self.end = Some(End::Left(Exit::Ok)),
            Input::End => self.input_over = true,
            Input::Interrupted => self.end = Some(End::Left(Exit::Interrupted)),
            Input::Failed(error) => self
                .fail(Failure::new(Exit::InputOutput, format!("the input can't be read: {error}"))),
        }
    }

    /// When waiting is over, if ever. Each stage has its time anew.
    fn deadline(&mut self) -> Option<Instant> {
        let stage = match self.app.wants() {
            _ if self.write_error.is_some() => Stage::LastWords,
            _ if !self.input_over => Stage::Chat,
            Wants::Answer => Stage::Answer,
            Wants::Talk if self.writer.is_idle() => Stage::Drain,
            Wants::Talk => Stage::Sending(self.writer.waiting()),
            Wants::Name => {
                // Nothing is left that could be a name.
                return Some(Instant::now());
            }
        };
        if stage != self.stage.0 {
            self.stage = (stage, Instant::now());
        }
        let since = self.stage.1;
        match stage {
            Stage::Chat => None,
            Stage::LastWords => Some(since + LAST_WORDS),
            Stage::Answer | Stage::Sending(_) => Some(since + PATIENCE),
            Stage::Drain if self.app.is_settled() && self.to_show.is_empty() => Some(since),
            Stage::Drain => Some(since + DRAIN_TIME),
        }
    }

    fn timed_out(&mut self) {
        if self.input_over && self.app.wants() == Wants::Name {
            return self.fail(no_name_left(self.app.was_refused()));
        }
        match self.stage.0 {
            Stage::Chat => {}
            Stage::LastWords => self.closed(None),
            Stage::Drain => self.end = Some(End::Left(Exit::Ok)),
            Stage::Answer => self.fail(Failure::new(
                Exit::Unavailable,
                "the server did not answer whether it accepts the name",
            )),
            Stage::Sending(_) => self.fail(Failure::new(
                Exit::Unavailable,
                "the server does not take any more messages; the last ones may not have arrived",
            )),
        }
    }

    /// The server is gone.
    fn closed(&mut self, error: Option<ReadError>) {
        let lost = |what: String| Failure::new(Exit::Unavailable, what);
        let failure = match (error, self.write_error.take()) {
            (Some(error @ ReadError::SpeaksTls), _) => {
                Failure::new(Exit::Protocol, error.to_string()).hint("leave --plaintext away")
            }
            (Some(error @ ReadError::TooLong(_)), _) => {
                Failure::new(Exit::Protocol, error.to_string())
                    .hint("perhaps this is no server of this protocol at all")
            }
            (_, Some(error)) => lost(format!("the connection was lost: {error}")),
            (Some(error), None) => lost(error.to_string()),
            // All was said, and whether the server or this client goes first makes no difference.
            (None, None) if self.stage.0 == Stage::Drain => {
                self.end = Some(End::Left(Exit::Ok));
                return;
            }
            (None, None) if self.app.me().is_none() && self.app.was_refused() => Failure::new(
                Exit::NoName,
                "the server closed the connection without a name accepted",
            )
            .hint("start again with another name"),
            (None, None) => lost("the server closed the connection".to_owned()),
        };
        self.fail(failure);
    }

    /// Says good bye to the server, shows what is left to show, and puts the terminal in order.
    async fn finish(mut self, end: End) -> Result<Exit, Failure> {
        if matches!(end, End::Left(_) | End::OutputGone(_)) && self.write_error.is_none() {
            // Closing with unread bytes would reset the connection, and the reset could overtake the last message.
            let _ = timeout(CLOSE_TIME, self.writer.close()).await;
            let _ = timeout(CLOSE_TIME, self.reader.discard()).await;
        }
        (std::mem::replace(&mut self.console.before_last, Box::new(|_| {})))(self.asked);
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
        while let Some(chunk) = Console::chunk(&mut self.to_show, self.console.colours) {
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

fn no_name_left(refused: bool) -> Failure {
    if refused {
        Failure::new(Exit::NoName, "the input ended before a name was accepted").hint(
            "the first line is the name, and each line after a refusal is the next one to try",
        )
    } else {
        Failure::new(Exit::NoName, "the input ended before a name was given")
            .hint("the first line is the name; or give it with --username")
    }
}

/// Waits until something can be shown.
async fn room(output: &Sender<Chunk>) {
    // The permit is not kept: it would borrow the session.
    let _ = output.reserve().await;
}

/// Seconds since 1970; before that, 0.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
