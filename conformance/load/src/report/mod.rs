//! The results of a run, and every format in which they are shown.

pub mod compare;
pub mod console;
pub mod figures;
pub mod html;
pub mod plot;
mod results;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use results::float;
pub use results::{
    Checks, Churn, Joining, Limit, LoadReport, MemoryPoint, Sample, Setting, Traffic, VERSION,
    Verdict,
};
