//! Members, rooms and sessions by number.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::digest::{Digest, Digester};

/// The number of one join. It is never used twice, so that an event for a former user of a name reaches nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub struct MemberId(pub(crate) u64);

/// The number of a room: that of the record of the log that made it, so it is never used twice. 0 is the lobby.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RoomNumber(pub u64);

impl RoomNumber {
    /// The room in which everybody is.
    pub const LOBBY: Self = Self(0);
}

impl fmt::Display for RoomNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of a room's timeline in this node, which another room may have later, in another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl RoomId {
    /// The room in which everybody is.
    pub const LOBBY: Self = Self { slot: 0, generation: 0 };
}

/// The key of a session, known to its client only: a number to find it by, and 128 random bits.
#[derive(Clone, Copy)]
pub struct SessionKey {
    pub(crate) id: SessionId,
    pub(crate) secret: u128,
}

/// The number of one session; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub(crate) u64);

impl SessionProof {
    /// Which session it is of.
    pub(crate) fn id(self) -> SessionId {
        self.id
    }
}

impl SessionKey {
    /// What is shown of it to other nodes.
    pub fn proof(self) -> SessionProof {
        SessionProof { id: self.id, verifier: Verifier::of(self.secret) }
    }

    /// Reads a token; `None` when it is none of ours.
    pub fn parse(token: &str) -> Option<Self> {
        let (id, secret) = token.split_once('-')?;
        let id = SessionId(u64::from_str_radix(id, 16).ok()?);
        Some(Self { id, secret: u128::from_str_radix(secret, 16).ok()? })
    }
}

/// The token, as the client gets it.
impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:032x}", self.id.0, self.secret)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({:x})", self.id.0)
    }
}

/// What all nodes have of the key of a session: they can tell whether somebody has the key, and can't show it themselves.
/// Whoever reads the order of a cluster, or a snapshot, can resume nobody's session with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionProof {
    pub(crate) id: SessionId,
    pub(crate) verifier: Verifier,
}

/// The first half of the SHA-256 of a secret of 128 random bits, which nobody guesses.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier(pub(crate) u128);

impl Verifier {
    /// The verifier of a secret.
    pub fn of(secret: u128) -> Self {
        let hash: [u8; 32] = sha2::Sha256::digest(secret.to_be_bytes()).into();
        let (half, _) = hash.split_at(16);
        Self(half.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl Digest for Verifier {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

impl Digest for MemberId {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

impl Digest for SessionId {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

impl Digest for RoomNumber {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_the_same_everywhere() {
        // Nodes of different builds compare it: the beginning of the SHA-256 of sixteen zero bytes.
        assert_eq!(Verifier::of(0), Verifier(0x3747_08ff_f771_9dd5_979e_c875_d56c_d228));
        assert_eq!(format!("{:?}", SessionKey { id: SessionId(7), secret: 9 }), "SessionKey(7)");
    }
}
