//! The driver of a session: waits for one event at a time, tells the application, and carries out its effects.
//!
//! Back-pressure holds everywhere, and nothing is unbounded: frames are read only when everything before is shown, lines
//! only when what was typed before has left. So a flood, a slow screen or a server that stops reading slows itself down.

mod deadlines;
mod filing;

use std::collections::VecDeque;
use std::future::{pending, ready};

use bytes::Bytes;
use chatterbox_app::{App, Crowd, Effect, GiveUpReason, InputMode, Intent, Output, Target};
use chatterbox_proto::ALL;
use ring::rand::{SystemRandom, generate};
use tokio::time::{Instant, sleep_until};

use super::answers::Answers;
use super::clock::Clock;
use super::credentials::TokenStore;
use super::ending::{self, Closed, End, unavailable};
use super::link::{Link, LinkEvent};
use super::prompting::Prompting;
use super::screen::{Screen, ScreenEvent, Typed, View, Wish};
use super::server::Server;
use super::shutdown::Shutdown;
use super::signals::{SignalEvent, Signals};
use super::timeouts::Timeouts;
use super::wakefulness::Wakefulness;
use crate::exit::{Exit, Failure};
use crate::files::Files;
use crate::net::{Connection, ReadError};

/// No line is taken from the user while more bytes than this wait for the server.
const UNSENT: usize = 256 * 1024;

/// A session under way.
pub(crate) struct Session<S> {
    app: App,
    link: Link,
    screen: S,
    signals: Signals,
    tokens: Option<TokenStore>,
    /// The outputs that wait for the screen.
    queue: VecDeque<Output>,
    /// Comings and goings that do not wait for the screen, but for others of them.
    crowd: Crowd,
    prompting: Prompting,
    timeouts: Timeouts,
    answers: Answers,
    wakefulness: Wakefulness,
    files: Files,
    /// When it is looked at next how far files are.
    progress_at: Instant,
    clock: Clock,
    /// The room to begin in, until it is in front.
    room: Option<String>,
    /// What the user is told when they have joined.
    told: Option<String>,
    /// How many lines of the input were read.
    lines: usize,
    /// Whether the last thing that the user did was to take a question back.
    cancelled: bool,
    /// Why no more lines are taken, where that is a failure.
    stopped: Option<Failure>,
    end: Option<End>,
}

impl<S: Screen> Session<S> {
    pub(crate) fn new(
        app: App,
        (server, connection): (Server, Connection),
        screen: S,
        signals: Signals,
        tokens: Option<TokenStore>,
    ) -> Self {
        let clock = Clock::start();
        Self {
            app,
            link: Link::new(server, connection, clock.now()),
            screen,
            signals,
            tokens,
            queue: VecDeque::new(),
            crowd: Crowd::default(),
            prompting: Prompting::default(),
            timeouts: Timeouts::new(clock.now()),
            answers: Answers::new(),
            wakefulness: Wakefulness::new(clock.now(), clock.unix_now()),
            files: Files::new(),
            progress_at: clock.now(),
            clock,
            room: None,
            told: None,
            lines: 0,
            cancelled: false,
            stopped: None,
            end: None,
        }
    }

    /// The user wants to begin in this room.
    pub(crate) fn in_room(self, room: Option<String>) -> Self {
        Self { room, ..self }
    }

    /// The user is told this behind the welcome, where it is not lost above a long history.
    pub(crate) fn telling(self, told: Option<String>) -> Self {
        Self { told, ..self }
    }

    /// So many lines of the input were read before the session.
    pub(crate) fn behind_lines(self, lines: usize) -> Self {
        Self { lines, ..self }
    }

