//! The parameters of a command, as the table describes them.

use chatterbox_proto::capability::commands::{Argument, ArgumentType};

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: ArgumentType,
    /// The argument may be left out. A required secret that is left out is asked for in a prompt.
    pub(super) optional: bool,
    /// It takes the rest of the line.
    pub(super) rest: bool,
    /// What it is for, in a few words.
    pub(super) help: &'static str,
    /// The words to choose from, if it can't be anything.
    pub(super) values: &'static [&'static str],
    /// It may be a secret, depending on another one, so the history of commands does not show it.
    pub(super) masked: bool,
}

impl Parameter {
    pub(super) const fn required(name: &'static str, kind: ArgumentType) -> Self {
        Self {
            name,
            kind,
            optional: false,
            rest: matches!(kind, ArgumentType::Users),
            help: "",
            values: &[],
            masked: matches!(kind, ArgumentType::Secret),
        }
    }

    pub(super) const fn optional(name: &'static str, kind: ArgumentType) -> Self {
        Self { optional: true, ..Self::required(name, kind) }
    }

    /// The same, taking the rest of the line.
    #[must_use]
    pub(super) const fn rest(self) -> Self {
        Self { rest: true, ..self }
    }

    /// The same with words about it.
    #[must_use]
    pub(super) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same, for one of these words.
    #[must_use]
    pub(super) const fn values(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    /// The same, which may be a secret.
    #[must_use]
    pub(super) const fn masked(self) -> Self {
        Self { masked: true, ..self }
    }

    /// Its part of a usage line. A secret may always be left out: it is asked for in a prompt.
    pub(super) fn usage(&self) -> String {
        let dots = if self.rest { "..." } else { "" };
        if self.optional || self.kind == ArgumentType::Secret {
            format!("[{}{dots}]", self.name)
        } else {
            format!("<{}{dots}>", self.name)
        }
    }

    /// Its entry in the catalogue (CM-1).
    pub(super) fn to_wire(&self) -> Argument {
        Argument {
            name: self.name.to_owned(),
            kind: self.kind,
            optional: self.optional || self.kind == ArgumentType::Secret,
            rest: self.rest,
            help: self.help.to_owned(),
            values: self.values.iter().map(|&value| value.to_owned()).collect(),
        }
    }
}
