//! Addresses of servers as people type them. Server and client read them alike, so that what one prints the other takes.

mod host_port;

pub use host_port::{AddressError, Contradiction, HostPort};
