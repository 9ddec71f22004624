//! Typed lines: what the user wants, in each input mode.

use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::accounts::one_line;

use super::App;
use crate::capability_words::in_words;
use crate::commands::{Catalogue, SLASH};
use crate::effect::{Effect, note};
use crate::front::At;
use crate::help::Help;
use crate::input_mode::InputMode;
use crate::own::Has;
use crate::parse::ParsedLine;

/// Why a line is not sent that may be a secret.
const SECRET_IS_DUE: &str =
    "it may be the secret that the server has not asked for yet; type it again if it is none";

/// The same, when it is not asked for any more.
const SECRET_WAS_DUE: &str =
    "it may be the secret that the command before it did not ask for; type it again if it is none";

const ASTRAY: &str =
    "the room that it may be for did not come to the front; type it again if it is for here";

const MAY_BE_ANSWER: &str = "the server asks something first, and this may be the answer";

const LINE_WAITS: &str = "the line before it waits for the server";

impl App {
    /// Takes a typed line. `mode` is what it was asked for, which may be over by now; `now` is in seconds since 1970.
    pub fn typed(&mut self, text: &str, mode: InputMode, now: i64) -> Vec<Effect> {
        // A way out of every question: no server has a password that is this.
        if self.interactive && is_quit(text) {
            return vec![Effect::Leave];
        }
        let mut effects = self.line_typed(text, mode, now);
        effects.extend(self.front.line(now, true).map(Effect::Show));
        effects
    }

    /// Takes a text of several rows that is said as it is, whatever it begins with, to who is in front. `mode` and `now` are those
    /// of [`App::typed`].
    pub fn typed_text(&mut self, text: &str, mode: InputMode, now: i64) -> Vec<Effect> {
        let mut effects = match mode {
            InputMode::Chat => self.say_text(text, now),
            _ => self.not_sent("an answer is one line"),
        };
        effects.extend(self.front.line(now, true).map(Effect::Show));
        effects
    }

    fn line_typed(&mut self, text: &str, mode: InputMode, now: i64) -> Vec<Effect> {
        match (mode, self.input_mode()) {
            (InputMode::Password, InputMode::Password) => {
                let down = self.is_down();
                self.login.password_typed(&mut self.session, down, text)
            }
            // The question may be another one by now, and what was typed may be a secret.
            (InputMode::Password, _) => {
                note("Nothing was sent: the password is not asked for any more.")
            }
            (InputMode::Reply(number), _) => self.answer(number, text),
            // Through pipes no line is begun before it is asked for.
            (_, InputMode::Reply(number)) if !self.interactive => self.answer(number, text),
            (_, InputMode::Reply(_) | InputMode::Password) => self.not_sent(MAY_BE_ANSWER),
            (_, InputMode::Name) if one_line(text).is_err() => self.not_sent("a name is one line"),
            // The mode may have changed since the line was asked for; what it must not do stays the same.
            (InputMode::Chat, InputMode::Name) if self.interactive && self.is_said(text) => {
                self.not_sent("a name is asked for first")
            }
            // The secret that a command will ask for may have been typed before the server has asked for it.
            (_, _) if self.interactive && self.calls.secret_is_due(text) => {
                self.not_sent(SECRET_IS_DUE)
            }
            // The call may have ended without asking, while the secret was typed.
            (InputMode::Chat, _)
                if self.interactive && self.is_message(text) && self.calls.secret_was_due() =>
            {
                self.not_sent(SECRET_WAS_DUE)
            }
            (InputMode::Chat, _)
                if self.interactive && now <= self.astray_until && self.is_message(text) =>
            {
                self.astray_until = 0;
                self.not_sent(ASTRAY)
            }
            // What is masked while it is typed is not said to everybody because of a blank before it.
            (InputMode::Chat, _) if self.interactive && self.is_hidden_command(text) => {
                self.not_sent("a command begins the line, without a blank before it")
            }
            // The line break may be inside of the secret, and what is behind it would be said.
            (_, _) if text.contains('\n') && self.has_secret(text) => {
                self.not_sent("a command with a secret is a line of its own")
            }
            (_, _) if self.held.is_some() => self.not_sent(LINE_WAITS),
            (InputMode::Chat, _) if self.is_behind(now) && !self.is_message(text) => {
                self.held = Some(text.to_owned());
                Vec::new()
            }
            (_, mode) => {
                let mut effects: Vec<_> = self.remembered(text).into_iter().collect();
                effects.extend(self.line(text, mode, now));
                effects
            }
        }
    }

