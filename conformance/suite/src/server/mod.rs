//! The hands of a case that judges a server: users who join, speak and listen.

pub mod expect;
pub mod hands;
pub mod host;
pub mod offer;
pub mod peer;
pub mod probe;
mod reader;
pub mod shared;
