//! Commands of the server: calling them, answering what they ask, showing what came of them (CM-2 to CM-4).

use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::capability::commands::{Answer, Call, Outcome, Prompt};
use serde_json::Value;

use super::commands::{CallError, Catalogue, SLASH, nearest};
use super::notice::plural;
use super::output::Output;
use super::table::Table;
use super::{App, Effect, GiveUpReason, Question, note};

/// The commands that were called and are not over.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Vec<Open>,
    /// What the server asks, with a number that no other question has.
    asked: Option<(u64, Prompt)>,
    calls: u64,
    questions: u64,
    /// Whether the next line waits for what a command may ask.
    waiting: bool,
}

#[derive(Debug)]
struct Open {
    id: String,
    name: String,
    /// Whether a secret was left out: through pipes the next line is that secret.
    will_be_asked: bool,
}

impl Calls {
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn question(&self) -> Option<(u64, Question)> {
        let (number, prompt) = self.asked.as_ref()?;
        let text = ScreenText::new(&format!("{} ", prompt.text.as_wire().trim_end()));
        Some((*number, Question { text, secret: prompt.secret }))
    }

    pub(super) fn may_ask(&self) -> bool {
        self.waiting && !self.open.is_empty()
    }

    pub(super) fn stop_waiting(&mut self) {
        self.waiting = false;
    }
}

/// The commands of this program, which come before the server's.
pub(super) const OWN: &[&str] = &["help", "users", "name", "quit", "history"];

const HELP: &[&str] = &[
    "text          say it to everybody",
    "@NAME text    say it to NAME only",
    "/users        who is here",
    "/name         under which name you are here",
    "/quit         leave (so do Ctrl-D and Ctrl-C)",
    "//text        say a text that starts with a slash (@@text: with an @)",
];
const HELP_HISTORY: &str = "/history [NAME] [N]  what was said before; again for what is older";

impl App {
    /// A line behind the server's prefix.
    pub(super) fn call(&mut self, line: &str) -> Vec<Effect> {
        let Some(catalogue) = &self.catalogue else { return Vec::new() };
        let prefix = catalogue.prefix();
        let shown = |name: &str| ScreenText::shortened(&name.to_uppercase(), 40);
        let reading = match catalogue.read(line) {
            Ok(reading) => reading,
            Err(CallError::Unknown) => {
                let name = line.split_whitespace().next().unwrap_or_default();
                return self.not_called(self.unknown(prefix, name, Some(catalogue)));
            }
            Err(CallError::Missing(command, argument)) => {
                let (name, usage) = (shown(&argument.name), catalogue.usage(command));
                let text = format!("Nothing was sent: {name} is missing. Usage: {usage}");
                return self.not_called(text);
            }
            Err(CallError::NotANumber(command, argument)) => {
                let (name, usage) = (shown(&argument.name), catalogue.usage(command));
                let text =
                    format!("Nothing was sent: {name} has to be a whole number. Usage: {usage}");
                return self.not_called(text);
            }
        };
        if !self.session.is_joined() {
            return note("Nothing was sent: commands need the connection, which is lost.");
        }
        self.calls.calls += 1;
        let call = Call {
            id: self.calls.calls.to_string(),
            name: reading.command.name.clone(),
            arguments: reading.arguments,
        };
        let frame = match call.to_object().finish() {
            Ok(frame) => frame,
            Err(error) => return note(format!("Nothing was sent: {error}.")),
        };
        let will_be_asked = reading.will_be_asked;
        self.calls.open.push(Open { id: call.id, name: call.name, will_be_asked });
        self.calls.waiting = true;
        vec![Effect::Send(frame)]
    }

