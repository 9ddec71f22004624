//! The description of a command, which everything but its function is derived from.

use chatterbox_hub::Level;
use chatterbox_proto::Capabilities;
use chatterbox_proto::capability::{Capability, commands as wire};

use crate::commands::parameter::Parameter;

/// One command as a row of the table.
#[derive(Debug)]
pub(super) struct Spec {
    /// Small letters and hyphens.
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) parameters: &'static [Parameter],
    /// One line for `help`, the catalogue and the reference.
    pub(super) help: &'static str,
    /// A call as it is typed, without the prefix.
    pub(super) example: &'static str,
    /// The lowest level that may use it.
    pub(super) level: Level,
    /// A capability that the client has to speak beside `commands`.
    pub(super) needs: Option<Capability>,
    /// What it does can't be undone.
    pub(super) confirm: bool,
    /// It is there to be tried out only.
    pub(super) demo: bool,
    /// Admins can't switch it off, because it switches the others on again.
    pub(super) stays_on: bool,
    /// The shape of `DATA` in the result, for the reference; empty when there is none.
    pub(super) data: &'static str,
}

impl Spec {
    /// The usage line: `msg <user> <text...>`.
    pub(super) fn usage(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| format!(" {}", parameter.usage()));
        format!("{}{}", self.name, parameters.collect::<String>())
    }

    /// Its entry in the catalogue (CM-1) of a client with which this was agreed. Who did not agree to rooms is not asked for one
    /// (RM-4).
    pub(super) fn to_wire(&self, agreed: Capabilities) -> wire::Command {
        let rooms = agreed.has(Capability::Rooms);
        let parameters = self.parameters.iter();
        let parameters = parameters.filter(|one| rooms || one.kind != wire::ArgumentType::Room);
        wire::Command {
            name: self.name.to_owned(),
            aliases: self.aliases.iter().map(|&alias| alias.to_owned()).collect(),
            arguments: parameters.map(Parameter::to_wire).collect(),
            help: self.help.to_owned(),
            example: self.example.to_owned(),
            level: self.level.number(),
            confirm: self.confirm,
            demo: self.demo,
        }
    }

    /// Whether a text is its name or an alias; case does not matter.
    pub(super) fn is(&self, text: &str) -> bool {
        self.name.eq_ignore_ascii_case(text)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
    }
}

/// The command of this name or alias.
pub(super) fn find(specs: &[&'static Spec], text: &str) -> Option<&'static Spec> {
    specs.iter().copied().find(|spec| spec.is(text))
}
