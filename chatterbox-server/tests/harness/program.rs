//! The program of the server, and others that run it, as whoever types their names runs them.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::ffi::OsStr;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;

/// What systemd tells a service of its folders, its sockets and whom it is to tell something. Tests may run in a service or under a
/// manager of sessions: the server is none of theirs.
const OF_A_SERVICE: [&str; 8] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "STATE_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
];

/// A command without what systemd tells whoever runs the tests. A test sets its own variables afterwards.
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
