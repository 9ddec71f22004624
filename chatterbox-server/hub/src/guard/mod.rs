//! Rate limits: pure, with the clock as an argument.

mod bucket;
mod network;
pub mod pace;
mod shares;
mod throttle;

pub use bucket::{Buckets, Rate};
pub use network::{network, site};
pub(crate) use shares::Shares;
pub use throttle::{Counter, Slope, Throttle, TooMany, Try};
