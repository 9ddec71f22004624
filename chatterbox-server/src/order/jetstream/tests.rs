//! The order against real servers that the tests start and end. They are skipped, visibly, where there is none.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

#[path = "../../../tests/harness/engine.rs"]
mod engine;

mod contract;
mod failures;
mod hostile;
mod kit;
mod looking;
mod refusals;
mod replaced;
mod snapshots;
