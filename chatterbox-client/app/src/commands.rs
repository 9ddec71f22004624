//! The server's catalogue of commands (CM-1): finds a command, parses its arguments and describes it.

use std::sync::Arc;

use chatterbox_proto::capability::commands::{Argument, ArgumentType, Command};
use chatterbox_proto::{ALL, RoomName, ScreenText};

/// The commands of one server, and the prefix that is typed before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalogue {
    commands: Vec<Command>,
    prefix: String,
}

/// The commands of a server are kept as far as they have so many bytes: a frame could hold a hundred megabytes of them.
const CATALOGUE: usize = 8 * 1024 * 1024;

const WORD: usize = 32;

/// The prefix of this program's commands, and of those of most servers.
pub(crate) const SLASH: &str = "/";

/// A typed command, parsed as the catalogue says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedCall<'c> {
    pub(crate) command: &'c Command,
    /// The values of ARGS.
    pub(crate) arguments: Vec<String>,
    /// Whether a secret was left out, which the server will ask for.
    pub(crate) will_be_asked: bool,
    /// Whether the command is nothing without it, so that it certainly asks. That a secret may be left out of the line says nothing
    /// of it; but a room may well have no password.
    pub(crate) needs_secret: bool,
}

/// The reason why a line is no call of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError<'c> {
    /// The catalogue has no such command.
    Unknown,
    /// A required argument is missing.
    Missing(&'c Command, &'c Argument),
    /// An argument that has to be a whole number is none.
    NotANumber(&'c Command, &'c Argument),
}

impl Catalogue {
    /// The catalogue that the server sent. Without a usable prefix, commands start with a slash.
    pub(crate) fn new(mut commands: Vec<Command>, prefix: Option<&str>) -> Self {
        let mut bytes = 0_usize;
        let kept = commands.iter().take_while(|command| {
            bytes = bytes.saturating_add(size(command));
            bytes <= CATALOGUE
        });
        commands.truncate(kept.count());
        let mut catalogue = Self { commands, prefix: SLASH.to_owned() };
        catalogue.set_prefix(prefix.unwrap_or(SLASH));
        catalogue
    }

    /// Applies what the server sent of a catalogue to the one that is known, if any: new commands, a new prefix, or both.
    pub(crate) fn update(
        known: &mut Option<Arc<Self>>,
        commands: Option<Vec<Command>>,
        prefix: Option<&str>,
    ) {
        match (commands, known) {
            (Some(commands), Some(known)) => {
                let before = known.prefix().to_owned();
                *known = Arc::new(Self::new(commands, Some(prefix.unwrap_or(&before))));
            }
            (Some(commands), known) => *known = Some(Arc::new(Self::new(commands, prefix))),
            (None, Some(known)) => Arc::make_mut(known).set_prefix(prefix.unwrap_or(SLASH)),
            (None, None) => {}
        }
    }

