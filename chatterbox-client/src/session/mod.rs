//! One session, from its first line to its last.
//!
//! [`Session`] moves things between the pure application, the server and a [`Screen`]. Its parts have a file each:
//! `link` the connection, `heartbeat` whether the server is there, `answers` whether it answers, `wakefulness` whether the program was, `prompting` the line that is asked for, `timeouts` the deadlines, `ending` and `shutdown` the
//! end. It knows no terminal: a screen is what implements the trait.

mod answers;
mod clock;
mod credentials;
mod driver;
mod ending;
mod heartbeat;
mod link;
mod link_words;
mod prompting;
mod screen;
mod security;
mod server;
mod shutdown;
mod signals;
mod stage;
mod timeouts;
mod wakefulness;

#[cfg(test)]
mod tests;

pub(crate) use credentials::{TokenStore, folder, password_from_file, password_from_input};
pub(crate) use driver::Session;
pub(crate) use link::LinkState;
pub(crate) use screen::{Prompt, PromptKind, Screen, ScreenEvent, Typed, View, Wish};
pub(crate) use security::Security;
pub(crate) use server::Server;
pub(crate) use signals::Signals;
