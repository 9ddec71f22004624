//! One session from its first line to its last: moves things between the app, the connection and the console.
//!
//! Everything waits in one place, nothing is unbounded: frames are read only when everything before is shown, lines
//! only when what was said before has left. So a flood, a slow terminal or a server that stops reading holds up itself.
//! How long is waited is in `waiting`, how it ends in `ending`.
#![allow(clippy::disallowed_methods, reason = "this module owns the clock of the session")]

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chatterbox_app::{App, Effect, InputMode, Output};
use chatterbox_proto::ScreenText;
use ring::rand::{SystemRandom, generate};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until};

use super::credentials::TokenStore;
use super::ending::End;
use super::screen::{Ask, Chunk, Console, Input, Prompt};
use super::server::Server;
use super::signals::Signals;
use super::timeouts::{Stage, Waiting};
use crate::exit::{Exit, Failure};
use crate::net::connection::{Connection, ReadError, Reader, Writer};

/// More than this is not taken from the user before the server has taken some.
const UNSENT: usize = 256 * 1024;

type Dialling = Pin<Box<dyn Future<Output = Result<Connection, Failure>>>>;

/// A session under way.
pub(crate) struct Session {
    pub(crate) app: App,
    pub(crate) connection: Option<Connection>,
    /// The next connection, while there is none.
    dialling: Option<Dialling>,
    server: Server,
    pub(crate) console: Console,
    pub(crate) signals: Signals,
    tokens: Option<TokenStore>,
    pub(crate) to_show: VecDeque<Output>,
    /// What a line was asked for that has not come yet.
    pub(crate) asked: Option<InputMode>,
    /// What the next line of talk begins with.
    prefill: String,
    remember: Option<String>,
    pub(crate) input_over: bool,
    pub(crate) write_error: Option<io::Error>,
    pub(crate) stage: (Stage, Instant),
    pub(crate) waiting: Option<Waiting>,
    /// Since when the server is asked whether the session may go on.
    pub(crate) rejoining: Option<Instant>,
    /// When the server said something last, and whether it was asked to since.
    pub(crate) heard: Instant,
    pub(crate) pinged: bool,
    born: Instant,
    /// What happened to the connection last.
    pub(crate) trouble: Option<Failure>,
    pub(crate) end: Option<End>,
}

impl Session {
    pub(crate) fn new(
        app: App,
        connection: Connection,
        server: Server,
        console: Console,
        signals: Signals,
        tokens: Option<TokenStore>,
    ) -> Self {
        let now = Instant::now();
        Self {
            app,
            connection: Some(connection),
            dialling: None,
            server,
            console,
            signals,
            tokens,
            to_show: VecDeque::new(),
            asked: None,
            prefill: String::new(),
            remember: None,
            input_over: false,
            write_error: None,
            stage: (Stage::Chat, now),
            waiting: None,
            rejoining: None,
            heard: now,
            pinged: false,
            born: now,
            trouble: None,
            end: None,
        }
    }

