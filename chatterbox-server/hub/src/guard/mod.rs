//! Rate limits: pure, with the clock as an argument.

mod bucket;
pub mod flood;
mod network;
pub mod pace;
mod shares;
mod slow_mode;
mod throttle;

pub use bucket::{Buckets, Rate};
pub use network::{network, site};
pub(crate) use shares::Shares;
pub(crate) use slow_mode::SlowMode;
pub use throttle::{Counter, Slope, Throttle, TooMany, Try};
