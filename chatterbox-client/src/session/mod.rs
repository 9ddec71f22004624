//! One session, from its first line to its last.

pub(crate) mod credentials;
pub(crate) mod driver;
pub(crate) mod ending;
pub(crate) mod screen;
pub(crate) mod server;
pub(crate) mod signals;
pub(crate) mod timeouts;
