//! What typed lines mean for the server.

use chatterbox_proto::session::SayError;
use chatterbox_proto::{ScreenText, WireText};

use super::commands::SLASH;
use super::output::{Message, MessageKind, Output};
use super::parse::ParsedLine;
use super::{App, Effect, InputMode, note};

impl App {
    /// Takes a line that the user typed, at `now` in seconds since 1970; `wanted` is what it was asked for.
    pub fn typed(&mut self, text: &str, wanted: InputMode, now: i64) -> Vec<Effect> {
        match (wanted, self.input_mode()) {
            (InputMode::Password, InputMode::Password) => self.password(text),
            // The question may be another one by now, and what was typed may be a secret.
            (InputMode::Password, _) => {
                note("Nothing was sent: the password is not asked for any more.")
            }
            (InputMode::Reply(number), _) => self.reply(number, Some(text)),
            // A line that was begun before the question is no answer to it: it is kept for afterwards. Through pipes
            // nobody begins a line.
            (_, InputMode::Reply(number)) if !self.options.interactive => {
                self.reply(number, Some(text))
            }
            (_, InputMode::Reply(_)) if text.trim().is_empty() => Vec::new(),
            (_, InputMode::Reply(_)) => {
                let mut effects = note("Your line is kept; the server's question comes first.");
                effects.push(Effect::Prefill(text.to_owned()));
                effects
            }
            (_, InputMode::Password) => Vec::new(),
            _ => {
                let mut effects: Vec<_> = self.memorable(text).into_iter().collect();
                effects.extend(self.line(text, now));
                effects
            }
        }
    }

    /// The user does not want to answer.
    pub fn cancelled(&mut self, wanted: InputMode) -> Vec<Effect> {
        match wanted {
            InputMode::Reply(number) => self.reply(number, None),
            InputMode::Password => self.cancel_password(),
            _ => Vec::new(),
        }
    }

    /// What the arrow keys may bring back of a line: nothing that is secret.
    fn memorable(&self, text: &str) -> Option<Effect> {
        if text.trim().is_empty() || !self.options.interactive {
            return None;
        }
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default().to_lowercase();
        let prefix = self.catalogue.as_ref().map_or(SLASH, |catalogue| catalogue.prefix());
        let named = first.strip_prefix(prefix).or_else(|| first.strip_prefix(SLASH));
        let secret = named.is_some_and(|name| {
            self.secret_arguments()
                .iter()
                .any(|(secret, _)| secret.strip_prefix(prefix) == Some(name))
        });
        Some(Effect::Remember(if secret { first } else { text.to_owned() }))
    }

    fn line(&mut self, text: &str, now: i64) -> Vec<Effect> {
        let wants = self.input_mode();
        if wants != InputMode::Name
            && let Some(prefix) =
                self.catalogue.as_ref().map(|c| c.prefix().to_owned()).filter(|p| p != SLASH)
            && let Some(behind) = text.strip_prefix(&prefix)
        {
            // Twice the prefix is a text that begins with it once.
            return if behind.starts_with(&prefix) {
                self.say(None, behind, now)
            } else {
                self.pages.begin_anew();
                self.call(behind)
            };
        }
        let typed = ParsedLine::parse(text);
        if !matches!(typed, ParsedLine::History(_) | ParsedLine::Empty) {
            self.pages.begin_anew();
        }
        match (typed, wants) {
            (ParsedLine::Empty, InputMode::Name) => note("A name is needed first."),
            (ParsedLine::Empty, _) => Vec::new(),
            (ParsedLine::Quit, _) => vec![Effect::Leave],
            (ParsedLine::Help(about), _) => self.help(about),
            (ParsedLine::History(arguments), _) if self.has_history() => self.history(arguments),
            (ParsedLine::History(_), _) => self.unknown_command("/history", text),
            (ParsedLine::Unknown(command), _) => self.unknown_command(command, text),
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
            (ParsedLine::Name(Some(name)), InputMode::Name) => self.ask(name),
            (ParsedLine::Name(Some(name)), _) if self.server_has("nick") => {
                self.call(&format!("nick {name}"))
            }
            (ParsedLine::Name(Some(_)), _) => note("A name stays for the whole connection."),
            (
                ParsedLine::Public(_) | ParsedLine::Private { .. } | ParsedLine::MissingText(_),
                InputMode::Name,
            ) => self.ask(text.trim()),
            (ParsedLine::MissingText(name), _) => note(format!(
                "Nothing was sent: it takes a text after @{}.",
                ScreenText::shortened(name, 40)
            )),
            (ParsedLine::Public(text), _) => self.say(None, text, now),
            (ParsedLine::Private { to, text }, _) => self.say(Some(to), text, now),
        }
    }

    fn server_has(&self, command: &str) -> bool {
        self.catalogue.as_ref().is_some_and(|catalogue| catalogue.find(command).is_some())
    }

    fn say(&mut self, to: Option<&str>, text: &str, now: i64) -> Vec<Effect> {
        let said = match self.session.say(to, text, now) {
            Ok(said) => said,
            Err(SayError::NotJoined) => return note("Nothing was sent: there is no name yet."),
            Err(error) => return note(format!("Nothing was sent: {error}.")),
        };
        let mut effects: Vec<_> = said.frame.into_iter().map(Effect::Send).collect();
        if let Some(me) = self.session.me().filter(|_| self.options.echo_own) {
            let to = to.filter(|to| *to != chatterbox_proto::ALL);
            effects.push(Effect::Show(Output::Message(Message {
                when: self.time.format(now, now),
                time: now,
                from: WireText::new(me.to_owned()),
                to: to.map(|to| WireText::new(to.to_owned())),
                text: WireText::new(text.to_owned()),
                id: None,
                tag: said.tag,
                kind: MessageKind::Own,
            })));
        }
        effects
    }

    fn users(&self) -> Vec<Effect> {
        if self.session.me().is_none() {
            return note("The server tells who is here once you have joined.");
        }
        let users = self.session.users().cloned().collect();
        vec![Effect::Show(Output::Users { users, more: 0 })]
    }
}
