//! `commands`: remote commands of the server (CM-1 to CM-6).
//!
//! The server publishes its catalogue as [`Command`]s. A client calls one with a [`Call`] and gets an [`Outcome`]; while it
//! runs, the command may send a [`Prompt`], which the client answers with an [`Answer`].

use std::fmt;

use serde_json::Value;

use super::accounts::Secret;
use crate::json::{self, Object};
use crate::limits;
use crate::text::WireText;

/// The catalogue of the commands that this user may use now.
pub const COMMANDS: &str = "COMMANDS";
/// The prefix that a user types before a command.
pub const PREFIX: &str = "PREFIX";
/// What the levels are called, the lowest first (MO-1).
pub const LEVELS: &str = "LEVELS";
/// A call of a command.
pub const COMMAND: &str = "COMMAND";
/// The result of a call.
pub const RESULT: &str = "RESULT";
/// A question that a running command asks.
pub const PROMPT: &str = "PROMPT";
/// The answer to a prompt.
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
            /// All variants.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The stable machine word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant with this word.
            pub fn of(word: &str) -> Option<Self> {
                Self::EVERY.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// The machine-readable result of a command (CM-3).
    OutcomeCode:
    /// The command succeeded.
    Ok = "ok";
    /// No command has that name.
    NoSuchCommand = "no-such-command";
    /// The command is disabled on this server.
    Disabled = "disabled";
    /// The user is not authorised (CM-5).
    Forbidden = "forbidden";
    /// The arguments do not match the command's.
    BadArguments = "bad-arguments";
    /// No user has that name.
    NoSuchUser = "no-such-user";
    /// The text is not a valid name.
    BadName = "bad-name";
    /// The name is in use.
    Taken = "taken";
    /// The name is registered to an account.
    Registered = "registered";
    /// The password is wrong.
    WrongPassword = "wrong-password";
    /// The rate limit was exceeded.
    Throttled = "throttled";
    /// The deadline of its prompt passed without an answer.
    Timeout = "timeout";
    /// The user cancelled its prompt.
    Cancelled = "cancelled";
    /// The queue of commands is full (CM-6).
    Busy = "busy";
    /// The command needs a capability that was not negotiated.
    NeedsCapability = "needs-capability";
    /// The storage of the server failed.
    NotStored = "not-stored";
    /// One of the two has blocked the other.
    Blocked = "blocked";
    /// No room has that name, or none that this user may know of (RM-12).
    NoSuchRoom = "no-such-room";
    /// The user is not a member of the room.
    NotAMember = "not-a-member";
    /// It is so already; nothing was changed.
    Already = "already";
    /// The room has no place for another member (RM-12).
    Full = "full";
    /// The room takes only who was invited.
    Closed = "closed";
    /// The user was banned.
    Banned = "banned";
    /// The user was muted.
    Muted = "muted";
    /// The user has said too much in a short time (FL-2).
    Flood = "flood";
    /// Too much is said in the room (FL-3).
    RoomBusy = "room-busy";
    /// It would hit whoever asked for it, or somebody whom they may not act on (MO-6).
    WouldLockOut = "would-lock-out";
    /// No message has this id, or none that this user can read (MO-11).
    NoSuchMessage = "no-such-message";
    /// The user's level is below that of those who may write (RM-15).
    ReadOnly = "read-only";
    /// The user has written a moment ago (RM-15).
    SlowMode = "slow-mode";
    /// The text is too long.
    TooLong = "too-long";
    /// There is as many of it as one user, or the server, may have.
    TooMany = "too-many";
    /// The server's configuration says otherwise (RM-16).
    Configured = "configured";
    /// The command failed for another reason.
    Failed = "failed";
}

impl OutcomeCode {
    /// Whether it is as the user wanted: it was done, or there was nothing to do.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::Already)
    }
}

words! {
    /// The type of an argument (CM-1).
    ArgumentType:
    /// Any text.
    Text = "text";
    /// The name of a user.
    User = "user";
    /// Names of users, up to the end of the line.
    Users = "users";
    /// A whole number.
    Integer = "integer";
    /// The name of a command.
    Command = "command";
    /// A secret, which the client does not echo.
    Secret = "secret";
    /// The name of a room.
    Room = "room";
    /// A length of time: `30s`, `10m`, `2h`, `7d`, or `forever`.
    Duration = "duration";
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name of the argument, for help texts.
    pub name: String,
    /// Its type. A client treats an unknown type as text.
    pub kind: ArgumentType,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it takes the rest of the line.
    pub rest: bool,
    /// What it is for, in a few words; empty when the server does not say.
    pub help: String,
    /// The words to choose from; empty when it can be anything of its type.
    pub values: Vec<String>,
}

impl Argument {
    /// An argument that has to be there, of which nothing else is said.
    pub fn new(name: impl Into<String>, kind: ArgumentType) -> Self {
        Self {
            name: name.into(),
            kind,
            optional: false,
            rest: false,
            help: String::new(),
            values: Vec::new(),
        }
    }

    fn to_json(&self) -> Vec<u8> {
        let argument = Object::with_capacity(128)
            .string("NAME", &self.name)
            .string("TYPE", self.kind.word())
            .boolean("OPTIONAL", self.optional)
            .boolean("REST", self.rest);
        let argument = match self.help.as_str() {
            "" => argument,
            help => argument.string("HELP", help),
        };
        match self.values.as_slice() {
            [] => argument,
            values => argument.list("VALUES", values.iter().map(|value| json::string(value))),
        }
        .into_value()
    }

