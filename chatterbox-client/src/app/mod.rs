//! What the client does, without doing it: typed lines and the server's frames go in, lines to show and bytes to send
//! come out.
//!
//! Nothing here waits, prints or knows the time: `now` is given. So every situation is a test without a server.

pub mod clock;
pub mod line;
pub mod typed;

use bytes::Bytes;
use chatterbox_proto::ScreenText;
use chatterbox_proto::server_frame::Deviation;
use chatterbox_proto::session::{ClientSession, Event, Message, SayError};

use clock::Clock;
use line::{Line, Speech};
use typed::Typed;

/// How this user wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The name to join under; without it the user is asked.
    pub username: Option<String>,
    /// Whether every deviation of the server is reported, not only those that lose something.
    pub strict: bool,
    /// Whether own messages are shown when they are sent. On a terminal the typed line is there already.
    pub repeat_own: bool,
    /// Whether the next line is a name after `username` was refused. Through pipes it is a message, which must not
    /// become anybody's name.
    pub ask_again: bool,
}

/// What has to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Show this.
    Show(Line),
    /// Send this.
    Send(Bytes),
    /// The user wants to leave.
    Leave,
    /// No name was accepted, and none can be asked for.
    GiveUp,
}

/// What the next typed line is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A name.
    Name,
    /// Nothing: the server has not answered yet.
    Answer,
    /// Something to say.
    Talk,
}

/// One user's session.
#[derive(Debug)]
pub struct App {
    session: ClientSession,
    wants: Wants,
    /// The name that the server was asked for last.
    asked: String,
    refused: bool,
    options: Options,
    clock: Clock,
}

/// A welcome names at most this many users; `/users` names all.
const USERS_IN_WELCOME: usize = 100;

