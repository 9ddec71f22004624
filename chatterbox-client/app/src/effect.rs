//! Effects: what the session has to do for the state machine.

use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::accounts::Secret;

use crate::output::Output;

/// One thing to do; a list of them is done in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Show this.
    Show(Output),
    /// Send this frame.
    Send(Bytes),
    /// Add this line to the editor's history; it has no secret in it.
    Remember(String),
    /// Store the login token of this name, or delete it.
    StoreToken {
        /// The account's name.
        name: String,
        /// The new token; `None` deletes the old one.
        token: Option<Secret>,
    },
    /// Connect again after this time.
    Redial(Duration),
    /// Close this connection and treat it as lost, for this reason.
    Disconnect(String),
    /// The server has answered the PING of this number.
    Pong(i64),
    /// Tell the user about the connection.
    DescribeLink,
    /// The connection is lost for good, so the session ends.
    ConnectionLost,
    /// The user wants to leave.
    Leave,
    /// The session can't go on.
    GiveUp(GiveUpReason),
}

/// The reason why the session can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUpReason {
    /// The server has no place for this connection, whatever the name.
    TurnedAway,
    /// No name was accepted, and none can be asked for.
    NoName,
    /// As many devices of this user are here as there may be (DV-1).
    TooManyDevices,
    /// The name is registered, and no password was given.
    PasswordNeeded,
    /// The password is not the right one.
    WrongPassword,
    /// A command did not ask what the next line was to answer; that line may be a secret.
    NotAsked,
    /// The server has ended the connection, and the client is not to come back by itself (NO-4).
    Closed(Closing),
}

/// Why the server has ended a connection for good (NO-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The session goes on over another connection.
    Replaced,
    /// The login has ended: somebody logged it out, or the account has another password or is gone.
    LoggedOut,
    /// Somebody has removed the user.
    Kicked,
    /// The user is banned.
    Banned,
    /// The server could not make sense of what this program sent.
    Protocol,
    /// Another reason.
    Other,
}

impl Closing {
    pub(crate) fn of(code: &str) -> Self {
        match code {
            "replaced" => Self::Replaced,
            "logout" => Self::LoggedOut,
            "kicked" => Self::Kicked,
            "banned" => Self::Banned,
            "protocol" => Self::Protocol,
            _ => Self::Other,
        }
    }
}

/// The effect of a notice of this program.
pub(crate) fn note(text: impl Into<String>) -> Vec<Effect> {
    vec![Effect::Show(Output::note(text))]
}