    /// Answers a question. A line end inside of an answer leaves the question to a person; through pipes the next line
    /// is meant for something else.
    fn answer(&mut self, number: u64, text: &str) -> Vec<Effect> {
        let unclear = if self.interactive { None } else { one_line(text).err() };
        match unclear {
            None => self.calls.reply(number, Some(text)),
            Some(error) => {
                let mut effects = self.not_sent(&error.to_string());
                effects.extend(self.calls.reply(number, None));
                effects
            }
        }
    }

    /// Whether the server asks for a text that must not be seen.
    pub fn asks_for_secret(&self) -> bool {
        let mode = self.input_mode();
        matches!(mode, InputMode::Password | InputMode::Reply(_))
            && self.question().is_some_and(|question| question.secret)
    }

    /// Says a text of any number of lines to who is in front. Nothing of it is sent if one of several lines is a command with a
    /// secret, which was not meant for the chat, or if it may be the secret that a command has not asked for yet.
    fn say_text(&mut self, text: &str, now: i64) -> Vec<Effect> {
        match self.input_mode() {
            InputMode::Reply(_) | InputMode::Password => return self.not_sent(MAY_BE_ANSWER),
            InputMode::Name => return self.not_sent("a name is asked for first"),
            _ if self.held.is_some() => return self.not_sent(LINE_WAITS),
            _ => {}
        }
        if self.has_secret(text) {
            return self.not_sent("a command with a secret is a line of its own");
        }
        if self.interactive && self.calls.secret_is_due(text) {
            return self.not_sent(SECRET_IS_DUE);
        }
        if self.interactive && self.calls.secret_was_due() {
            return self.not_sent(SECRET_WAS_DUE);
        }
        if self.interactive && now <= self.astray_until {
            self.astray_until = 0;
            return self.not_sent(ASTRAY);
        }
        let mut effects: Vec<_> = self.remembered(text).into_iter().collect();
        effects.extend(self.say_in_front(text, None, now));
        effects
    }

    /// Whether a line is not empty and would be said.
    fn is_said(&self, text: &str) -> bool {
        !text.trim().is_empty() && self.is_message(text)
    }

    /// A line was not sent, for this reason.
    pub fn not_sent(&mut self, why: &str) -> Vec<Effect> {
        self.failures += 1;
        note(format!("Nothing was sent: {why}."))
    }

    /// What a line asks for was not done.
    pub(super) fn not_done(&mut self, why: impl Into<String>) -> Vec<Effect> {
        self.failures += 1;
        note(why)
    }

    /// The user does not answer what was asked in this mode.
    pub fn cancelled(&mut self, mode: InputMode) -> Vec<Effect> {
        match mode {
            InputMode::Reply(number) => self.calls.reply(number, None),
            InputMode::Password => self.login.password_cancelled(self.reconnect.is_down()),
            _ => Vec::new(),
        }
    }

    /// Whether a line is certainly a message, and neither a command nor a question to this program.
    pub fn is_message(&self, text: &str) -> bool {
        let prefix = self.catalogue.as_deref().map(Catalogue::prefix);
        let said = ParsedLine::parse(text, self.has_rooms());
        prefix.is_none_or(|prefix| !text.starts_with(prefix))
            && matches!(
                said,
                ParsedLine::Public(_) | ParsedLine::Private { .. } | ParsedLine::Room { .. }
            )
    }

    /// The most characters that the server takes of a message to the conversation in front, as far as it has said so.
    pub fn most(&self) -> Option<usize> {
        match self.front.at() {
            At::Lobby => self.session.most_characters(None),
            At::Room(room) => self.session.most_characters(Some(&room.name)),
            At::User(_) => None,
        }
    }

