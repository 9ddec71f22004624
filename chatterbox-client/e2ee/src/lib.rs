//! Encrypted private messages, as a client does them (EE-1 to EE-10): keys, sessions, whom to believe, and what is said of it.
//!
//! [`Machine`] is the state of one account on one device. What the directory answers and what comes encrypted goes in;
//! requests, encrypted messages and words for the user come out ([`Action`]). It does no I/O and reads no clock: `now` is an
//! argument, and the client stores [`Machine::state`] and [`Machine::take_texts`] before it sends what came out. The
//! ratchet, and all randomness, is vodozemac's.
//!
//! ```text
//! /encrypt, a message -> Machine::say      -> KEYS_GET -> KEYS_CLAIM -> Action::Say
//! KEYS                -> Machine::answered
//! a message           -> Machine::open     -> Opening, at once or when the keys of its sender are there
//! ```
//!
//! | to learn or change | go to |
//! |---|---|
//! | what is encrypted, and how it is padded | `payload.rs` |
//! | recovery codes; safety numbers | `recovery.rs`, `safety.rs` |
//! | the identity and the device of this client, and what it publishes | `own.rs` |
//! | sessions with one device | `channel.rs` |
//! | whom this client believes, first keys and changed ones | `person.rs` |
//! | what is kept between runs | `keyring.rs`, `texts.rs` |
//! | the order of requests; sending; opening | `machine.rs`, `sending.rs`, `opening.rs` |

mod action;
mod asking;
mod channel;
mod convert;
mod keyring;
mod machine;
mod opening;
mod own;
pub mod payload;
mod pending;
mod person;
pub mod recovery;
pub mod safety;
mod sending;
mod settings;
mod texts;

#[cfg(test)]
mod tests;

pub use action::{Action, NotSent, Notice, Opening, Trust, Unreadable};
pub use keyring::StateError;
pub use machine::Machine;
pub use opening::{Incoming, Opened};
pub use person::Mode;
pub use settings::Devices;
pub use texts::Kept;
