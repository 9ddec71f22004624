//! The names that a server wants its certificate to be for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::SanType;

use crate::net::machine_names::MachineNames;
use crate::net::tls::local_authority::permitted::{self, Permitted};

/// The names that a server wants its certificate to be for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Those that the operator has asked for, and those of every machine. For them an authority is made anew if it has to be.
    named: Vec<SanType>,
    /// Those that this machine happens to have. A laptop has others in each network, so they are taken as far as the authority
    /// may vouch for them.
    own: Vec<SanType>,
    /// Whether the addresses of private networks have to be permitted, since that of this machine changes within them.
    private: bool,
}

impl Wanted {
    /// The names for a server that listens on these hosts, or is called so. One that listens on every address is reached by each of
    /// the machine's own.
    pub(super) fn new(hosts: &[String], machine: &MachineNames) -> Self {
        let mut named = Vec::new();
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let hosts_named = std::iter::once("localhost").chain(hosts.iter().map(String::as_str));
        let all = hosts_named.filter_map(name).chain(loopback.map(SanType::IpAddress));
        all.for_each(|name| push(&mut named, name));
        let addresses = || hosts.iter().filter_map(|host| host.parse::<IpAddr>().ok());
        let everywhere = addresses().any(|address| address.is_unspecified());
        let mut own = Vec::new();
        let addresses_here = if everywhere { machine.addresses.as_slice() } else { &[] };
        let here = addresses_here.iter().copied().map(SanType::IpAddress);
        name(&machine.name)
            .into_iter()
            .chain(here)
            .filter(|name| !named.contains(name))
            .for_each(|name| push(&mut own, name));
        Self { named, own, private: everywhere || addresses().any(permitted::is_private) }
    }

    /// The same without the addresses of this machine.
    pub(super) fn without_addresses(mut self) -> Self {
        self.own.retain(|name| !matches!(name, SanType::IpAddress(_)));
        self
    }

    /// What an authority has to permit for this server, and for this machine as it is now.
    pub(super) fn permitted(&self) -> Permitted {
        Permitted::for_names(self.named.iter().chain(&self.own), self.private)
    }

    /// Whether an authority permits what the operator has asked for.
    pub(super) fn is_permitted(&self, permitted: &Permitted) -> bool {
        let all_named = self.named.iter().all(|name| permitted.admits(name));
        all_named && (!self.private || permitted.admits_private())
    }

    /// The names that an authority may vouch for, and those that it may not.
    pub(super) fn split(&self, permitted: &Permitted) -> (Vec<SanType>, Vec<SanType>) {
        self.all().cloned().partition(|name| permitted.admits(name))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &SanType> {
        self.named.iter().chain(&self.own)
    }
}

fn push(names: &mut Vec<SanType>, name: SanType) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// The name as a certificate holds it. Those that it can't hold (`::`, a name with spaces) are left out.
fn name(text: &str) -> Option<SanType> {
    match text.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => None,
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => text.try_into().ok().filter(|_| is_host_name(text)).map(SanType::DnsName),
    }
}

/// Whether a certificate can be for this host.
pub(in crate::net::tls) fn is_certifiable(host: &str) -> bool {
    name(host).is_some()
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 254
        && name.split('.').all(|label| {
            (1..64).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}
