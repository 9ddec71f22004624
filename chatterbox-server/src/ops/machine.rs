//! Limits of the machine that a server of many connections has to know.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open beside connections.
const RESERVE: u64 = 64;

/// Raises the number of open files to what the system allows, and says how many connections fit.
///
/// Many systems start programs with 1,024, which is a limit for programs that use `select`; we don't.
pub fn allow_many_connections() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Some systems refuse "unlimited"; then what we have must do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(RESERVE)).unwrap_or(usize::MAX)
}
