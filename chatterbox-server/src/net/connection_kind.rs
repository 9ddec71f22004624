//! What a connection of the chat speaks.

/// What a connection of the chat speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionKind {
    /// The protocol itself.
    Protocol,
    /// The protocol in a WebSocket.
    Web,
    /// Telnet, or lines.
    Telnet,
}

impl ConnectionKind {
    /// Every one of them, in the order of their numbers.
    pub const EVERY: [Self; 3] = [Self::Protocol, Self::Web, Self::Telnet];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Web => "web",
            Self::Telnet => "telnet",
        }
    }
}
