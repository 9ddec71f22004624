//! Runs every client against every server through a proxy that watches both, and names the side that is
//! to blame when they don't understand each other.

mod cell;
mod grid;
mod peers;
pub mod proxy;
pub mod render;

pub use cell::{Blame, Cell, Outcome, STEPS};
pub use grid::{Grid, run};
pub use peers::{ClientPeer, MatrixError, MeansWord, Peers, ServerPeer};
