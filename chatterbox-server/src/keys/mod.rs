//! Encrypted private messages, as far as the server has to do with them (EE-1 to EE-4).
//!
//! It keeps public keys, gives each one-time key to one claimant, checks for which devices a message is, and hands each its own part.
//! It never sees a secret key or a text. Signatures are checked so that no rubbish is stored; no client relies on that.

mod answering;
mod desk;
mod judging;
mod keeping;
mod signatures;
mod unwritten;

pub use desk::KeyDesk;
pub use keeping::{keep_keys, write_keys};
