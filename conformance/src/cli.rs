//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command::{
    batch::BatchArguments, chaos::ChaosArguments, client::ClientArguments,
    compare::CompareArguments, fuzz::FuzzArguments, grade::Grade, learn::LearnArguments,
    load::LoadArguments, manual::Manual, matrix::MatrixArguments, shared::Reports,
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
    #[command(flatten)]
    pub(crate) manual: Manual,
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
    /// Print the norm that this program judges by, as Markdown.
    Norm {
        /// What goes beyond it: the capabilities that are negotiated.
        #[arg(long)]
        capabilities: bool,
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
    use std::collections::HashSet;

    use clap::{Command, CommandFactory as _, ValueEnum as _};
    use clap_complete::Shell;

    use super::*;
    use crate::command::manual::{completions, pages};

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// The visible flags of a command and of those below it, each with the file of its page.
    fn flags(command: &Command) -> Vec<(String, String)> {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let visible = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let longs = visible.filter_map(|arg| arg.get_long());
        let below = command.get_subcommands().filter(|below| !below.is_hide_set());
        let own = longs.map(|long| (format!("{name}.1"), format!("--{long}")));
        own.chain(below.flat_map(flags)).collect()
    }

    fn words(text: &str) -> HashSet<&str> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect()
    }

    #[test]
    fn completions_and_pages_name_every_flag() {
        let mut built = Cli::command().disable_help_subcommand(true);
        built.build();
        let flags = flags(&built);
        for shell in Shell::value_variants() {
            // One of them has the dashes in a word of its own.
            let script = completions(&Cli::command(), *shell).unwrap().replace("-l ", "--");
            let words = words(&script);
            for (_, flag) in &flags {
                assert!(words.contains(flag.as_str()), "{flag} for {shell}");
            }
        }
        let pages = pages(&Cli::command()).unwrap();
        for (file, flag) in &flags {
            let (_, page) = pages.iter().find(|(name, _)| name == file).unwrap();
            let page = String::from_utf8_lossy(page).replace("\\-", "-").replace("\\f", " \\");
            assert!(words(&page).contains(format!("B{flag}").as_str()), "{flag} in {file}");
        }
    }
}
