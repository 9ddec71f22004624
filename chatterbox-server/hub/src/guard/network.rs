//! What counts as one place that connections come from.

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

/// What one household or machine commonly gets: an IPv4 address, or an IPv6 /64 network.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

/// What one customer commonly gets at most: an IPv4 address, or an IPv6 /48 network.
pub fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 80 << 80).into()),
    }
}

/// The /48 network of an IPv6 address, in which there are 65,536 of [`network`]; of an IPv4 address, nothing.
pub(crate) fn wider(peer: IpAddr) -> Option<IpAddr> {
    Some(site(peer)).filter(IpAddr::is_ipv6)
}
