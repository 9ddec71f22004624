//! The palette: the commands that begin with a colon. Those of the chat server that users of telnet know have names of their own
//! here; all others are those of the catalogue.

use chatterbox_app::Target;

/// What a typed line means in the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing.
    Empty,
    /// The list of commands.
    Help,
    /// How a command is used.
    HelpAbout(String),
    /// Who is in the conversation in front.
    Members,
    /// Bring a conversation to the front.
    Open(Target),
    /// Read and write there.
    Chat,
    /// Leave the conversation in front.
    Close,
    /// Leave the chat.
    Quit,
    /// A line for the application, with a slash: a command of the catalogue, or one about what this session has kept.
    Line(String),
    /// A name is missing behind this command.
    Missing(&'static str),
    /// It is no command.
    Unclear,
}

/// A command that has a name of its own here.
pub(crate) struct Entry {
    /// How it is typed.
    pub(crate) usage: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

/// Those commands, in the order in which they are listed.
pub(crate) const ENTRIES: [Entry; 9] = [
    Entry { usage: ":help [NAME]", help: "this list, or how a command is used" },
    Entry { usage: ":list", help: "who is in this room" },
    Entry { usage: ":listall", help: "who is here" },
    Entry { usage: ":rooms", help: "which rooms there are" },
    Entry { usage: ":join ROOM", help: "go into a room; :join lobby is where everybody is" },
    Entry { usage: ":dm USER", help: "talk to one user only" },
    Entry { usage: ":chat", help: "read and write there; :q comes back" },
    Entry { usage: ":close", help: "leave this room" },
    Entry { usage: ":quit", help: "leave the chat (so does Ctrl-D)" },
];

/// Reads a typed line.
pub(crate) fn read(line: &str) -> Meaning {
    let line = line.trim();
    if line.is_empty() {
        return Meaning::Empty;
    }
    // A slash, as the catalogue has it in its texts, is as good.
    let Some(command) = line.strip_prefix([':', '/']) else { return Meaning::Unclear };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let whole = || Meaning::Line(format!("/{command}"));
    match (name.to_ascii_lowercase().as_str(), rest) {
        ("", _) => Meaning::Unclear,
        ("help" | "h" | "?", "") => Meaning::Help,
        ("help" | "h" | "?", about) => {
            Meaning::HelpAbout(about.trim_start_matches([':', '/']).to_owned())
        }
        ("list", "") => Meaning::Members,
        ("listall", "") => Meaning::Line("/users".to_owned()),
        ("listall", rest) => Meaning::Line(format!("/users {rest}")),
        ("join", "") => Meaning::Missing(":join ROOM"),
        ("join", room) if !room.contains(char::is_whitespace) => Meaning::Open(room_named(room)),
        ("dm", "") => Meaning::Missing(":dm USER"),
        ("dm", user) if !user.contains(char::is_whitespace) => {
            Meaning::Open(Target::User(user.trim_start_matches('@').to_owned()))
        }
        ("chat", "") => Meaning::Chat,
        ("close", "") => Meaning::Close,
        ("quit" | "q" | "exit", "") => Meaning::Quit,
        _ => whole(),
    }
}

/// Whether a line in the chat view leads back to the palette. Nothing else is a command there, so `:)` is a text.
pub(crate) fn leads_back(line: &str) -> bool {
    line.trim_end() == ":q"
}

/// The names of the commands that have one of their own here.
pub(crate) fn names() -> Vec<&'static str> {
    let name = |entry: &'static Entry| entry.usage.strip_prefix(':')?.split(' ').next();
    ENTRIES.iter().filter_map(name).collect()
}

/// The list of commands.
pub(crate) fn help() -> Vec<String> {
    let width = ENTRIES.iter().map(|entry| entry.usage.len()).max().unwrap_or_default();
    let lines = ENTRIES.iter().map(|Entry { usage, help }| format!("  {usage:width$}  {help}"));
    let all = "  :help all lists the others, such as :msg USER TEXT, :nick NAME, :history";
    lines.chain([all.to_owned()]).collect()
}

/// One of those commands.
pub(crate) fn help_about(name: &str) -> Option<String> {
    let named = |entry: &&Entry| {
        entry.usage.strip_prefix(':').and_then(|usage| usage.split(' ').next()) == Some(name)
    };
    ENTRIES.iter().find(named).map(|Entry { usage, help }| format!("  {usage}  {help}"))
}

