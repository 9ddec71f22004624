//! The faulty server as a child process of a test: the test's own program, started again.
//!
//! The grader's package holds no binary of the mutant, so a test that needs one to spawn hands out a
//! command that runs this very program with the one ignored test below.

use std::env;

/// The arguments of the mutant; the shell that starts it sets this.
const ARGUMENTS: &str = "CONFORMANCE_TEST_MUTANT";

/// The shell command that starts a mutant with these arguments.
pub fn command(arguments: &str) -> String {
    let program = env::current_exe().unwrap();
    let this = "mutant::is_a_program";
    format!(
        "env {ARGUMENTS}=\"{arguments}\" {} --ignored --exact {this} --nocapture",
        program.display()
    )
}

#[test]
#[ignore = "the mutant that other tests start"]
fn is_a_program() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    let words = ["mutant"].into_iter().chain(arguments.split_whitespace());
    let _ = conformance_mutants::program::run(words.map(str::to_owned));
    std::process::exit(1);
}
