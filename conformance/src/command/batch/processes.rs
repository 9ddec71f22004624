//! The processes of one submission: those that its script started, and all that came from them.
#![allow(clippy::disallowed_methods, reason = "the module that reads /proc")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};

/// How often the processes are looked for while they are ended: a program that forks faster than it is
/// counted has to be stopped first.
const ROUNDS: usize = 40;

/// The variable that marks the environment of a submission's processes.
pub(super) const MARK: &str = "CONFORMANCE_SUBMISSION";

/// What the kernel says about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    parent: i32,
    group: i32,
    /// When it began, in ticks since the machine did: with its number, what makes it this one.
    start: u64,
    /// Resident memory, in pages.
    pages: u64,
    is_dead: bool,
}

/// What the processes of a submission use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) processes: usize,
    /// Resident memory, in bytes.
    pub(super) memory: u64,
}

/// The processes of one submission.
#[derive(Debug)]
pub(super) struct Processes {
    /// A file for each process that the script was, named by its number, with its start.
    roots: PathBuf,
    /// The variable that marks its environment, as it stands there.
    mark: Vec<u8>,
    /// Those that were seen: a child whose parent has ended is still known.
    known: HashMap<i32, u64>,
    /// Those that were found to be others', which need not be asked again.
    strangers: HashMap<i32, u64>,
}

/// Whether this machine tells of its processes.
pub(super) fn are_told() -> bool {
    facts(&fs::read_to_string("/proc/self/stat").unwrap_or_default()).is_some()
}

/// How many threads the whole machine has; one small read.
pub(super) fn threads_of_all() -> usize {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let threads = load.split(' ').nth(3).and_then(|part| part.split_once('/')?.1.parse().ok());
    threads.unwrap_or(0)
}

impl Processes {
    pub(super) fn new(roots: &Path) -> Self {
        let mark = format!("{MARK}={}", roots.display()).into_bytes();
        let (known, strangers) = (HashMap::new(), HashMap::new());
        Self { roots: roots.to_owned(), mark, known, strangers }
    }

    /// Looks at all of them.
    pub(super) fn usage(&mut self) -> Usage {
        let now = self.look();
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4_096);
        let living = || now.values().filter(|facts| !facts.is_dead);
        Usage {
            processes: living().count(),
            memory: living().map(|facts| facts.pages.saturating_mul(page)).sum(),
        }
    }

    /// Ends all of them; false when some are left.
    pub(super) fn kill(&mut self) -> bool {
        // With a namespace, all of it ends with the first process. Looking for the others takes too long
        // where there are thousands.
        for (pid, start) in self.started() {
            if start_of(pid) == Some(start) {
                signal(pid, Signal::KILL);
            }
        }
        for round in 0..ROUNDS {
            let living: Vec<i32> =
                self.look().iter().filter(|(_, f)| !f.is_dead).map(|(pid, _)| *pid).collect();
            if living.is_empty() {
                return true;
            }
            // None may fork while the others are ended. The kernel takes a moment to end them.
            for what in [Signal::STOP, Signal::KILL] {
                living.iter().for_each(|pid| signal(*pid, what));
            }
            if round > 0 {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        false
    }

    /// Those that are there now.
    fn look(&mut self) -> HashMap<i32, Facts> {
        let all = everything();
        let same = |pid: &i32, start: u64| all.get(pid).is_some_and(|facts| facts.start == start);
        self.known.retain(|pid, start| same(pid, *start));
        for (pid, start) in self.started() {
            if same(&pid, start) {
                self.known.insert(pid, start);
            }
        }
        self.strangers.retain(|pid, start| same(pid, *start));
        for (pid, facts) in &all {
            if self.known.contains_key(pid) || self.strangers.contains_key(pid) {
                continue;
            }
            // What has left its parent and its group still has the environment that it was born with.
            let whose = if self.is_marked(*pid) { &mut self.known } else { &mut self.strangers };
            whose.insert(*pid, facts.start);
        }
        // Until nobody is found any more whose parent, or whose group, belongs to it.
        loop {
            let of_it = |facts: &Facts| {
                self.known.contains_key(&facts.parent) || self.known.contains_key(&facts.group)
            };
            let new =
                all.iter().filter(|(pid, facts)| !self.known.contains_key(pid) && of_it(facts));
            let new: Vec<(i32, u64)> = new.map(|(pid, facts)| (*pid, facts.start)).collect();
            if new.is_empty() {
                break;
            }
            self.known.extend(new);
        }
        all.into_iter().filter(|(pid, _)| self.known.contains_key(pid)).collect()
    }

    fn is_marked(&self, pid: i32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == self.mark)
    }

    /// What the script wrote down about itself.
    fn started(&self) -> Vec<(i32, u64)> {
        let Ok(files) = fs::read_dir(&self.roots) else { return Vec::new() };
        files
            .filter_map(|file| {
                let file = file.ok()?;
                let pid = file.file_name().to_str()?.parse().ok()?;
                let start = fs::read_to_string(file.path()).ok()?;
                Some((pid, start.trim().parse().ok()?))
            })
            .collect()
    }
}

/// Sends a signal; the process may have ended by itself.
fn signal(pid: i32, what: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, what);
    }
}

fn start_of(pid: i32) -> Option<u64> {
    Some(facts(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?.start)
}

/// All processes of the machine.
fn everything() -> HashMap<i32, Facts> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, facts(&stat)?))
        })
        .collect()
}

/// Reads `/proc/PID/stat`. The name in parentheses may hold anything, so its end counts.
fn facts(stat: &str) -> Option<Facts> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |n: usize| fields.get(n)?.parse::<i64>().ok();
    Some(Facts {
        is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: i32::try_from(number(1)?).ok()?,
        group: i32::try_from(number(2)?).ok()?,
        start: u64::try_from(number(19)?).ok()?,
        pages: u64::try_from(number(21)?).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_parentheses_may_hold_anything() {
        let line = "42 (a) R 1 1 (b) S 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1234 9999 55 0";
        let facts = facts(line).unwrap();
        assert_eq!((facts.parent, facts.group, facts.start, facts.pages), (7, 8, 1234, 55));
        assert!(!facts.is_dead && super::facts("42 (x").is_none());
    }
}
