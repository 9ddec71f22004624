//! `e2ee`: the directory of keys for encrypted private messages (EE-1, EE-2), and what both ends sign or compare.
//!
//! All cryptography is in the clients. A server keeps what they publish, gives each one-time key to one claimant, and checks
//! signatures so that it stores no rubbish; no client relies on that. What an encrypted message looks like is
//! `META`'s (EE-3).
//!
//! ```text
//! C: KEYS_PUT    S: KEYS {"ID", "NUMBER", "DEVICE", "COUNT"}
//! C: KEYS_GET    S: KEYS {"ID", "USERS": {name: null or {"ACCOUNT", "NUMBER", "IDENTITY", "DEVICES": [...]}}}
//! C: KEYS_CLAIM  S: KEYS {"ID", "ONE_TIME": [[name, device, null or {"NAME", "KEY", "SIGNATURE"}]]}
//!                S: KEYS {"ID", "CODE", "ERROR", "WAIT"} for each of them that is refused
//! C: KEYS_DONE   (no answer)
//!                S: KEYS_LOW {"DEVICE", "COUNT"}
//! ```

mod answer;
mod ask;
mod lines;
mod words;

pub use answer::{Claimed, Keys, KeysAnswer, KeysCode, KeysLow, UserKeys};
pub use ask::{KeysClaim, KeysDone, KeysGet, KeysPut, KeysRequest};
pub use lines::{KeyKind, device_lines, key_lines};
pub use words::{Device, KeyName, PublicKey, Signature, SignedKey};

/// Publishes the identity key, a device of it, and keys for new sessions (EE-1).
pub const KEYS_PUT: &str = "KEYS_PUT";
/// Asks for identity and devices of users (EE-2).
pub const KEYS_GET: &str = "KEYS_GET";
/// Asks for a key for a new session with each of these devices (EE-2).
pub const KEYS_CLAIM: &str = "KEYS_CLAIM";
/// Says up to which message this device has read and stored everything (EE-4).
pub const KEYS_DONE: &str = "KEYS_DONE";
/// The answer to KEYS_PUT, KEYS_GET and KEYS_CLAIM (EE-1, EE-2).
pub const KEYS: &str = "KEYS";
/// Tells a device that few of its one-time keys are left (EE-2).
pub const KEYS_LOW: &str = "KEYS_LOW";
/// The device that this connection is, a string beside USERNAME (EE-4).
pub const DEVICE: &str = "DEVICE";

/// CONTENT of every encrypted message (EE-3).
pub const SENTENCE: &str = "[encrypted message: your client can't read it]";

/// The most devices of an account (EE-1).
pub const DEVICES: usize = 5;
/// The most one-time keys in one KEYS_PUT.
pub const PUT: usize = 50;
/// The most one-time keys that are kept for a device (EE-2).
pub const KEPT: usize = 100;
/// Below so many one-time keys KEYS_LOW is told (EE-2).
pub const LOW: usize = 10;
/// The most keys that one user claims in a minute, and in one KEYS_CLAIM (EE-2).
pub const CLAIMS: usize = 20;
/// The most names in one KEYS_GET.
pub const NAMES: usize = 20;
