//! `/help`, and the hint where a command is unknown: the commands of this program come before the server's.

use chatterbox_proto::ScreenText;

use crate::commands::{Catalogue, SLASH, nearest};
use crate::parse::Local;

/// The commands of this program.
const OWN: &[&str] = &["help", "users", "name", "connection", "quit", HISTORY, ROOM];
const HISTORY: &str = "history";
const ROOM: &str = "room";

const HELP: &[&str] = &[
    "text          say it to everybody",
    "@NAME text    say it to NAME only",
    "/users        who is here",
    "/name         under which name you are here",
    "/connection   how you are connected",
    "/quit         leave (so do Ctrl-D and Ctrl-C)",
    "//text        say a text that starts with a slash (@@text: with an @)",
];
const HELP_ROOMS: &[&str] = &[
    "#NAME text    say it in that room (##text: a text that starts with #)",
    "/room #NAME   lines go there from now on (/room ALL: to everybody); /room says what is unread",
];
const HELP_HISTORY: &str = "/history [NAME] [N]  what was said before; again for what is older";

const HELP_MODEL: &[&str] = &[
    "/unread       the conversations by number, and what is unread in them",
    "/mentions     who has named you",
    "/search TEXT  where that was said, in the conversation in front",
    "/links        the links of the conversation in front",
    "/close @NAME  takes the conversation with NAME off the list",
];

/// Help for what can be typed at this server.
pub(crate) struct Help<'c> {
    /// The server's commands, if it has any.
    pub(crate) catalogue: Option<&'c Catalogue>,
    /// Whether the server has pages of history.
    pub(crate) has_history: bool,
    /// Whether there are rooms.
    pub(crate) has_rooms: bool,
    /// Whether this program keeps what was said.
    pub(crate) has_model: bool,
}

impl<'c> Help<'c> {
    /// Everything, one line each.
    pub(crate) fn overview(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.own_lines().map(str::to_owned).collect();
        if let Some(catalogue) = self.catalogue {
            lines.push("of the server (/help NAME has more):".to_owned());
            lines.extend(catalogue.list(&["help", "name", "quit"]));
        }
        lines
    }

    /// One command, with its prefix or without.
    pub(crate) fn about(&self, word: &str) -> Vec<String> {
        let own = word.strip_prefix(SLASH).unwrap_or(word);
        let theirs = self.catalogue.map_or(word, |c| word.strip_prefix(c.prefix()).unwrap_or(own));
        let line = self.own_lines().find(|line| {
            line.strip_prefix(SLASH).is_some_and(|line| line.split(' ').next() == Some(own))
        });
        let mut lines: Vec<_> = line.iter().map(|line| (*line).to_owned()).collect();
        if let Some(catalogue) = self.catalogue
            && let Some(command) = catalogue.find(theirs)
        {
            if line.is_some() {
                lines.push("of the server:".to_owned());
            }
            lines.extend(catalogue.help(command));
        }
        if lines.is_empty() {
            let prefix = self.catalogue.map_or(SLASH, Catalogue::prefix);
            lines.push(self.unknown(prefix, theirs));
        }
        lines
    }

    /// The command that is near to a mistyped one, with its prefix.
    pub(crate) fn near(&self, name: &str) -> Option<(&'c str, &'c str)> {
        let own = OWN.iter().copied().filter(|own| match *own {
            HISTORY => self.has_history,
            ROOM => self.has_rooms,
            _ => true,
        });
        let local = Local::ALL.into_iter().filter(|_| self.has_model).map(Local::name);
        let own = own.chain(local).map(|name| (SLASH, name));
        let theirs = self.catalogue.into_iter().flat_map(|catalogue| {
            let names = catalogue.commands().iter().flat_map(|command| {
                std::iter::once(&command.name).chain(&command.aliases).map(String::as_str)
            });
            names.map(|name| (catalogue.prefix(), name))
        });
        let all: Vec<_> = own.chain(theirs).collect();
        let near = nearest(name, all.iter().map(|(_, name)| *name));
        near.and_then(|near| all.iter().copied().find(|(_, name)| *name == near))
    }

    /// Says that there is no such command, and which one is near.
    pub(crate) fn unknown(&self, prefix: &str, name: &str) -> String {
        let typed = ScreenText::shortened(&format!("{prefix}{name}"), 40);
        match self.near(name) {
            Some((prefix, near)) => {
                let near = ScreenText::shortened(&format!("{prefix}{near}"), 40);
                format!("There is no command {typed}. Did you mean {near}? /help lists them.")
            }
            None => format!(
                "There is no command {typed}. /help lists them; //text sends a text that starts with a slash."
            ),
        }
    }

    fn own_lines(&self) -> impl Iterator<Item = &'static str> {
        let rooms = if self.has_rooms { HELP_ROOMS } else { &[] };
        let history = self.has_history.then_some(HELP_HISTORY);
        let model = if self.has_model { HELP_MODEL } else { &[] };
        HELP.iter().chain(rooms).copied().chain(history).chain(model.iter().copied())
    }
}
