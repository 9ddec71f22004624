//! The destination of a message: everybody, or one user.

use crate::name::Username;

/// The destination of a message (DE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A broadcast to everybody.
    All,
    /// A private message to one user. The name is valid; whether that user is present is not checked yet.
    User(Username),
}
