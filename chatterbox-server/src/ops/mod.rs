//! Operating the server: allocator, clock, default folders, histograms, logs, limits of the machine and of files, memory, signals, readiness, what
//! its operator can ask of the process, and what the service manager is told.

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
pub mod service_manager;
pub mod signals;
pub(crate) mod supervision;
