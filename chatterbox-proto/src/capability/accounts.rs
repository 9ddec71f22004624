//! `accounts`: authentication, that is, joining under a registered name (AN-1, AN-2, AN-3).

use std::fmt;

use serde_json::Value;

use crate::json::Object;
use crate::text::WireText;

/// The user's password, beside USERNAME.
pub const PASSWORD: &str = "PASSWORD";
/// A login token, which authenticates in place of the password until it expires; beside USERNAME and in `ACCOUNT`.
pub const TOKEN: &str = "TOKEN";
/// The account of the user, in the welcome.
pub const ACCOUNT: &str = "ACCOUNT";
/// The machine word of a refusal, beside its text.
pub const CODE: &str = "CODE";

/// A secret text: it has no `Display`, and its `Debug` hides it, so it gets into no log and onto no screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for checking it or sending it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A text that has to be one line has a line end inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is a line end in the middle of it")]
pub struct LineEnd;

/// One line that was typed, pasted or read, without the line ends behind it: they are pasted with a password from many
/// places, and nobody could type them again.
///
/// # Errors
/// [`LineEnd`] where one is left: nobody knows what was meant.
pub fn one_line(text: &str) -> Result<&str, LineEnd> {
    let line = text.trim_end_matches(is_line_end);
    if line.contains(is_line_end) { Err(LineEnd) } else { Ok(line) }
}

/// Whether a character ends a line, in any of the ways that Unicode has (UAX #14: BK, CR, LF, NL).
pub fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The credential that authenticates a user (AN-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The value of `PASSWORD`.
    Password(Secret),
    /// The value of `TOKEN`, from an earlier `ACCOUNT`.
    Token(Secret),
}

/// `ACCOUNT` of the welcome (AN-2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The permission level, from 0 (guest) to 5 (admin).
    pub level: u8,
    /// A login token, which the server issues after a password was accepted.
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

/// A machine-readable word of the server.
pub(crate) fn read_word(value: Value) -> Option<WireText<'static>> {
    match value {
        Value::String(word) => Some(WireText::new(word)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_behind_a_secret_is_dropped_and_one_inside_is_refused() {
        for end in ["", "\n", "\r", "\r\n", "\u{2028}", "\u{2029}", "\u{85}", "\n\n"] {
            assert_eq!(
                one_line(&format!(" correct horse {end}")),
                Ok(" correct horse "),
                "{end:?}"
            );
            if !end.is_empty() {
                assert_eq!(one_line(&format!("correct{end}horse")), Err(LineEnd), "{end:?}");
                assert_eq!(one_line(&format!("{end}horse{end}")), Err(LineEnd), "{end:?}");
            }
        }
    }
}
