//! A faulty cluster: several nodes before one chat in memory, which can be killed and started again, and which
//! does one thing wrong when told to. It speaks what the users of `conformance chaos` speak, and no more.

mod chat;
mod connection;
mod fault;
mod nodes;

pub use fault::ClusterFault;
pub use nodes::Cluster;