    /// Runs it to its end.
    pub(crate) async fn run(mut self) -> Result<Exit, Failure> {
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
                None => pending().await,
            }
        };
        let (reader, writer) = match &mut self.connection {
            Some(Connection { reader, writer }) => (Some(reader), Some(writer)),
            None => (None, None),
        };
        let writer = writer.filter(|writer| self.write_error.is_none() && !writer.is_idle());
        tokio::select! {
            exit = self.signals.next() => self.end = Some(End::Left(exit)),
            shown = &mut self.console.output_ended => {
                self.end = Some(End::OutputGone(shown.unwrap_or(Ok(()))));
            }
            input = self.console.input.recv(), if self.asked.is_some() => {
                self.typed(input.unwrap_or(Input::End));
            }
            sent = progress(writer) => self.write_error = sent.err(),
            _ = room(&self.console.output), if !self.to_show.is_empty() => {
                if let Some(chunk) = self.console.chunk(&mut self.to_show) {
                    // There is room, since nobody else sends; or the output has ended, which is told above.
                    let _ = self.console.output.try_send(chunk);
                }
            }
            frame = next_frame(reader), if self.to_show.is_empty() => match frame {
                Ok(Some(body)) => self.received(&body),
                Ok(None) => self.closed(None),
                Err(error) => self.closed(Some(error)),
            },
            dialled = dialled(self.dialling.as_mut()) => self.dialled(dialled),
            () = timer => self.timed_out(),
        }
    }

    fn received(&mut self, body: &[u8]) {
        self.heard = Instant::now();
        self.pinged = false;
        let effects = self.app.received(body, now());
        self.perform(effects);
        if !self.app.is_down() {
            self.rejoining = None;
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                // Whoever is not in the middle of a line gets the question in front of the next one.
                Effect::Show(Output::Prompt { .. })
                    if self.console.interactive && self.asked.is_none() => {}
                Effect::Show(line) => self.to_show.push_back(line),
                Effect::Send(frame) => self.push(&frame),
                Effect::Remember(line) => self.remember = Some(line),
                Effect::Prefill(line) => self.prefill = line,
                Effect::StoreToken { name, token } => {
                    let kept =
                        self.tokens.as_ref().map(|tokens| tokens.store(&name, token.as_ref()));
                    if let Some(Err(error)) = kept {
                        let what = format!("The login could not be kept: {error}.");
                        self.to_show.push_back(Output::note(what));
                    }
                }
                Effect::Redial(wait) => {
                    let server = self.server.clone();
                    self.dialling = Some(Box::pin(async move {
                        sleep(wait).await;
                        server.connect().await
                    }));
                }
                Effect::Disconnect(why) => self.lose(Failure::new(Exit::Unavailable, why)),
                Effect::ConnectionLost => self.connection_gone(),
                Effect::Leave => self.leave(),
                Effect::GiveUp(reason) => self.give_up(reason),
            }
        }
    }

    /// Puts a frame behind what waits, if there is a connection.
    pub(crate) fn push(&mut self, frame: &Bytes) {
        if let Some(connection) = &mut self.connection {
            connection.writer.push(frame);
        }
    }

    pub(crate) fn unsent(&self) -> usize {
        self.connection.as_ref().map_or(0, |connection| connection.writer.waiting())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.writer.is_idle())
    }

    /// Whether the session is without a connection.
    pub(crate) fn is_down(&self) -> bool {
        self.app.is_down()
    }

    /// The connection is gone, or the next one failed; the app says whether it is tried again.
    pub(crate) fn lose(&mut self, failure: Failure) {
        self.connection = None;
        self.dialling = None;
        self.write_error = None;
        self.rejoining = None;
        let effects = self.app.connection_lost(failure.message(), self.born.elapsed(), random());
        self.trouble = Some(failure);
        self.perform(effects);
    }

    fn dialled(&mut self, dialled: Result<Connection, Failure>) {
        self.dialling = None;
        match dialled {
            Ok(connection) => {
                self.connection = Some(connection);
                self.heard = Instant::now();
                self.rejoining = Some(self.heard);
                let effects = self.app.reconnected();
                self.perform(effects);
            }
            // Another certificate than before is nothing that time heals.
            Err(failure) if matches!(failure.exit, Exit::Untrusted | Exit::NoInput) => {
                self.fail(failure);
            }
            Err(failure) => self.lose(failure),
        }
    }

    fn ask_for_line(&mut self) {
        if self.input_over
            && let wanted @ InputMode::Reply(_) = self.app.input_mode()
        {
            let effects = self.app.cancelled(wanted);
            self.perform(effects);
        }
        if self.asked.is_some() || self.input_over || self.unsent() > UNSENT {
            return;
        }
        let wants = self.app.input_mode();
        let ask = match wants {
            InputMode::LoginPending
            | InputMode::CataloguePending
            | InputMode::ResultPending
            | InputMode::WindowFull => return,
            InputMode::Name => Ask::Name,
            InputMode::Password | InputMode::Reply(_) => match self.app.question() {
                Some(question) => Ask::Reply(question),
                None => return,
            },
            InputMode::Chat => Ask::Chat(ScreenText::new(self.app.me().unwrap_or_default())),
        };
        let prefill = if wants == InputMode::Chat {
            std::mem::take(&mut self.prefill)
        } else {
            String::new()
        };
        let remember = self.remember.take();
        let prompt = Prompt { ask, prefill, remember, secrets: self.app.secret_arguments() };
        // The thread has answered everything it was asked, so there is room; or it has ended, which its last answer told.
        self.asked = self.console.prompts.try_send(prompt).is_ok().then_some(wants);
    }

    fn typed(&mut self, input: Input) {
        let Some(wanted) = self.asked.take() else { return };
        match input {
            Input::Line(line) => {
                let effects = self.app.typed(&line, wanted, now());
                self.perform(effects);
            }
            Input::Cancelled => {
                let effects = self.app.cancelled(wanted);
                self.perform(effects);
            }
            Input::TooLong => {
                let note = Output::note("Nothing was sent: the line is too long.");
                self.to_show.push_back(note);
            }
            Input::End if self.console.interactive => self.leave(),
            Input::End => self.input_over = true,
            Input::Interrupted => self.end = Some(End::Left(Exit::Interrupted)),
            Input::Failed(error) => self
                .fail(Failure::new(Exit::InputOutput, format!("the input can't be read: {error}"))),
        }
    }
}

async fn next_frame(reader: Option<&mut Reader>) -> Result<Option<Bytes>, ReadError> {
    match reader {
        Some(reader) => reader.next().await,
        None => pending().await,
    }
}

async fn progress(writer: Option<&mut Writer>) -> io::Result<()> {
    match writer {
        Some(writer) => writer.progress().await,
        None => pending().await,
    }
}

async fn dialled(dialling: Option<&mut Dialling>) -> Result<Connection, Failure> {
    match dialling {
        Some(dialling) => dialling.await,
        None => pending().await,
    }
}

/// Waits until something can be shown.
async fn room(output: &Sender<Chunk>) {
    // The permit is not kept: it would borrow the session.
    let _ = output.reserve().await;
}

/// Any number; without a source of them, all clients wait equally long.
fn random() -> u64 {
    generate::<[u8; 8]>(&SystemRandom::new()).map_or(0, |bytes| u64::from_ne_bytes(bytes.expose()))
}

/// Seconds since 1970; before that, 0.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
