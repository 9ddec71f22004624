//! Which versions of the engine are good enough.
//!
//! Versions before 2.10.27 have lost streams when servers were killed, and stored two of two conflicting writes.

use std::fmt;

/// A version of the engine. What stands behind the third number is not read: a preview of a version is that version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

/// The first version that is good enough.
pub const OLDEST: Version = Version(2, 10, 27);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// Reads what a server says of itself.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(3, '.');
        let major = words.next()?.parse().ok()?;
        let minor = words.next()?.parse().ok()?;
        let last = words.next()?;
        let digits = last.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(last.len());
        Some(Self(major, minor, last.get(..digits)?.parse().ok()?))
    }
}

/// Whether a server is good enough, by what it says of itself.
///
/// # Errors
/// Says why not, and what to do.
pub fn check(text: &str) -> Result<Version, String> {
    match Version::read(text) {
        Some(version) if version >= OLDEST => Ok(version),
        Some(version) => Err(format!(
            "it is nats-server {version}, and has to be {OLDEST} or newer: older ones have lost what they had confirmed"
        )),
        None => {
            Err(format!("it does not say which nats-server it is, and has to be {OLDEST} or newer"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_of_the_last_debian_is_refused() {
        for good in ["2.10.27", "2.10.28-RC.1", "2.11.0", "2.15.1", "3.0.0", "2.10.27+git"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for old in ["2.9.10", "2.10.26", "2.10.9", "1.99.99", "0.0.0"] {
            let refusal = check(old).unwrap_err();
            assert!(refusal.contains(old) && refusal.contains("2.10.27"), "{refusal}");
        }
        for nothing in ["", "2.10", "two", "2.10.x", "2..27", "99999999999.1.1"] {
            assert!(check(nothing).unwrap_err().contains("does not say"), "{nothing}");
        }
    }
}
