//! Password hashes: argon2id, salted, in the PHC string format, which records algorithm and cost.

use std::fmt;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::accounts::secret::Secret;

/// The cost of making or verifying one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Degree of parallelism.
    pub lanes: u32,
}

impl Default for Cost {
    /// The recommendation of OWASP for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Cost {
    /// The lowest cost, for tests of other things.
    pub const CHEAP: Self = Self { memory: 8, passes: 1, lanes: 1 };

    fn argon2(self) -> Result<Argon2<'static>, HashError> {
        let params = Params::new(self.memory, self.passes, self.lanes, None)
            .map_err(|_| HashError::Parameters)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why hashing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The parameters are invalid.
    #[error("the parameters of password hashing make no sense")]
    Parameters,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The stored text is not a hash.
    #[error("a stored password hash can't be read")]
    Damaged,
    /// The queue of hashes is full.
    #[error("too many logins are being checked")]
    Busy,
}

/// A password hash as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// It is not as secret as the password, but has no place in logs.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The result of verifying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, but the hash has another cost than today's.
    RightButOld,
}

impl PasswordHash {
    /// A hash read from a store.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Its text for a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hashes a password. It takes tens of milliseconds and the memory of `cost`.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn make(secret: &Secret, cost: Cost) -> Result<Self, HashError> {
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| HashError::Random)?;
        let hash = cost.argon2()?.hash_password_with_salt(secret.bytes(), &salt);
        Ok(Self(hash.map_err(|_| HashError::Parameters)?.to_string()))
    }

    /// Verifies a password at the cost of the stored hash.
    ///
    /// # Errors
    /// [`HashError`] when the stored text is not a hash.
    pub fn check(&self, secret: &Secret, cost: Cost) -> Result<Verdict, HashError> {
        let stored = Phc::new(&self.0).map_err(|_| HashError::Damaged)?;
        let today = cost.argon2()?;
        match today.verify_password(secret.bytes(), &stored) {
            Ok(()) => {}
            Err(Error::PasswordInvalid) => return Ok(Verdict::Wrong),
            Err(_) => return Err(HashError::Damaged),
        }
        let made = Params::try_from(&stored).map_err(|_| HashError::Damaged)?;
        let at = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let same = at(&made) == at(today.params())
            && stored.algorithm == Algorithm::Argon2id.ident()
            && stored.version == Some(Version::V0x13.into());
        Ok(if same { Verdict::Right } else { Verdict::RightButOld })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b14_a_hash_tells_how_it_was_made_and_not_of_what() {
        let secret = Secret::given("correct horse");
        let hash = PasswordHash::make(&secret, Cost::default()).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(!hash.as_str().contains("correct"));
        assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
        assert_eq!(hash.check(&secret, Cost::default()), Ok(Verdict::Right));
        assert_eq!(hash.check(&Secret::given("wrong"), Cost::default()), Ok(Verdict::Wrong));
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        let secret = Secret::given("correct horse");
        let make = || PasswordHash::make(&secret, Cost::CHEAP).unwrap();
        assert_ne!(make(), make());
    }

    #[test]
    fn a_hash_of_another_cost_is_right_and_old() {
        let secret = Secret::given("correct horse");
        let hash = PasswordHash::make(&secret, Cost::CHEAP).unwrap();
        let today = Cost { passes: 2, ..Cost::CHEAP };
        assert_eq!(hash.check(&secret, today), Ok(Verdict::RightButOld));
        assert_eq!(hash.check(&Secret::given("x"), today), Ok(Verdict::Wrong));
    }

    #[test]
    fn damage_is_said() {
        let stored = PasswordHash::stored("plain text".into());
        assert_eq!(
            stored.check(&Secret::given("plain text"), Cost::CHEAP),
            Err(HashError::Damaged)
        );
    }
}
