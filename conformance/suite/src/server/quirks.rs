//! The deviations of a server that the suite adapts to, after they were charged once.

use std::time::Duration;

use conformance_kit::{net::target::Target, wire::prefix::Prefix};

/// How a subject writes and reads lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// In front of what it sends.
    pub sends: Prefix,
    /// In front of what it takes.
    pub reads: Prefix,
}

impl Default for Quirks {
    fn default() -> Self {
        Self { sends: Prefix::NETWORK, reads: Prefix::NETWORK }
    }
}

/// Whether to speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// TLS, and without it when the subject knows none; that is charged to `tls.handshake`.
    #[default]
    Auto,
    /// TLS, whatever happens.
    On,
    /// No TLS; the cases about it don't apply.
    Off,
}

impl TlsMode {
    /// The same, unless the URL of a target says whether there is TLS.
    #[must_use]
    pub const fn towards(self, target: &Target) -> Self {
        match &target.web {
            Some(web) if web.tls => Self::On,
            Some(_) => Self::Off,
            None => self,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TlsGreeting {
    /// Nobody asked for it.
    #[default]
    Off,
    /// It works.
    Works,
    /// It does not, and the subject speaks the protocol without it.
    Plaintext(String),
    /// It does not, and nothing else does either.
    Broken(String),
}

/// The result of the probe.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    pub tls: TlsGreeting,
    /// How long connecting and joining takes; `None` when nobody could join.
    pub join: Option<Duration>,
}
