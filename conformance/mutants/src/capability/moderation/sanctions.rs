//! Sanctions: who may not be here, or not write, where and for how long.

use std::net::IpAddr;

use conformance_kit::clock;

/// What somebody may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ban,
    /// For half a minute.
    Kick,
    Mute,
}

/// Addresses that have their first bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    pub(super) prefix: u32,
}

impl Network {
    /// Reads an address, or one with the length of a prefix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let prefix = prefix.unwrap_or(if address.is_ipv4() { 32 } else { 64 });
        (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, prefix })
    }

    /// Whether only somebody of level 5 may ban it.
    pub(super) const fn is_wide(&self) -> bool {
        self.prefix < if self.address.is_ipv4() { 16 } else { 32 }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let cut = |bits: u128, width: u32| bits >> width.saturating_sub(self.prefix).min(127);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                cut(own.to_bits().into(), 32) == cut(other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                cut(own.to_bits(), 128) == cut(other.to_bits(), 128)
            }
            _ => false,
        }
    }
}

/// Whom a sanction is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    Account(String),
    /// A name, and those that look like it.
    Name(String),
    /// A guest's session, by its token.
    Session(String),
    /// A connection, for a server that does not look any further.
    Connection(u64),
    Network {
        network: Network,
        guests: bool,
    },
}

impl On {
    /// The word of the table.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Name(_) => "name",
            Self::Session(_) | Self::Connection(_) => "session",
            Self::Network { .. } => "address",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Sanction {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) on: On,
    /// Whom it was asked for.
    pub(super) about: String,
    /// `None` is the server.
    pub(super) room: Option<u64>,
    pub(super) by: String,
    pub(super) reason: String,
    /// Seconds since 1970; `None` is never.
    pub(super) until: Option<i64>,
}

impl Sanction {
    /// Whether it holds now.
    pub(super) fn holds(&self) -> bool {
        self.until.is_none_or(|until| clock::unix_seconds() < until)
    }
}
