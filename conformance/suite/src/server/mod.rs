//! Everything that a case for servers acts with: its users, their connections, the probe before it.

pub(crate) mod engaging;
pub(crate) mod expect;
pub(crate) mod first_contact;
pub(crate) mod hands;
pub(crate) mod host;
pub(crate) mod layers;
mod observer;
pub(crate) mod offer;
pub(crate) mod peer;
pub(crate) mod probe;
pub(crate) mod quirks;
pub(crate) mod shared;
pub(crate) mod side;
pub(crate) mod staff;

pub use hands::ServerHands;
pub use quirks::TlsMode;
pub use side::{Case, ServerSide};
