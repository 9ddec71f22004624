//! `commands`: what a user can ask the server to do, its results, and what it asks back (CM-1 to CM-6).
//!
//! The server's table of commands is written as [`Command`]s; what is called goes as [`Call`], comes back as [`Outcome`],
//! and may ask with a [`Prompt`] that an [`Answer`] answers.

use std::fmt;

use serde_json::Value;

use super::accounts::Secret;
use crate::json::{self, Object};
use crate::limits;
use crate::text::WireText;

/// The catalogue: what this user may use now.
pub const COMMANDS: &str = "COMMANDS";
/// What is typed before a command.
pub const PREFIX: &str = "PREFIX";
/// Calls one.
pub const COMMAND: &str = "COMMAND";
/// What came of it.
pub const RESULT: &str = "RESULT";
/// A question of the server.
pub const PROMPT: &str = "PROMPT";
/// The answer.
pub const ANSWER: &str = "ANSWER";

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$row:meta])* $variant:ident = $word:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$row])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The stable machine word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this word.
            pub fn of(word: &str) -> Option<Self> {
                Self::EVERY.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What came of a command, for programs (CM-3).
    OutcomeCode:
    /// It is done.
    Ok = "ok";
    /// There is none of that name.
    NoSuchCommand = "no-such-command";
    /// It is switched off.
    Disabled = "disabled";
    /// This user may not do it (CM-5).
    Forbidden = "forbidden";
    /// The arguments are not what it takes.
    BadArguments = "bad-arguments";
    /// Nobody by that name.
    NoSuchUser = "no-such-user";
    /// The text can't be a name.
    BadName = "bad-name";
    /// Somebody has that name.
    Taken = "taken";
    /// The name belongs to somebody.
    Registered = "registered";
    /// The password is not the right one.
    WrongPassword = "wrong-password";
    /// Too often.
    Throttled = "throttled";
    /// Its question was not answered in time.
    Timeout = "timeout";
    /// Its question was answered with no.
    Cancelled = "cancelled";
    /// Too many are waiting (CM-6).
    Busy = "busy";
    /// The client would have to speak something that was not agreed.
    NeedsCapability = "needs-capability";
    /// The server can't store it now.
    NotStored = "not-stored";
    /// One of the two has blocked the other.
    Blocked = "blocked";
    /// Something else went wrong.
    Failed = "failed";
}

words! {
    /// What an argument is (CM-1).
    ArgumentType:
    /// Any text.
    Text = "text";
    /// The name of a user.
    User = "user";
    /// Names of users, all that follow.
    Users = "users";
    /// A whole number.
    Integer = "integer";
    /// The name of a command.
    Command = "command";
    /// What is not to be seen.
    Secret = "secret";
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// What it is called.
    pub name: String,
    /// What it is. A client takes what it does not know for text.
    pub kind: ArgumentType,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it takes the rest of the line.
    pub rest: bool,
}

/// One entry of the catalogue (CM-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name.
    pub name: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// What it does, in a line.
    pub help: String,
    /// How it may be typed.
    pub example: String,
    /// Who may use it.
    pub level: u8,
}

impl Command {
    /// The entry as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let arguments = self.arguments.iter().map(|argument| {
            Object::with_capacity(80)
                .string("NAME", &argument.name)
                .string("TYPE", argument.kind.word())
                .boolean("OPTIONAL", argument.optional)
                .boolean("REST", argument.rest)
                .into_value()
        });
        Object::with_capacity(256)
            .string("NAME", &self.name)
            .list("ALIASES", self.aliases.iter().map(|alias| json::string(alias)))
            .list("ARGUMENTS", arguments)
            .string("HELP", &self.help)
            .string("EXAMPLE", &self.example)
            .integer("LEVEL", i64::from(self.level))
            .into_value()
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
        let argument = |value: &Value| {
            Some(Argument {
                name: text(value, "NAME")?,
                kind: ArgumentType::of(value.get("TYPE")?.as_str()?).unwrap_or(ArgumentType::Text),
                optional: value.get("OPTIONAL")?.as_bool()?,
                rest: value.get("REST")?.as_bool()?,
            })
        };
        let alias = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            name: text(value, "NAME")?,
            aliases: value.get("ALIASES")?.as_array()?.iter().map(alias).collect::<Option<_>>()?,
            arguments: {
                let all = value.get("ARGUMENTS")?.as_array()?;
                all.iter().map(argument).collect::<Option<_>>()?
            },
            help: text(value, "HELP")?,
            example: text(value, "EXAMPLE")?,
            level: u8::try_from(value.get("LEVEL")?.as_u64()?).ok()?,
        })
    }
}

/// `COMMANDS` and `PREFIX` (CM-1).
pub fn catalogue<'a>(commands: impl IntoIterator<Item = &'a Command>, prefix: &str) -> Object {
    Object::with_capacity(4096)
        .list(COMMANDS, commands.into_iter().map(Command::to_json))
        .string(PREFIX, prefix)
}

pub(crate) fn read_catalogue(value: &Value) -> Option<Vec<Command>> {
    value.as_array()?.iter().map(Command::read).collect()
}

