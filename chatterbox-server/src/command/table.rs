//! The table: every command, one row each.

use std::fmt;

use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands as wire;
use futures_util::future::BoxFuture;

use super::arguments::{Arguments, Parameter};
use super::context::{Context, Reply};
use super::{account, administration, blocking, people, talk, testing};
use crate::account::Level;

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
    &people::HELP,
    &people::NAME,
    &people::NICK,
    &people::USERS,
    &people::USER_COUNT,
    &account::REGISTER,
    &account::PASSWD,
    &account::LOGOUT,
    &account::ELEVATE,
    &blocking::BLOCK,
    &blocking::UNBLOCK,
    &blocking::BLOCKED,
    &talk::MSG,
    &testing::PING,
    &testing::TEST,
    &testing::INPUT_TEST,
    &people::COMMAND_HISTORY,
    &administration::PERM,
    &administration::SET_PERM,
    &administration::SET_PREFIX,
    &administration::DISABLE_COMMAND,
    &administration::ENABLE_COMMAND,
];

/// The command of this name or alias.
pub fn find(text: &str) -> Option<&'static Spec> {
    TABLE.iter().copied().find(|spec| spec.is(text))
}
