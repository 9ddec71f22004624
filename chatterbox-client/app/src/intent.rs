//! Intents: what a user wants, whatever the interface by which they say it.

use crate::model::{Attention, Key};
use crate::target::Target;

/// One wish of the user; [`crate::App::intend`] carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A typed line for the chat: a message to the conversation in front, `@bob hi`, `#room hi`, or a command.
    Line(String),
    /// A text of any number of lines for the conversation in front, whatever it begins with.
    Say(String),
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
