//! CPU time and memory of a process, as the system counts them.
#![allow(clippy::disallowed_methods, reason = "reads /proc")]

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why nothing is known about a process.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessError {
    /// This system has no /proc.
    #[error("CPU time and memory of a process are read from /proc, which only Linux has")]
    NoProc,
    /// There is no such process, or it belongs to somebody else.
    #[error("can't read /proc/{0}: no such process, or not yours")]
    Gone(u32),
}

/// A process to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pid: u32,
}

/// The memory of a process in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident, pages that are shared with others included.
    pub resident: u64,
    /// Resident, of shared pages its share only; 0 when the system does not tell.
    pub proportional: u64,
    /// Swapped out; reports of earlier versions do not tell.
    #[serde(default)]
    pub swapped: u64,
}

impl Process {
    /// Finds a process.
    ///
    /// # Errors
    /// When nothing can be known about it.
    pub fn find(pid: u32) -> Result<Self, ProcessError> {
        if !cfg!(target_os = "linux") {
            return Err(ProcessError::NoProc);
        }
        let process = Self { pid };
        process.cpu().map(|_| process).ok_or(ProcessError::Gone(pid))
    }

    /// Seconds of CPU, in user mode and in the kernel; `None` when it has ended.
    #[must_use]
    pub fn cpu(self) -> Option<f64> {
        self.ticks(OWN).map(seconds)
    }

    /// The same of its children that have ended and that it has waited for, and of theirs.
    #[must_use]
    pub fn waited_cpu(self) -> Option<f64> {
        self.ticks(WAITED).map(seconds)
    }

    fn ticks(self, at: usize) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        cpu_ticks(&stat, at)
    }

    /// Its memory; `None` when it has ended.
    #[must_use]
    pub fn memory(self) -> Option<Memory> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.pid)).ok();
        let status = read("status")?;
        let resident = kilobytes(&status, "VmRSS:")?;
        let swapped = kilobytes(&status, "VmSwap:").unwrap_or_default();
        let proportional = read("smaps_rollup").and_then(|text| kilobytes(&text, "Pss:"));
        Some(Memory { resident, proportional: proportional.unwrap_or_default(), swapped })
    }
}

#[expect(clippy::cast_precision_loss, reason = "less than 2^52 ticks")]
fn seconds(ticks: u64) -> f64 {
    #[cfg(unix)]
    let a_second = rustix::param::clock_ticks_per_second();
    #[cfg(not(unix))]
    let a_second = 100;
    ticks as f64 / a_second as f64
}

/// How many fields of /proc/PID/stat stand between the name and `utime` and `stime`.
const OWN: usize = 11;
/// The same for `cutime` and `cstime`.
const WAITED: usize = 13;

/// The sum of two fields of /proc/PID/stat. The name in front may hold spaces and brackets.
fn cpu_ticks(stat: &str, at: usize) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(at);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A line such as `VmRSS:  1234 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let stat = "7 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 41 59 8 3 20 0 3 0";
        assert_eq!((cpu_ticks(stat, OWN), cpu_ticks(stat, WAITED)), (Some(100), Some(11)));
        assert_eq!(cpu_ticks("7 (a) S 1", OWN), None);
        assert_eq!(kilobytes("VmPeak:\t9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12 * 1024));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_known_and_a_stranger_is_not() {
        let process = Process::find(std::process::id()).unwrap();
        assert!(process.memory().unwrap().resident > 0);
        assert_eq!(Process::find(u32::MAX), Err(ProcessError::Gone(u32::MAX)));
    }
}
