//! What lies between nodes, engine and users, and how it is cut: ways that lead through the run on loopback, or a
//! network of namespaces.

use std::{io, net::SocketAddr};

use super::{namespaces::Namespaces, plan::Plan, process::ProcessError, proxy::Proxy};

/// What lies between.
#[derive(Debug)]
pub(super) enum Network {
    /// Everything is at loopback.
    Loopback {
        /// The ways from each node to each server of the engine.
        ways: Vec<Vec<Proxy>>,
        /// The ways from users to each node; none where they need not be cut.
        doors: Vec<Proxy>,
    },
    /// Each address has a host of its own.
    Hosts(Namespaces),
}

impl Network {
    pub(super) async fn of(plan: &Plan) -> Result<Self, ProcessError> {
        if plan.namespaces {
            let nodes = plan.nodes.iter().map(|node| node.address.ip());
            let engine = plan.engine.iter().map(|server| server.client.ip());
            return Ok(Self::Hosts(Namespaces::of(nodes.chain(engine)).await?));
        }
        let failed = |error: io::Error| ProcessError::Start("a proxy".to_owned(), error);
        let (mut ways, mut doors) = (Vec::new(), Vec::new());
        for node in &plan.nodes {
            let mut own = Vec::new();
            for server in &plan.engine {
                own.push(Proxy::to(server.client).await.map_err(failed)?);
            }
            ways.push(own);
            if plan.between {
                doors.push(Proxy::to(node.address).await.map_err(failed)?);
            }
        }
        Ok(Self::Loopback { ways, doors })
    }

    /// The URLs by which a node reaches the engine.
    pub(super) fn engine(&self, plan: &Plan, node: usize) -> String {
        let addresses: Vec<SocketAddr> = match self {
            Self::Loopback { ways, .. } => {
                ways.get(node).into_iter().flatten().map(|way| way.address).collect()
            }
            Self::Hosts(_) => plan.engine.iter().map(|server| server.client).collect(),
        };
        let urls: Vec<String> =
            addresses.iter().map(|address| format!("nats://{address}")).collect();
        urls.join(",")
    }

    /// A command on the host of an address.
    pub(super) fn line(&self, address: SocketAddr, line: &str) -> Result<String, ProcessError> {
        match self {
            Self::Loopback { .. } => Ok(line.to_owned()),
            Self::Hosts(hosts) => {
                let quoted = line.replace('\'', "'\\''");
                Ok(format!("{} sh -c 'exec env {quoted}'", hosts.on(address.ip())?))
            }
        }
    }

    /// Where users reach the nodes.
    pub(super) fn doors(&self, plan: &Plan) -> Vec<SocketAddr> {
        match self {
            Self::Loopback { doors, .. } if !doors.is_empty() => {
                doors.iter().map(|door| door.address).collect()
            }
            _ => plan.nodes.iter().map(|node| node.address).collect(),
        }
    }

    /// Cuts a node off from the engine, or mends that.
    pub(super) async fn cut_off(
        &self,
        plan: &Plan,
        node: usize,
        cut: bool,
    ) -> Result<(), ProcessError> {
        match self {
            Self::Loopback { ways, .. } => {
                ways.get(node).into_iter().flatten().for_each(|way| way.cut(cut));
            }
            Self::Hosts(hosts) => {
                let node = plan.nodes.get(node).ok_or(ProcessError::Nothing)?;
                for server in &plan.engine {
                    hosts.keep_from(node.address.ip(), server.client.ip(), cut).await?;
                }
            }
        }
        Ok(())
    }

    /// Cuts a node off from everybody, or mends that.
    pub(super) async fn isolate(
        &self,
        plan: &Plan,
        node: usize,
        cut: bool,
    ) -> Result<(), ProcessError> {
        match self {
            Self::Loopback { doors, .. } => {
                doors.get(node).into_iter().for_each(|door| door.cut(cut));
                self.cut_off(plan, node, cut).await
            }
            Self::Hosts(hosts) => {
                let node = plan.nodes.get(node).ok_or(ProcessError::Nothing)?;
                hosts.isolate(node.address.ip(), cut).await
            }
        }
    }

    /// Cuts all connections of users with a node, in the middle of what they carry.
    pub(super) fn sever(&self, node: usize) -> Result<(), ProcessError> {
        match self {
            Self::Loopback { doors, .. } => {
                doors.get(node).map(Proxy::sever).ok_or(ProcessError::Nothing)
            }
            Self::Hosts(_) => Err(ProcessError::Nothing),
        }
    }

    /// Cuts a server of the engine off from everybody, or mends that.
    pub(super) async fn isolate_server(
        &self,
        plan: &Plan,
        server: usize,
        cut: bool,
    ) -> Result<(), ProcessError> {
        match (self, plan.engine.get(server)) {
            (Self::Hosts(hosts), Some(server)) => hosts.isolate(server.client.ip(), cut).await,
            _ => Err(ProcessError::Nothing),
        }
    }
}