/// A command that is called (CM-2).
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The client's choice; the result has it.
    pub id: String,
    /// Which command.
    pub name: String,
    /// As they are. They may hold a password, so they are in no log.
    pub arguments: Vec<String>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, count) = (&self.name, self.arguments.len());
        f.debug_struct("Call")
            .field("name", name)
            .field("arguments", &count)
            .finish_non_exhaustive()
    }
}

impl Call {
    /// `COMMAND`, as a client writes it.
    pub fn to_object(&self) -> Object {
        let call = Object::with_capacity(128)
            .string("ID", &self.id)
            .string("NAME", &self.name)
            .list("ARGS", self.arguments.iter().map(|argument| json::string(argument)))
            .into_value();
        Object::with_capacity(call.len() + 16).json(COMMAND, &call)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let arguments = value.get("ARGS")?.as_array()?;
        if arguments.len() > limits::ARGUMENTS {
            return None;
        }
        let name = value.get("NAME")?.as_str()?;
        let texts: Vec<&str> = arguments.iter().map(Value::as_str).collect::<Option<_>>()?;
        let length: usize = texts.iter().map(|text| text.len()).sum();
        if name.len() + length > limits::COMMAND {
            return None;
        }
        Some(Self {
            id: read_id(value)?,
            name: name.to_owned(),
            arguments: texts.into_iter().map(str::to_owned).collect(),
        })
    }
}

/// What came of a command (CM-2).
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Of which call.
    pub id: WireText<'static>,
    /// For programs; [`OutcomeCode`] has the words.
    pub code: WireText<'static>,
    /// Whether it was done.
    pub ok: bool,
    /// For people: INFO when it was done, ERROR when it was not.
    pub text: WireText<'static>,
    /// For programs; its shape is the command's.
    pub data: Option<Value>,
}

impl Outcome {
    /// Of this call, with this code.
    pub fn new(id: &str, code: OutcomeCode, text: impl Into<String>) -> Self {
        Self {
            id: WireText::new(id.to_owned()),
            code: WireText::new(code.word()),
            ok: code == OutcomeCode::Ok,
            text: WireText::new(text.into()),
            data: None,
        }
    }

    /// The same with something for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// `RESULT`, as the server writes it.
    pub fn to_object(&self) -> Object {
        let result = Object::with_capacity(128)
            .string("ID", self.id.as_wire())
            .boolean("OK", self.ok)
            .string("CODE", self.code.as_wire())
            .string(if self.ok { "INFO" } else { "ERROR" }, self.text.as_wire());
        let result = match &self.data {
            Some(data) => result.value("DATA", data),
            None => result,
        }
        .into_value();
        Object::with_capacity(result.len() + 16).json(RESULT, &result)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(WireText::new(value.get(key)?.as_str()?.to_owned()));
        let ok = value.get("OK")?.as_bool()?;
        Some(Self {
            id: text("ID")?,
            code: text("CODE")?,
            ok,
            text: text(if ok { "INFO" } else { "ERROR" })?,
            data: value.get("DATA").cloned(),
        })
    }
}

/// A question of the server (CM-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Of which call.
    pub id: WireText<'static>,
    /// The question.
    pub text: WireText<'static>,
    /// Whether the answer is not to be seen.
    pub secret: bool,
}

impl Prompt {
    /// `PROMPT`, as the server writes it.
    pub fn to_object(&self) -> Object {
        let prompt = Object::with_capacity(96)
            .string("ID", self.id.as_wire())
            .string("TEXT", self.text.as_wire())
            .boolean("SECRET", self.secret)
            .into_value();
        Object::with_capacity(prompt.len() + 16).json(PROMPT, &prompt)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(WireText::new(value.get(key)?.as_str()?.to_owned()));
        Some(Self { id: text("ID")?, text: text("TEXT")?, secret: value.get("SECRET")?.as_bool()? })
    }
}

/// What the user says to a question (CM-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of which call.
    pub id: String,
    /// `None` cancels.
    pub text: Option<Secret>,
}

impl Answer {
    /// `ANSWER`, as a client writes it.
    pub fn to_object(&self) -> Object {
        let answer = Object::with_capacity(96).string("ID", &self.id);
        let answer = match &self.text {
            Some(text) => answer.string("TEXT", text.reveal()),
            None => answer.json("TEXT", b"null"),
        }
        .into_value();
        Object::with_capacity(answer.len() + 16).json(ANSWER, &answer)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = match value.get("TEXT")? {
            Value::Null => None,
            Value::String(text) if text.len() <= limits::COMMAND => Some(Secret::new(text)),
            _ => return None,
        };
        Some(Self { id: read_id(value)?, text })
    }
}

/// What a client sends to whoever runs its commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandRequest {
    /// `COMMAND` (CM-2).
    Call(Call),
    /// `ANSWER` (CM-4).
    Answer(Answer),
}

fn read_id(value: &Value) -> Option<String> {
    let id = value.get("ID")?.as_str()?;
    (1..=limits::TAG).contains(&id.len()).then(|| id.to_owned())
}
