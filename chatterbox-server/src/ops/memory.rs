//! The memory of this process, as the system counts it.

/// The bytes that are in memory now; `None` where the system does not say.
#[cfg(target_os = "linux")]
pub fn resident() -> Option<u64> {
    #![allow(clippy::disallowed_methods, reason = "the edge: asks the system")]
    resident_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The bytes that are in memory now; `None` where the system does not say.
#[cfg(not(target_os = "linux"))]
pub fn resident() -> Option<u64> {
    None
}

#[cfg(any(test, target_os = "linux"))]
fn resident_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_and_read() {
        assert_eq!(
            resident_in("Name:\tx\nVmRSS:\t   2048 kB\nThreads: 4\n"),
            Some(2 * 1024 * 1024)
        );
        assert_eq!(resident_in("Name:\tx\n"), None);
        assert_eq!(resident_in("VmRSS:\tmany kB\n"), None);
        #[cfg(target_os = "linux")]
        assert!(resident().is_some_and(|bytes| bytes > 100 * 1024));
    }
}
