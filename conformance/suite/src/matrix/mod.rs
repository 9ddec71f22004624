//! Runs every client against every server through a proxy that watches both, and names the side that is
//! to blame when they don't understand each other.

mod blame;
mod boundary;
mod cell;
mod ends;
mod grid;
mod peers;
pub mod proxy;
mod relay;
pub mod render;

pub use blame::{Blame, Outcome};
pub use cell::{Cell, STEPS};
pub use grid::{Grid, run};
pub use peers::{ClientPeer, MatrixError, MeansWord, Peers, ServerPeer};
