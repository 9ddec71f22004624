//! The two ways to name a server: it runs already, or a command starts it.

use crate::net::target::Target;

/// The two ways to name a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It runs already.
    Running(Target),
    /// The suite starts this line of a shell; `{host}`, `{port}`, `{cert}`, `{key}` and `{dir}` are filled
    /// in.
    Command(String),
}
