//! The commands of this program: one table for help, completion and the hint at what is mistyped.

use crate::parse::{Local, Sealed};

/// A command of this program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) help: &'static str,
    pub(crate) arguments: &'static [OwnArgument],
    /// Whether a call with arguments goes to the server, where it has a command of this name.
    pub(crate) is_theirs_with_arguments: bool,
    /// Whether an overview has only its name.
    pub(crate) is_rare: bool,
    needs: Needs,
}

/// What there is beside the lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Has {
    /// The server has pages of history.
    pub(crate) history: bool,
    pub(crate) rooms: bool,
    /// What goes with messages: replies and mentions.
    pub(crate) meta: bool,
    /// The server keeps files.
    pub(crate) files: bool,
    /// This program keeps what was said.
    pub(crate) model: bool,
    /// This program has keys for encrypted messages.
    pub(crate) encryption: bool,
}

/// What an argument of such a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnArgument {
    /// The name of a command.
    Command,
    /// What can be in front: a room, everybody, or a user behind `@`.
    Target,
    /// Whose history: a room, everybody, or a user.
    With,
    /// A user behind `@`.
    User,
    /// What of a conversation one is told.
    Attention,
    /// `on` or `off`.
    Switch,
    /// Nothing that is known.
    Other,
}

/// What has to be there for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    History,
    Rooms,
    Meta,
    Files,
    Model,
    Encryption,
}

const ALL: &[Own] = &[
    Own {
        name: "users",
        usage: "/users",
        help: "who is here",
        arguments: &[OwnArgument::Other],
        is_theirs_with_arguments: true,
        is_rare: false,
        needs: Needs::Nothing,
    },
    Own {
        name: "name",
        usage: "/name",
        help: "under which name you are here",
        arguments: &[],
        is_theirs_with_arguments: false,
        is_rare: false,
        needs: Needs::Nothing,
    },
    Own {
        name: "room",
        usage: "/room NAME",
        help: "lines go to #NAME, @NAME or ALL; alone: what is unread",
        arguments: &[OwnArgument::Target],
        is_theirs_with_arguments: false,
        is_rare: false,
        needs: Needs::Rooms,
    },
    Own {
        name: "history",
        usage: "/history [NAME] [N]",
        help: "what was said before; again for what is older",
        arguments: &[OwnArgument::With, OwnArgument::Other],
        is_theirs_with_arguments: false,
        is_rare: false,
        needs: Needs::History,
    },
    Own {
        name: "help",
        usage: "/help [NAME]",
        help: "this, or how a command is used; /help all: every command",
        arguments: &[OwnArgument::Command],
        is_theirs_with_arguments: false,
        is_rare: false,
        needs: Needs::Nothing,
    },
    Own {
        name: "quit",
        usage: "/quit",
        help: "leave (so do Ctrl-D and Ctrl-C)",
        arguments: &[],
        is_theirs_with_arguments: false,
        is_rare: false,
        needs: Needs::Nothing,
    },
    rare(
        "reply",
        "/reply last|@NAME|ID TEXT",
        "answers what was said last here, what NAME said last, or the message of that number",
        &[OwnArgument::Other],
        Needs::Meta,
    ),
    rare(
        "send",
        "/send PATH [TEXT]",
        "sends a file to where you are, with a text",
        &[OwnArgument::Other],
        Needs::Files,
    ),
    rare(
        "save",
        "/save [last|ID|NAME] [PATH]",
        "fetches a file that somebody has sent",
        &[OwnArgument::Other],
        Needs::Files,
    ),
    rare(
        "cancel",
        "/cancel [NUMBER]",
        "gives up a file that is on its way",
        &[OwnArgument::Other],
        Needs::Files,
    ),
    rare("connection", "/connection", "how you are connected", &[], Needs::Nothing),
    rare(
        Local::Unread.name(),
        "/unread",
        "the conversations by number, and what is unread in them",
        &[],
        Needs::Model,
    ),
    rare(Local::Mentions.name(), "/mentions", "who has named you", &[], Needs::Model),
    rare(
        Local::Search.name(),
        "/search TEXT",
        "where that was said, in the conversation in front",
        &[OwnArgument::Other],
        Needs::Model,
    ),
    rare(
        Local::Links.name(),
        "/links",
        "the links of the conversation in front",
        &[],
        Needs::Model,
    ),
    rare(
        Local::Notify.name(),
        "/notify [all|mentions|none]",
        "what of the conversation in front you are told by the bell; alone: what holds",
        &[OwnArgument::Attention],
        Needs::Model,
    ),
    rare(
        Local::Close.name(),
        "/close @NAME",
        "takes the conversation with NAME off the list",
        &[OwnArgument::User],
        Needs::Model,
    ),
    rare(
        Sealed::Encrypt.name(),
        Sealed::Encrypt.usage(),
        "encrypts what is said to NAME, or to who is in front (experimental)",
        &[OwnArgument::Switch, OwnArgument::User],
        Needs::Encryption,
    ),
    rare(
        Sealed::Verify.name(),
        Sealed::Verify.usage(),
        "the number that NAME and you compare; yes: it is the same at both ends",
        &[OwnArgument::User, OwnArgument::Other],
        Needs::Encryption,
    ),
    rare(
        Sealed::Devices.name(),
        Sealed::Devices.usage(),
        "your devices, and with whom you encrypt",
        &[],
        Needs::Encryption,
    ),
    rare(
        Sealed::Recovery.name(),
        Sealed::Recovery.usage(),
        "your recovery code, to write down; CODE: adds this device",
        &[OwnArgument::Other],
        Needs::Encryption,
    ),
];

const fn rare(
    name: &'static str,
    usage: &'static str,
    help: &'static str,
    arguments: &'static [OwnArgument],
    needs: Needs,
) -> Own {
    Own { name, usage, help, arguments, is_theirs_with_arguments: false, is_rare: true, needs }
}

impl Own {
    /// Those that there are now.
    pub(crate) fn there_are(has: Has) -> impl Iterator<Item = &'static Self> {
        ALL.iter().filter(move |own| match own.needs {
            Needs::Nothing => true,
            Needs::History => has.history,
            Needs::Rooms => has.rooms,
            Needs::Meta => has.meta,
            Needs::Files => has.files,
            Needs::Model => has.model,
            Needs::Encryption => has.encryption,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_there_twice() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|own| own.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn each_command_about_what_is_kept_is_explained() {
        for local in Local::ALL {
            assert!(ALL.iter().any(|own| own.name == local.name()), "{local:?}");
        }
    }
}
