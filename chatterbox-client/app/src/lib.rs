//! What the client does, without doing it: typed lines and the server's frames go in, lines to show and bytes to send
//! come out.
//!
//! Nothing here waits, prints or knows the time: `now` is given. So every situation is a test without a server.

mod calls;
mod commands;
mod events;
mod history;
mod input;
mod json;
mod login;
mod notice;
mod output;
mod parse;
mod reconnect;
mod table;
mod time;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::accounts::{Proof, Secret};
use chatterbox_proto::session::ClientSession;
use chatterbox_proto::{Capabilities, Capability, ScreenText};

use calls::Calls;
use commands::Catalogue;
use history::Pages;
use reconnect::Reconnect;

pub use output::{Message, MessageKind, Output, Stream, Wire};
pub use reconnect::ReconnectPolicy;
pub use table::Table;
pub use time::TimeFormatter;

/// How this user wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The name to join under; without it the user is asked.
    pub username: Option<String>,
    /// Whether every deviation of the server is reported, not only those that lose something.
    pub strict: bool,
    /// Whether own messages are shown when they are sent. On a terminal the typed line is there already.
    pub echo_own: bool,
    /// Whether the next line is a name after `username` was refused, and somebody can be asked for a password. Through
    /// pipes the next line is a message, which must not become anybody's name.
    pub interactive: bool,
    /// Whether the lines are for a program.
    pub json: bool,
    /// What is offered to the server (CP-1).
    pub offer: Capabilities,
    /// The user's password, if it was given beforehand.
    pub password: Option<Secret>,
    /// What does the same as a password, for each name (AN-2).
    pub tokens: BTreeMap<String, Secret>,
    /// How a lost connection is tried again, if at all.
    pub reconnect: Option<ReconnectPolicy>,
}

/// What has to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Show this.
    Show(Output),
    /// Send this.
    Send(Bytes),
    /// Let the arrow keys bring this line back; it has no secret in it.
    Remember(String),
    /// Begin the next line with this: it was half typed when the server asked something.
    Prefill(String),
    /// Keep what does the same as a password for this name, or forget it.
    StoreToken {
        /// The name.
        name: String,
        /// The token.
        token: Option<Secret>,
    },
    /// Connect again after this time.
    Redial(Duration),
    /// Drop this connection, and take it as lost.
    Disconnect(String),
    /// The connection is gone, and that is the end.
    ConnectionLost,
    /// The user wants to leave.
    Leave,
    /// It makes no sense to go on.
    GiveUp(GiveUpReason),
}

/// Why it makes no sense to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUpReason {
    /// No name was accepted, and none can be asked for.
    NoName,
    /// The name is registered, and no password was given.
    PasswordNeeded,
    /// The password is not the right one.
    WrongPassword,
    /// A command did not ask what the next line was to answer; that line may be a secret.
    NotAsked,
}

/// What the next typed line is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputMode {
    /// A name.
    Name,
    /// A password, which is not to be seen.
    Password,
    /// Nothing: the server has not answered yet.
    LoginPending,
    /// Nothing: what the server can be asked to do is not known yet.
    CataloguePending,
    /// Nothing: a command may still ask something, or a page of history is on its way.
    ResultPending,
    /// Nothing: the server owes many answers.
    WindowFull,
    /// The answer to a question of the server, by its number.
    Reply(u64),
    /// Something to say.
    Chat,
}

/// A question that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: ScreenText,
    /// Whether the answer is not to be seen.
    pub secret: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Name,
    Password,
    Pending,
    Catalogue,
    Chat,
}

/// One user's session.
#[derive(Debug)]
pub struct App {
    session: ClientSession,
    phase: Phase,
    /// The name that the server was asked for last.
    asked: String,
    /// What the name is asked for with.
    proof: Option<Proof>,
    /// Whose account it is, which stays when the user takes another name.
    account: Option<String>,
    /// Whether the password that was given beforehand was used.
    password_used: bool,
    refused: bool,
    catalogue: Option<Catalogue>,
    calls: Calls,
    pages: Pages,
    reconnect: Reconnect,
    /// Whether the user has logged out: the end of the connection is what was wanted then.
    logged_out: bool,
    options: Options,
    time: TimeFormatter,
}

/// No more messages than this are on their way before further lines are taken; it is below what a server tells apart
/// (ID-5).
const WINDOW: usize = 128;

impl App {
    /// A session that has not begun.
    pub fn new(options: Options, time: TimeFormatter) -> Self {
        Self {
            session: ClientSession::offering(options.offer),
            phase: Phase::Name,
            asked: String::new(),
            proof: None,
            account: None,
            password_used: false,
            refused: false,
            catalogue: None,
            calls: Calls::default(),
            pages: Pages::default(),
            reconnect: Reconnect::new(options.reconnect),
            logged_out: false,
            options,
            time,
        }
    }

