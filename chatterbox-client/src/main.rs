//! `chatterbox-client`: parses the command line, runs the session, and turns its end into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use chatterbox_client::{Arguments, Exit, Failure};

fn main() -> ExitCode {
    let arguments = match Arguments::parse_line(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` are errors to clap as well. A closed pipe is no failure.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    match run(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "chatterbox-client: {failure}");
            failure.exit.into()
        }
    }
}

fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Software, format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(chatterbox_client::run(arguments));
    // Dropping the runtime would wait for a name that is still being looked up.
    runtime.shutdown_background();
    outcome
}
