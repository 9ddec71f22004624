//! Login tokens, which replace the password for a while: 256 random bits, of which only the hash is stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::accounts::password_hash::HashError;

/// The validity of a token, in seconds.
pub const LIFETIME: i64 = 30 * 24 * 60 * 60;

/// A token as its owner has it.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new random token.
    ///
    /// # Errors
    /// [`HashError::Random`] when the system gives no random numbers.
    pub fn generate() -> Result<Self, HashError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| HashError::Random)?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// A token that a client has sent.
    pub fn given(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Its text for the owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its hash, which is stored. Salt and a slow hash are for guessable secrets; 256 random bits are not.
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        TokenHash(hash)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The SHA-256 of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_hidden() {
        let (first, second) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(first.as_str().len(), 43);
        assert_ne!(first.as_str(), second.as_str());
        assert_eq!(format!("{first:?}"), "Token(..)");
        assert_eq!(Token::given(first.as_str()).hash(), first.hash());
        assert_ne!(first.hash(), second.hash());
    }
}