    /// Begins.
    pub fn start(&mut self) -> Vec<Effect> {
        match self.options.username.clone() {
            Some(name) => self.ask(&name),
            None => Vec::new(),
        }
    }

    /// What the next line is needed for.
    pub fn input_mode(&self) -> InputMode {
        match self.phase {
            Phase::Name => InputMode::Name,
            Phase::Password => InputMode::Password,
            Phase::Pending => InputMode::LoginPending,
            Phase::Catalogue => InputMode::CataloguePending,
            Phase::Chat => match self.calls.question() {
                Some((number, _)) => InputMode::Reply(number),
                None if self.calls.may_ask() || self.pages.is_waited_for() => {
                    InputMode::ResultPending
                }
                None if self.session.unanswered() >= WINDOW => InputMode::WindowFull,
                None => InputMode::Chat,
            },
        }
    }

    /// What the user is asked, where [`App::input_mode`] is a password or a reply.
    pub fn question(&self) -> Option<Question> {
        match self.phase {
            Phase::Password => Some(Question {
                text: ScreenText::new(&format!("password of {}: ", self.asked)),
                secret: true,
            }),
            _ => self.calls.question().map(|(_, question)| question),
        }
    }

    /// Waiting for the catalogue, or for what a command may ask, took too long.
    pub fn stop_waiting(&mut self) {
        if self.phase == Phase::Catalogue {
            self.phase = Phase::Chat;
        }
        self.calls.stop_waiting();
        self.pages.stop_waiting();
    }

    /// The name under which this user has joined.
    pub fn me(&self) -> Option<&str> {
        self.session.me()
    }

    /// Which words on a line are secret: behind this first word, from this place on.
    pub fn secret_arguments(&self) -> Vec<(String, usize)> {
        self.catalogue.as_ref().map(Catalogue::secret_arguments).unwrap_or_default()
    }

    /// Whether a name was refused and none accepted since.
    pub fn was_refused(&self) -> bool {
        self.refused
    }

    /// Whether nothing of what was sent is still on its way: everything is answered, or the last message came back.
    pub fn is_settled(&self) -> bool {
        self.pending_replies() == 0 && (self.is_acknowledged() || self.session.last_echoed())
    }

    /// Whether the server answers every message, so that waiting for it makes sense.
    pub fn is_acknowledged(&self) -> bool {
        self.session.agreed().has(Capability::Ids)
    }

    /// How many answers the server owes.
    pub fn pending_replies(&self) -> usize {
        self.session.unanswered() + self.calls.open() + self.pages.open()
    }

    /// How many messages the server has neither stored nor refused.
    pub fn unanswered(&self) -> usize {
        self.session.unanswered()
    }

    /// Whether the server answers when it is asked whether it is there.
    pub fn can_ping(&self) -> bool {
        self.session.is_joined() && self.session.agreed().has(Capability::Ping)
    }

    /// The frame that asks.
    pub fn ping(&self) -> Option<Bytes> {
        chatterbox_proto::capability::ping::ping(1).finish().ok()
    }

    /// Whether the end of the connection is what the user wanted.
    pub fn has_logged_out(&self) -> bool {
        self.logged_out
    }

    /// Takes the body of one frame of the server.
    pub fn received(&mut self, body: &[u8], now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let events = self.session.receive(body);
        self.happen(events, now, &mut effects);
        effects
    }

    /// The connection is gone, or the next one failed, as `why` says; `now` is of a clock that never goes back.
    pub fn connection_lost(&mut self, why: &str, now: Duration, random: u64) -> Vec<Effect> {
        if self.logged_out || !(self.reconnect.is_down() || self.session.can_go_on()) {
            return vec![Effect::ConnectionLost];
        }
        let Some(wait) = self.reconnect.failed(now, random) else {
            return vec![Effect::ConnectionLost];
        };
        self.session.lost();
        let mut effects = self.forget_calls();
        if self.phase == Phase::Catalogue {
            self.phase = Phase::Chat;
        }
        effects.push(Effect::Show(Output::ConnectionLost {
            why: why.to_owned(),
            wait,
            waiting: self.session.unanswered(),
        }));
        effects.push(Effect::Redial(wait));
        effects
    }

    /// Whether the session is without a connection.
    pub fn is_down(&self) -> bool {
        self.reconnect.is_down()
    }

    /// How long a lost connection is tried again.
    pub fn reconnect_for(&self) -> Option<Duration> {
        self.reconnect.limit()
    }
}

fn note(text: impl Into<String>) -> Vec<Effect> {
    vec![Effect::Show(Output::note(text))]
}

#[cfg(test)]
mod tests;
