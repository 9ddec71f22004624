//! The names and addresses under which other machines reach this one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Upper bound on the addresses of one machine that are looked at; servers of containers have hundreds.
const MOST_ADDRESSES: usize = 16;

/// How this machine is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::net) struct MachineNames {
    /// Its host name.
    pub(in crate::net) name: String,
    /// Its addresses, the one with which it reaches other networks first; without those that mean something here only.
    pub(in crate::net) addresses: Vec<IpAddr>,
}

/// Asks the system.
pub(in crate::net) fn machine_names() -> MachineNames {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let all = interfaces.into_iter().map(|interface| interface.ip());
    MachineNames {
        name,
        addresses: chosen([source_v4(), source_v6()].into_iter().flatten().chain(all)),
    }
}

/// The host for somebody else's command line, if a server listens on this one.
pub fn reachable(host: &str) -> String {
    let Ok(listening) = host.parse::<IpAddr>() else { return host.to_owned() };
    if !listening.is_unspecified() {
        return host.to_owned();
    }
    reachable_of(&machine_names(), listening)
}

fn reachable_of(machine: &MachineNames, listening: IpAddr) -> String {
    let family = |address: &&IpAddr| listening.is_ipv6() || address.is_ipv4();
    match machine.addresses.iter().find(family) {
        Some(address) => address.to_string(),
        // A machine without a network.
        None => "localhost".to_owned(),
    }
}

fn chosen(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut chosen = Vec::new();
    for address in addresses {
        let elsewhere = match address {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
            IpAddr::V6(v6) => {
                !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified()
            }
        };
        if elsewhere && !chosen.contains(&address) && chosen.len() < MOST_ADDRESSES {
            chosen.push(address);
        }
    }
    chosen
}

/// The address with which the system would reach a machine far away. Connecting a UDP socket sends nothing.
fn source_v4() -> Option<IpAddr> {
    // TEST-NET-1, which is nobody's.
    source((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(192, 0, 2, 1), 9).into())
}

fn source_v6() -> Option<IpAddr> {
    let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    source((Ipv6Addr::UNSPECIFIED, 0).into(), (documentation, 9).into())
}

fn source(from: std::net::SocketAddr, to: std::net::SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn addresses_that_mean_something_here_only_are_left_out() {
        let all = [
            "127.0.0.1",
            "10.0.0.5",
            "::1",
            "169.254.3.4",
            "fe80::1",
            "10.0.0.5",
            "2001:db8::5",
            "0.0.0.0",
        ];
        let found = chosen(addresses(&all).into_iter());
        assert_eq!(found, addresses(&["10.0.0.5", "2001:db8::5"]));
        let many = (0..200u8).map(|last| IpAddr::from([10, 0, 0, last]));
        assert_eq!(chosen(many).len(), MOST_ADDRESSES);
    }

    #[test]
    fn the_address_for_others_is_of_a_family_that_is_listened_on() {
        let machine =
            |texts: &[&str]| MachineNames { name: "m".into(), addresses: addresses(texts) };
        let (v4, v6) = ("0.0.0.0".parse().unwrap(), "::".parse().unwrap());
        assert_eq!(reachable_of(&machine(&["2001:db8::5", "10.0.0.5"]), v4), "10.0.0.5");
        assert_eq!(reachable_of(&machine(&["2001:db8::5", "10.0.0.5"]), v6), "2001:db8::5");
        assert_eq!(reachable_of(&machine(&["2001:db8::5"]), v4), "localhost");
        assert_eq!(reachable("chat.example"), "chat.example");
        assert_eq!(reachable("192.0.2.7"), "192.0.2.7");
    }
}
