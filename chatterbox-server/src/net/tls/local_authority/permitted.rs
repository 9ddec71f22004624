//! What a local authority may vouch for: the name constraints of its certificate (RFC 5280, 4.2.1.10).
//!
//! People trust the authority on all their machines, for everything that it signs. Constraints are what keeps somebody who has
//! copied its key from signing certificates of other sites with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints, SanType};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

/// The names and addresses that an authority may vouch for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Permitted {
    /// Host names, in lower case. Each stands for those below it, too.
    names: Vec<String>,
    /// The first address of a network, and how many bits its addresses have in common.
    networks: Vec<(IpAddr, u8)>,
}

/// Addresses that mean something within one network only, so that no site of the Internet has them (RFC 1918, 3927, 4193, 4291, 6598).
const PRIVATE: [(IpAddr, u8); 7] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0)), 10),
];

/// So many names and networks. A server that is started under ever new names has them forgotten.
const MOST: usize = 64;

/// Whether an address means something within one network only.
pub(super) fn is_private(address: IpAddr) -> bool {
    PRIVATE.iter().any(|network| is_in(address, *network))
}

impl Permitted {
    /// What has to be permitted for these names, and for private networks if that is wanted.
    pub(super) fn for_names<'a>(names: impl Iterator<Item = &'a SanType>, private: bool) -> Self {
        let mut permitted = Self::default();
        let loopback =
            [(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8), (Ipv6Addr::LOCALHOST.into(), 128)];
        permitted.networks.extend(loopback);
        permitted.networks.extend(PRIVATE.into_iter().filter(|_| private));
        for name in names.filter(|name| !matches!(name, SanType::IpAddress(ip) if ip.is_loopback()))
        {
            match name {
                SanType::DnsName(name) => permitted.add_name(name.as_str()),
                SanType::IpAddress(address) => permitted.add_network(around(*address)),
                _ => {}
            }
        }
        permitted
    }

    /// The constraints of a certificate; `None` where it has none, and may vouch for anything.
    pub(super) fn of(authority: &X509Certificate<'_>) -> Option<Self> {
        let constraints = authority.name_constraints().ok().flatten()?;
        let mut permitted = Self::default();
        for subtree in constraints.value.permitted_subtrees.as_ref()? {
            match &subtree.base {
                GeneralName::DNSName(name) => permitted.add_name(name),
                GeneralName::IPAddress(bytes) => {
                    network(bytes).into_iter().for_each(|network| permitted.add_network(network));
                }
                _ => {}
            }
        }
        Some(permitted)
    }

    /// The same as a certificate has it.
    pub(super) fn constraints(&self) -> NameConstraints {
        let names = self.names.iter().cloned().map(GeneralSubtree::DnsName);
        let networks = self.networks.iter().map(|(first, prefix)| {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*first, *prefix))
        });
        NameConstraints {
            permitted_subtrees: names.chain(networks).collect(),
            excluded_subtrees: Vec::new(),
        }
    }

    /// Permits this and the other; only the other where both are too much.
    pub(super) fn joined(mut self, other: Self) -> Self {
        other.names.iter().for_each(|name| self.add_name(name));
        other.networks.iter().for_each(|network| self.add_network(*network));
        if self.names.len() + self.networks.len() > MOST { other } else { self }
    }

    pub(super) fn admits(&self, name: &SanType) -> bool {
        match name {
            SanType::DnsName(name) => {
                let name = name.as_str().to_ascii_lowercase();
                self.names.iter().any(|permitted| {
                    let below = name.strip_suffix(permitted.as_str());
                    below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
                })
            }
            SanType::IpAddress(address) => {
                self.networks.iter().any(|network| is_in(*address, *network))
            }
            _ => false,
        }
    }

    pub(super) fn admits_private(&self) -> bool {
        PRIVATE.iter().all(|network| self.networks.contains(network))
    }

    fn add_name(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn add_network(&mut self, network: (IpAddr, u8)) {
        let (first, prefix) = network;
        let within = |other: &(IpAddr, u8)| other.1 <= prefix && is_in(first, *other);
        if !self.networks.iter().any(within) {
            self.networks.push(network);
        }
    }
}

