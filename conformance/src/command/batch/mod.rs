//! `conformance batch`: every submission of a folder, each in a sandbox of its own.

mod arguments;
mod copy;
mod judge;
mod processes;
mod run;
mod sandbox;
mod so_far;
mod watchdog;

pub(crate) use arguments::BatchArguments;
pub(crate) use run::run;
