//! Intents: what a user wants, whatever the interface by which they say it.

use crate::model::{Attention, Key};
use crate::target::Target;

/// One wish of the user; [`crate::App::intend`] carries it out. What is typed is none: it answers what was asked for
/// ([`crate::App::typed`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Bring a conversation to the front; the one with a user is opened where there is none.
    Open(Target),
    /// Take the conversation with a user off the list; what was said is kept by the server.
    Close(Target),
    /// Ask the server for messages older than those that are loaded.
    Older(Target),
    /// Ask the server for the messages that are missing at a hole of the timeline.
    Fill(Target, Key),
    /// What of a conversation the user wants to be told.
    Attend(Target, Attention),
    /// Whether the user sees the newest message of the conversation in front: its end is on the screen, and the screen has the
    /// focus.
    Seeing(bool),
    /// Leave the chat.
    Quit,
}
