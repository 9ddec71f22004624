//! Everything that a command has started, also what has left its process group and its session: found
//! in /proc, where the system has one, and ended.
//!
//! Three things tell whose a process is: its ancestors; a variable in its environment, which children
//! inherit whatever becomes of their parents; and, because the suite makes itself the parent of
//! orphans, that it has become a child of the suite's in a session of somebody else's.
#![allow(clippy::disallowed_methods, reason = "reads /proc")]

use std::{collections::BTreeSet, fs, sync::Once};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, waitpid,
};

/// The variable by which the processes of one server are known.
const VARIABLE: &str = "CONFORMANCE_SPAWNED";

/// How often everything that is left is ended before it is left alone: a process may start others
/// faster than they are found, and one that waits for a disk can't be ended.
const ROUNDS: usize = 200;

/// How often it is looked for members that have started in the meantime before they are ended.
const FREEZES: usize = 20;

/// What a command has started.
#[derive(Debug, Clone)]
pub(super) struct Family {
    /// The value of the variable.
    mark: String,
    /// The first process, which leads a process group, and whether it has been waited for: its number
    /// may be somebody else's then.
    leader: i32,
    gone: bool,
}

/// A process as /proc tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    state: char,
    parent: i32,
    group: i32,
    session: i32,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads `PID (NAME) STATE PARENT GROUP SESSION ...`; the name may hold blanks and brackets.
    fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(' ')?;
        let mut fields = rest.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let mut number = || fields.next()?.parse().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            state,
            parent: number()?,
            group: number()?,
            session: number()?,
        })
    }

    /// Whether it has ended, and only its parent has not noticed yet.
    const fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.flatten().filter_map(pid).filter_map(Process::read).collect()
}

impl Family {
    /// The variable that the command gets, and its value.
    pub(super) fn variable() -> (&'static str, String) {
        (VARIABLE, format!("{:016x}", rand::random::<u64>()))
    }

    /// The family of a process that got this value and leads a group.
    pub(super) fn of(leader: u32, mark: String) -> Self {
        Self { mark, leader: i32::try_from(leader).unwrap_or(i32::MAX), gone: false }
    }

    /// The leader has ended and was waited for.
    pub(super) const fn leader_is_gone(&mut self) {
        self.gone = true;
    }

    /// Everybody who runs, the oldest generation first.
    pub(super) fn members(&self) -> Vec<u32> {
        // Before its end, the leader's descendants are all there is.
        let members = self.find(&processes(), self.gone);
        let running = members.iter().filter(|process| !process.is_over());
        running.filter_map(|process| u32::try_from(process.pid).ok()).collect()
    }

    /// Whether a process is certainly a member, without looking at all there are.
    pub(super) fn holds(&self, pid: u32) -> bool {
        let Ok(pid) = i32::try_from(pid) else { return false };
        (pid == self.leader && !self.gone) || self.is_marked(pid)
    }

    /// Whether anybody runs.
    pub(super) fn lives(&self) -> bool {
        !self.members().is_empty()
    }

    fn find(&self, all: &[Process], orphans: bool) -> Vec<Process> {
        let me = getpid().as_raw_nonzero().get();
        let own = all.iter().find(|process| process.pid == me).copied();
        let is_first = |process: &Process| {
            let in_group = process.group == self.leader || process.session == self.leader;
            // Once the leader is gone, its number proves nothing but for a child of the suite's.
            let led =
                (process.pid == self.leader || in_group) && (!self.gone || process.parent == me);
            let orphan = orphans
                && process.parent == me
                && process.session != process.pid
                && own.is_some_and(|own| own.session != process.session);
            let mark = mark_of(process.pid);
            // The orphan of another server's is that one's to end.
            let orphan = orphan && mark.is_none();
            led || orphan || mark.is_some_and(|mark| mark == self.mark.as_bytes())
        };
        let others = all.iter().filter(|process| process.pid != me && process.pid != 1);
        let mut found: Vec<Process> = others.filter(|process| is_first(process)).copied().collect();
        // Ancestors before their descendants, where both were found by themselves.
        found.sort_by_key(|process| (process.pid != self.leader, process.pid));
        let mut known: BTreeSet<i32> = found.iter().map(|process| process.pid).collect();
        let mut next = 0;
        while let Some(parent) = found.get(next).map(|process| process.pid) {
            let children = all.iter().filter(|process| process.parent == parent);
            found.extend(children.filter(|child| child.pid != me && known.insert(child.pid)));
            next += 1;
        }
        found
    }

