//! Rate limits: pure, with the clock as an argument.

mod network;
mod throttle;

pub use network::{network, site};
pub use throttle::{Counter, Slope, Throttle, TooMany, Try};
