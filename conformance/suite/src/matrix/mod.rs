//! Every client against every server, through a proxy that watches both: who understands whom, and
//! whose fault it is when they don't.

mod cell;
mod grid;
mod peers;
pub mod proxy;
pub mod render;

pub use cell::{Blame, Cell, Outcome, STEPS};
pub use grid::{Grid, run};
pub use peers::{ClientPeer, MatrixError, MeansWord, Peers, ServerPeer};
