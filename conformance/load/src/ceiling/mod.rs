//! What the machine can do at most: a server that only writes, measured like any other.

pub mod measure;
pub mod server;
