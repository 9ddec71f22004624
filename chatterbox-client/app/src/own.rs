//! The commands of this program: one table for help, completion and the hint at what is mistyped.

/// A command of this program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) help: &'static str,
    pub(crate) arguments: &'static [OwnArgument],
    /// Whether a call with arguments goes to the server, where it has a command of this name.
    pub(crate) is_theirs_with_arguments: bool,
    needs: Needs,
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
    /// Nothing that is known.
    Other,
}

/// What the server has to have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    History,
    Rooms,
}

const ALL: &[Own] = &[
    Own {
        name: "users",
        usage: "/users",
        help: "who is here",
        arguments: &[OwnArgument::Other],
        is_theirs_with_arguments: true,
        needs: Needs::Nothing,
    },
    Own {
        name: "name",
        usage: "/name",
        help: "under which name you are here",
        arguments: &[],
        is_theirs_with_arguments: false,
        needs: Needs::Nothing,
    },
    Own {
        name: "room",
        usage: "/room NAME",
        help: "lines go to #NAME, @NAME or ALL from now on; without NAME: what is unread",
        arguments: &[OwnArgument::Target],
        is_theirs_with_arguments: false,
        needs: Needs::Rooms,
    },
    Own {
        name: "history",
        usage: "/history [NAME] [N]",
        help: "what was said before; again for what is older",
        arguments: &[OwnArgument::With, OwnArgument::Other],
        is_theirs_with_arguments: false,
        needs: Needs::History,
    },
    Own {
        name: "help",
        usage: "/help [NAME]",
        help: "these lines, or how one command is used; /help all: every command",
        arguments: &[OwnArgument::Command],
        is_theirs_with_arguments: false,
        needs: Needs::Nothing,
    },
    Own {
        name: "quit",
        usage: "/quit",
        help: "leave (so do Ctrl-D and Ctrl-C)",
        arguments: &[],
        is_theirs_with_arguments: false,
        needs: Needs::Nothing,
    },
];

impl Own {
    /// Those that there are at a server.
    pub(crate) fn there_are(
        has_history: bool,
        has_rooms: bool,
    ) -> impl Iterator<Item = &'static Self> {
        ALL.iter().filter(move |own| match own.needs {
            Needs::Nothing => true,
            Needs::History => has_history,
            Needs::Rooms => has_rooms,
        })
    }
}
