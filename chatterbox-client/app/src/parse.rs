//! The syntax of typed lines: messages, private messages and the commands of this program.

use chatterbox_proto::ALL;

/// A typed line, by its syntax alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParsedLine<'a> {
    /// Only white space.
    Empty,
    /// A message to everybody.
    Public(&'a str),
    /// A message to one user.
    Private {
        to: &'a str,
        text: &'a str,
    },
    /// A message to a room.
    Room {
        to: &'a str,
        text: &'a str,
    },
    /// `@user` or `#room` without a text, or `@` without a user.
    MissingText(&'a str),
    /// `/help`, or `/help COMMAND`.
    Help(Option<&'a str>),
    /// `/name`, or `/name NAME`.
    Name(Option<&'a str>),
    /// `/users`, and its arguments.
    Users(&'a str),
    /// `/history`, and its arguments.
    History(&'a str),
    /// `/reply`, and its arguments.
    Reply(&'a str),
    /// `/send`, and its arguments.
    Send(&'a str),
    /// `/save`, and its arguments.
    Save(&'a str),
    /// `/cancel`, and its arguments.
    Cancel(&'a str),
    /// `/room`, or `/room NAME`, where there are rooms.
    Front(Option<&'a str>),
    /// `/connection`
    Connection,
    Quit,
    /// A command about what this program has kept, and what is behind it.
    Local(Local, &'a str),
    /// A command about encrypted messages, and what is behind it.
    Sealed(Sealed, &'a str),
    /// Any other word behind a slash, the slash included.
    Unknown(&'a str),
}

/// The commands about what this program has kept of the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Local {
    /// `/mentions`: who has named this user.
    Mentions,
    /// `/search TEXT`: where something was said, in the conversation in front.
    Search,
    /// `/links`: the links of the conversation in front.
    Links,
    /// `/unread`: the conversations, by number, and what is unread in them.
    Unread,
    /// `/notify [WHAT]`: what of the conversation in front the user is told.
    Notify,
    /// `/close NAME`: takes the conversation with a user off the list.
    Close,
}

impl Local {
    pub(crate) const ALL: [Self; 6] =
        [Self::Mentions, Self::Search, Self::Links, Self::Unread, Self::Notify, Self::Close];

    /// Its name, without the slash.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mentions => "mentions",
            Self::Search => "search",
            Self::Links => "links",
            Self::Unread => "unread",
            Self::Notify => "notify",
            Self::Close => "close",
        }
    }

    fn parse(command: &str) -> Option<Self> {
        let name = command.strip_prefix('/')?;
        Self::ALL.into_iter().find(|local| local.name() == name)
    }
}

/// The commands about encrypted private messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// `/encrypt on|off [NAME]`: whether what is said to a user is encrypted.
    Encrypt,
    /// `/verify NAME [yes]`: the safety number.
    Verify,
    /// `/devices`: the devices of the user's account.
    Devices,
    /// `/recovery [CODE|written|new]`: the secret of the identity, on paper.
    Recovery,
}

impl Sealed {
    pub(crate) const ALL: [Self; 4] = [Self::Encrypt, Self::Verify, Self::Devices, Self::Recovery];

    /// Its name, without the slash.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Verify => "verify",
            Self::Devices => "devices",
            Self::Recovery => "recovery",
        }
    }

    pub(crate) const fn usage(self) -> &'static str {
        match self {
            Self::Encrypt => "/encrypt on|off [@NAME]",
            Self::Verify => "/verify @NAME [yes]",
            Self::Devices => "/devices",
            Self::Recovery => "/recovery [CODE|written|new]",
        }
    }

    fn parse(command: &str) -> Option<Self> {
        let name = command.strip_prefix('/')?;
        Self::ALL.into_iter().find(|sealed| sealed.name() == name)
    }
}

impl<'a> ParsedLine<'a> {
    /// Parses a line; `rooms` says whether there are any. Text that is sent keeps its white space (T4-2).
    pub(crate) fn parse(line: &'a str, rooms: bool) -> Self {
        if line.trim().is_empty() {
            return Self::Empty;
        }
        if let Some(rest) = line.strip_prefix('/') {
            return if rest.starts_with('/') {
                Self::Public(rest)
            } else {
                Self::command(line, rooms)
            };
        }
        if rooms && let Some(rest) = line.strip_prefix('#') {
            return Self::in_room(line, rest);
        }
        let Some(rest) = line.strip_prefix('@') else {
            return Self::Public(line);
        };
        if rest.starts_with('@') {
            return Self::Public(rest);
        }
        match rest.split_once(char::is_whitespace) {
            Some((to, text)) if !to.is_empty() && !text.trim().is_empty() => {
                if to == ALL {
                    Self::Public(text)
                } else {
                    Self::Private { to, text }
                }
            }
            _ => Self::MissingText(line.trim()),
        }
    }

    /// A line that begins with `#`: a room and what is said there. `# text` is nothing but a text.
    fn in_room(line: &'a str, rest: &'a str) -> Self {
        if rest.starts_with('#') {
            return Self::Public(rest);
        }
        if rest.starts_with(char::is_whitespace) || rest.is_empty() {
            return Self::Public(line);
        }
        match line.split_once(char::is_whitespace) {
            Some((to, text)) if !text.trim().is_empty() => Self::Room { to, text },
            _ => Self::MissingText(line.trim()),
        }
    }

    fn command(line: &'a str, rooms: bool) -> Self {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match command {
            "/help" => Self::Help(Some(rest).filter(|rest| !rest.is_empty())),
            "/name" => Self::Name(Some(rest).filter(|rest| !rest.is_empty())),
            "/users" => Self::Users(rest),
            "/history" => Self::History(rest),
            "/reply" => Self::Reply(rest),
            "/send" => Self::Send(rest),
            "/save" => Self::Save(rest),
            "/cancel" => Self::Cancel(rest),
            "/room" if rooms => Self::Front(Some(rest).filter(|rest| !rest.is_empty())),
            "/connection" => Self::Connection,
            "/quit" => Self::Quit,
            _ => match (Local::parse(command), Sealed::parse(command)) {
                (Some(local), _) => Self::Local(local, rest),
                (None, Some(sealed)) => Self::Sealed(sealed, rest),
                (None, None) => Self::Unknown(command),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line_is_understood() {
        let private = |to, text| ParsedLine::Private { to, text };
        let table = [
            ("", ParsedLine::Empty),
            (" \t ", ParsedLine::Empty),
            ("hello", ParsedLine::Public("hello")),
            ("  two  spaces ", ParsedLine::Public("  two  spaces ")),
            ("mail me @work", ParsedLine::Public("mail me @work")),
            ("1/2", ParsedLine::Public("1/2")),
            (" /quit", ParsedLine::Public(" /quit")),
            ("//quit", ParsedLine::Public("/quit")),
            ("// comment", ParsedLine::Public("/ comment")),
            ("///", ParsedLine::Public("//")),
            ("@@bob", ParsedLine::Public("@bob")),
            ("@bob psst", private("bob", "psst")),
            ("@bob\tpsst", private("bob", "psst")),
            ("@bob  two words ", private("bob", " two words ")),
            ("@bob /quit", private("bob", "/quit")),
            ("@böb @cyd", private("böb", "@cyd")),
            ("@ALL hello", ParsedLine::Public("hello")),
            ("@all hello", private("all", "hello")),
            ("@bob", ParsedLine::MissingText("@bob")),
            ("@bob  ", ParsedLine::MissingText("@bob")),
            ("@", ParsedLine::MissingText("@")),
            ("@ bob", ParsedLine::MissingText("@ bob")),
            ("/help", ParsedLine::Help(None)),
            ("/help  kick ", ParsedLine::Help(Some("kick"))),
            ("/name", ParsedLine::Name(None)),
            ("/name  ann ", ParsedLine::Name(Some("ann"))),
            ("/users", ParsedLine::Users("")),
            ("/users --all", ParsedLine::Users("--all")),
            ("/history", ParsedLine::History("")),
            ("/history bob 5", ParsedLine::History("bob 5")),
            ("/reply last  so be it ", ParsedLine::Reply("last  so be it")),
            ("/send  a.txt  my text ", ParsedLine::Send("a.txt  my text")),
            ("/save", ParsedLine::Save("")),
            ("/save last ~/x", ParsedLine::Save("last ~/x")),
            ("/cancel 2", ParsedLine::Cancel("2")),
            ("/connection", ParsedLine::Connection),
            ("/quit", ParsedLine::Quit),
            ("/quit\t", ParsedLine::Quit),
            ("/quitter", ParsedLine::Unknown("/quitter")),
            ("/QUIT", ParsedLine::Unknown("/QUIT")),
            ("/", ParsedLine::Unknown("/")),
            ("/ quit", ParsedLine::Unknown("/")),
            ("/mentions", ParsedLine::Local(Local::Mentions, "")),
            ("/search  two words ", ParsedLine::Local(Local::Search, "two words")),
            ("/links", ParsedLine::Local(Local::Links, "")),
            ("/unread\t", ParsedLine::Local(Local::Unread, "")),
            ("/notify", ParsedLine::Local(Local::Notify, "")),
            ("/notify none ", ParsedLine::Local(Local::Notify, "none")),
            ("/close bob", ParsedLine::Local(Local::Close, "bob")),
            ("/encrypt on", ParsedLine::Sealed(Sealed::Encrypt, "on")),
            ("/verify @bob yes", ParsedLine::Sealed(Sealed::Verify, "@bob yes")),
            ("/devices", ParsedLine::Sealed(Sealed::Devices, "")),
            ("/recovery A B", ParsedLine::Sealed(Sealed::Recovery, "A B")),
            ("/Links", ParsedLine::Unknown("/Links")),
            ("/etc/passwd is a file", ParsedLine::Unknown("/etc/passwd")),
        ];
        for (line, expected) in table {
            for rooms in [false, true] {
                assert_eq!(ParsedLine::parse(line, rooms), expected, "{line:?}");
            }
        }
    }

    #[test]
    fn rooms_are_meant_only_where_there_are_any() {
        let room = |to, text| ParsedLine::Room { to, text };
        let table = [
            ("#lab hi", room("#lab", "hi")),
            ("#lab\t two  words ", room("#lab", " two  words ")),
            ("#lab #talk", room("#lab", "#talk")),
            ("#lab", ParsedLine::MissingText("#lab")),
            ("#lab  ", ParsedLine::MissingText("#lab")),
            ("##lab hi", ParsedLine::Public("#lab hi")),
            ("# a heading", ParsedLine::Public("# a heading")),
            ("#", ParsedLine::Public("#")),
            (" #lab hi", ParsedLine::Public(" #lab hi")),
            ("/room", ParsedLine::Front(None)),
            ("/room  #lab ", ParsedLine::Front(Some("#lab"))),
            ("/rooms", ParsedLine::Unknown("/rooms")),
        ];
        for (line, expected) in table {
            assert_eq!(ParsedLine::parse(line, true), expected, "{line:?}");
        }
        assert_eq!(ParsedLine::parse("#lab hi", false), ParsedLine::Public("#lab hi"));
        assert_eq!(ParsedLine::parse("##lab", false), ParsedLine::Public("##lab"));
        assert_eq!(ParsedLine::parse("/room #lab", false), ParsedLine::Unknown("/room"));
    }
}
