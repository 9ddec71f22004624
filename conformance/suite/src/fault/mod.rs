//! The names of what the mutants of `conformance-mutants` do wrong: data, so that a case can say what it notices.

mod choices;
mod client;
mod devices;
mod e2ee;
mod files;
mod meta;
mod server;
mod table;
mod zstd;

pub use choices::{FRAGILE, OPPOSITE_CHOICES};
pub use client::{ClientFault, OPPOSITE_CLIENT};
pub use server::Fault;
