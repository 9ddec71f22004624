//! The table: every command, one row each.

use std::fmt;

use chatterbox_hub::Level;
use chatterbox_proto::capability::{Capability, commands as wire};
use futures_util::future::BoxFuture;

use crate::commands::arguments::{Arguments, Parameter};
use crate::commands::context::{Context, Reply};
use crate::commands::family::{account, admin, block, diagnostics, message, users};

/// What a command does.
pub type Run = for<'a> fn(&'a Context<'a>, Arguments) -> BoxFuture<'a, Reply>;

/// One command.
pub struct Spec {
    /// Its name: small letters and hyphens.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What it does, in a line.
    pub help: &'static str,
    /// How it may be typed, without the prefix.
    pub example: &'static str,
    /// Who may use it.
    pub level: Level,
    /// What the client has to speak as well.
    pub needs: Option<Capability>,
    /// What stands in `DATA` when it was done, for the reference; empty when nothing does.
    pub data: &'static str,
    /// What it does.
    pub run: Run,
}

impl Spec {
    /// How it is used: `msg <user> <text...>`.
    pub fn usage(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| format!(" {}", parameter.usage()));
        format!("{}{}", self.name, parameters.collect::<String>())
    }

    /// Whether a text means this command; case does not matter.
    pub fn is(&self, text: &str) -> bool {
        self.name.eq_ignore_ascii_case(text)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
    }

    /// Its entry in the catalogue (CM-1).
    pub fn to_wire(&self) -> wire::Command {
        wire::Command {
            name: self.name.to_owned(),
            aliases: self.aliases.iter().map(|&alias| alias.to_owned()).collect(),
            arguments: self.parameters.iter().map(Parameter::to_wire).collect(),
            help: self.help.to_owned(),
            example: self.example.to_owned(),
            level: self.level.number(),
        }
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spec").field(&self.name).finish()
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Every command, in the order of the reference.
pub static TABLE: &[&Spec] = &[
    &users::HELP,
    &users::NAME,
    &users::NICK,
    &users::USERS,
    &users::USER_COUNT,
    &account::REGISTER,
    &account::PASSWD,
    &account::LOGOUT,
    &account::ELEVATE,
    &block::BLOCK,
    &block::UNBLOCK,
    &block::BLOCKED,
    &message::MSG,
    &diagnostics::PING,
    &diagnostics::TEST,
    &diagnostics::INPUT_TEST,
    &users::COMMAND_HISTORY,
    &admin::PERM,
    &admin::SET_PERM,
    &admin::SET_PREFIX,
    &admin::DISABLE_COMMAND,
    &admin::ENABLE_COMMAND,
];

/// The command of this name or alias.
pub fn find(text: &str) -> Option<&'static Spec> {
    TABLE.iter().copied().find(|spec| spec.is(text))
}
