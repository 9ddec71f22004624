//! The hands of a case that judges a server: users who join, speak and listen.

pub mod expect;
pub(crate) mod first_contact;
pub mod hands;
pub mod host;
mod observer;
pub mod offer;
pub mod peer;
pub mod probe;
pub mod quirks;
pub mod shared;
pub mod side;

pub use side::{Case, ServerSide};
