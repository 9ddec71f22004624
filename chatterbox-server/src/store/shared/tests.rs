//! Several nodes over one order of commands, in one process.

mod agreeing;
mod kit;
mod waiting;
