//! A run: users talk, faults come and go, everything comes to rest, and the pages are read.

mod acts;
mod director;

pub use director::{run, run_until};
