//! Input modes: what the next typed line is for.

use chatterbox_proto::ScreenText;

/// What the next typed line is for, or why no line is taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputMode {
    /// A name to join under.
    Name,
    /// A password, which must not be seen.
    Password,
    /// The answer to a question of the server, by its number.
    Reply(u64),
    /// A message or a command.
    Chat,
    /// No line is taken: the server has not answered the name yet.
    LoginPending,
    /// No line is taken: without the catalogue a line that starts with a slash can't be read.
    CataloguePending,
    /// No line is taken: a command may still ask something, or a page of history is on its way.
    ResultPending,
    /// Back-pressure: no line is taken while the server owes answers to a whole window of messages.
    WindowFull,
}

/// An open question to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The words of the question, with a blank at the end.
    pub text: ScreenText,
    /// Whether the answer must not be seen.
    pub secret: bool,
}
