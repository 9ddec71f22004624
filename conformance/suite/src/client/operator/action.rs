//! The actions of a client's user.

use std::fmt;

/// Something that the user of the client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gives a name.
    Name(String),
    /// Says something to everybody.
    Say(String),
    /// Says something to one user.
    Tell {
        /// The user.
        user: String,
        /// What.
        text: String,
    },
    /// Looks who is here.
    Users(String),
    /// Types this, whatever it means.
    Line(String),
    /// Types this without ending the line.
    Part(String),
    /// Types the rest of a line, and ends it.
    Rest(String),
    /// Quits in this way.
    Quit(String),
    /// Ends the input.
    EndInput,
    /// Interrupts the client.
    Interrupt,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "Give the name {name}"),
            Self::Say(text) => write!(f, "Send {text:?} to everybody"),
            Self::Tell { user, text } => write!(f, "Send {text:?} to {user} only"),
            Self::Users(_) => f.write_str("Look who is here"),
            Self::Line(text) => write!(f, "Enter {text:?}"),
            Self::Part(text) => write!(f, "Type {text:?}, and don't send it yet"),
            Self::Rest(text) => write!(f, "Go on with {text:?}, and send it"),
            Self::Quit(_) => f.write_str("Quit the client in its usual way"),
            Self::EndInput => f.write_str("Close the window of the client"),
            Self::Interrupt => f.write_str("Interrupt the client"),
        }
    }
}
