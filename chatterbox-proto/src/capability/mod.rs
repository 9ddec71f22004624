//! What is spoken beyond the base protocol, where both ends agree to it (`docs/capabilities.md`).
//!
//! [`Capability`] is the one table; the frames of each capability are in its own file. What was agreed is a small
//! [`Capabilities`] set that travels with the connection. Who offers nothing gets the base protocol and not one key more.

pub mod accounts;
pub mod commands;
pub mod ids;
pub(crate) mod negotiation;
pub mod ping;
pub mod rename;
pub(crate) mod request;
mod set;
mod table;
pub mod utf8;

pub use negotiation::{CAPABILITIES, LIMITS, Limits};
pub use request::Request;
pub use set::Capabilities;
pub use table::Capability;
