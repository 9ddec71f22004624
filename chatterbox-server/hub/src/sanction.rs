//! Sanctions: who is kept out, or kept from writing, where, by whom and for how long (MO-2 to MO-4).

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;
use std::fmt;
use std::sync::Arc;

use chatterbox_proto::{Exclusion, Username};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};
use crate::ids::{MemberId, RoomNumber, SessionId};
use crate::replica::rooms::definition::AccountRef;

/// The number of a sanction, which is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SanctionId(pub i64);

impl SanctionId {
    /// Of a sanction that has no number yet.
    pub const NONE: Self = Self(0);
}

/// What somebody may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SanctionKind {
    /// To be there.
    Ban,
    /// To write, to set topics, to invite.
    Mute,
}

/// Whom a sanction is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SanctionSubject {
    /// An account, by its number, under whatever name it is here.
    Account(AccountRef),
    /// A name, and those that look like it.
    Name(Username),
    /// A guest: the name, and while they are remembered the session and the connection, so that another name ends nothing.
    Guest {
        /// The name that they had.
        name: Username,
        /// Their session, where they have one.
        session: Option<SessionId>,
        /// Their connection.
        member: Option<MemberId>,
    },
    /// Everybody who comes from a network.
    Network {
        /// The network.
        network: Network,
        /// Whether it is only for those who are not logged in.
        guests_only: bool,
    },
}

/// Addresses that have their first bits in common: one address, or a CIDR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// One sanction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// Its number.
    pub id: SanctionId,
    /// What is not allowed.
    pub kind: SanctionKind,
    /// Whom it is on.
    pub subject: SanctionSubject,
    /// Whom it was asked for: a name, or a network as it is written. Sanctions of one act have this in common.
    pub about: Arc<str>,
    /// The room where it holds; `None` is the server.
    pub room: Option<RoomNumber>,
    /// The name of who has imposed it.
    pub by: Arc<str>,
    /// Why, for the person; it may be empty.
    pub reason: Arc<str>,
    /// When it was imposed, in seconds since 1970 UTC.
    pub since: i64,
    /// When it ends, in seconds since 1970 UTC; `None` is never.
    pub until: Option<i64>,
}

impl SanctionSubject {
    /// The name of the user whom it is, if it is one.
    pub fn name(&self) -> Option<&Username> {
        match self {
            Self::Account(account) => Some(&account.name),
            Self::Name(name) | Self::Guest { name, .. } => Some(name),
            Self::Network { .. } => None,
        }
    }
}

impl Sanction {
    /// Whether it holds at a moment, in seconds since 1970 UTC.
    pub fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it is on an account, by its number.
    pub(crate) fn is_on_account(&self, account: i64) -> bool {
        matches!(&self.subject, SanctionSubject::Account(on) if on.id == account)
    }

    /// What whoever it is on is told.
    pub fn exclusion(&self) -> Exclusion {
        Exclusion { reason: Arc::clone(&self.reason), until: self.until }
    }
}

impl Network {
    /// The addresses that have the first `prefix` bits of this one. One IPv6 address stands for its /64 network: whoever has one
    /// has all of them.
    ///
    /// `None` where an address has fewer bits.
    pub fn new(address: IpAddr, prefix: Option<u8>) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let prefix = prefix.unwrap_or(32);
                let host_bits = 32_u32.checked_sub(u32::from(prefix))?;
                let bits = address.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0);
                Some(Self { address: IpAddr::V4(bits.into()), prefix })
            }
            IpAddr::V6(address) => {
                let prefix = prefix.unwrap_or(64);
                let host_bits = 128_u32.checked_sub(u32::from(prefix))?;
                // A single one stands for the network, too.
                let (prefix, host_bits) = if prefix > 64 { (64, 64) } else { (prefix, host_bits) };
                let bits = address.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Some(Self { address: IpAddr::V6(bits.into()), prefix })
            }
        }
    }

    /// Reads an address, or an address and the length of a prefix: `192.0.2.0/24`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(prefix.parse().ok()?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        Self::new(address.parse().ok()?, prefix)
    }

    /// Whether an address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, Some(self.prefix)).is_some_and(|of| {
            of.address == self.address && address.to_canonical().is_ipv4() == self.address.is_ipv4()
        })
    }

    /// How many bits they have in common.
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether these are IPv4 addresses.
    pub const fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Of which kind of address, and how many bits.
    pub(crate) const fn width(&self) -> (bool, u8) {
        (self.is_ipv4(), self.prefix)
    }
}

/// A network is written as its address and its prefix.
impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.address, self.prefix).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (address, prefix) = <(IpAddr, u8)>::deserialize(from)?;
        let network = Self::new(address, Some(prefix));
        network
            .filter(|network| (network.address, network.prefix) == (address, prefix))
            .ok_or_else(|| D::Error::custom("a network that is none"))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) if self.prefix == 32 => write!(f, "{address}"),
            address => write!(f, "{address}/{}", self.prefix),
        }
    }
}

impl Digest for Network {
    fn digest(&self, to: &mut Digester) {
        let Self { address, prefix } = self;
        to.add(address).add(prefix);
    }
}

impl Digest for SanctionSubject {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Account(account) => to.add(&0_u8).add(&account.id).add(&account.name),
            Self::Name(name) => to.add(&1_u8).add(name),
            Self::Guest { name, session, member } => {
                to.add(&2_u8).add(name).add(session).add(member)
            }
            Self::Network { network, guests_only } => to.add(&3_u8).add(network).add(guests_only),
        };
    }
}

impl Digest for Sanction {
    fn digest(&self, to: &mut Digester) {
        let Self { id, kind, subject, about, room, by, reason, since, until } = self;
        let is_ban = *kind == SanctionKind::Ban;
        to.add(id).add(&is_ban).add(subject).add(about).add(room).add(by).add(reason).add(since);
        to.add(until);
    }
}

impl Digest for SanctionId {
    fn digest(&self, to: &mut Digester) {
        let Self(number) = self;
        to.add(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn addresses_and_prefixes_are_read_and_written() {
        for (text, written) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8:7:8:9::1/128", "2001:db8:7:8::/64"),
            ("2001:db8:ffff::/32", "2001:db8::/32"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).to_string(), written, "{text}");
        }
        for text in ["", "ann", "192.0.2.1/33", "::1/129", "192.0.2.1/", "1.2.3.4/+8", "1.2.3.4/-1"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_addresses_of_the_network_are_in_it() {
        let has = |of: &str, address: &str| network(of).contains(address.parse().unwrap());
        assert!(has("192.0.2.0/24", "192.0.2.255") && !has("192.0.2.0/24", "192.0.3.0"));
        assert!(has("192.0.2.0/24", "::ffff:192.0.2.9"), "as a socket for both writes it");
        assert!(has("2001:db8::1", "2001:db8::ffff:1") && !has("2001:db8::1", "2001:db8:0:1::1"));
        assert!(has("0.0.0.0/0", "9.9.9.9") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "9.9.9.9"));
    }
}