/// A room as it is typed: with its sign or without.
fn room_named(room: &str) -> Target {
    match room {
        "ALL" => Target::Lobby,
        room if room.eq_ignore_ascii_case("lobby") => Target::Lobby,
        room if room.starts_with('#') => Target::Room(room.to_owned()),
        room => Target::Room(format!("#{room}")),
    }
}

/// What stands before a typed line in the palette.
pub(crate) fn prompt(front: &Target) -> String {
    match front {
        Target::Lobby => "> ".to_owned(),
        other => format!("[{}]> ", place(other)),
    }
}

/// What stands before a typed line in the chat view.
pub(crate) fn chat_prompt(front: &Target, me: &str) -> String {
    let me = chatterbox_proto::ScreenText::shortened(me, 40);
    format!("[{}] {me}: ", place(front))
}

fn place(front: &Target) -> String {
    let name = front.in_words();
    let name = name.as_str();
    match front {
        Target::Lobby => "lobby".to_owned(),
        Target::Room(_) => format!("room/{}", name.strip_prefix('#').unwrap_or(name)),
        Target::User(_) => format!("dm/{}", name.strip_prefix('@').unwrap_or(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_chatsock_is_understood() {
        let room = |name: &str| Meaning::Open(Target::Room(name.to_owned()));
        let line = |line: &str| Meaning::Line(line.to_owned());
        for (typed, meaning) in [
            (":help", Meaning::Help),
            (":help msg", Meaning::HelpAbout("msg".to_owned())),
            (":help :join", Meaning::HelpAbout("join".to_owned())),
            (":list", Meaning::Members),
            (":list #games", line("/list #games")),
            (":listall", line("/users")),
            (":listall --all", line("/users --all")),
            (":rooms", line("/rooms")),
            (":join games", room("#games")),
            (":join #games", room("#games")),
            (":JOIN  games ", room("#games")),
            (":join games hush", line("/join games hush")),
            (":join Lobby", Meaning::Open(Target::Lobby)),
            (":join", Meaning::Missing(":join ROOM")),
            (":dm bob", Meaning::Open(Target::User("bob".to_owned()))),
            (":dm @bob", Meaning::Open(Target::User("bob".to_owned()))),
            (":dm", Meaning::Missing(":dm USER")),
            (":dm a b", line("/dm a b")),
            (":chat", Meaning::Chat),
            (":close", Meaning::Close),
            (":quit", Meaning::Quit),
            (":q", Meaning::Quit),
            (":msg bob hi there", line("/msg bob hi there")),
            ("/msg bob hi", line("/msg bob hi")),
            ("", Meaning::Empty),
            ("   ", Meaning::Empty),
            (":", Meaning::Unclear),
            ("hello", Meaning::Unclear),
            (":)", line("/)")),
        ] {
            assert_eq!(read(typed), meaning, "{typed}");
        }
    }

    #[test]
    fn in_the_chat_view_only_one_word_is_a_command() {
        assert!(leads_back(":q") && leads_back(":q "));
        for text in [":)", ":quit", " :q", ":q now", ":help", "q", ""] {
            assert!(!leads_back(text), "{text}");
        }
    }

    #[test]
    fn prompts_say_where_one_is_and_nothing_of_a_name_acts() {
        assert_eq!(prompt(&Target::Lobby), "> ");
        assert_eq!(prompt(&Target::Room("#games".to_owned())), "[room/games]> ");
        assert_eq!(prompt(&Target::User("bob".to_owned())), "[dm/bob]> ");
        assert_eq!(prompt(&Target::User("b\u{1b}[2J".to_owned())), "[dm/b\\u{1b}[2J]> ");
        assert_eq!(chat_prompt(&Target::Lobby, "ann"), "[lobby] ann: ");
        assert!(chat_prompt(&Target::User("x".repeat(5000)), &"y".repeat(5000)).len() < 150);
    }

    #[test]
    fn every_command_that_is_listed_is_one() {
        for entry in ENTRIES {
            let name = entry.usage.trim_start_matches(':').split(' ').next().unwrap();
            assert!(help_about(name).is_some());
            assert_ne!(read(entry.usage), Meaning::Unclear, "{}", entry.usage);
        }
    }
}
