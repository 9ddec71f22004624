//! `c.recv`: what arrives is shown, and harms nothing.

mod messages;
mod notices;
mod registry;
mod strange;

pub use registry::CASES;
