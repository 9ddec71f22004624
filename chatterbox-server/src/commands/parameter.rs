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
}

impl Parameter {
    pub(super) const fn required(name: &'static str, kind: ArgumentType) -> Self {
        Self { name, kind, optional: false, rest: matches!(kind, ArgumentType::Users) }
    }

    pub(super) const fn optional(name: &'static str, kind: ArgumentType) -> Self {
        Self { optional: true, ..Self::required(name, kind) }
    }

    /// The same, taking the rest of the line.
    #[must_use]
    pub(super) const fn rest(self) -> Self {
        Self { rest: true, ..self }
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
            ..Argument::new(self.name, self.kind)
        }
    }
}