/// What is permitted for one address of a machine: a global IPv6 address changes within its /64 network all the time.
fn around(address: IpAddr) -> (IpAddr, u8) {
    match address {
        IpAddr::V4(_) => (address, 32),
        IpAddr::V6(v6) => (Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(), 64),
    }
}

fn is_in(address: IpAddr, (first, prefix): (IpAddr, u8)) -> bool {
    let prefix = u32::from(prefix);
    match (address, first) {
        (IpAddr::V4(one), IpAddr::V4(first)) => {
            (one.to_bits() ^ first.to_bits()).leading_zeros() >= prefix
        }
        (IpAddr::V6(one), IpAddr::V6(first)) => {
            (one.to_bits() ^ first.to_bits()).leading_zeros() >= prefix
        }
        _ => false,
    }
}

/// An address and its mask, one behind the other.
fn network(bytes: &[u8]) -> Option<(IpAddr, u8)> {
    let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    let address = crate::net::tls::certificate::address(address)?;
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    let all: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    // A mask with holes is none of ours.
    (ones == all).then_some((address, u8::try_from(ones).ok()?))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use x509_parser::prelude::FromDer as _;

    use super::*;

    fn name(text: &str) -> SanType {
        text.parse().map_or_else(|_| SanType::DnsName(text.try_into().unwrap()), SanType::IpAddress)
    }

    fn permitted(texts: &[&str], private: bool) -> Permitted {
        let names: Vec<_> = texts.iter().map(|text| name(text)).collect();
        Permitted::for_names(names.iter(), private)
    }

    #[test]
    fn what_is_asked_for_is_permitted_and_nothing_beside_it() {
        let asked = permitted(&["localhost", "Chat.example", "192.0.2.7", "2001:db8::7"], false);
        for within in [
            "localhost",
            "chat.example",
            "CHAT.example",
            "a.chat.example",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "192.0.2.7",
            "2001:db8::7",
            "2001:db8::ffff",
        ] {
            assert!(asked.admits(&name(within)), "{within}");
        }
        for outside in [
            "example",
            "at.example",
            "xchat.example",
            "chat.example.org",
            "localhost.org",
            "192.0.2.8",
            "10.0.0.1",
            "2001:db8:0:1::7",
            "::2",
            "8.8.8.8",
            "fe80::1",
        ] {
            assert!(!asked.admits(&name(outside)), "{outside}");
        }
        assert!(!asked.admits_private());
        let laptop = permitted(&["localhost"], true);
        for within in ["10.1.2.3", "172.31.0.1", "192.168.7.7", "100.64.0.1", "fd00::1", "fe80::1"]
        {
            assert!(laptop.admits(&name(within)), "{within}");
        }
        for outside in ["11.0.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!laptop.admits(&name(outside)), "{outside}");
        }
        assert!(laptop.admits_private());
    }

    #[test]
    fn a_certificate_says_what_was_permitted() {
        let key = KeyPair::generate().unwrap();
        let wanted = permitted(&["localhost", "a.example", "192.0.2.7", "2001:db8::7"], true);
        let mut params = CertificateParams::default();
        assert_eq!(read(&params, &key), None);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.name_constraints = Some(wanted.constraints());
        assert_eq!(read(&params, &key), Some(wanted));
        let excluded = vec![GeneralSubtree::DnsName("a.example".into())];
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees: excluded });
        assert_eq!(read(&params, &key), None, "it may vouch for all the rest");
    }

    fn read(params: &CertificateParams, key: &KeyPair) -> Option<Permitted> {
        let made = params.self_signed(key).unwrap();
        Permitted::of(&X509Certificate::from_der(made.der()).unwrap().1)
    }

    #[test]
    fn ever_new_names_do_not_make_it_ever_longer() {
        let mut all = permitted(&["localhost"], true);
        for number in 0..200 {
            all = all.joined(permitted(&["localhost", &format!("{number}.example")], true));
            assert!(all.names.len() + all.networks.len() <= MOST);
            assert!(
                all.admits(&name("localhost")) && all.admits(&name(&format!("{number}.example")))
            );
        }
        let once = all.clone().joined(all.clone());
        assert_eq!(once, all);
    }
}
