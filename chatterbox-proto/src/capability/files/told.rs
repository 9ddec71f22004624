//! What a server says about files.

use serde_json::Value;

use super::{AT, CREDIT, FILE, ID, place, read_place};
use crate::capability::ids::{UNTIL, WAIT};
use crate::json::Object;
use crate::text::WireText;

const CODE: &str = "CODE";
const DONE: &str = "DONE";
const INFO: &str = "INFO";
const SIZE: &str = "SIZE";
const SPACE: &str = "SPACE";

/// What a quota is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceOf {
    /// One file.
    File,
    /// All files of the account.
    Account,
    /// All files that the room has.
    Room,
    /// All files of the server.
    All,
    /// The disk of the server.
    Disk,
}

impl SpaceOf {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Account => "account",
            Self::Room => "room",
            Self::All => "all",
            Self::Disk => "disk",
        }
    }
}

/// A quota that a file does not fit (FI-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// What it is about: a word of [`SpaceOf`], or one of a later version.
    pub of: WireText<'static>,
    /// The bytes that there may be.
    pub most: u64,
    /// The bytes of them that are left.
    pub left: u64,
}

/// FILE, as a server says it: which keys are there depends on what it is about (FI-1, FI-2, FI-4).
///
/// | what | keys |
/// |---|---|
/// | the answer to FILE_PUT | ID, FILE, AT, CREDIT |
/// | the upload is there and may be announced | FILE, DONE, UNTIL |
/// | the answer to FILE_GET | ID, FILE, AT, SIZE, UNTIL |
/// | all of it was sent | FILE, DONE |
/// | FILE_PUT or FILE_GET is refused | ID, CODE, INFO, and SPACE or WAIT or UNTIL |
/// | a transfer has ended before its time | FILE, CODE, INFO, and SPACE |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileAnswer {
    /// The id of the FILE_PUT or FILE_GET.
    pub id: Option<WireText<'static>>,
    /// The token of the file.
    pub file: Option<WireText<'static>>,
    /// The place to go on from, or that chunks come from.
    pub at: Option<u64>,
    /// The place up to which chunks may go, exclusive, until FILE_CREDIT names a later one.
    pub credit: Option<u64>,
    /// The size of the file in bytes.
    pub size: Option<u64>,
    /// Whether this ends the transfer, and all of the file is there.
    pub is_done: bool,
    /// When the file is removed, in seconds since 1970 UTC; of a refusal: when what stands against it ends.
    pub until: Option<i64>,
    /// The machine word of what stands against it.
    pub code: Option<WireText<'static>>,
    /// The words for the user.
    pub info: Option<WireText<'static>>,
    /// After how many seconds trying again makes sense (CP-12).
    pub wait: Option<u64>,
    /// The quota that the file does not fit.
    pub space: Option<Space>,
}

impl FileAnswer {
    /// The object `{"FILE": {...}}`, with the keys that there are.
    pub fn to_object(&self) -> Object {
        let mut answer = Object::with_capacity(192);
        let texts = [(ID, &self.id), (FILE, &self.file), (CODE, &self.code), (INFO, &self.info)];
        for (key, text) in texts {
            if let Some(text) = text {
                answer = answer.string(key, text.as_wire());
            }
        }
        let places = [(AT, self.at), (CREDIT, self.credit), (SIZE, self.size), (WAIT, self.wait)];
        for (key, number) in places {
            if let Some(number) = number {
                answer = answer.integer(key, place(number));
            }
        }
        if self.is_done {
            answer = answer.boolean(DONE, true);
        }
        if let Some(until) = self.until {
            answer = answer.integer(UNTIL, until);
        }
        if let Some(space) = &self.space {
            let space = Object::with_capacity(64)
                .string("OF", space.of.as_wire())
                .integer("MOST", place(space.most))
                .integer("LEFT", place(space.left));
            answer = answer.json(SPACE, &space.into_value());
        }
        let answer = answer.into_value();
        Object::with_capacity(answer.len() + 16).json(FILE, &answer)
    }

    /// Reads what can be read; `None` when the value is no object.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let answer = value.as_object()?;
        let text = |key: &str| {
            let text = answer.get(key).and_then(Value::as_str);
            text.map(|text| WireText::new(text.to_owned()))
        };
        let number = |key: &str| answer.get(key).and_then(read_place);
        let space = answer.get(SPACE).and_then(|space| {
            Some(Space {
                of: WireText::new(space.get("OF")?.as_str()?.to_owned()),
                most: read_place(space.get("MOST")?)?,
                left: read_place(space.get("LEFT")?)?,
            })
        });
        Some(Self {
            id: text(ID),
            file: text(FILE),
            at: number(AT),
            credit: number(CREDIT),
            size: number(SIZE),
            is_done: answer.get(DONE).and_then(Value::as_bool).unwrap_or(false),
            until: answer.get(UNTIL).and_then(Value::as_i64),
            code: text(CODE),
            info: text(INFO),
            wait: number(WAIT),
            space,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(answer: &FileAnswer) -> Option<FileAnswer> {
        let whole: Value = serde_json::from_slice(&answer.to_object().into_value()).unwrap();
        FileAnswer::read(&whole[FILE])
    }

    #[test]
    fn what_is_told_is_read() {
        let wire = |text: &str| Some(WireText::new(text.to_owned()));
        let put = FileAnswer {
            id: wire("f1"),
            file: wire("Qx7"),
            at: Some(0),
            credit: Some(131_072),
            ..FileAnswer::default()
        };
        assert_eq!(
            put.to_object().into_value(),
            br#"{"FILE": {"ID": "f1", "FILE": "Qx7", "AT": 0, "CREDIT": 131072}}"#
        );
        let refused = FileAnswer {
            id: wire("f1"),
            code: wire("no-space"),
            info: wire("full\u{1b}"),
            wait: Some(7),
            until: Some(-1),
            space: Some(Space { of: WireText::new(SpaceOf::Room.word()), most: 10, left: 3 }),
            ..FileAnswer::default()
        };
        let done = FileAnswer {
            file: wire("Qx7"),
            is_done: true,
            size: Some(9),
            until: Some(5),
            ..FileAnswer::default()
        };
        for answer in [put, refused, done] {
            assert_eq!(again(&answer), Some(answer));
        }
        assert_eq!(FileAnswer::read(&Value::Bool(true)), None);
        let odd = serde_json::json!({"ID": 5, "AT": -1, "DONE": "yes", "SPACE": {"OF": "disk"}});
        assert_eq!(FileAnswer::read(&odd), Some(FileAnswer::default()));
    }
}