    fn unknown(&self, prefix: &str, name: &str, catalogue: Option<&Catalogue>) -> String {
        let own = OWN.iter().copied().filter(|own| *own != "history" || self.has_history());
        let own = own.map(|name| (SLASH, name));
        let theirs = catalogue.into_iter().flat_map(|catalogue| {
            let names = catalogue.commands().iter().flat_map(|command| {
                std::iter::once(&command.name).chain(&command.aliases).map(String::as_str)
            });
            names.map(|name| (catalogue.prefix(), name))
        });
        let all: Vec<_> = own.chain(theirs).collect();
        let near = nearest(name, all.iter().map(|(_, name)| *name));
        let near = near.and_then(|near| all.iter().find(|(_, name)| *name == near));
        let typed = ScreenText::shortened(&format!("{prefix}{name}"), 40);
        match near {
            Some((prefix, near)) => {
                let near = ScreenText::shortened(&format!("{prefix}{near}"), 40);
                format!("There is no command {typed}. Did you mean {near}? /help lists them.")
            }
            None => format!(
                "There is no command {typed}. /help lists them; //text sends a text that starts with a slash."
            ),
        }
    }

    /// A command that is none of this program's, with its slash.
    pub(super) fn unknown_command(&mut self, command: &str, line: &str) -> Vec<Effect> {
        let behind = line.strip_prefix(SLASH).unwrap_or(line);
        match &self.catalogue {
            // A server with another prefix is meant all the same.
            Some(catalogue) if catalogue.prefix() == SLASH || catalogue.read(behind).is_ok() => {
                self.call(behind)
            }
            _ => {
                let name = command.strip_prefix(SLASH).unwrap_or(command);
                self.not_called(self.unknown(SLASH, name, self.catalogue.as_ref()))
            }
        }
    }

    /// A command that could not be called. Through pipes the next line may be what it was to ask for, a secret perhaps,
    /// and is not to be said to everybody; at a server without commands nobody can have meant that.
    fn not_called(&self, text: String) -> Vec<Effect> {
        let mut effects = note(text);
        if self.catalogue.is_some() && !self.options.interactive {
            effects.push(Effect::GiveUp(GiveUpReason::NotAsked));
        }
        effects
    }

    pub(super) fn help(&self, about: Option<&str>) -> Vec<Effect> {
        let show = |lines: Vec<String>| lines.into_iter().flat_map(note).collect();
        let Some(about) = about else {
            let mut lines: Vec<_> = HELP.iter().map(|line| (*line).to_owned()).collect();
            if self.has_history() {
                lines.push(HELP_HISTORY.to_owned());
            }
            if let Some(catalogue) = &self.catalogue {
                lines.push("of the server (/help NAME has more):".to_owned());
                lines.extend(catalogue.list(&["help", "name", "quit"]));
            }
            return show(lines);
        };
        let own = about.strip_prefix(SLASH).unwrap_or(about);
        let catalogue = self.catalogue.as_ref();
        let theirs = catalogue.map_or(about, |c| about.strip_prefix(c.prefix()).unwrap_or(own));
        let lines: Vec<_> =
            HELP.iter().chain(self.has_history().then_some(&HELP_HISTORY)).collect();
        let mine = lines.iter().find(|line| {
            line.strip_prefix(SLASH).is_some_and(|line| line.split(' ').next() == Some(own))
        });
        let mut found: Vec<String> = mine.iter().map(|line| (***line).to_owned()).collect();
        if let Some((catalogue, command)) =
            catalogue.and_then(|catalogue| Some((catalogue, catalogue.find(theirs)?)))
        {
            if mine.is_some() {
                found.push("of the server:".to_owned());
            }
            found.extend(catalogue.help(command));
        }
        if found.is_empty() {
            let prefix = catalogue.map_or(SLASH, Catalogue::prefix);
            return note(self.unknown(prefix, theirs, catalogue));
        }
        show(found)
    }

    /// The server asks something; the next line answers it.
    pub(super) fn asked(&mut self, prompt: Prompt, effects: &mut Vec<Effect>) {
        effects.push(Effect::Show(Output::Prompt {
            text: prompt.text.clone(),
            secret: prompt.secret,
        }));
        if let Some(open) = self.calls.open.iter_mut().find(|open| open.id == prompt.id.as_wire()) {
            open.will_be_asked = false;
        }
        self.calls.questions += 1;
        self.calls.asked = Some((self.calls.questions, prompt));
    }