    /// Changes the prefix, unless ordinary text could start with the new one.
    fn set_prefix(&mut self, prefix: &str) {
        let usable = !prefix.is_empty()
            && !prefix.starts_with('@')
            && !prefix.chars().any(|c| c.is_whitespace() || c.is_alphanumeric());
        if usable {
            prefix.clone_into(&mut self.prefix);
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The command of this name or alias, without regard to case (CM-2).
    pub(crate) fn find(&self, name: &str) -> Option<&Command> {
        let named = |command: &&Command| command.name.eq_ignore_ascii_case(name);
        let called = |command: &&Command| {
            command.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        };
        self.commands.iter().find(named).or_else(|| self.commands.iter().find(called))
    }

    pub(crate) fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Parses a line, without its prefix. A room that is left out is the one in front: the name of that, or `ALL`.
    ///
    /// # Errors
    /// [`CallError`]; nothing must be sent then.
    pub(crate) fn read<'c>(
        &'c self,
        line: &str,
        front: &str,
    ) -> Result<ParsedCall<'c>, CallError<'c>> {
        let (name, mut rest) = first_word(line);
        let command = self.find(name).ok_or(CallError::Unknown)?;
        let mut arguments = Vec::new();
        let mut will_be_asked = false;
        let mut needs_secret = false;
        // Arguments that the server finds missing by what the next one looks like.
        let mut passed_over = 0;
        for (place, argument) in command.arguments.iter().enumerate() {
            rest = rest.trim_start();
            let is_last = place + 1 == command.arguments.len();
            if argument.kind == ArgumentType::Room
                && argument.optional
                && arguments.len() + passed_over == place
                && !names_room(rest, is_last)
            {
                // Behind other arguments, no room at all has a meaning of its own: the server as a whole.
                if place == 0 || front != ALL {
                    arguments.push(front.to_owned());
                }
                continue;
            }
            if argument.optional && !is_last && !has_shape(argument, first_word(rest).0) {
                passed_over += 1;
                continue;
            }
            if rest.is_empty() {
                // Secrets may be left out even where they are required: the server asks for them, off the screen.
                if argument.kind == ArgumentType::Secret {
                    will_be_asked = true;
                    let opens_room = |other: &Argument| other.kind == ArgumentType::Room;
                    needs_secret = !command.arguments.iter().any(opens_room);
                } else if !argument.optional {
                    return Err(CallError::Missing(command, argument));
                }
                continue;
            }
            if argument.rest || argument.kind == ArgumentType::Users {
                if argument.kind == ArgumentType::Users {
                    arguments.extend(rest.split_whitespace().map(|word| name_of(word).to_owned()));
                } else {
                    arguments.push(rest.trim_end().to_owned());
                }
                rest = "";
                continue;
            }
            let (word, behind) = first_word(rest);
            rest = behind;
            arguments.push(match argument.kind {
                ArgumentType::User => name_of(word).to_owned(),
                ArgumentType::Integer if word.parse::<i64>().is_err() => {
                    return Err(CallError::NotANumber(command, argument));
                }
                ArgumentType::Command => word.strip_prefix(&self.prefix).unwrap_or(word).to_owned(),
                _ => word.to_owned(),
            });
        }
        // Surplus arguments are sent as well: the server knows more about its commands than the catalogue says.
        arguments.extend(rest.split_whitespace().map(str::to_owned));
        Ok(ParsedCall { command, arguments, will_be_asked, needs_secret })
    }

    /// The usage of a command: `/msg USER TEXT...`, with brackets around optional arguments.
    pub(crate) fn usage(&self, command: &Command) -> String {
        let mut usage = format!("{}{}", self.prefix, command.name);
        for argument in &command.arguments {
            let dots = if argument.rest { "..." } else { "" };
            let flag = argument.name.starts_with('-');
            let name = if flag { argument.name.clone() } else { argument.name.to_uppercase() };
            usage.push_str(&if argument.optional {
                format!(" [{name}{dots}]")
            } else {
                format!(" {name}{dots}")
            });
        }
        ScreenText::shortened(&usage, 120).to_string()
    }

    /// The words for a line that is no call.
    pub(crate) fn explain(&self, error: &CallError<'_>) -> String {
        let (command, argument, problem) = match error {
            CallError::Unknown => return "There is no such command.".to_owned(),
            CallError::Missing(command, argument) => (command, argument, "is missing"),
            CallError::NotANumber(command, argument) => {
                (command, argument, "has to be a whole number")
            }
        };
        let name = ScreenText::shortened(&argument.name.to_uppercase(), 40);
        format!("Nothing was sent: {name} {problem}. Usage: {}", self.usage(command))
    }

    /// The help text of one command: usage, description, example, aliases.
    pub(crate) fn help(&self, command: &Command) -> Vec<String> {
        let shown = |text: &str| ScreenText::shortened(text, 300).to_string();
        let mut lines = vec![self.usage(command), format!("  {}", shown(&command.help))];
        if !command.example.is_empty() {
            let slash =
                if command.example.starts_with(&self.prefix) { "" } else { self.prefix.as_str() };
            lines.push(shown(&format!("  for example: {slash}{}", command.example)));
        }
        if !command.aliases.is_empty() {
            lines.push(shown(&format!("  also: {}", command.aliases.join(", "))));
        }
        for argument in &command.arguments {
            if argument.help.is_empty() && argument.values.is_empty() {
                continue;
            }
            let mut line = format!("  {}: {}", argument.name.to_uppercase(), argument.help);
            if !argument.values.is_empty() {
                let space = if argument.help.is_empty() { "" } else { "; " };
                line.push_str(&format!("{space}one of {}", argument.values.join(", ")));
            }
            lines.push(shown(&line));
        }
        if command.confirm {
            lines.push("  It can't be undone, so the server asks first.".to_owned());
        }
        lines
    }

    /// The commands for a list: not those that `hidden` names, and no demonstrations.
    pub(crate) fn listed(&self, hidden: &[&str]) -> impl Iterator<Item = &Command> {
        let is_hidden = move |name: &str| hidden.iter().any(|one| name.eq_ignore_ascii_case(one));
        self.commands.iter().filter(move |command| !command.demo && !is_hidden(&command.name))
    }

    /// One line for each of those, of at most so many.
    pub(crate) fn list(&self, hidden: &[&str], most: usize) -> Vec<String> {
        let rows: Vec<_> = self
            .listed(hidden)
            .take(most)
            .map(|command| (self.usage(command), ScreenText::shortened(&command.help, 200)))
            .collect();
        let width = rows.iter().map(|(usage, _)| usage.chars().count()).max().unwrap_or(0).min(28);
        rows.iter().map(|(usage, help)| format!("{usage:width$}  {help}")).collect()
    }

    /// The commands with secret arguments, prefix included, and the place of their first secret word (1 is the word
    /// behind the command).
    pub(crate) fn secret_arguments(&self) -> Vec<(String, usize)> {
        let mut secrets = Vec::new();
        for command in &self.commands {
            let place = command.arguments.iter().position(|a| a.kind == ArgumentType::Secret);
            let Some(place) = place else { continue };
            for name in std::iter::once(&command.name).chain(&command.aliases) {
                secrets.push((format!("{}{}", self.prefix, name.to_lowercase()), place + 1));
            }
        }
        secrets
    }
}

/// About how many bytes of text a command has.
fn size(command: &Command) -> usize {
    let argument = |argument: &Argument| {
        let values: usize = argument.values.iter().map(|value| value.len() + WORD).sum();
        argument.name.len() + argument.help.len() + values + WORD
    };
    let arguments: usize = command.arguments.iter().map(argument).sum();
    let aliases: usize = command.aliases.iter().map(|alias| alias.len() + WORD).sum();
    command.name.len() + command.help.len() + command.example.len() + arguments + aliases + WORD
}

/// Whether this argument, which may be left out, is left out where this word stands in its place.
pub(crate) fn is_passed_over(argument: &Argument, is_last: bool, word: &str) -> bool {
    let fits = if argument.kind == ArgumentType::Room {
        names_room(word, is_last)
    } else {
        is_last || has_shape(argument, word)
    };
    argument.optional && !fits
}

/// Whether the rest of a line begins with a room, where one may be left out: a word that is the last argument is one without
/// its sign as well.
fn names_room(rest: &str, is_last: bool) -> bool {
    let (word, _) = first_word(rest);
    RoomName::is_meant(word) || word == ALL || (is_last && !word.is_empty())
}

/// Whether a word can be this argument: a number, a duration and a fixed word are told by what they look like, so any of them may
/// be left out before others.
fn has_shape(argument: &Argument, word: &str) -> bool {
    match argument.kind {
        ArgumentType::Integer => word.parse::<i64>().is_ok(),
        ArgumentType::Duration => {
            let number = word.trim_end_matches(['s', 'm', 'h', 'd', 'S', 'M', 'H', 'D']);
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            word.eq_ignore_ascii_case("forever") || (is_number && number.len() + 1 == word.len())
        }
        _ if !argument.values.is_empty() => argument.values.iter().any(|value| value == word),
        _ => true,
    }
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Takes the `@` off `@bob`, as names are typed before a private message; no name starts with it.
fn name_of(word: &str) -> &str {
    word.strip_prefix('@').filter(|name| !name.is_empty()).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(name: &str, kind: ArgumentType, optional: bool, rest: bool) -> Argument {
        Argument { optional, rest, ..Argument::new(name, kind) }
    }

    fn command(name: &str, aliases: &[&str], arguments: Vec<Argument>) -> Command {
        Command {
            name: name.to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            arguments,
            help: format!("what {name} does"),
            example: format!("{name} something"),
            level: 0,
            confirm: false,
            demo: false,
        }
    }

    fn catalogue(prefix: &str) -> Catalogue {
        use ArgumentType::{Integer, Secret, Text, User, Users};
        let commands = vec![
            command(
                "msg",
                &["dm", "W"],
                vec![argument("user", User, false, false), argument("text", Text, false, true)],
            ),
            command("block", &[], vec![argument("users", Users, false, true)]),
            command(
                "passwd",
                &["password"],
                vec![argument("old", Secret, true, false), argument("new", Secret, false, false)],
            ),
            command(
                "set-perm",
                &[],
                vec![
                    argument("user", User, false, false),
                    argument("level", Integer, false, false),
                ],
            ),
            command("users", &[], vec![argument("--all", Text, true, false)]),
        ];
        Catalogue::new(commands, Some(prefix))
    }

    #[test]
    fn arguments_are_read_as_the_catalogue_says() {
        let catalogue = catalogue("/");
        let read = |line: &str| {
            catalogue.read(line, ALL).map(|read| (read.command.name.clone(), read.arguments))
        };
        let sent = |name: &str, arguments: &[&str]| {
            Ok((name.to_owned(), arguments.iter().map(|&word| word.to_owned()).collect()))
        };
        assert_eq!(read("msg bob  see you  at five "), sent("msg", &["bob", "see you  at five"]));
        assert_eq!(read("DM @bob x"), sent("msg", &["bob", "x"]));
        assert_eq!(read("w bob\tx"), sent("msg", &["bob", "x"]));
        assert_eq!(read("block eve  @mallory x"), sent("block", &["eve", "mallory", "x"]));
        assert_eq!(read("set-perm bob 3 more"), sent("set-perm", &["bob", "3", "more"]));
        assert_eq!(read("users"), sent("users", &[]));
        assert_eq!(read("users --all"), sent("users", &["--all"]));
        assert!(matches!(read("set-perm bob high"), Err(CallError::NotANumber(..))));
        assert!(matches!(read("msg bob  "), Err(CallError::Missing(_, a)) if a.name == "text"));
        assert!(matches!(read("block"), Err(CallError::Missing(..))));
        assert_eq!(read("nothing"), Err(CallError::Unknown));
        assert_eq!(read(""), Err(CallError::Unknown));
    }

    #[test]
    fn a_room_that_is_left_out_is_the_one_in_front() {
        use ArgumentType::{Duration, Integer, Room, Text, User};
        let optional = |name| argument(name, Room, true, false);
        let commands = vec![
            command("topic", &[], vec![optional("room"), argument("text", Text, false, true)]),
            command("leave", &[], vec![optional("room")]),
            command("set-perm", &[], vec![argument("user", User, false, false), optional("room")]),
            command("perm", &[], vec![argument("user", User, true, false), optional("room")]),
            command("join", &[], vec![argument("room", Room, false, false)]),
            command(
                "mute",
                &[],
                vec![
                    argument("user", User, false, false),
                    argument("duration", Duration, true, false),
                    optional("room"),
                    argument("reason", Text, true, true),
                ],
            ),
            command(
                "report",
                &[],
                vec![
                    argument("user", User, false, false),
                    argument("id", Integer, true, false),
                    argument("reason", Text, true, true),
                ],
            ),
        ];
        let catalogue = Catalogue::new(commands, None);
        for (line, in_lab, in_lobby) in [
            // What is told by its look may be left out before others.
            ("mute eve", &["eve", "#lab"][..], &["eve"][..]),
            ("mute eve loud", &["eve", "#lab", "loud"], &["eve", "loud"]),
            (
                "mute eve 10m too loud",
                &["eve", "10m", "#lab", "too loud"],
                &["eve", "10m", "too loud"],
            ),
            ("mute eve 10M ALL", &["eve", "10M", "ALL"], &["eve", "10M", "ALL"]),
            ("report eve insults", &["eve", "insults"], &["eve", "insults"]),
            ("report eve 7 insults", &["eve", "7", "insults"], &["eve", "7", "insults"]),
            ("topic a new one", &["#lab", "a new one"][..], &["ALL", "a new one"][..]),
            ("topic #talk a new one", &["#talk", "a new one"], &["#talk", "a new one"]),
            ("topic ALL hello", &["ALL", "hello"], &["ALL", "hello"]),
            ("leave", &["#lab"], &["ALL"]),
            ("leave talk", &["talk"], &["talk"]),
            ("set-perm bob", &["bob", "#lab"], &["bob"]),
            ("set-perm bob talk", &["bob", "talk"], &["bob", "talk"]),
            ("perm", &[], &[]),
            ("perm bob", &["bob", "#lab"], &["bob"]),
            ("join talk", &["talk"], &["talk"]),
        ] {
            let read = |front| catalogue.read(line, front).unwrap().arguments;
            let owned =
                |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
            assert_eq!((read("#lab"), read(ALL)), (owned(in_lab), owned(in_lobby)), "{line}");
        }
        assert!(matches!(catalogue.read("topic", "#lab"), Err(CallError::Missing(..))));
        assert!(matches!(catalogue.read("join", "#lab"), Err(CallError::Missing(..))));
    }

    #[test]
    fn a_secret_that_is_left_out_will_be_asked_for() {
        let catalogue = catalogue("/");
        let asked = |line| catalogue.read(line, ALL).unwrap().will_be_asked;
        assert!(asked("passwd") && asked("passwd old") && !asked("passwd old new"));
        assert_eq!(
            catalogue.secret_arguments(),
            [("/passwd".to_owned(), 1), ("/password".to_owned(), 1)]
        );
    }

    #[test]
    fn usage_and_help_are_safe_to_show() {
        let mut hostile = command("x\u{1b}[2J", &[], vec![]);
        hostile.help = "\u{202e}evil\n".to_owned();
        let catalogue = Catalogue::new(vec![hostile], None);
        let command = catalogue.find("x\u{1b}[2J").unwrap();
        for line in catalogue.help(command).into_iter().chain(catalogue.list(&[], 9)) {
            assert!(!line.contains(['\u{1b}', '\u{202e}', '\n']), "{line:?}");
        }
    }

    #[test]
    fn help_says_how_a_command_is_typed() {
        let catalogue = catalogue("//");
        let help = catalogue.help(catalogue.find("dm").unwrap());
        assert_eq!(
            help,
            [
                "//msg USER TEXT...",
                "  what msg does",
                "  for example: //msg something",
                "  also: dm, W"
            ]
        );
        assert_eq!(
            catalogue.list(&["msg", "block", "passwd", "set-perm"], 9),
            ["//users [--all]  what users does"]
        );
    }

    #[test]
    fn a_prefix_that_would_swallow_everything_is_not_taken() {
        for (prefix, used) in
            [("", "/"), ("@", "/"), ("a", "/"), (" ", "/"), ("!", "!"), ("//", "//")]
        {
            assert_eq!(catalogue(prefix).prefix(), used, "{prefix:?}");
        }
    }
}
