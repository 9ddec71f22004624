//! The names of what the mutants of `conformance-mutants` do wrong: data, so that a case can say what it notices.

mod client;
mod server;
mod table;

pub use client::{ClientFault, OPPOSITE_CLIENT};
pub use server::{FRAGILE, Fault, OPPOSITE_CHOICES};
