//! The client's side of a session, which may outlive its connection.

mod changes;
mod event;
mod file_bounds;
mod files;
mod meaning;
mod next;
mod numbered;
mod read_marks;
mod room;
mod roster;
mod seen;
mod sent;
mod session;
#[cfg(test)]
mod tests;
mod unfolding;
mod welcome;

pub use event::{Event, Message};
pub use room::Room;
pub use session::{ClientSession, Outgoing, SayError};
