//! A network of hosts on one machine: a namespace for each address, all on one bridge. A host that is cut off sends and
//! gets nothing, as if its cable were pulled. It takes the rights of root.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use tokio::process::Command;

use super::process::ProcessError;

/// A neighbour at this address answers nobody.
const NOBODY: &str = "02:00:00:00:00:01";

/// The hosts.
#[derive(Debug)]
pub(super) struct Namespaces {
    /// What its namespaces and links are called.
    mark: String,
    hosts: Vec<Ipv4Addr>,
}

impl Namespaces {
    /// Makes a host for each of these addresses; they are of one /24 network, whose first is the run's own.
    pub(super) async fn of(addresses: impl Iterator<Item = IpAddr>) -> Result<Self, ProcessError> {
        let wrong = |what: &str| ProcessError::Network(what.to_owned());
        let mut hosts = BTreeSet::new();
        for address in addresses {
            let IpAddr::V4(address) = address else { return Err(wrong("addresses are IPv4")) };
            hosts.insert(address);
        }
        let hosts: Vec<Ipv4Addr> = hosts.into_iter().collect();
        let network =
            |host: &Ipv4Addr| host.octets().map(u32::from).into_iter().take(3).collect::<Vec<_>>();
        let Some(first) = hosts.first().copied() else { return Err(wrong("there is no host")) };
        let [a, b, c, _] = first.octets();
        let gateway = Ipv4Addr::new(a, b, c, 1);
        if first.is_loopback()
            || hosts.iter().any(|host| network(host) != network(&first) || *host == gateway)
        {
            return Err(wrong(
                "namespaces need addresses of one /24 network, none of them its .1 or loopback",
            ));
        }
        let made = Self { mark: format!("cx{:x}", std::process::id() & 0xff_ffff), hosts };
        let bridge = made.mark.clone();
        ip(&format!("link add {bridge} type bridge")).await?;
        ip(&format!("addr add {gateway}/24 dev {bridge}")).await?;
        ip(&format!("link set {bridge} up")).await?;
        for (n, host) in made.hosts.iter().enumerate() {
            let (space, outer) = (made.space(n), made.outer(n));
            ip(&format!("netns add {space}")).await?;
            ip(&format!("link add {outer} type veth peer name eth0 netns {space}")).await?;
            ip(&format!("link set {outer} master {bridge}")).await?;
            ip(&format!("link set {outer} up")).await?;
            ip(&format!("-n {space} addr add {host}/24 dev eth0")).await?;
            ip(&format!("-n {space} link set eth0 up")).await?;
            ip(&format!("-n {space} link set lo up")).await?;
        }
        Ok(made)
    }

    fn space(&self, n: usize) -> String {
        format!("{}-{n}", self.mark)
    }

    fn outer(&self, n: usize) -> String {
        format!("{}v{n}", self.mark)
    }

    fn host(&self, address: IpAddr) -> Result<usize, ProcessError> {
        let at = self.hosts.iter().position(|host| IpAddr::V4(*host) == address);
        at.ok_or_else(|| ProcessError::Network(format!("{address} is no host of the network")))
    }

    /// What a command begins with that runs on the host of an address.
    pub(super) fn on(&self, address: IpAddr) -> Result<String, ProcessError> {
        Ok(format!("ip netns exec {}", self.space(self.host(address)?)))
    }

    /// Pulls the cable of a host, or puts it in again.
    pub(super) async fn isolate(&self, address: IpAddr, cut: bool) -> Result<(), ProcessError> {
        let outer = self.outer(self.host(address)?);
        ip(&format!("link set {outer} {}", if cut { "down" } else { "up" })).await
    }

    /// Keeps what a host sends from another, or lets it through again.
    pub(super) async fn keep_from(
        &self,
        address: IpAddr,
        other: IpAddr,
        cut: bool,
    ) -> Result<(), ProcessError> {
        let space = self.space(self.host(address)?);
        if cut {
            ip(&format!("-n {space} neigh replace {other} lladdr {NOBODY} nud permanent dev eth0"))
                .await
        } else {
            ip(&format!("-n {space} neigh del {other} dev eth0")).await
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // What is not there can't be removed, and need not be.
        let quietly = |arguments: &str| {
            let mut command = std::process::Command::new("ip");
            let _ = command.args(arguments.split(' ')).stderr(std::process::Stdio::null()).status();
        };
        for n in 0..self.hosts.len() {
            quietly(&format!("link del {}", self.outer(n)));
            quietly(&format!("netns del {}", self.space(n)));
        }
        quietly(&format!("link del {}", self.mark));
    }
}

/// Runs `ip` with these words.
async fn ip(arguments: &str) -> Result<(), ProcessError> {
    let failed = |what: String| ProcessError::Network(format!("ip {arguments}: {what}"));
    let output = Command::new("ip").args(arguments.split(' ')).output().await;
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
