//! The command line of the suite: grades a server, lists and explains cases.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

mod cli;
mod command;

use cli::{Cli, Command};
use command::{
    batch, chaos, client, compare, explain, fuzz, grade, grading, interrupt, learn, load, matrix,
    say, shared::USAGE,
};
use conformance_kit::escape::visible_lines;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done when even this can't be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let code = match cli.command {
        Some(Command::List { json }) => explain::list(json),
        Some(Command::Explain { id }) => explain::explain(&id),
        Some(Command::Client(arguments)) => client::run(&arguments),
        Some(Command::Learn(arguments)) => learn::run(&arguments),
        Some(Command::Matrix(arguments)) => matrix::run(&arguments),
        Some(Command::Batch(arguments)) => batch::run(&arguments),
        Some(Command::Chaos(arguments)) => chaos::run(&arguments),
        Some(Command::Compare(arguments)) => compare::run(&arguments),
        Some(Command::Fuzz(arguments)) => fuzz::run(&arguments),
        Some(Command::Load(arguments)) => load::run(&arguments),
        Some(Command::Replay { file, reports }) => grading::replay(&file, &reports),
        Some(Command::Norm { capabilities }) => explain::norm(capabilities),
        Some(Command::Schema) => explain::schema(),
        Some(Command::KillMatrix { clients }) => explain::kill_matrix(clients),
        None if cli.manual.is_asked() => cli.manual.write(&Cli::command()),
        None => grade::grade(&cli.grade),
    };
    ExitCode::from(code.unwrap_or_else(|error| {
        say::aside(format_args!("conformance: {}", visible_lines(&format!("{error:#}"))));
        if error.is::<interrupt::Interrupted>() { interrupt::Interrupted::EXIT } else { USAGE }
    }))
}
