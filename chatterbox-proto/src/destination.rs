//! The destination of a message: everybody, or one user.

use crate::name::Username;

/// The destination of a message (DE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination<N = Username> {
    /// A broadcast to everybody.
    All,
    /// A private message to one user: the name of a user, or the [`LookupKey`](crate::LookupKey) of a name on the wire, while
    /// nobody has looked whether such a user is here.
    User(N),
}
