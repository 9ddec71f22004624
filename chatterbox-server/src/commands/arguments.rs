//! Parsing the arguments of a call into typed values.

use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{ScreenText, Username};

use crate::accounts::Secret;
use crate::commands::parameter::Parameter;
use crate::commands::reply::Rejection;
use crate::commands::spec::{self, Spec};

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    User(Username),
    Users(Vec<Username>),
    Integer(i64),
    Command(&'static Spec),
    Secret(Secret),
}

/// The arguments of one call, one place for each parameter. A getter takes the value out; `None` is an argument that was
/// left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments(Vec<Option<Value>>);

impl Arguments {
    /// Parses the arguments of a call of `spec` (CM-2); an argument that names a command is one of `specs`.
    ///
    /// # Errors
    /// [`Rejection`] with the problem and the usage of the command.
    pub(super) fn parse(
        spec: &Spec,
        texts: Vec<String>,
        specs: &[&'static Spec],
    ) -> Result<Self, Rejection> {
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
            values.push(Some(parse_value(parameter, given, specs).map_err(
                |(code, problem)| Rejection::new(code, format!("{problem} {}", usage())),
            )?));
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

    pub(super) fn text(&mut self, place: usize) -> Option<String> {
        match self.take(place) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn user(&mut self, place: usize) -> Option<Username> {
        match self.take(place) {
            Some(Value::User(name)) => Some(name),
            _ => None,
        }
    }

    pub(super) fn users(&mut self, place: usize) -> Vec<Username> {
        match self.take(place) {
            Some(Value::Users(names)) => names,
            _ => Vec::new(),
        }
    }

    pub(super) fn integer(&mut self, place: usize) -> Option<i64> {
        match self.take(place) {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        }
    }

    pub(super) fn command(&mut self, place: usize) -> Option<&'static Spec> {
        match self.take(place) {
            Some(Value::Command(spec)) => Some(spec),
            _ => None,
        }
    }

    pub(super) fn secret(&mut self, place: usize) -> Option<Secret> {
        match self.take(place) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }
}

fn parse_value(
    parameter: &Parameter,
    mut given: Vec<String>,
    specs: &[&'static Spec],
) -> Result<Value, (OutcomeCode, String)> {
    let nobody = |text: &str| {
        let shown = ScreenText::shortened(text, 40);
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
        ArgumentType::Command => Value::Command(spec::find(specs, &text).ok_or_else(|| {
            let shown = ScreenText::shortened(&text, 40);
            (OutcomeCode::NoSuchCommand, format!("There is no command {shown}."))
        })?),
        ArgumentType::Secret => Value::Secret(Secret::given(&text)),
        _ => Value::Text(text),
    })
}

/// Arguments beyond this length of a line, in bytes, are left out of the history of commands.
const HISTORY_LINE: usize = 1024;

/// The line of a call for the history of commands. Secrets are masked; of an unknown command only the name is kept, since
/// its arguments may be the secrets of a mistyped one.
pub(super) fn for_history(spec: Option<&Spec>, name: &str, texts: &[String]) -> String {
    let Some(spec) = spec else {
        return ScreenText::shortened(name, 40).to_string();
    };
    let has_secrets = spec.parameters.iter().any(|p| p.kind == ArgumentType::Secret);
    let mut line = spec.name.to_owned();
    for text in texts {
        if line.len() > HISTORY_LINE {
            line.push_str(" ...");
            break;
        }
        line.push(' ');
        if has_secrets {
            line.push_str("***");
        } else {
            line.push_str(ScreenText::shortened(text, 200).as_str());
        }
    }
    line
}
