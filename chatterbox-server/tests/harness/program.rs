//! The program of the server, and others that run it, as whoever types their names runs them.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::ffi::OsStr;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;
use conformance_kit::subject::environment::OF_A_SERVICE;

/// A command without what systemd tells whoever runs the tests, who may be in a service or under a manager of sessions: the server is
/// none of theirs. A test sets its own variables afterwards.
pub fn of_no_service(mut command: Command) -> Command {
    for variable in OF_A_SERVICE {
        command.env_remove(variable);
    }
    command
}

/// Another program, which is going to run that of the server.
pub fn other(program: impl AsRef<OsStr>) -> Command {
    of_no_service(Command::new(program))
}

/// The program of the server.
pub fn process() -> Command {
    of_no_service(Command::cargo_bin("chatterbox-server").unwrap())
}

/// The same, for what is asserted of its output and its exit code.
pub fn server() -> assert_cmd::Command {
    assert_cmd::Command::from_std(process())
}
