//! `accounts`: joining under a name that belongs to somebody (AN-1, AN-2, AN-3).

use std::fmt;

use serde_json::Value;

use crate::json::Object;
use crate::text::WireText;

/// Beside USERNAME: the user's password.
pub const PASSWORD: &str = "PASSWORD";
/// Beside USERNAME, and in `ACCOUNT`: what does the same for a while.
pub const TOKEN: &str = "TOKEN";
/// In the welcome.
pub const ACCOUNT: &str = "ACCOUNT";
/// Beside a refusal: its word.
pub const CODE: &str = "CODE";

/// Text that is in no log and on no screen: it can be compared and stored, but not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever has to check it or send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What proves that a name is the user's (AN-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// `PASSWORD`.
    Password(Secret),
    /// `TOKEN`.
    Token(Secret),
}

/// `ACCOUNT` of the welcome (AN-2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// 0 is a guest, 5 an admin.
    pub level: u8,
    /// After a password: what does the same for a while.
    pub token: Option<Secret>,
}

impl Account {
    /// The value of `ACCOUNT`, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let object = Object::with_capacity(64).integer("LEVEL", i64::from(self.level));
        match &self.token {
            Some(token) => object.string(TOKEN, token.reveal()),
            None => object,
        }
        .into_value()
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let level = value.get("LEVEL")?.as_u64()?;
        let token = value.get(TOKEN).and_then(Value::as_str).map(Secret::new);
        Some(Self { level: u8::try_from(level).ok()?, token })
    }
}

/// A word of the server, for programs.
pub(crate) fn read_word(value: Value) -> Option<WireText<'static>> {
    match value {
        Value::String(word) => Some(WireText::new(word)),
        _ => None,
    }
}
