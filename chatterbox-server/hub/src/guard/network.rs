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

/// The /48 network of an IPv6 address: what one customer commonly gets, with 65,536 networks of the other kind in it.
pub fn site(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(IpAddr::V6((address.to_bits() >> 80 << 80).into())),
    }
}
