//! Limits of the operating system for a server with many connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// File descriptors that are kept for other things than connections.
const RESERVE: u64 = 64;

/// Raises the soft limit of open files to the hard limit, and returns how many connections fit.
///
/// The usual soft limit of 1,024 is for programs that use `select`, which this one does not.
pub fn allow_many_connections() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Some systems refuse "unlimited"; the old limit stays then.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(RESERVE)).unwrap_or(usize::MAX)
}

/// How many threads may do work that takes long, beside those that serve connections: password hashes, long frames, and a look
/// at the data folder. Each keeps some memory of its own for as long as it lives, so there are few.
pub fn blocking_threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from) + 2
}
