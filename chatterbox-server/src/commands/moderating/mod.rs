//! Acts of moderation, whoever asks for them: a command in the chat, or the command line of whoever runs the server.
//!
//! Each is written down first (MO-10), then carried out in the one order, and has ended when nobody can tell any more that it was
//! not so before.

mod acts;
mod author;
mod bans;
mod followed;
mod host;
mod port;

pub(super) use acts::Acts;
pub(super) use author::Author;
pub(super) use bans::{BanPlan, Banned};
pub(super) use host::HostModerator;
pub use port::ModerationPort;
