//! Networks of addresses.

use std::net::IpAddr;

/// Addresses, and networks of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

impl Networks {
    /// Whether an address is one of them. An IPv4 address within an IPv6 one is the IPv4 address.
    pub fn contains(&self, _address: IpAddr) -> bool {
        false
    }
}

pub(super) fn networks(_text: &str) -> Result<Networks, String> {
    Err("not yet".to_owned())
}
