//! The commands for rooms: what they are called, what they take, and what they need.

/// What a command needs in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    Membership,
    Level(u8),
    /// Level 1, and 2 in a closed room.
    Inviting,
}

/// Where the room of a command stands among its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is about no room, or looks for it itself.
    Nowhere,
    First,
    /// The first one if it looks like a room, else it is the room of `default`.
    FirstOrDefault,
    Nth(usize),
}

/// An argument: its name and type, whether it may be left out, and whether it takes the rest.
pub(super) type Argument = (&'static str, &'static str, bool, bool);

pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) arguments: &'static [Argument],
    /// The level on the server.
    pub(super) level: u8,
    pub(super) place: Place,
    pub(super) needs: Needs,
}

const ROOM: Argument = ("room", "room", false, false);
const ANY_ROOM: Argument = ("room", "room", true, false);
const USER: Argument = ("user", "user", false, false);
const USERS: Argument = ("users", "users", false, true);
const PASSWORD: Argument = ("password", "secret", true, false);

pub(super) const COMMANDS: &[Spec] = &[
    Spec {
        name: "rooms",
        aliases: &["channels", "channel"],
        arguments: &[],
        level: 0,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "list",
        aliases: &["members"],
        arguments: &[ANY_ROOM],
        level: 0,
        place: Place::FirstOrDefault,
        needs: Needs::Membership,
    },
    Spec {
        name: "join",
        aliases: &["j", "join-channel"],
        arguments: &[ROOM, PASSWORD],
        level: 0,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "leave",
        aliases: &["l", "close", "leave-channel"],
        arguments: &[ANY_ROOM],
        level: 0,
        place: Place::FirstOrDefault,
        needs: Needs::Membership,
    },
    Spec {
        name: "default",
        aliases: &["cd"],
        arguments: &[ROOM],
        level: 0,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "say",
        aliases: &["public"],
        arguments: &[ROOM, ("text", "text", false, true)],
        level: 0,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "create-room",
        aliases: &["c", "create-channel"],
        arguments: &[ROOM, PASSWORD],
        level: 1,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "delete-room",
        aliases: &["delete-channel"],
        arguments: &[ROOM],
        level: 0,
        place: Place::First,
        needs: Needs::Level(4),
    },
    Spec {
        name: "topic",
        aliases: &[],
        arguments: &[ANY_ROOM, ("text", "text", false, true)],
        level: 0,
        place: Place::FirstOrDefault,
        needs: Needs::Level(2),
    },
    Spec {
        name: "set-room",
        aliases: &[],
        arguments: &[ROOM, ("setting", "text", false, false), ("value", "text", true, true)],
        level: 0,
        place: Place::First,
        needs: Needs::Level(4),
    },
    Spec {
        name: "invite",
        aliases: &[],
        arguments: &[ROOM, USERS],
        level: 1,
        place: Place::First,
        needs: Needs::Inviting,
    },
    Spec {
        name: "uninvite",
        aliases: &[],
        arguments: &[ROOM, USERS],
        level: 1,
        place: Place::First,
        needs: Needs::Inviting,
    },
    Spec {
        name: "invitations",
        aliases: &[],
        arguments: &[],
        level: 0,
        place: Place::Nowhere,
        needs: Needs::Nothing,
    },
    Spec {
        name: "kick-from",
        aliases: &[],
        arguments: &[ROOM, USER, ("reason", "text", true, true)],
        level: 0,
        place: Place::First,
        needs: Needs::Level(2),
    },
    Spec {
        name: "clear",
        aliases: &[],
        arguments: &[ANY_ROOM],
        level: 0,
        place: Place::FirstOrDefault,
        needs: Needs::Level(4),
    },
    Spec {
        name: "set-perm",
        aliases: &["setperm"],
        arguments: &[USER, ("level", "text", false, false), ANY_ROOM],
        level: 0,
        place: Place::Nth(2),
        needs: Needs::Level(4),
    },
    Spec {
        name: "perm",
        aliases: &["level"],
        arguments: &[("user", "user", true, false), ANY_ROOM],
        level: 0,
        place: Place::Nth(1),
        needs: Needs::Membership,
    },
];

/// Finds a command by its name or another one.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.name == name || spec.aliases.contains(&name))
}
