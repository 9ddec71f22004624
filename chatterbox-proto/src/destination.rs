//! The destination of a message: everybody, a room, or one user.

use serde::{Deserialize, Serialize};

use crate::name::Username;
use crate::room_name::RoomName;

/// The destination of a message (DE-1, RM-3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination<N = Username, R = RoomName> {
    /// A broadcast to everybody.
    All,
    /// The members of a room: its name, or the [`LookupKey`](crate::LookupKey) of one on the wire.
    Room(R),
    /// A private message to one user: the name of a user, or the [`LookupKey`](crate::LookupKey) of a name on the wire, while
    /// nobody has looked whether such a user is here.
    User(N),
}
