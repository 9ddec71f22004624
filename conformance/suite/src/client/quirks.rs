//! The deviations of a client that the suite adapts to, after they were charged once.

use std::fmt;

use conformance_kit::wire::prefix::Prefix;

/// The milliseconds to wait before each line that are tried when what was typed at once got lost.
pub const DELAYS: [u64; 2] = [500, 2_000];

/// The deviations that the first contact found in a client, and what works in spite of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// It speaks without TLS: charged to `c.tls.connect`, and spoken from then on.
    pub plaintext: bool,
    /// How it writes lengths.
    pub prefix: Option<Prefix>,
    /// When it shows what arrives.
    pub shows: Shows,
    /// Milliseconds to wait before what is typed, when that is more than the profile says.
    pub delay: Option<u64>,
    /// Why it never asked for a name, and what to do about it.
    pub silence: Option<Silence>,
    /// It said its name, and nothing that was typed later reached the wire: what was there instead.
    pub unheard: Option<String>,
    /// What it sends of what is typed.
    pub speaks: Speaks,
}

/// Under whose name a client sends what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speaks {
    /// Nobody has typed, or nothing came.
    #[default]
    Unknown,
    /// Under its own.
    AsItself,
    /// Under another one: charged to `c.send.public`.
    AsSomebodyElse,
}

/// When a client shows what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shows {
    /// Nobody has looked, or nothing was seen.
    #[default]
    Unknown,
    /// At once.
    AtOnce,
    /// When a key is pressed: charged to `c.async.idle`.
    WithKey,
}

/// Why a client did not come to the point at which it asks for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// How far it came.
    pub reached: Reached,
    /// The program has ended by itself.
    pub ended: bool,
    /// What was there instead.
    pub text: String,
    /// The end of its output.
    pub printed: String,
}

/// How far a client came that did not ask for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It never connected.
    Nothing,
    /// It connected, and TLS failed.
    Handshake,
    /// It connected, and nothing that was typed ever reached the wire.
    Typing,
    /// It took its name from the command line, and never sent it.
    Argument,
    /// It sent frames, and none with a name.
    Frames,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Silence {
    /// Whether what was typed may have been lost because it was typed too early.
    #[must_use]
    pub const fn may_want_a_delay(&self) -> bool {
        matches!(self.reached, Reached::Nothing | Reached::Typing) && !self.ended
    }
}

impl Quirks {
    /// It shows what arrives only when a key is pressed.
    #[must_use]
    pub fn needs_a_key(&self) -> bool {
        self.shows == Shows::WithKey
    }

    /// Whether what was typed may have been lost because it was typed too early.
    #[must_use]
    pub fn may_want_a_delay(&self) -> bool {
        match &self.silence {
            Some(silence) => silence.may_want_a_delay(),
            None => self.unheard.is_some(),
        }
    }
}
