//! Where a message goes.

use crate::name::Username;

/// Where a message goes (DE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Everybody.
    All,
    /// One user, by a name that could be one; whether they are here is the roster's to say.
    User(Username),
}
