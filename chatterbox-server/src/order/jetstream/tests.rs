//! The order against real servers that the tests start and end. They are skipped, visibly, where there is none.

#[path = "../../../tests/harness/engine.rs"]
mod engine;

mod contract;
mod kit;
mod snapshots;
