//! The deviations of a client that the suite adapts to, after they were charged once.

use conformance_kit::wire::prefix::Prefix;

/// The deviations that the first contact found in a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// It speaks without TLS: charged to `c.tls.connect`, and spoken from then on.
    pub plaintext: bool,
    /// How it writes lengths.
    pub prefix: Option<Prefix>,
    /// It shows what arrives only when a key is pressed: charged to `c.async.idle`.
    pub needs_a_key: bool,
    /// Why no frame came at all, and what to do about it.
    pub silence: Option<Silence>,
    /// It said its name, and nothing that was typed later reached the wire: what was there instead.
    pub unheard: Option<String>,
}

/// Why the first contact came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// It never connected.
    Absent(String),
    /// It connected, and TLS failed.
    Handshake(String),
    /// It connected, and nothing that was typed ever reached the wire.
    Profile(String),
    /// It took its name from the command line, and never sent it.
    Mute(String),
}
