//! `chatterbox-client`: puts the parts together, and turns the way it ended into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use chatterbox_client::{Arguments, Exit, Failure};

fn main() -> ExitCode {
    let arguments = match Arguments::parse_line(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` come this way too. Whoever closed the pipe has read enough.
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
    // A name that is still being looked up would keep a plain drop waiting.
    runtime.shutdown_background();
    outcome
}
