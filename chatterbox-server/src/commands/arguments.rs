//! Parsing the arguments of a call into typed values.

use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{ALL, NameError, RoomName, ScreenText, Username};

use crate::accounts::Secret;
use crate::commands::parameter::Parameter;
use crate::commands::reply::Rejection;
use crate::commands::span::Span;
use crate::commands::spec::{self, Spec};

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    User(Username),
    Users(Vec<Username>),
    Integer(i64),
    Room(RoomArgument),
    Command(&'static Spec),
    Secret(Secret),
    Span(Span),
}

/// What an argument says about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RoomArgument {
    /// `ALL`.
    Lobby,
    /// A name, of which nobody knows yet whether a room has it.
    Named(RoomName),
    /// A text that is no room's name.
    Unusable {
        /// The text, to be shown.
        text: String,
        error: NameError,
    },
}

impl RoomArgument {
    /// Reads a name; where only a room can stand, it may lack its sign.
    fn of(text: &str) -> Self {
        if text == ALL {
            return Self::Lobby;
        }
        let name = if RoomName::is_meant(text) {
            RoomName::parse(text)
        } else {
            RoomName::parse(&format!("#{text}"))
        };
        let shown = || ScreenText::shortened(text, 40).to_string();
        name.map_or_else(|error| Self::Unusable { text: shown(), error }, Self::Named)
    }
}

/// Whether a text that could be this optional argument is a later one: a room is told by its sign, a duration, a number and a fixed
/// word by what they are, where something else may stand in their place.
fn is_for_later(parameter: &Parameter, later: &[Parameter], text: &str) -> bool {
    let is_room = RoomName::is_meant(text) || text == ALL;
    let is_last = later.is_empty();
    parameter.optional
        && match parameter.kind {
            ArgumentType::Duration => !is_last && Span::parse(text).is_none(),
            ArgumentType::Integer => !is_last && text.parse::<i64>().is_err(),
            _ if !is_last && !parameter.values.is_empty() => !parameter.values.contains(&text),
            ArgumentType::Room => {
                !is_room && later.iter().any(|other| !other.optional || other.rest)
            }
            _ => is_room && later.iter().any(|other| other.kind == ArgumentType::Room),
        }
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
        let mut texts = texts.into_iter().peekable();
        let mut values = Vec::with_capacity(spec.parameters.len());
        for (place, parameter) in spec.parameters.iter().enumerate() {
            let later = spec.parameters.get(place + 1..).unwrap_or_default();
            let passed_over = texts.peek().is_some_and(|text| is_for_later(parameter, later, text));
            let given: Vec<String> = if passed_over {
                Vec::new()
            } else if parameter.rest {
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

    pub(super) fn room(&mut self, place: usize) -> Option<RoomArgument> {
        match self.take(place) {
            Some(Value::Room(room)) => Some(room),
            _ => None,
        }
    }

    pub(super) fn span(&mut self, place: usize) -> Option<Span> {
        match self.take(place) {
            Some(Value::Span(span)) => Some(span),
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
        ArgumentType::Room => Value::Room(RoomArgument::of(&text)),
        ArgumentType::Duration => Value::Span(Span::parse(&text).ok_or_else(|| {
            let text = format!("{} has to be like 30s, 10m, 2h, 7d or forever.", parameter.name);
            (OutcomeCode::BadArguments, text)
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
    let masked = spec.parameters.iter().position(|p| p.masked).unwrap_or(usize::MAX);
    let mut line = spec.name.to_owned();
    for (place, text) in texts.iter().enumerate() {
        if line.len() > HISTORY_LINE {
            line.push_str(" ...");
            break;
        }
        line.push(' ');
        if has_secrets || place >= masked {
            line.push_str("***");
        } else {
            line.push_str(ScreenText::shortened(text, 200).as_str());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::registry::{find, specs};

    fn parsed(command: &str, texts: &[&str]) -> Arguments {
        let texts = texts.iter().map(|&text| text.to_owned()).collect();
        Arguments::parse(&find(command).unwrap().spec, texts, specs()).unwrap()
    }

    #[test]
    fn a_room_is_told_by_its_sign_where_it_may_be_left_out() {
        let named = |text| Some(RoomArgument::Named(RoomName::parse(text).unwrap()));
        for (texts, room, topic) in [
            (&["#lab", "exercise", "3"][..], named("#lab"), "exercise 3"),
            (&["exercise", "#3"], None, "exercise #3"),
            (&["ALL", "x"], Some(RoomArgument::Lobby), "x"),
            (&["all", "x"], None, "all x"),
            (&["#lab", ""], named("#lab"), ""),
        ] {
            let mut arguments = parsed("topic", texts);
            assert_eq!(arguments.room(0), room, "{texts:?}");
            assert_eq!(arguments.text(1).as_deref(), Some(topic), "{texts:?}");
        }
        let mut arguments = parsed("perm", &["#lab"]);
        assert_eq!((arguments.user(0), arguments.room(1)), (None, named("#lab")));
        let mut arguments = parsed("perm", &["bob", "lab"]);
        assert!(arguments.user(0).is_some());
        assert_eq!(arguments.room(1), named("#lab"));
        for (texts, room) in [(&[][..], None), (&["LAB"], named("#lab"))] {
            assert_eq!(parsed("leave", texts).room(0), room, "{texts:?}");
        }
        let Some(RoomArgument::Unusable { text, .. }) = parsed("join", &["#a\u{1b}"]).room(0)
        else {
            panic!("an escape is in no name");
        };
        assert_eq!(text, "#a\\u{1b}");
    }

    #[test]
    fn what_may_be_a_secret_is_not_remembered() {
        let spec = &find("set-room").unwrap().spec;
        let texts = ["#lab", "password", "hunter2", "x"].map(str::to_owned);
        assert_eq!(for_history(Some(spec), "set-room", &texts), "set-room #lab password *** ***");
        let spec = &find("join").unwrap().spec;
        let texts = ["#lab", "hunter2"].map(str::to_owned);
        assert_eq!(for_history(Some(spec), "join", &texts), "join *** ***");
    }
}
