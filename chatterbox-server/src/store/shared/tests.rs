//! Several nodes over one order of commands, in one process.

mod agreeing;
mod giving_up;
mod kit;
mod waiting;
