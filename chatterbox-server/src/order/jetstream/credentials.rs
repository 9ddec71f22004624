//! Who we are for the engine: read from a file, since what stands in a command line is seen by everybody on the machine.

#![allow(clippy::disallowed_methods, reason = "the edge: reads the file of credentials")]

use std::fmt;
use std::path::Path;

use async_nats::ConnectOptions;
use zeroize::Zeroizing;

use crate::order::jetstream::said::said;

/// The bytes of the longest file that is read.
const LONGEST: u64 = 64 * 1024;

/// What a file of credentials says.
pub enum Credentials {
    /// A file of the engine's own tools: a token of a user and the key that it belongs to.
    Signed(Zeroizing<String>),
    /// A key alone.
    Key(Zeroizing<String>),
    /// A name and a password.
    Password(String, Zeroizing<String>),
    /// One word that all have.
    Token(Zeroizing<String>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signed(_) => "Signed",
            Self::Key(_) => "Key",
            Self::Password(..) => "Password",
            Self::Token(_) => "Token",
        })
    }
}

impl Credentials {
    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with it, and never what stands in it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let told = |why: &dyn fmt::Display| format!("{}: {}", path.display(), said(why));
        let size = std::fs::metadata(path).map_err(|error| told(&error))?.len();
        if size > LONGEST {
            return Err(told(&format!("is longer than {LONGEST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        Self::parse(&Zeroizing::new(text)).map_err(|error| told(&error))
    }

    /// Reads what stands in a file.
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("-----BEGIN NATS USER JWT-----") {
            return Ok(Self::Signed(Zeroizing::new(text.to_owned())));
        }
        // What begins with # is a comment, as in the engine's own files.
        let mut lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = lines.next().ok_or("is empty")?;
        if lines.next().is_some() {
            return Err(
                "is to hold one line: NAME:PASSWORD, a token, or a key that begins with SU; or be a .creds file",
            );
        }
        Ok(match line.split_once(':') {
            Some((name, password)) => {
                Self::Password(name.to_owned(), Zeroizing::new(password.to_owned()))
            }
            None if line.starts_with("SU") && line.len() == 58 => {
                Self::Key(Zeroizing::new(line.to_owned()))
            }
            None => Self::Token(Zeroizing::new(line.to_owned())),
        })
    }

    /// Connects with them.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn apply(&self, options: ConnectOptions) -> Result<ConnectOptions, String> {
        Ok(match self {
            Self::Signed(text) => options.credentials(text).map_err(|_| {
                "the credentials are not what nsc writes: a token and a key".to_owned()
            })?,
            Self::Key(seed) => options.nkey(String::clone(seed)),
            Self::Password(name, password) => {
                options.user_and_password(name.clone(), String::clone(password))
            }
            Self::Token(token) => options.token(String::clone(token)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_we_are() {
        let key = format!("SU{}", "A".repeat(56));
        let kind = |text: &str| format!("{:?}", Credentials::parse(text).unwrap());
        assert_eq!(kind("chat:hunter2\n"), "Password");
        assert_eq!(kind("# ours\n\n  chat:a:b\n"), "Password");
        assert_eq!(kind("word\n"), "Token");
        assert_eq!(kind(&key), "Key");
        assert_eq!(kind("-----BEGIN NATS USER JWT-----\nx\n"), "Signed");
        let Credentials::Password(name, password) = Credentials::parse("chat:a:b").unwrap() else {
            panic!()
        };
        assert_eq!((name.as_str(), password.as_str()), ("chat", "a:b"));
        assert!(Credentials::parse("").is_err() && Credentials::parse("a\nb").is_err());
    }

    #[test]
    fn nothing_of_a_file_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, "hunter2\nhunter3\n").unwrap();
        let error = Credentials::read(&path).unwrap_err();
        assert!(error.contains("one line") && !error.contains("hunter"), "{error}");
        std::fs::write(&path, "me:hunter2\n").unwrap();
        assert!(!format!("{:?}", Credentials::read(&path).unwrap()).contains("hunter"));
        assert!(Credentials::read(&folder.path().join("none")).unwrap_err().contains("none"));
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(Credentials::read(&path).unwrap_err().contains("longer"));
    }
}
