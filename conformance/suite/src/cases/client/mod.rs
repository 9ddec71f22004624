//! Every case for clients: one file a group, one plain list a file.

pub mod failures;
pub mod invariants;
pub mod join;
pub mod net;
pub mod quit;
pub mod receive;
mod registry;
pub mod send;
pub mod tls;
pub mod waiting;

pub use registry::CLIENT_GROUPS;
