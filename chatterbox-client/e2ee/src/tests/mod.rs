//! Pairs of users with several devices each, over a simulated server whose directory can be made to lie.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

mod faults;
mod identities;
mod keeping;
mod pairs;
mod properties;
mod world;
