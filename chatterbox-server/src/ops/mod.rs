//! What whoever runs the server sees and does: logs, signals, limits of the machine.

pub mod clock;
pub mod folders;
pub mod logging;
pub mod machine;
pub mod signals;
