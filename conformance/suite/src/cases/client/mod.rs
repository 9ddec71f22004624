//! Every case for clients: one file a group, one plain list a file.

mod failures;
mod invariants;
mod join;
mod net;
mod quit;
mod receive;
mod registry;
mod send;
mod tls;
mod waiting;

pub use registry::CLIENT_GROUPS;
