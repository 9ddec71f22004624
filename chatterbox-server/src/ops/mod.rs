//! Operating the server: allocator, clock, default folders, logs, limits of the machine and of files, signals.

pub mod activity;
pub mod allocator;
pub mod clock;
pub mod data_watch;
pub mod file_size;
pub mod folders;
pub mod logging;
pub mod machine;
pub mod signals;
