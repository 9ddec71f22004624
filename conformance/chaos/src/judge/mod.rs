//! The judge: pure, from what a run has left to what was wrong. It knows nothing of how the cluster works, only
//! what the protocol promises to users.

mod accusations;
mod before;
mod endings;
mod findings;
mod hearing;
mod log;
mod names;
mod past;
mod presence;
mod reasons;
mod refusals;
mod stays;
mod sudden;
#[cfg(test)]
mod tests;
mod verdict;

pub use before::keeps_too_little;
pub use findings::{Finding, Findings, Kind};
pub use verdict::judge;