    fn read(value: &Value) -> Option<Self> {
        let words = |values: &Vec<Value>| -> Vec<String> {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self {
            name: text(value, "NAME")?,
            kind: ArgumentType::of(value.get("TYPE")?.as_str()?).unwrap_or(ArgumentType::Text),
            optional: value.get("OPTIONAL")?.as_bool()?,
            rest: value.get("REST")?.as_bool()?,
            help: text(value, "HELP").unwrap_or_default(),
            values: value.get("VALUES").and_then(Value::as_array).map(words).unwrap_or_default(),
        })
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

/// One entry of the catalogue (CM-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The name by which it is called.
    pub name: String,
    /// Other names by which it can be called.
    pub aliases: Vec<String>,
    /// Its arguments, in order.
    pub arguments: Vec<Argument>,
    /// One line of help.
    pub help: String,
    /// An example of a call, as a user types it.
    pub example: String,
    /// The lowest permission level that may use it.
    pub level: u8,
    /// Whether what it does can't be undone.
    pub confirm: bool,
    /// Whether it is there to be tried out only, so that a list for people leaves it out.
    pub demo: bool,
}

impl Command {
    /// The entry as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let entry = Object::with_capacity(256)
            .string("NAME", &self.name)
            .list("ALIASES", self.aliases.iter().map(|alias| json::string(alias)))
            .list("ARGUMENTS", self.arguments.iter().map(Argument::to_json))
            .string("HELP", &self.help)
            .string("EXAMPLE", &self.example)
            .integer("LEVEL", i64::from(self.level));
        let entry = if self.confirm { entry.boolean("CONFIRM", true) } else { entry };
        if self.demo { entry.boolean("DEMO", true) } else { entry }.into_value()
    }

    fn read(value: &Value) -> Option<Self> {
        let flag = |key| value.get(key).and_then(Value::as_bool).unwrap_or_default();
        let alias = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            name: text(value, "NAME")?,
            aliases: value.get("ALIASES")?.as_array()?.iter().map(alias).collect::<Option<_>>()?,
            arguments: {
                let all = value.get("ARGUMENTS")?.as_array()?;
                all.iter().map(Argument::read).collect::<Option<_>>()?
            },
            help: text(value, "HELP")?,
            example: text(value, "EXAMPLE")?,
            level: u8::try_from(value.get("LEVEL")?.as_u64()?).ok()?,
            confirm: flag("CONFIRM"),
            demo: flag("DEMO"),
        })
    }
}

/// `COMMANDS`, `PREFIX` and `LEVELS` (CM-1, MO-1).
pub fn catalogue<'a>(
    commands: impl IntoIterator<Item = &'a Command>,
    prefix: &str,
    levels: impl IntoIterator<Item = &'a str>,
) -> Object {
    Object::with_capacity(4096)
        .list(COMMANDS, commands.into_iter().map(Command::to_json))
        .string(PREFIX, prefix)
        .list(LEVELS, levels.into_iter().map(json::string))
}

pub(crate) fn read_catalogue(value: &Value) -> Option<Vec<Command>> {
    value.as_array()?.iter().map(Command::read).collect()
}

/// Six names.
pub(crate) fn read_levels(value: &Value) -> Option<Vec<WireText<'static>>> {
    let names = value.as_array().filter(|names| names.len() == 6)?;
    names.iter().map(|name| Some(WireText::new(name.as_str()?.to_owned()))).collect()
}

/// A call of a command (CM-2).
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The request id, chosen by the client and repeated in the result.
    pub id: String,
    /// The name of the command.
    pub name: String,
    /// The arguments, verbatim. They may hold a password, so `Debug` leaves them out.
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

/// The result of a command (CM-2).
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The request id of the call.
    pub id: WireText<'static>,
    /// The machine-readable result, one of the words of [`OutcomeCode`].
    pub code: WireText<'static>,
    /// Whether the command succeeded.
    pub ok: bool,
    /// The human-readable result: INFO on success, ERROR otherwise.
    pub text: WireText<'static>,
    /// Machine-readable data, in a shape that the command defines.
    pub data: Option<Value>,
    /// After how many seconds trying again makes sense (CP-12).
    pub wait: Option<u32>,
    /// Until when it is so, in seconds since 1970 UTC (CP-12).
    pub until: Option<i64>,
}

impl Outcome {
    /// The result of a call, with a text for the user.
    pub fn new(id: &str, code: OutcomeCode, text: impl Into<String>) -> Self {
        Self {
            id: WireText::new(id.to_owned()),
            code: WireText::new(code.word()),
            ok: code.is_ok(),
            text: WireText::new(text.into()),
            data: None,
            wait: None,
            until: None,
        }
    }

    /// Adds machine-readable data.
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
        };
        let result = match self.wait {
            Some(wait) => result.integer("WAIT", i64::from(wait)),
            None => result,
        };
        let result = match self.until {
            Some(until) => result.integer("UNTIL", until),
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
            wait: value.get("WAIT").and_then(Value::as_u64).and_then(|wait| wait.try_into().ok()),
            until: value.get("UNTIL").and_then(Value::as_i64),
        })
    }
}

/// A question that a running command asks the user (CM-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The request id of the call.
    pub id: WireText<'static>,
    /// The question, for the user.
    pub text: WireText<'static>,
    /// Whether the answer is a secret, which the client does not echo.
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

/// The answer of the user to a prompt (CM-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The request id of the call.
    pub id: String,
    /// The text of the answer; `None` cancels the command.
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

/// The requests of this capability: a call, or an answer to a prompt of a running one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandRequest {
    /// The value of `COMMAND` (CM-2).
    Call(Call),
    /// The value of `ANSWER` (CM-4).
    Answer(Answer),
}

fn read_id(value: &Value) -> Option<String> {
    let id = value.get("ID")?.as_str()?;
    (1..=limits::TAG).contains(&id.len()).then(|| id.to_owned())
}
