//! Of what a cluster consists: nodes, and the servers of its engine.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::wall_clock::WallClock;

/// A node of the chat.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What it is called in reports.
    pub name: String,
    /// Where its users connect.
    pub address: SocketAddr,
    /// The line of a shell that starts it; `{engine}` is filled in with the URLs of the engine's servers.
    pub start: String,
    /// Where it says over HTTP whether it is ready.
    pub health: Option<SocketAddr>,
    /// The folder with its data, and nothing else.
    pub data: Option<PathBuf>,
    /// Its clock, where that can be set.
    #[serde(skip)]
    pub clock: Option<WallClock>,
}

/// A server of the engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Its name, as the engine knows it.
    pub name: String,
    /// The line of a shell that starts it.
    pub start: String,
    /// Where nodes connect.
    pub client: SocketAddr,
    /// Where it tells of itself over HTTP.
    pub monitor: SocketAddr,
}

/// A cluster.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The servers of the engine; there may be none.
    pub engine: Vec<Engine>,
    /// The stream of which the leader is looked for.
    pub stream: String,
    /// Where the output of everything goes.
    pub logs: Option<PathBuf>,
    /// Whether each address gets a host of its own, in a network of namespaces.
    pub namespaces: bool,
    /// Whether users reach their nodes through the run, so that these can be cut off from them.
    pub between: bool,
}
