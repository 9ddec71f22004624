//! What is measured of a server, for whoever watches over it: as Prometheus reads it, and as a line of the log.
//!
//! Nothing is counted here: each number has its owner in `chat/`, `net/`, `store/` or `ops/`, which `status` reads as well. What is
//! told are numbers, words of this program and of the protocol, and the version; never a name, an address or a text of a user.

mod exposition;
mod families;
mod family;
mod snapshot;
mod sources;

pub(crate) use sources::Sources;
