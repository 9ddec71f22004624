//! `presence`: since when users are here, whether they are away, and who was ever here.

mod away;
mod last_seen;
mod registry;
mod told;
mod welcome;

pub(in crate::cases) use registry::CASES;
