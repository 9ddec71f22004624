//! What a command takes, and reading it: after that, arguments have types and not just text.

use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{Argument, ArgumentType, OutcomeCode};

use crate::accounts::Secret;
use crate::commands::context::Rejection;
use crate::commands::registry::{Spec, find};

/// One argument that a command takes.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgumentType,
    /// Whether it may be left out. A secret that is left out is asked for, unless it is optional.
    pub optional: bool,
    /// Whether it takes all that follows.
    pub rest: bool,
}

impl Parameter {
    /// One that has to be there.
    pub const fn required(name: &'static str, kind: ArgumentType) -> Self {
        Self { name, kind, optional: false, rest: matches!(kind, ArgumentType::Users) }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, kind: ArgumentType) -> Self {
        Self { optional: true, ..Self::required(name, kind) }
    }

    /// The same, taking the rest of the line.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self { rest: true, ..self }
    }

    /// How it stands in a usage line. A secret may always be left out: it is asked for.
    pub fn usage(&self) -> String {
        let dots = if self.rest { "..." } else { "" };
        if self.optional || self.kind == ArgumentType::Secret {
            format!("[{}{dots}]", self.name)
        } else {
            format!("<{}{dots}>", self.name)
        }
    }

    /// As it stands in the catalogue (CM-1).
    pub fn to_wire(&self) -> Argument {
        Argument {
            name: self.name.to_owned(),
            kind: self.kind,
            optional: self.optional || self.kind == ArgumentType::Secret,
            rest: self.rest,
        }
    }
}

/// One argument, read.
#[derive(Debug, Clone)]
enum Value {
    Text(String),
    User(Username),
    Users(Vec<Username>),
    Integer(i64),
    Command(&'static Spec),
    Secret(Secret),
}

/// The arguments of one call, as the command takes them.
#[derive(Debug, Clone, Default)]
pub struct Arguments(Vec<Option<Value>>);

impl Arguments {
    /// Reads them (CM-2).
    ///
    /// # Errors
    /// [`Rejection`] that says what is wrong, and how the command is used.
    pub fn read(spec: &Spec, texts: Vec<String>) -> Result<Self, Rejection> {
        let usage = || format!("Usage: {}", spec.usage());
        let mut texts = texts.into_iter();
        let mut values = Vec::with_capacity(spec.parameters.len());
        for parameter in spec.parameters {
            let given: Vec<String> = if parameter.rest {
                texts.by_ref().collect()
            } else {
                texts.next().into_iter().collect()
            };
            if given.is_empty() {
                let asked_for = parameter.kind == ArgumentType::Secret;
                if !parameter.optional && !asked_for {
                    let text = format!("{} is missing. {}", parameter.name, usage());
                    return Err(Rejection::new(OutcomeCode::BadArguments, text));
                }
                values.push(None);
                continue;
            }
            values.push(Some(read_value(parameter, given).map_err(|(code, problem)| {
                Rejection::new(code, format!("{problem} {}", usage()))
            })?));
        }
        if texts.next().is_some() {
            let text = format!("That is too much. {}", usage());
            return Err(Rejection::new(OutcomeCode::BadArguments, text));
        }
        Ok(Self(values))
    }

    fn take(&mut self, place: usize) -> Option<Value> {
        self.0.get_mut(place)?.take()
    }

    /// A text.
    pub fn text(&mut self, place: usize) -> Option<String> {
        match self.take(place) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A name.
    pub fn user(&mut self, place: usize) -> Option<Username> {
        match self.take(place) {
            Some(Value::User(name)) => Some(name),
            _ => None,
        }
    }

    /// Names.
    pub fn users(&mut self, place: usize) -> Vec<Username> {
        match self.take(place) {
            Some(Value::Users(names)) => names,
            _ => Vec::new(),
        }
    }

    /// A number.
    pub fn integer(&mut self, place: usize) -> Option<i64> {
        match self.take(place) {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        }
    }

    /// A command.
    pub fn command(&mut self, place: usize) -> Option<&'static Spec> {
        match self.take(place) {
            Some(Value::Command(spec)) => Some(spec),
            _ => None,
        }
    }

    /// A secret.
    pub fn secret(&mut self, place: usize) -> Option<Secret> {
        match self.take(place) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }
}

fn read_value(
    parameter: &Parameter,
    mut given: Vec<String>,
) -> Result<Value, (OutcomeCode, String)> {
    let nobody = |text: &str| {
        let shown = chatterbox_proto::ScreenText::shortened(text, 40);
        (OutcomeCode::NoSuchUser, format!("{shown} is nobody's name."))
    };
    if parameter.kind == ArgumentType::Users {
        let names = given.iter().map(|text| Username::parse(text).map_err(|_| nobody(text)));
        return Ok(Value::Users(names.collect::<Result<_, _>>()?));
    }
    let text = if given.len() == 1 { given.remove(0) } else { given.join(" ") };
    Ok(match parameter.kind {
        ArgumentType::User => Value::User(Username::parse(&text).map_err(|_| nobody(&text))?),
        ArgumentType::Integer => Value::Integer(text.trim().parse().map_err(|_| {
            (OutcomeCode::BadArguments, format!("{} has to be a whole number.", parameter.name))
        })?),
        ArgumentType::Command => Value::Command(find(&text).ok_or_else(|| {
            let shown = chatterbox_proto::ScreenText::shortened(&text, 40);
            (OutcomeCode::NoSuchCommand, format!("There is no command {shown}."))
        })?),
        ArgumentType::Secret => Value::Secret(Secret::given(&text)),
        _ => Value::Text(text),
    })
}

/// What of a call may be remembered and shown: secrets are not, and of what is no command nothing but its name, since it may
/// be a mistyped one.
pub fn for_history(spec: Option<&Spec>, name: &str, texts: &[String]) -> String {
    let Some(spec) = spec else {
        return chatterbox_proto::ScreenText::shortened(name, 40).to_string();
    };
    let has_secrets = spec.parameters.iter().any(|p| p.kind == ArgumentType::Secret);
    let mut line = spec.name.to_owned();
    for text in texts {
        line.push(' ');
        if has_secrets {
            line.push_str("***");
        } else {
            line.push_str(chatterbox_proto::ScreenText::shortened(text, 200).as_str());
        }
    }
    line
}
