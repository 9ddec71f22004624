//! Networks of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses, and networks of them, each exactly as it was said: one IPv6 address is one address, not its /64 network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// The addresses that have the first `prefix` bits of `first`, which is never an IPv4 address within an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u8,
}

/// So many are a mistake.
const MOST: usize = 64;

/// An IPv4 address within an IPv6 one stands behind this many bits.
const MAPPED: u8 = 96;

impl Networks {
    /// Whether an address is one of them. An IPv4 address within an IPv6 one is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl fmt::Display for Networks {
    /// As they are typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Network { first, prefix }) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{first}")?;
            if *prefix < bits(*first) {
                write!(f, "/{prefix}")?;
            }
        }
        Ok(())
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        first(address.to_canonical(), self.prefix) == Some(self.first)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let said = |problem: &str| format!("{text:?}: {problem}");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| said("is no address, and no network such as 10.0.0.0/8"))?;
        let prefix = match length {
            None => bits(address),
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map_err(|_| said("has no such length"))?
            }
            Some(_) => {
                return Err(said("needs the number of bits behind the stroke, as in 10.0.0.0/8"));
            }
        };
        let canonical = address.to_canonical();
        let prefix = match prefix.checked_sub(MAPPED) {
            Some(inner) if canonical.is_ipv4() && address.is_ipv6() => inner,
            None if canonical.is_ipv4() && address.is_ipv6() => {
                return Err(said("is wider than the IPv4 addresses within IPv6 ones"));
            }
            _ => prefix,
        };
        let Some(first) = first(canonical, prefix) else {
            return Err(said(&format!("an address has {} bits", bits(canonical))));
        };
        if first != canonical {
            // Which of the two was meant decides whom the server believes.
            return Err(said(&format!(
                "this network begins with {first}: say {first}/{prefix}, or the address alone"
            )));
        }
        Ok(Self { first, prefix })
    }
}

const fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first address of the network around this one; `None` where an address has fewer bits.
fn first(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let others = u32::from(bits(address).checked_sub(prefix)?);
    Some(match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(others).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(others).unwrap_or(0)).into()
        }
    })
}

impl FromStr for Networks {
    type Err = String;

    /// Reads addresses and networks with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let texts: Vec<&str> = text.split(',').map(str::trim).collect();
        if texts.len() > MOST {
            return Err(format!("has at most {MOST} addresses"));
        }
        Ok(Self(texts.into_iter().map(Network::parse).collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(text: &str) -> Result<Networks, String> {
        text.parse()
    }

    fn has(list: &str, address: &str) -> bool {
        networks(list).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn each_is_exactly_what_was_said() {
        for (list, within, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("::ffff:10.0.0.0/104", "10.9.8.7", "11.0.0.1"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "a00::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("2001:db8::/64", "2001:db8::ffff:1", "2001:db8:0:1::1"),
            ("192.0.2.1, 2001:db8::/32", "2001:db8:ffff::", "192.0.2.2"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("::/0", "::1", "::ffff:203.0.113.9"),
        ] {
            assert!(has(list, within) && !has(list, outside), "{list}: {within}, {outside}");
        }
    }

    #[test]
    fn what_may_be_a_mistake_is_refused() {
        for bad in [
            "",
            ",",
            "127.0.0.1,",
            "localhost",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.5/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/256",
            "10.0.0",
            "::ffff:10.0.0.0/95",
            "::ffff:10.0.0.5/104",
            "[::1]",
            "127.0.0.1:80",
            "fe80::1%eth0",
        ] {
            assert!(networks(bad).is_err(), "{bad:?}");
        }
        let hint = networks("10.0.0.5/8").unwrap_err();
        assert!(hint.contains("say 10.0.0.0/8"), "{hint}");
        let list =
            |count: u8| (0..count).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>().join(",");
        assert!(networks(&list(64)).is_ok() && networks(&list(65)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed(v4: u32, v6: u128, four in 0..=32_u8, six in 0..=128_u8) {
            let (v4, v6) = (IpAddr::from(Ipv4Addr::from_bits(v4)), IpAddr::from(Ipv6Addr::from_bits(v6)));
            prop_assume!(v6.to_canonical().is_ipv6());
            let list = vec![
                Network { first: first(v4, four).unwrap(), prefix: four },
                Network { first: first(v6, six).unwrap(), prefix: six },
            ];
            prop_assume!(list.iter().all(|network| network.first.to_canonical() == network.first));
            let list = Networks(list);
            prop_assert!(list.contains(v4) && list.contains(v6));
            prop_assert_eq!(networks(&list.to_string()), Ok(list));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", dotted in "[0-9a-f:./,]{0,40}") {
            let _ = (networks(&text), networks(&dotted));
        }
    }
}