    /// The same of a typed text, with what is not said of it (`//text`); nothing of one that goes elsewhere or may be no message.
    pub fn most_of(&self, text: &str) -> Option<usize> {
        let prefix = self.catalogue.as_deref().map(Catalogue::prefix);
        let most = self.most()?;
        match ParsedLine::parse(text, self.has_rooms()) {
            ParsedLine::Public(_) if text.starts_with("@ALL") => None,
            ParsedLine::Public(_) if prefix.is_some_and(|p| p != SLASH && text.starts_with(p)) => {
                None
            }
            ParsedLine::Public(said) => Some(most + (text.len() - said.len())),
            _ => None,
        }
    }

    fn line(&mut self, text: &str, mode: InputMode, now: i64) -> Vec<Effect> {
        // A server's prefix other than the slash comes before this program's own commands.
        let prefix = self.catalogue.as_deref().map(Catalogue::prefix).filter(|p| *p != SLASH);
        if mode != InputMode::Name
            && let Some(prefix) = prefix.map(str::to_owned)
            && let Some(behind) = text.strip_prefix(&prefix)
        {
            // Twice the prefix is a text that begins with it once.
            return if behind.starts_with(&prefix) {
                self.say_in_front(behind, None, now)
            } else {
                self.pages.restart();
                self.call(behind)
            };
        }
        let parsed = ParsedLine::parse(text, self.has_rooms());
        if !matches!(parsed, ParsedLine::History(_) | ParsedLine::Empty) {
            self.pages.restart();
        }
        match (parsed, mode) {
            (ParsedLine::Empty, InputMode::Name) => note("A name is needed first."),
            (ParsedLine::Empty, _) => Vec::new(),
            (ParsedLine::Quit, _) => vec![Effect::Leave],
            (ParsedLine::Help(about), _) => {
                let help = self.help();
                let lines = about.map_or_else(|| help.overview(), |word| help.about(word));
                lines.into_iter().flat_map(note).collect()
            }
            (ParsedLine::History(arguments), _) if self.has_history() => {
                self.has_sent = true;
                let front = self.front.at().wire().to_owned();
                let session = &self.session;
                let spelt = |name: &str| Some(session.room(name)?.name.as_wire().to_owned());
                self.pages.request(arguments, session.is_joined(), &front, spelt)
            }
            (ParsedLine::Connection, _) => self.describe(),
            (ParsedLine::Front(name), _) => self.bring_to_front(name, now),
            (ParsedLine::History(_), _) => self.server_command("/history", text),
            (ParsedLine::Sealed(what, rest), _) if self.encryption.is_some() => {
                self.sealed(what, rest, now)
            }
            (ParsedLine::Sealed(what, _), _) => {
                self.server_command(&format!("{SLASH}{}", what.name()), text)
            }
            (ParsedLine::Local(local, rest), _)
                if self.model.is_some()
                    && (!self.server_has(local.name()) || self.is_client_s(local, rest)) =>
            {
                self.local(local, rest, now)
            }
            (ParsedLine::Local(local, _), _) => {
                self.server_command(&format!("{SLASH}{}", local.name()), text)
            }
            // Conversations with users are there without rooms as well.
            (ParsedLine::Unknown("/room"), _)
                if self.model.is_some() && !self.server_has("room") =>
            {
                let name = text.split_once(char::is_whitespace).map(|(_, name)| name.trim());
                self.bring_to_front(name.filter(|name| !name.is_empty()), now)
            }
            (ParsedLine::Unknown(command), _) => self.server_command(command, text),
            (ParsedLine::Users(arguments), _)
                if !arguments.is_empty() && self.server_has("users") =>
            {
                self.call(&format!("users {arguments}"))
            }
            (ParsedLine::Users(_), _) => self.users(),
            (ParsedLine::Name(None), _) => match self.session.me() {
                Some(me) => note(format!("You are {}.", ScreenText::new(me))),
                None => note("You have no name yet."),
            },
            (ParsedLine::Name(Some(name)), InputMode::Name) => self.request_name(name),
            (ParsedLine::Name(Some(name)), _) if self.server_has("nick") => {
                self.call(&format!("nick {name}"))
            }
            (ParsedLine::Name(Some(_)), _) => {
                self.not_done("A name stays for the whole connection.")
            }
            (
                ParsedLine::Public(_)
                | ParsedLine::Private { .. }
                | ParsedLine::Room { .. }
                | ParsedLine::MissingText(_),
                InputMode::Name,
            ) => self.request_name(text.trim()),
            (ParsedLine::MissingText(name), _) => {
                let name = ScreenText::shortened(name, 40);
                self.not_sent(&format!("it takes a text after {name}"))
            }
            // `@ALL text` is for everybody, whichever room is in front.
            (ParsedLine::Public(said), _)
                if said.len() < text.len() && text.starts_with("@ALL") =>
            {
                self.say(None, said, None, now)
            }
            (ParsedLine::Public(text), _) => self.say_in_front(text, None, now),
            (ParsedLine::Reply(rest), _) if self.has_meta() => self.reply(rest, now),
            (ParsedLine::Reply(_), _) => self.server_command("/reply", text),
            (ParsedLine::Send(rest), _) if self.has_files() => self.send_file(rest),
            (ParsedLine::Send(_), _) => self.server_command("/send", text),
            (ParsedLine::Save(rest), _) if self.has_files() => self.save_file(rest),
            (ParsedLine::Save(_), _) => self.server_command("/save", text),
            (ParsedLine::Cancel(rest), _) if self.has_files() => self.cancel_transfer(rest, now),
            (ParsedLine::Cancel(_), _) => self.server_command("/cancel", text),
            (ParsedLine::Private { to, text }, _) => self.say(Some(to), text, None, now),
            (ParsedLine::Room { to, text }, _) => self.say_in_room(to, text, now),
        }
    }