    /// Runs the session to its end.
    pub(crate) async fn run(mut self) -> Result<Exit, Failure> {
        let effects = self.app.start();
        self.perform(effects);
        let end = loop {
            if let Some(end) = self.end.take() {
                break end;
            }
            self.ask_for_line();
            self.enter_room();
            self.work_on_files();
            self.draw();
            let deadline = self.deadline();
            self.step(deadline).await;
        };
        if matches!(end, End::Failed(_)) {
            let view = View { app: &self.app, link: self.link.state(), now: self.clock.unix_now() };
            self.screen.last_look(&view);
        }
        self.crowd.flush(self.clock.unix_now(), &mut self.queue);
        let shutdown = Shutdown {
            unsent: if self.app.is_down() { self.app.unanswered() } else { 0 },
            link: self.link,
            screen: self.screen,
            signals: self.signals,
            queue: self.queue,
        };
        shutdown.run(end).await
    }

    /// Waits for one event.
    async fn step(&mut self, deadline: Option<Instant>) {
        let timer = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        let shown = self.queue.is_empty() && !self.screen.has_rest();
        // The next frame waits until this one is worked off: its parts are made one after the other.
        let more = shown && self.app.has_more();
        tokio::select! {
            signal = self.signals.event() => match signal {
                SignalEvent::End(Exit::Interrupted) if self.screen.is_elsewhere() => {}
                SignalEvent::End(exit) => self.end = Some(End::Left(exit)),
                SignalEvent::Suspend => self.screen.suspend(),
                SignalEvent::Resume => {
                    self.screen.resume();
                    // The screen draws the line that is half typed below it.
                    self.note("Back in the chat.");
                }
            },
            event = self.screen.event(self.prompting.is_asked(), !shown) => match event {
                ScreenEvent::Typed(typed) => self.typed(typed),
                ScreenEvent::Keys => self.work(),
                ScreenEvent::Draw => {}
                ScreenEvent::Room => self.screen.show(&mut self.queue),
                // As by SIGHUP, which may come before or behind it.
                ScreenEvent::HungUp => self.end = Some(End::Left(Exit::Terminated)),
                ScreenEvent::Closed(result) => self.end = Some(End::OutputGone(result)),
            },
            event = self.link.event(shown && !more, self.app.takes_zstd()) => match event {
                LinkEvent::Frame { body, inflated } => self.received(body, inflated),
                LinkEvent::Written => {}
                LinkEvent::Closed(error) => self.closed(error),
                LinkEvent::Dialed(dialed) => self.dialed(dialed),
            },
            news = self.files.news() => self.file_news(news),
            () = ready(()), if more => {
                let effects = self.app.more(self.clock.unix_now());
                self.perform(effects);
            }
            () = timer => self.timed_out(),
        }
    }

