//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command::{
    batch::BatchArguments, chaos::ChaosArguments, client::ClientArguments,
    compare::CompareArguments, fuzz::FuzzArguments, grade::Grade, learn::LearnArguments,
    load::LoadArguments, matrix::MatrixArguments, shared::Reports,
};

/// Grades any implementation of the Chatterbox protocol.
#[derive(Debug, Parser)]
#[command(
    name = "conformance",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  conformance --target localhost:5000 --ca certs/ca.crt
  conformance --target localhost:5000 --insecure --only framing,join.taken
  conformance --spawn 'python3 server.py {host} -p {port}' --insecure --report html=report.html
  conformance learn --spawn 'python3 server.py {host} -p {port}' --watch
  conformance batch submissions --spawn 'python3 server.py {host} -p {port}' --csv grades.csv
  conformance compare before.json after.json
  conformance list --json
  conformance explain framing.coalesced
  conformance explain FR-4

Exit codes: 0 every MUST holds, 1 a MUST is broken, 2 inconclusive or nothing ran,
3 stale expectation, 64 usage, 69 unreachable, 70 a bug in the suite, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) grade: Grade,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List all cases.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Explain a case (its clause, what it asks, the usual cause of a failure), a clause or a group.
    Explain {
        /// The case, clause or group, such as framing.coalesced, FR-4 or framing.
        #[arg(value_name = "ID")]
        id: String,
    },
    Client(Box<ClientArguments>),
    Learn(Box<LearnArguments>),
    Matrix(MatrixArguments),
    Batch(Box<BatchArguments>),
    Chaos(ChaosArguments),
    Compare(CompareArguments),
    Fuzz(FuzzArguments),
    Load(Box<LoadArguments>),
    /// Render an earlier JSON report again.
    Replay {
        /// The JSON report.
        file: PathBuf,
        #[command(flatten)]
        reports: Reports,
    },
    /// Print the schema of the JSON report.
    Schema,
    /// Print which faults each case notices, as Markdown.
    KillMatrix {
        /// Those of the cases for clients.
        #[arg(long)]
        clients: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
