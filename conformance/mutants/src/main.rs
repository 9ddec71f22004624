//! The mutant server as a program.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    conformance_mutants::program::run(std::env::args_os())
}
