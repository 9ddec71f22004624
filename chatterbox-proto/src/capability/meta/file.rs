//! The file that goes with a message.

use std::fmt;

use serde_json::Value;

use super::{FILE, is_base64url};
use crate::json::{self, Object};
use crate::limits;
use crate::text::WireText;

const NAME: &str = "NAME";
const SIZE: &str = "SIZE";
const SHA256: &str = "SHA256";
const UNTIL: &str = "UNTIL";

/// The name of a file at the server: 1 to 64 of the letters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileToken(Box<str>);

impl FileToken {
    /// The token, if the text can be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_base64url(text, limits::FILE_TOKEN).then(|| Self(text.into()))
    }

    /// The token as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of a file; 64 hexadecimal digits in small letters on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Reads 64 hexadecimal digits, in small letters or capitals.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16)?;
                *byte = *byte << 4 | u8::try_from(value).ok()?;
            }
        }
        Some(Self(digest))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// What the server tells of the file that goes with a message; it comes from the server, never from the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTold {
    /// The token that it is fetched with.
    pub token: FileToken,
    /// The name that its sender has given it, at most [`limits::FILE_NAME`] bytes. It is no path, and nothing to be trusted.
    pub name: WireText<'static>,
    /// How many bytes it has.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// When the server removes it, in seconds since 1970 UTC; `None` where the server does not say.
    pub until: Option<i64>,
}

impl FileTold {
    /// Appends the object that stands behind `FILE`.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        let object = Object::with_capacity(256)
            .string(FILE, self.token.as_str())
            .string(NAME, self.name.as_wire())
            .integer(SIZE, i64::try_from(self.size).unwrap_or(i64::MAX))
            .string(SHA256, &self.sha256.to_string());
        let object = match self.until {
            Some(until) => object.integer(UNTIL, until),
            None => object,
        };
        out.extend_from_slice(&object.into_value());
    }

    /// Reads the object; `None` where a part is missing or can't be meant.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let name = value.get(NAME)?.as_str()?;
        (name.len() <= limits::FILE_NAME).then_some(())?;
        Some(Self {
            token: FileToken::parse(value.get(FILE)?.as_str()?)?,
            name: WireText::new(name.to_owned()),
            size: value.get(SIZE)?.as_u64().filter(|size| i64::try_from(*size).is_ok())?,
            sha256: Digest::parse(value.get(SHA256)?.as_str()?)?,
            until: value.get(UNTIL).and_then(Value::as_i64),
        })
    }
}

/// Appends a token as a JSON string.
pub(super) fn push_token(out: &mut Vec<u8>, token: &FileToken) {
    json::push_string(out, token.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_token_is_none() {
        let longest = "x".repeat(limits::FILE_TOKEN);
        for text in ["Qx7-_9", "a", &longest] {
            assert_eq!(FileToken::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a/b", "../x", "a\n", "\u{e9}", &format!("{longest}x")] {
            assert_eq!(FileToken::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_digest_is_64_digits() {
        let text = "0123456789abcdef".repeat(4);
        let digest = Digest::parse(&text).unwrap();
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::parse(&text.to_uppercase()), Some(digest));
        assert_eq!(Digest::parse(&text.replace('f', "g")), None);
        assert_eq!(Digest::parse(&text.replace('f', "\u{e9}")), None);
        assert_eq!(Digest::parse(&text[1..]), None);
        assert_eq!(Digest::parse(""), None);
    }
}
