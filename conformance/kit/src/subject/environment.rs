//! The environment of what is started: that of this process, but not what a manager of services has put there for it.

use tokio::process::Command;

/// What systemd tells a service. A server that found it would answer for this process: say that it is ready, take its sockets, or keep
/// its files where those of this process are.
pub const OF_A_SERVICE: [&str; 14] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "STATE_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "CACHE_DIRECTORY",
    "LOGS_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
];

/// Keeps from a command what this process was told as a service.
pub fn as_no_service(command: &mut Command) -> &mut Command {
    OF_A_SERVICE.iter().fold(command, |command, name| command.env_remove(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_does_not_answer_for_the_service_that_judges_it() {
        let mut command = Command::new("true");
        as_no_service(&mut command).env("LANG", "C");
        let changed: Vec<_> = command.as_std().get_envs().collect();
        for name in ["NOTIFY_SOCKET", "LISTEN_FDS", "STATE_DIRECTORY"] {
            assert!(changed.contains(&(name.as_ref(), None)), "{name}");
        }
        assert!(changed.contains(&("LANG".as_ref(), Some("C".as_ref()))));
    }
}
