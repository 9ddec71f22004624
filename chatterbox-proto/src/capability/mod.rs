//! What is spoken beyond the base protocol, where both ends agree to it (`docs/capabilities.md`).
//!
//! [`Capability`] is the table of extensions; each has a file with its keys and frames. The client offers a set, the server
//! answers with the part that it speaks ([`Capabilities`]), and that set is in force for the connection. A client that
//! offers nothing gets the base protocol, without a single further key.

pub mod accounts;
pub mod commands;
pub mod e2ee;
pub mod files;
mod id;
pub mod ids;
pub mod marks;
pub mod meta;
pub(crate) mod negotiation;
pub mod notices;
pub mod ping;
pub mod presence;
pub mod recent;
pub mod rename;
pub(crate) mod request;
pub mod rooms;
mod set;
mod table;
pub mod utf8;
pub mod zstd;

pub use negotiation::{
    CAPABILITIES, LIMITS, Limits, SERVER_INFO, ServerInfo, limits_json, server_info_json,
};
pub use request::Request;
pub use set::Capabilities;
pub use table::Capability;
