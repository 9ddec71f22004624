//! What keeps people from trying too often: pure, with the clock as an argument.

pub mod throttle;
