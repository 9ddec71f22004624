//! Open files: every connection needs one, and systems allow few unless they are asked.

use thiserror::Error;

/// The system does not allow as many connections.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{needed} open files are needed, and the system allows {allowed} (ulimit -Hn)")]
pub struct TooFew {
    /// How many are needed.
    pub needed: u64,
    /// How many are allowed.
    pub allowed: u64,
}

/// Beside the connections: the runtimes, the standard streams, reports.
const OTHERS: u64 = 64;

/// Raises the soft limit to the hard one, and looks whether that is enough.
///
/// # Errors
/// When it is not.
pub fn raise(connections: u64) -> Result<(), TooFew> {
    let needed = connections.saturating_add(OTHERS);
    let allowed = raised();
    if needed > allowed { Err(TooFew { needed, allowed }) } else { Ok(()) }
}

#[cfg(unix)]
fn raised() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
    .unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
const fn raised() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_allowed_is_said() {
        assert_eq!(raise(1), Ok(()));
        if raised() < u64::MAX {
            assert!(raise(u64::MAX).unwrap_err().to_string().contains("ulimit"));
        }
    }
}
