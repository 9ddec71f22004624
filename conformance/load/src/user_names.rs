//! The names of the users of one run: a nonce and a number, so that a name is read back as a number.

/// Letters and digits of the nonce of a run.
pub const NONCE: usize = 5;

/// How long every name is: a letter, the nonce, seven digits. Ordinary for every server (`NM-2`).
#[cfg(test)]
const LENGTH: usize = 1 + NONCE + 7;

/// The largest number of a user.
#[cfg(test)]
const MOST: u32 = 9_999_999;

/// Turns numbers into names and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserNames {
    nonce: [u8; NONCE],
}

impl UserNames {
    /// The names of the run with this nonce.
    #[must_use]
    pub fn new(nonce: &str) -> Self {
        let mut bytes = [b'x'; NONCE];
        for (to, from) in bytes.iter_mut().zip(nonce.bytes()) {
            *to = from;
        }
        Self { nonce: bytes }
    }

    /// The nonce by which this run is told from others.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; NONCE] {
        &self.nonce
    }

    /// The name of a user.
    #[must_use]
    pub fn name(&self, user: u32) -> String {
        format!("u{}{user:07}", String::from_utf8_lossy(&self.nonce))
    }

    /// The user who has this name; `None` when it is nobody of this run.
    #[must_use]
    pub fn user(&self, name: &[u8]) -> Option<u32> {
        let rest = name.strip_prefix(b"u")?.strip_prefix(&self.nonce)?;
        if rest.len() != 7 {
            return None;
        }
        rest.iter().try_fold(0, |number, digit| match digit {
            b'0'..=b'9' => Some(number * 10 + u32::from(digit - b'0')),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        let names = UserNames::new("ab3de");
        for user in [0, 7, 4_711, MOST] {
            let name = names.name(user);
            assert_eq!((name.len(), names.user(name.as_bytes())), (LENGTH, Some(user)));
        }
        for stranger in ["", "ann", "uab3de", "uab3de000000x", "uxxxxx0000001", "uab3de00000011"] {
            assert_eq!(names.user(stranger.as_bytes()), None, "{stranger}");
        }
    }
}
