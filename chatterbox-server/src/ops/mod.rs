//! Operating the server: clock, default folders, logs, limits of the machine, signals.

pub mod clock;
pub mod folders;
pub mod logging;
pub mod machine;
pub mod signals;
