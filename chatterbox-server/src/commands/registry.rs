//! The table of all commands.

use std::sync::LazyLock;

use crate::commands::command::Command;
use crate::commands::family::moderation::{
    announcing, auditing, banning, host, kicking, muting, reporting,
};
use crate::commands::family::rooms::{
    inviting, joining, listing, making, people, settings, talking,
};
use crate::commands::family::{
    account, admin, block, diagnostics, encryption, help, identity, message, presence, users,
};
use crate::commands::spec::Spec;

/// Every command, in the order of the reference.
pub(super) static TABLE: &[&Command] = &[
    &help::HELP,
    &identity::NAME,
    &identity::NICK,
    &users::USERS,
    &users::USER_COUNT,
    &presence::AWAY,
    &presence::BACK,
    &users::HIDE_LAST_SEEN,
    &account::REGISTER,
    &account::PASSWD,
    &account::LOGOUT,
    &account::ELEVATE,
    &encryption::E2EE_RESET,
    &encryption::E2EE_REMOVE,
    &block::BLOCK,
    &block::UNBLOCK,
    &block::BLOCKED,
    &message::MSG,
    &listing::ROOMS,
    &people::LIST,
    &joining::JOIN,
    &joining::LEAVE,
    &joining::DEFAULT,
    &talking::SAY,
    &making::CREATE_ROOM,
    &making::DELETE_ROOM,
    &settings::TOPIC,
    &settings::SET_ROOM,
    &inviting::INVITE,
    &inviting::UNINVITE,
    &listing::INVITATIONS,
    &people::KICK_FROM,
    &making::CLEAR,
    &kicking::KICK,
    &muting::MUTE,
    &muting::UNMUTE,
    &muting::SLOW,
    &banning::BAN,
    &banning::BAN_FROM,
    &banning::UNBAN,
    &banning::BANNED_USERS,
    &reporting::REPORT,
    &reporting::REPORTS,
    &reporting::CLOSE_REPORT,
    &announcing::BROADCAST,
    &announcing::SERVER_BROADCAST,
    &auditing::AUDIT,
    &host::GUESTS,
    &host::RELOAD,
    &host::SHUTDOWN,
    &diagnostics::PING,
    &diagnostics::TEST,
    &diagnostics::INPUT_TEST,
    &help::COMMAND_HISTORY,
    &admin::PERM,
    &admin::SET_PERM,
    &admin::USER_DEL,
    &admin::SET_PREFIX,
    &admin::DISABLE_COMMAND,
    &admin::ENABLE_COMMAND,
];

/// The descriptions of [`TABLE`].
///
/// Commands that need them get them in their [`Context`](super::context::Context): the table imports the commands, so they
/// can't import it.
pub(super) fn specs() -> &'static [&'static Spec] {
    static SPECS: LazyLock<Vec<&Spec>> =
        LazyLock::new(|| TABLE.iter().map(|command| &command.spec).collect());
    &SPECS
}

/// The command of this name or alias.
pub(super) fn find(text: &str) -> Option<&'static Command> {
    TABLE.iter().copied().find(|command| command.spec.is(text))
}
