//! Lets every client meet every server.

use conformance_kit::authority::Authority;
use serde::Serialize;

use super::{
    cell::{self, Cell},
    peers::{MatrixError, Peers},
};
use crate::server::host::Host;

/// The results of all pairs.
#[derive(Debug, Clone, Serialize)]
pub struct Grid {
    /// The names of the clients.
    pub clients: Vec<String>,
    /// The names of the servers.
    pub servers: Vec<String>,
    /// One cell for every pair, server by server.
    pub cells: Vec<Cell>,
}

impl Grid {
    /// The cell of a pair.
    #[must_use]
    pub fn cell(&self, client: &str, server: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.client == client && cell.server == server)
    }

    /// Whether every pair understands each other, and nobody broke an invariant.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.cells.iter().all(Cell::is_green)
    }
}

fn add(cells: &mut Vec<Cell>, cell: Cell, tell: &mut (dyn FnMut(&Cell) + Send)) {
    tell(&cell);
    cells.push(cell);
}

/// Lets every client meet every server, one pair at a time, and tells of each.
///
/// # Errors
/// When the peers make no sense; a peer that can't be started is a red cell instead.
pub async fn run(
    peers: &Peers,
    seed: u64,
    scale: f64,
    tell: &mut (dyn FnMut(&Cell) + Send),
) -> Result<Grid, MatrixError> {
    let authority = Authority::make()?;
    let mut cells = Vec::new();
    // No pair may see in a history what another one said.
    let mut seeds = seed..;
    for server in &peers.servers {
        let place = server.place()?;
        let mut running = None;
        let mut refused: Option<String> = None;
        for (client, seed) in peers.clients.iter().zip(&mut seeds) {
            if let Some(why) = &refused {
                add(&mut cells, Cell::no_server(&client.name, &server.name, why), tell);
                continue;
            }
            // A server that remembers what a client did would judge the next one by it; only one that runs
            // already serves them all.
            if running.is_none() {
                match Host::open(&place, &authority, seed, scale).await {
                    Ok(host) => running = Some(host),
                    Err(error) => {
                        let why = &*refused.insert(error.to_string());
                        add(&mut cells, Cell::no_server(&client.name, &server.name, why), tell);
                        continue;
                    }
                }
            }
            let Some(host) = &running else { continue };
            let cell = cell::meet(client, &server.name, host, &authority, seed, scale).await;
            add(&mut cells, cell, tell);
            if server.command.is_some() {
                running = None;
            }
        }
    }
    Ok(Grid {
        clients: peers.clients.iter().map(|client| client.name.clone()).collect(),
        servers: peers.servers.iter().map(|server| server.name.clone()).collect(),
        cells,
    })
}
