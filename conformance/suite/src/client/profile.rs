//! The profile of a client: which lines its user types, and how its screen shows a message.
//!
//! The defaults are the hints that the assignment gives. A profile never changes what is judged,
//! only how the suite makes the client do it.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

/// How to operate a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// What is typed to give a name; `{name}` is filled in. Nothing is typed when the command line
    /// holds `{name}`.
    pub name: Lines,
    /// What is typed to say something to everybody; `{text}` is filled in.
    pub public: Lines,
    /// What is typed to say something to one user; `{user}` and `{text}` are filled in.
    pub private: Lines,
    /// Ways to quit, tried in turn; `^D` is the end of the input, `^C` an interrupt.
    pub quit: Vec<String>,
    /// What is typed to see who is here, where the list is not shown by itself.
    pub users: Option<String>,
    /// Keys that are pressed before every line.
    pub before: String,
    /// The key that ends a line; a carriage return in a terminal, a line feed in a pipe.
    pub enter: Option<String>,
    /// Milliseconds to wait before every line, and before the first one.
    pub delay: u64,
    /// How a message is shown, with `{from}` and `{text}`; anywhere near each other when `None`.
    pub message: Option<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Rows of the terminal.
    pub rows: u16,
    /// Columns of the terminal.
    pub columns: u16,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: Lines::one("{name}"),
            public: Lines::one("{text}"),
            private: Lines::one("@{user} {text}"),
            quit: ["/quit", "/exit", "quit", "exit", "^D"].map(str::to_owned).to_vec(),
            users: None,
            before: String::new(),
            enter: None,
            delay: 0,
            message: None,
            env: BTreeMap::new(),
            rows: 40,
            columns: 120,
        }
    }
}

/// One line, or several that are typed one after the other, for clients that prompt twice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Lines {
    /// One line.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Lines {
    /// One line.
    #[must_use]
    pub fn one(text: &str) -> Self {
        Self::One(text.to_owned())
    }

    /// The lines with values in the place of their names.
    #[must_use]
    pub fn fill(&self, values: &[(&str, &str)]) -> Vec<String> {
        let lines = match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::Many(lines) => lines.as_slice(),
        };
        lines.iter().map(|line| fill(line, values)).collect()
    }

    fn holds(&self, placeholder: &str) -> bool {
        self.fill(&[]).iter().any(|line| line.contains(placeholder))
    }
}

/// Why a profile is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not TOML, or with a key that does not exist.
    #[error("the profile can't be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A template that can't work.
    #[error("`{key}` has to hold {placeholder}")]
    Placeholder {
        /// The key of the profile.
        key: &'static str,
        /// The missing placeholder.
        placeholder: &'static str,
    },
    /// No way to quit.
    #[error("`quit` names no way to quit")]
    Quit,
    /// A terminal without room.
    #[error("a terminal has at least 5 rows and 20 columns")]
    Size,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or can't work.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// Whether it can work at all.
    ///
    /// # Errors
    /// Names what can't.
    pub fn check(&self) -> Result<(), ProfileError> {
        let demands = [
            ("name", &self.name, "{name}"),
            ("public", &self.public, "{text}"),
            ("private", &self.private, "{text}"),
            ("private", &self.private, "{user}"),
        ];
        for (key, lines, placeholder) in demands {
            if !lines.holds(placeholder) {
                return Err(ProfileError::Placeholder { key, placeholder });
            }
        }
        if self.quit.is_empty() {
            return Err(ProfileError::Quit);
        }
        if self.rows < 5 || self.columns < 20 {
            return Err(ProfileError::Size);
        }
        Ok(())
    }
}

/// A text with values in the place of their names; braces that mean nothing here stay.
#[must_use]
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after.split_once('}').and_then(|(name, behind)| {
            let value = values.iter().find(|(known, _)| *known == name)?.1;
            Some((value, behind))
        });
        rest = match known {
            Some((value, behind)) => {
                // What was filled in is not looked at again: it may hold braces.
                out.push_str(value);
                behind
            }
            None => {
                out.push('{');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_and_the_rest_stays() {
        let text = r#"
            private = ["/w {user}", "{text}"]
            quit = [":q"]
            before = "i"
            delay = 300
            env = { PYTHONPATH = "lib" }
        "#;
        let profile = Profile::parse(text).unwrap();
        let private = profile.private.fill(&[("user", "bob"), ("text", "{user}")]);
        assert_eq!(private, ["/w bob", "{user}"]);
        assert_eq!((profile.public, profile.delay), (Lines::one("{text}"), 300));
    }

    #[test]
    fn a_profile_that_can_not_work_is_refused() {
        for (text, word) in [
            ("private = '/w {user}'", "{text}"),
            ("name = 'ann'", "{name}"),
            ("quit = []", "quit"),
            ("qiut = ['/q']", "qiut"),
            ("rows = 1", "rows"),
        ] {
            let error = Profile::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn only_names_that_are_known_are_filled_in() {
        let values = [("port", "5000"), ("host", "localhost")];
        assert_eq!(fill("-p {port} {x} {", &values), "-p 5000 {x} {");
        assert_eq!(fill("${host}:{port}}", &values), "$localhost:5000}");
    }
}
