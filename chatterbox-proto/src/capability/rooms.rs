//! `rooms`: rooms beside the lobby (RM-1 to RM-16, RH-1 to RH-7, RL-1 to RL-3).

mod told;

pub use told::{Kept, RoomLeft, RoomTold, Shown};
pub(crate) use told::{RoomUsers, read_left, read_rooms, read_users};

/// The rooms of the user, whole in the welcome and on joining one, what has changed of them otherwise (RM-5, RM-6, RM-11).
pub const ROOMS: &str = "ROOMS";
/// The room that the user set as default, or `ALL` (RM-5).
pub const DEFAULT: &str = "DEFAULT";
/// Rooms of which the user is not a member any more (RM-7).
pub const ROOMS_LEFT: &str = "ROOMS_LEFT";
/// New members, an object `{room: [name...]}` (RM-6).
pub const ROOM_USERS_JOINED: &str = "ROOM_USERS_JOINED";
/// Members that are none any more, an object `{room: [name...]}` (RM-7).
pub const ROOM_USERS_LEFT: &str = "ROOM_USERS_LEFT";
