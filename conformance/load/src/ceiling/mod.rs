//! The ceiling of this machine: a server that only writes, measured like any other.

pub mod measure;
pub mod server;