    fn is_marked(&self, pid: i32) -> bool {
        mark_of(pid).is_some_and(|mark| mark == self.mark.as_bytes())
    }

    /// Ends everybody, one round; whether somebody was still there.
    pub(super) fn end(&self) -> bool {
        let members = self.frozen();
        if !self.gone
            && let Some(leader) = Pid::from_raw(self.leader)
        {
            // Systems without /proc know groups, too. It may have ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
        let me = getpid().as_raw_nonzero().get();
        let mut left = false;
        for process in members {
            let Some(pid) = Pid::from_raw(process.pid) else { continue };
            if !process.is_over() {
                left |= kill_process(pid, Signal::KILL).is_ok();
            } else if process.parent == me && process.pid != self.leader {
                // The leader is waited for by whoever started it.
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        left
    }

    /// Finds everybody and stops them, so that nobody starts another or loses the parent by which it is
    /// known while others are being ended.
    fn frozen(&self) -> Vec<Process> {
        let mut stopped = BTreeSet::new();
        let mut members = Vec::new();
        for _ in 0..FREEZES {
            members = self.find(&processes(), true);
            let running = members.iter().filter(|process| !process.is_over());
            let fresh: Vec<i32> =
                running.map(|process| process.pid).filter(|pid| stopped.insert(*pid)).collect();
            if fresh.is_empty() {
                break;
            }
            for pid in fresh.into_iter().filter_map(Pid::from_raw) {
                // It may have ended in between.
                let _ = kill_process(pid, Signal::STOP);
            }
        }
        members
    }

    /// The rounds that are worth while.
    pub(super) const fn rounds() -> std::ops::Range<usize> {
        0..ROUNDS
    }

    /// The ports that members listen on, each with its process; the oldest generation first.
    pub(super) fn listeners(&self) -> Vec<(u32, u16)> {
        let mut listening = Vec::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let text = fs::read_to_string(table).unwrap_or_default();
            listening.extend(text.lines().filter_map(listener));
        }
        let mut out = Vec::new();
        for pid in self.members() {
            for socket in sockets(pid) {
                let found = listening.iter().find(|(inode, _)| *inode == socket);
                if let Some((_, port)) = found
                    && !out.contains(&(pid, *port))
                {
                    out.push((pid, *port));
                }
            }
        }
        out
    }
}

/// The value of the variable that a process was started with.
fn mark_of(pid: i32) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables
        .find_map(|variable| variable.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    Some(value.to_owned())
}

/// The socket and the port of a line of /proc/net/tcp, if it is one that listens.
fn listener(line: &str) -> Option<(u64, u16)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    if *state != "0A" {
        return None;
    }
    let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
    Some((inode.parse().ok()?, port))
}

/// The sockets that a process has open.
fn sockets(pid: u32) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let socket = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    entries.flatten().filter_map(socket).collect()
}

/// Makes this process the parent of those whose parents end, so that they can be found and are waited
/// for.
pub(super) fn adopt_orphans() {
    static ONCE: Once = Once::new();
    // Where the system has no such thing, orphans are known by their environment alone.
    ONCE.call_once(|| {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let process = Process { pid: 7, state: 'S', parent: 1, group: 7, session: 6 };
        assert_eq!(Process::parse("7 (a) b) (c) S 1 7 6 0 -1 4194560"), Some(process));
        assert_eq!(Process::parse("7 (a"), None);
    }

    #[test]
    fn listening_sockets_are_told_from_others() {
        let line = |state| {
            format!(
                "  0: 0100007F:1388 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0 0 4242 1 0"
            )
        };
        assert_eq!(listener(&line("0A")), Some((4242, 5000)));
        assert_eq!(listener(&line("01")), None);
        assert_eq!(listener("  sl  local_address rem_address   st"), None);
    }
}