    fn request_name(&mut self, name: &str) -> Vec<Effect> {
        let down = self.is_down();
        let mut effects = self.takes_keys(name);
        effects.extend(self.login.request(&mut self.session, down, name));
        effects
    }

    pub(super) fn server_has(&self, command: &str) -> bool {
        self.catalogue.as_ref().is_some_and(|catalogue| catalogue.find(command).is_some())
    }

    pub(super) fn help(&self) -> Help<'_> {
        Help { catalogue: self.catalogue.as_deref(), has: self.has() }
    }

    /// What there is beside the lobby.
    pub(super) fn has(&self) -> Has {
        Has {
            history: self.has_history(),
            rooms: self.has_rooms(),
            model: self.model.is_some(),
            meta: self.has_meta(),
            files: self.has_files() && !self.restricted,
            encryption: self.encryption.is_some(),
        }
    }

    /// What a person can know of the connection, and of what is agreed over it.
    fn describe(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::DescribeLink];
        effects.extend(match self.session.me() {
            Some(me) => note(format!("You are {}.", ScreenText::new(me))),
            None => note("You have no name yet."),
        });
        let words = in_words(self.session.agreed());
        effects.extend(match words.as_slice() {
            [] => note("The server speaks the base protocol only."),
            words => note(format!("The server has {}.", words.join(", "))),
        });
        effects.extend(match self.unanswered() {
            0 => Vec::new(),
            waiting => note(format!(
                "{} not confirmed yet.",
                if waiting == 1 {
                    "1 message is".to_owned()
                } else {
                    format!("{waiting} messages are")
                }
            )),
        });
        effects
    }

    fn users(&self) -> Vec<Effect> {
        if self.session.me().is_none() {
            return note("The server tells who is here once you have joined.");
        }
        if self.full_screen {
            // A screen has a list of them, which it does not always show.
            let text = self.users_here(USERS).text();
            return note(text.strip_prefix("* ").unwrap_or(&text));
        }
        vec![Effect::Show(self.users_here(usize::MAX))]
    }
}

/// So many users are named on a full screen.
const USERS: usize = 500;

/// Whether a line is `/quit`, which leaves from everywhere.
fn is_quit(text: &str) -> bool {
    ParsedLine::parse(text.trim_end(), false) == ParsedLine::Quit
}