    /// The user's answer to a question; `None` cancels it, and so does nothing at all.
    pub(super) fn reply(&mut self, number: u64, text: Option<&str>) -> Vec<Effect> {
        let Some((_, prompt)) = self.calls.asked.take_if(|(asked, _)| *asked == number) else {
            return note("Nothing was sent: the question is over.");
        };
        let text = text.filter(|text| !text.is_empty()).map(Secret::new);
        let answer = Answer { id: prompt.id.as_wire().to_owned(), text };
        self.calls.waiting = true;
        match answer.to_object().finish() {
            Ok(frame) => vec![Effect::Send(frame)],
            Err(error) => note(format!("Nothing was sent: {error}.")),
        }
    }

    /// What came of a command.
    pub(super) fn resulted(&mut self, mut outcome: Outcome, effects: &mut Vec<Effect>) {
        let id = outcome.id.as_wire();
        let place = self.calls.open.iter().position(|open| open.id == id);
        let open = place.map(|place| self.calls.open.remove(place));
        if self.calls.asked.as_ref().is_some_and(|(_, prompt)| prompt.id.as_wire() == id) {
            self.calls.asked = None;
        }
        let table = match &mut outcome.data {
            Some(data) => {
                if let Some(token) = take_token(data) {
                    self.take_token(Secret::new(token), effects);
                }
                Table::read(data).filter(|_| self.options.interactive)
            }
            None => None,
        };
        let command = open.as_ref().map_or("", |open| open.name.as_str()).to_owned();
        if outcome.ok && command == "logout" {
            self.logged_out = true;
            self.proof = None;
            let name = self.account.take().or_else(|| self.session.me().map(str::to_owned));
            effects.extend(name.map(|name| Effect::StoreToken { name, token: None }));
        }
        let failed = !outcome.ok;
        effects.push(Effect::Show(Output::Result { command, outcome, table }));
        // The next line through a pipe may be the secret that was not asked for: it must not be said to everybody.
        if failed && !self.options.interactive && open.is_some_and(|open| open.will_be_asked) {
            effects.push(Effect::GiveUp(GiveUpReason::NotAsked));
        }
    }

    /// With the connection goes what its commands would have answered.
    pub(super) fn forget_calls(&mut self) -> Vec<Effect> {
        let names: Vec<_> = self.calls.open.drain(..).map(|open| open.name).collect();
        self.calls.asked = None;
        let pages = self.pages.forget();
        let mut effects = Vec::new();
        if !names.is_empty() {
            effects.extend(note(format!(
                "The connection was lost before the server said what came of {}.",
                ScreenText::shortened(&names.join(", "), 120)
            )));
        }
        if pages > 0 {
            effects.extend(note(format!("{} of history did not come.", plural(pages, "page"))));
        }
        effects
    }

    /// The server says what it can be asked to do.
    pub(super) fn take_catalogue(
        &mut self,
        commands: Option<Vec<chatterbox_proto::capability::commands::Command>>,
        prefix: Option<&str>,
    ) {
        match (commands, &mut self.catalogue) {
            (Some(commands), Some(old)) => {
                let before = old.prefix().to_owned();
                *old = Catalogue::new(commands, Some(prefix.unwrap_or(&before)));
            }
            (Some(commands), None) => self.catalogue = Some(Catalogue::new(commands, prefix)),
            (None, Some(old)) => old.set_prefix(prefix.unwrap_or(SLASH)),
            (None, None) => {}
        }
    }
}

/// What does the same as a password is kept from the screen and from programs that log what they read.
fn take_token(data: &mut Value) -> Option<String> {
    match data.as_object_mut()?.remove("TOKEN")? {
        Value::String(token) => Some(token),
        _ => None,
    }
}
