//! What a client asks about files.

use serde_json::Value;

use super::{AT, CREDIT, FILE, FILE_GET, FILE_PUT, FileChunk, FileCredit, ID, place, read_place};
use crate::capability::meta::Digest;
use crate::json::Object;
use crate::limits;
use crate::text::WireText;

/// One request of a client about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRequest {
    /// The next bytes of an upload (FI-2).
    Chunk(FileChunk),
    /// The server may send more of a file (FI-2).
    Credit(FileCredit),
    /// The transfer with this token is given up (FI-2).
    Stop(String),
    /// A file is to be uploaded (FI-1).
    Put(FilePut),
    /// A file is to be fetched (FI-4).
    Get(FileGet),
}

const TO: &str = "TO";
const NAME: &str = "NAME";
const SIZE: &str = "SIZE";
const SHA256: &str = "SHA256";

/// FILE_PUT: what a client wants to upload (FI-1). The texts are not judged yet: one that is too long is refused under the id like
/// any other that is wrong, so it is no malformed request. Of one with more than [`limits::PAGE_WITH`] bytes there is the
/// beginning, which has more than that as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePut {
    /// The id under which it is answered, of the client's choice.
    pub id: String,
    /// Whom it is for: a user, a room, or `ALL`.
    pub to: WireText<'static>,
    /// What it is called.
    pub name: WireText<'static>,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl FilePut {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |key| value.get(key)?.as_str();
        let wire = |key| Some(WireText::new(beginning(text(key)?, limits::PAGE_WITH).to_owned()));
        Some(Self {
            id: read_id(value)?,
            to: wire(TO)?,
            name: wire(NAME)?,
            size: read_place(value.get(SIZE)?)?,
            sha256: Digest::parse(text(SHA256)?)?,
        })
    }

    /// The object `{"FILE_PUT": {"ID", "TO", "NAME", "SIZE", "SHA256"}}`.
    pub fn to_object(&self) -> Object {
        let put = Object::with_capacity(256)
            .string(ID, &self.id)
            .string(TO, self.to.as_wire())
            .string(NAME, self.name.as_wire())
            .integer(SIZE, place(self.size))
            .string(SHA256, &self.sha256.to_string())
            .into_value();
        Object::with_capacity(put.len() + 16).json(FILE_PUT, &put)
    }
}

/// FILE_GET: what a client wants to fetch (FI-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGet {
    /// The id under which it is answered, of the client's choice.
    pub id: String,
    /// What should be the token of a file, whether it can be one or not. Of a text with more than [`limits::FILE_TOKEN`] bytes
    /// there is the beginning, which has more than that as well.
    pub file: String,
    /// The place to begin at: what the client has already.
    pub at: u64,
    /// The place up to which chunks may go, exclusive, until FILE_CREDIT names a later one.
    pub credit: u64,
}

impl FileGet {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: read_id(value)?,
            file: beginning(value.get(FILE)?.as_str()?, limits::FILE_TOKEN).to_owned(),
            at: read_place(value.get(AT)?)?,
            credit: read_place(value.get(CREDIT)?)?,
        })
    }

    /// The object `{"FILE_GET": {"ID", "FILE", "AT", "CREDIT"}}`.
    pub fn to_object(&self) -> Object {
        let get = Object::with_capacity(128)
            .string(ID, &self.id)
            .string(FILE, &self.file)
            .integer(AT, place(self.at))
            .integer(CREDIT, place(self.credit))
            .into_value();
        Object::with_capacity(get.len() + 16).json(FILE_GET, &get)
    }
}

/// A text of at most so many bytes, or the beginning of a longer one up to the first character behind these: it is too long still,
/// and takes no more memory than one that is not.
fn beginning(text: &str, most: usize) -> &str {
    (most + 1..text.len()).find_map(|end| text.get(..end)).unwrap_or(text)
}

fn read_id(value: &Value) -> Option<String> {
    let id = value.get(ID)?.as_str()?;
    (1..=limits::TAG).contains(&id.len()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(object: Object, key: &str) -> Value {
        serde_json::from_slice::<Value>(&object.into_value()).unwrap()[key].clone()
    }

    #[test]
    fn what_is_asked_is_read() {
        let put = FilePut {
            id: "f1".into(),
            to: WireText::new("#lab"),
            name: WireText::new("../\u{202e}x"),
            size: 482_113,
            sha256: Digest([0xa7; 32]),
        };
        let written = inner(put.to_object(), FILE_PUT);
        assert_eq!(FilePut::read(&written), Some(put));
        let get = FileGet { id: "g1".into(), file: "Qx7".into(), at: 5, credit: 131_072 };
        let written = inner(get.to_object(), FILE_GET);
        assert_eq!(FileGet::read(&written), Some(get));
    }

    #[test]
    fn what_is_malformed_is_none() {
        let sound = serde_json::json!(
            {"ID": "f1", "TO": "bob", "NAME": "x", "SIZE": 1, "SHA256": "0A".repeat(32)}
        );
        assert!(FilePut::read(&sound).is_some());
        for (key, value) in [
            ("ID", serde_json::json!("")),
            ("ID", serde_json::json!("x".repeat(limits::TAG + 1))),
            ("TO", serde_json::json!(null)),
            ("NAME", serde_json::json!(["x"])),
            ("SIZE", serde_json::json!(-1)),
            ("SIZE", serde_json::json!(1_u64 << 53)),
            ("SHA256", serde_json::json!("0a".repeat(31))),
            ("SHA256", serde_json::json!("0g".repeat(32))),
            ("SHA256", serde_json::json!("\u{e9}".repeat(32))),
            ("SHA256", serde_json::json!("+1".repeat(32))),
        ] {
            let mut put = sound.clone();
            put[key] = value;
            assert_eq!(FilePut::read(&put), None, "{put}");
        }
        assert_eq!(FileGet::read(&serde_json::json!({"ID": "g", "FILE": "t", "AT": 0})), None);
        let no_text = serde_json::json!({"ID": "g", "FILE": 5, "AT": 0, "CREDIT": 0});
        assert_eq!(FileGet::read(&no_text), None);
    }

    #[test]
    fn a_text_that_is_too_long_is_asked_under_its_id_and_takes_no_memory() {
        for letter in ["x", "\u{e9}", "\u{1f44d}"] {
            let long = letter.repeat(100_000);
            let is_cut = |text: &str, most: usize| {
                long.starts_with(text) && (most + 1..=most + letter.len()).contains(&text.len())
            };
            let put = FilePut::read(&serde_json::json!(
                {"ID": "f1", "TO": long, "NAME": long, "SIZE": 1, "SHA256": "0A".repeat(32)}
            ))
            .unwrap();
            assert_eq!(put.id, "f1");
            assert!(is_cut(put.to.as_wire(), limits::PAGE_WITH), "{letter}");
            assert!(is_cut(put.name.as_wire(), limits::PAGE_WITH), "{letter}");
            let get = serde_json::json!({"ID": "g1", "FILE": long, "AT": 0, "CREDIT": 5});
            let get = FileGet::read(&get).unwrap();
            assert_eq!((get.id.as_str(), get.credit), ("g1", 5));
            assert!(is_cut(&get.file, limits::FILE_TOKEN), "{letter}");
        }
        // What just fits is whole, and so is what is too long by one character.
        for length in [limits::FILE_TOKEN, limits::FILE_TOKEN + 1] {
            let file = "t".repeat(length);
            let get = serde_json::json!({"ID": "g1", "FILE": file, "AT": 0, "CREDIT": 5});
            assert_eq!(FileGet::read(&get).unwrap().file, file);
        }
    }
}
