//! Gives the tool one processor and what it starts all others, so that neither takes the other's time.

use std::io;

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors of the tool, and those of the servers that it starts.
///
/// Whatever a thread starts, a process or another thread, may run where the thread itself may. So the
/// main thread moves before it starts a server, and back before it starts the threads of the members.
#[derive(Debug, Clone, Copy)]
pub struct Pinning {
    #[cfg(target_os = "linux")]
    tool: CpuSet,
    #[cfg(target_os = "linux")]
    servers: CpuSet,
}

#[cfg(target_os = "linux")]
impl Pinning {
    /// Divides the processors on which this thread may run.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn of_this_machine() -> io::Result<Self> {
        let mut servers = sched_getaffinity(None)?;
        let mut tool = CpuSet::new();
        let first = (0..CpuSet::MAX_CPU).find(|cpu| servers.is_set(*cpu));
        if let Some(first) = first.filter(|_| servers.count() > 1) {
            tool.set(first);
            servers.unset(first);
            return Ok(Self { tool, servers });
        }
        Err(io::Error::other("--pin needs two processors"))
    }

    /// What this thread starts from now on has the servers' processors.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn for_servers(&self) -> io::Result<()> {
        sched_setaffinity(None, &self.servers).map_err(io::Error::from)
    }

    /// This thread, and what it starts from now on, has the tool's processor.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn for_tool(&self) -> io::Result<()> {
        sched_setaffinity(None, &self.tool).map_err(io::Error::from)
    }
}

#[cfg(not(target_os = "linux"))]
impl Pinning {
    /// Divides the processors on which this thread may run.
    ///
    /// # Errors
    /// Always: it is not known how on this system.
    pub fn of_this_machine() -> io::Result<Self> {
        Err(io::Error::other("--pin is for Linux"))
    }

    /// What this thread starts from now on has the servers' processors.
    ///
    /// # Errors
    /// Never.
    pub const fn for_servers(&self) -> io::Result<()> {
        Ok(())
    }

    /// This thread, and what it starts from now on, has the tool's processor.
    ///
    /// # Errors
    /// Never.
    pub const fn for_tool(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn tool_and_servers_share_no_processor() {
        let all = sched_getaffinity(None).unwrap();
        // In a thread of its own, since it moves.
        let moved = thread::spawn(|| {
            let pinning = Pinning::of_this_machine()?;
            pinning.for_servers()?;
            let servers = sched_getaffinity(None)?;
            pinning.for_tool()?;
            Ok::<_, io::Error>((servers, sched_getaffinity(None)?))
        });
        match moved.join().unwrap() {
            Ok((servers, tool)) => {
                assert_eq!((tool.count(), servers.count()), (1, all.count() - 1));
                assert!((0..CpuSet::MAX_CPU).all(|cpu| !(servers.is_set(cpu) && tool.is_set(cpu))));
            }
            Err(error) => assert_eq!((all.count(), error.to_string().contains("two")), (1, true)),
        }
    }
}