impl App {
    /// A session that has not begun.
    pub fn new(options: Options, clock: Clock) -> Self {
        Self {
            session: ClientSession::new(),
            wants: Wants::Name,
            asked: String::new(),
            refused: false,
            options,
            clock,
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
    pub fn wants(&self) -> Wants {
        self.wants
    }

    /// The name under which this user has joined.
    pub fn me(&self) -> Option<&str> {
        self.session.me()
    }

    /// Whether a name was refused and none accepted since.
    pub fn was_refused(&self) -> bool {
        self.refused
    }

    /// Whether the last message came back, so that nothing of what was sent is still on its way.
    pub fn is_settled(&self) -> bool {
        self.session.last_echoed()
    }

    /// Takes a line that the user typed, at `now` in seconds since 1970.
    pub fn typed(&mut self, text: &str, now: i64) -> Vec<Effect> {
        match (Typed::parse(text), self.wants) {
            (Typed::Nothing, Wants::Name) => note("A name is needed first."),
            (Typed::Nothing, _) => Vec::new(),
            (Typed::Quit, _) => vec![Effect::Leave],
            (Typed::Help, _) => HELP.iter().map(|line| Effect::Show(Line::note(*line))).collect(),
            (Typed::Unknown(command), _) => note(format!(
                "There is no command {}. /help lists them; //text sends a text that starts with a slash.",
                ScreenText::shortened(command, 40)
            )),
            (Typed::Users, _) => self.users(),
            (Typed::Name(None), _) => match self.session.me() {
                Some(me) => note(format!("You are {}.", ScreenText::new(me))),
                None => note("You have no name yet."),
            },
            (Typed::Name(Some(name)), Wants::Name) => self.ask(name),
            (Typed::Name(Some(_)), _) => note("A name stays for the whole connection."),
            (Typed::Public(_) | Typed::Private { .. } | Typed::NoText(_), Wants::Name) => {
                self.ask(text.trim())
            }
            (Typed::NoText(name), _) => note(format!(
                "Nothing was sent: it takes a text after @{}.",
                ScreenText::shortened(name, 40)
            )),
            (Typed::Public(text), _) => self.say(None, text, now),
            (Typed::Private { to, text }, _) => self.say(Some(to), text, now),
        }
    }

    /// Takes the body of one frame of the server.
    pub fn received(&mut self, body: &[u8], now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in self.session.receive(body) {
            self.happened(event, now, &mut effects);
        }
        effects
    }

    fn ask(&mut self, name: &str) -> Vec<Effect> {
        match self.session.ask(name) {
            Ok(frame) => {
                name.clone_into(&mut self.asked);
                self.wants = Wants::Answer;
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("The name was not sent: {error}.")),
        }
    }

    fn say(&mut self, to: Option<&str>, text: &str, now: i64) -> Vec<Effect> {
        let frame = match self.session.say(to, text, now) {
            Ok(frame) => frame,
            Err(SayError::NotJoined) => return note("Nothing was sent: there is no name yet."),
            Err(error) => return note(format!("Nothing was sent: {error}.")),
        };
        let mut effects = vec![Effect::Send(frame)];
        if let Some(me) = self.session.me().filter(|_| self.options.repeat_own) {
            effects.push(Effect::Show(Line::Speech(Speech {
                when: self.clock.at(now, now),
                from: ScreenText::new(me),
                to: to.filter(|to| *to != chatterbox_proto::ALL).map(ScreenText::new),
                text: ScreenText::new(text),
            })));
        }
        effects
    }

    fn users(&self) -> Vec<Effect> {
        if self.session.me().is_none() {
            return note("The server tells who is here once you have joined.");
        }
        let users = self.session.users().map(|user| user.screen()).collect();
        vec![Effect::Show(Line::Users { users, more: 0 })]
    }

    fn happened(&mut self, event: Event, now: i64, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted { info, users, history } => {
                self.wants = Wants::Talk;
                self.refused = false;
                effects.extend(history.into_iter().map(|message| self.speech(message, now)));
                effects.push(Effect::Show(Line::Welcome(ScreenText::new(&self.asked))));
                effects.extend(info.map(|info| Effect::Show(Line::Info(info.screen()))));
                let more = users.len().saturating_sub(USERS_IN_WELCOME);
                let users = users.iter().take(USERS_IN_WELCOME).map(|user| user.screen()).collect();
                effects.push(Effect::Show(Line::Users { users, more }));
            }
            Event::Refused { info } => {
                let name = ScreenText::new(&self.asked);
                let reason = info.map(|info| info.screen());
                effects.push(Effect::Show(Line::Refused { name, reason }));
                self.next_name(effects);
            }
            Event::Joined(name) => effects.push(Effect::Show(Line::Joined(name.screen()))),
            Event::Left(name) => effects.push(Effect::Show(Line::Left(name.screen()))),
            Event::Message(message) => effects.push(self.speech(message, now)),
            Event::Info(text) => effects.push(Effect::Show(Line::Info(text.screen()))),
            Event::Error(text) => {
                effects.push(Effect::Show(Line::Error(text.screen())));
                // Some servers answer a name with nothing else. A late acceptance still counts.
                if self.wants == Wants::Answer {
                    self.next_name(effects);
                }
            }
            Event::Deviation(deviation) if self.options.strict || loses_something(&deviation) => {
                effects.push(Effect::Show(Line::Deviation(
                    ScreenText::shortened(&deviation.to_string(), 200).to_string(),
                )));
            }
            Event::Deviation(_) => {}
        }
    }

    fn next_name(&mut self, effects: &mut Vec<Effect>) {
        self.wants = Wants::Name;
        self.refused = true;
        if self.options.username.is_some() && !self.options.ask_again {
            effects.push(Effect::GiveUp);
        }
    }

    fn speech(&self, message: Message, now: i64) -> Effect {
        let Message { source, recipient, timestamp, content } = message;
        Effect::Show(Line::Speech(Speech {
            when: self.clock.at(timestamp, now),
            from: source.screen(),
            to: recipient.map(|recipient| recipient.screen()),
            text: content.screen(),
        }))
    }
}

/// What the user would miss without being told (ER-1).
fn loses_something(deviation: &Deviation) -> bool {
    matches!(
        deviation,
        Deviation::Unreadable(_) | Deviation::NotAMessage(_) | Deviation::WrongType(..)
    )
}

fn note(text: impl Into<String>) -> Vec<Effect> {
    vec![Effect::Show(Line::note(text))]
}

const HELP: &[&str] = &[
    "text          say it to everybody",
    "@NAME text    say it to NAME only",
    "/users        who is here",
    "/name         under which name you are here",
    "/quit         leave (so do Ctrl-D and Ctrl-C)",
    "//text        say a text that starts with a slash (@@text: with an @)",
];

#[cfg(test)]
mod tests;