    fn received(&mut self, body: Bytes, inflated: bool) {
        self.link.heard();
        let was_agreed = self.app.agrees_to_zstd();
        let effects = self.app.received(&body, self.clock.unix_now());
        // The application keeps what it needs of the frame.
        drop(body);
        if inflated && !was_agreed && !self.app.agrees_to_zstd() {
            return self.closed(Some(ReadError::NotAgreed));
        }
        self.perform(effects);
        if !self.app.is_down() {
            self.link.stop_resuming();
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                // The question becomes the next prompt.
                Effect::Show(Output::Prompt { .. }) if self.screen.is_interactive() => {}
                Effect::Show(output) => self.show(output),
                Effect::Send(frame) => self.link.send(&frame, self.app.agrees_to_zstd()),
                Effect::Remember(line) => self.prompting.remember(line),
                Effect::StoreToken { name, token } => {
                    let stored =
                        self.tokens.as_ref().map(|tokens| tokens.store(&name, token.as_ref()));
                    if let Some(Err(error)) = stored {
                        self.note(format!("The login could not be kept: {error}."));
                    }
                }
                Effect::Redial(wait) => self.link.dial(wait, self.clock.now()),
                Effect::Disconnect(why) => self.lose(unavailable(why)),
                Effect::Pong(number) => self.link.pong(number, self.clock.now()),
                Effect::DescribeLink => {
                    let words = self.link.state().words();
                    words.into_iter().for_each(|sentence| self.note(sentence));
                }
                Effect::ConnectionLost => self.connection_lost(),
                // What was sent before it may still be refused.
                Effect::Leave if !self.screen.is_interactive() && self.app.me().is_some() => {
                    self.prompting.end();
                }
                Effect::Leave => self.leave(),
                // What was sent before it arrives, and may still be refused.
                Effect::GiveUp(reason @ GiveUpReason::NotAsked) => {
                    let failure = ending::gave_up(reason).detail(format!(
                        "nothing behind line {} of the input was sent, since the next one may be a secret",
                        self.lines
                    ));
                    self.stopped.get_or_insert(failure);
                    self.prompting.end();
                }
                Effect::GiveUp(reason @ GiveUpReason::TooManyDevices) => {
                    self.fail(ending::with_unanswered(ending::gave_up(reason), &self.app));
                }
                Effect::GiveUp(reason) => self.fail(ending::gave_up(reason)),
            }
        }
        self.crowd.settle(self.clock.unix_now(), &mut self.queue);
    }

    fn note(&mut self, text: impl Into<String>) {
        self.show(Output::note(text));
    }

    fn show(&mut self, output: Output) {
        self.app.shown(&output, self.clock.unix_now());
        while let Some(alert) = self.app.take_alert() {
            self.screen.alert(&alert);
        }
        if !self.screen.wants_outputs() || !(self.app.is_for_program() || output.is_line()) {
            return;
        }
        // Programs get everybody one by one.
        if self.screen.is_interactive() && !self.app.is_for_program() {
            self.crowd.take(output, self.clock.unix_now(), &mut self.queue);
        } else {
            self.queue.push_back(output);
        }
    }

    fn draw(&mut self) {
        let view = View { app: &self.app, link: self.link.state(), now: self.clock.unix_now() };
        self.screen.draw(&view);
    }

    fn work(&mut self) {
        let view = View { app: &self.app, link: self.link.state(), now: self.clock.unix_now() };
        match self.screen.work(&view) {
            Some(Wish::Typed(typed)) => self.typed(typed),
            Some(Wish::Intent(intent)) => {
                let effects = self.app.intend(intent, self.clock.unix_now());
                self.perform(effects);
            }
            None => {}
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.end = Some(End::Failed(failure));
    }

    /// The user wants to leave. What a person has just said is waited for, for a moment.
    fn leave(&mut self) {
        let waits = self.screen.is_interactive()
            && !self.prompting.has_ended()
            && !self.app.is_down()
            && self.app.unanswered() > 0;
        if waits {
            return self.prompting.end();
        }
        self.give_up_files();
        let failure = self.stopped.take().or_else(|| {
            if self.screen.is_interactive() {
                // A person has seen what was refused.
                ending::not_confirmed(self.app.unanswered())
            } else {
                ending::not_sent(self.app.failures())
            }
        });
        self.end = Some(failure.map_or(End::Left(Exit::Ok), End::LeftWith));
    }

    /// Whether a person has left, and only what was said is waited for.
    fn is_leaving(&self) -> bool {
        self.screen.is_interactive() && self.prompting.has_ended()
    }

    fn ask_for_line(&mut self) {
        if self.prompting.has_ended()
            && let mode @ InputMode::Reply(_) = self.app.input_mode()
        {
            let effects = self.app.cancelled(mode);
            self.perform(effects);
        }
        // What leads to a question stands above it.
        if self.app.question().is_some() && !self.queue.is_empty() {
            return;
        }
        if !self.prompting.has_ended() && self.link.unsent() <= UNSENT {
            self.prompting.ask(&self.app, &mut self.screen);
        }
    }

    /// Brings the room to the front in which the user wants to begin, once commands are taken.
    fn enter_room(&mut self) {
        if self.app.input_mode() != InputMode::Chat {
            return;
        }
        if let Some(room) = self.room.take() {
            let target = match room.as_str() {
                room if room == ALL || room.starts_with(['#', '@']) => Target::parse(room, true),
                room => Target::Room(format!("#{room}")),
            };
            let effects = self.app.intend(Intent::Open(target), self.clock.unix_now());
            self.perform(effects);
        }
        if let Some(told) = self.told.take() {
            self.note(told);
        }
    }

    fn not_sent(&mut self, why: &str) {
        let effects = self.app.not_sent(why);
        self.perform(effects);
    }

    fn typed(&mut self, typed: Typed) {
        self.lines +=
            usize::from(matches!(typed, Typed::Line(_) | Typed::Text(_) | Typed::TooLong));
        let asked = self.prompting.answered();
        // The wish to leave is heard while no line is asked for, too.
        let leaves = matches!(typed, Typed::End | Typed::Interrupted | Typed::Failed(_));
        let mode = match asked {
            Some(mode) => mode,
            None if leaves && self.screen.asks_anew() => InputMode::Chat,
            None => return,
        };
        if self.prompting.has_ended() {
            return;
        }
        // A server that asks one question after the other can't keep anybody who takes them back.
        let cancelled = std::mem::replace(&mut self.cancelled, matches!(typed, Typed::Cancelled));
        match typed {
            Typed::Line(line) => {
                let effects = self.app.typed(&line, mode, self.clock.unix_now());
                self.perform(effects);
                if mode == InputMode::Password && self.app.is_down() {
                    self.link.resumes_again(self.clock.now());
                }
            }
            Typed::Text(text) => {
                let effects = self.app.typed_text(&text, mode, self.clock.unix_now());
                self.perform(effects);
            }
            Typed::GaveWay { dropped: false } => {}
            Typed::GaveWay { dropped: true } => self.not_sent(
                "it may be the secret that the server has asked for; type it again if it is none",
            ),
            Typed::Cancelled if cancelled => self.end = Some(End::Left(Exit::Interrupted)),
            Typed::Cancelled => {
                let effects = self.app.cancelled(mode);
                self.perform(effects);
            }
            Typed::TooLong => self.not_sent("the line is too long"),
            Typed::End if self.screen.is_interactive() => self.leave(),
            Typed::End => self.prompting.end(),
            Typed::Interrupted => self.end = Some(End::Left(Exit::Interrupted)),
            Typed::Failed(error) => self
                .fail(Failure::new(Exit::InputOutput, format!("the input can't be read: {error}"))),
        }
    }

    /// The server closed the connection, or reading from it failed.
    fn closed(&mut self, error: Option<ReadError>) {
        let stage = self.situation().stage;
        let written = self.link.take_write_error();
        match Closed::judge(error, written, stage, &self.app) {
            Closed::Done => self.leave(),
            Closed::Lost(failure) => self.lose(failure),
            Closed::Failed(failure) => self.fail(failure),
        }
    }

    /// The connection is lost, or the next one failed; the application decides whether another one is tried.
    fn lose(&mut self, failure: Failure) {
        if self.is_leaving() {
            return self.leave();
        }
        self.has_slept();
        let why = failure.message().to_owned();
        self.link.lose(failure);
        let awake = self.wakefulness.awake(self.clock.elapsed());
        let effects = self.app.connection_lost(&why, awake, random());
        self.perform(effects);
    }

    /// No other connection is tried.
    fn connection_lost(&mut self) {
        if self.app.has_logged_out() {
            return self.leave();
        }
        let last = self.link.take_failure();
        self.fail(ending::lost_for_good(last, &self.app));
    }

    fn dialed(&mut self, dialed: Result<Connection, Failure>) {
        match dialed {
            Ok(connection) => {
                self.link.connected(connection, self.clock.now());
                let effects = self.app.reconnected();
                self.perform(effects);
            }
            // A certificate that is not trusted may be an attack, and does not get better by trying again.
            Err(failure) if matches!(failure.exit, Exit::Untrusted | Exit::NoInput) => {
                self.fail(failure);
            }
            Err(failure) => self.lose(failure),
        }
    }
}

/// A number that spreads the reconnects of many clients; without a source of randomness they all wait equally long.
fn random() -> u64 {
    generate::<[u8; 8]>(&SystemRandom::new()).map_or(0, |bytes| u64::from_ne_bytes(bytes.expose()))
}
