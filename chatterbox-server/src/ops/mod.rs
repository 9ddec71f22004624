//! Operating the server: allocator, clock, default folders, histograms, logs, limits of the machine and of files, memory, signals, readiness, and what
//! its operator can ask of the process.

pub mod activity;
pub mod allocator;
pub mod clock;
pub mod data_watch;
pub mod file_size;
pub mod folders;
pub mod histogram;
pub mod logging;
pub mod machine;
pub mod memory;
pub mod operator;
pub mod readiness;
pub mod signals;
