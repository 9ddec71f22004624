//! What a server prints, over its restarts: the end of it, for each process that was started.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::escape;

/// How much of what one process prints is kept: its end.
const KEPT: usize = 16 * 1024;
/// Of how many processes it is kept.
const PROCESSES: usize = 8;
/// The longest text that is given, in characters.
const LONGEST: usize = 12 * 1024;

/// A moment in what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    process: u64,
    bytes: u64,
}

/// What the processes of one server printed; clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Printed(Arc<Mutex<Logs>>);

#[derive(Debug, Default)]
struct Logs {
    /// How many processes came before the first of these.
    forgotten: u64,
    logs: VecDeque<Log>,
    /// What was most telling of those.
    telling: Option<Log>,
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<u8>,
    /// How many bytes came before those.
    dropped: u64,
    /// Whether the process ended without being told to.
    died: bool,
}

impl Log {
    /// How much is to be learned from it: a process that died tells why; otherwise one that printed more
    /// than others do, as with the traceback of a thread.
    fn weight(&self) -> (bool, usize) {
        (self.died, self.kept.iter().filter(|byte| **byte == b'\n').count())
    }

    /// What came from there on; a gap is marked.
    fn since(&self, from: u64) -> Vec<u8> {
        let skipped = usize::try_from(from.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        let mut out = if from < self.dropped { b"...\n".to_vec() } else { Vec::new() };
        out.extend(self.kept.iter().skip(skipped));
        out
    }
}

impl Printed {
    fn logs(&self) -> MutexGuard<'_, Logs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with the next process; gives its number.
    pub(super) fn next_process(&self) -> u64 {
        let mut all = self.logs();
        all.logs.push_back(Log::default());
        while all.logs.len() > PROCESSES {
            let oldest = all.logs.pop_front();
            let before = all.telling.take();
            // Of two that are alike, the later one.
            all.telling = [before, oldest].into_iter().flatten().max_by_key(Log::weight);
            all.forgotten += 1;
        }
        all.forgotten + u64::try_from(all.logs.len()).unwrap_or(u64::MAX) - 1
    }

    /// Takes what a process has printed.
    pub(super) fn add(&self, process: u64, bytes: &[u8]) {
        let mut all = self.logs();
        let Some(at) = process.checked_sub(all.forgotten) else { return };
        let Some(log) = usize::try_from(at).ok().and_then(|at| all.logs.get_mut(at)) else {
            return;
        };
        log.kept.extend(bytes);
        let surplus = log.kept.len().saturating_sub(KEPT);
        log.kept.drain(..surplus);
        log.dropped += u64::try_from(surplus).unwrap_or(u64::MAX);
    }

    /// The process that runs has ended by itself.
    pub(super) fn died(&self) {
        if let Some(log) = self.logs().logs.back_mut() {
            log.died = true;
        }
    }

    /// This moment.
    pub(super) fn mark(&self) -> Mark {
        let all = self.logs();
        let before = u64::try_from(all.logs.len().saturating_sub(1)).unwrap_or(u64::MAX);
        let bytes = all
            .logs
            .back()
            .map_or(0, |log| log.dropped + u64::try_from(log.kept.len()).unwrap_or(u64::MAX));
        Mark { process: all.forgotten + before, bytes }
    }

    /// What was printed from a moment on, by whichever process; escaped.
    pub(super) fn since(&self, mark: Mark) -> String {
        let all = self.logs();
        let mut out = Vec::new();
        for (number, log) in (all.forgotten..).zip(&all.logs) {
            if number >= mark.process {
                let from = if number == mark.process { mark.bytes } else { 0 };
                append(&mut out, &log.since(from));
            }
        }
        readable(&out)
    }

    /// What the process that runs printed, behind what an earlier one did if that died by itself or had
    /// more to say; escaped.
    pub(super) fn last(&self) -> String {
        let all = self.logs();
        let mut out = Vec::new();
        let current = all.logs.len().saturating_sub(1);
        let earlier = all.telling.iter().chain(all.logs.iter().take(current));
        let now = all.logs.back().map(Log::weight).unwrap_or_default();
        let telling = earlier.max_by_key(|log| log.weight()).filter(|log| log.weight() > now);
        for log in telling.into_iter().chain(all.logs.back()) {
            append(&mut out, &log.since(0));
        }
        readable(&out)
    }

    /// What the process that runs printed; escaped.
    pub(super) fn current(&self) -> String {
        readable(&self.logs().logs.back().map(|log| log.since(0)).unwrap_or_default())
    }
}

/// What another process printed begins on a line of its own.
fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if !out.is_empty() && !bytes.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.extend_from_slice(bytes);
}

fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    escape::ending(&escape::visible_lines(&text), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_over_restarts() {
        let printed = Printed::default();
        let first = printed.next_process();
        printed.add(first, b"listening\n");
        let mark = printed.mark();
        assert_eq!(printed.since(mark), "");
        printed.add(first, b"Traceback\nKeyError: 'x'");
        printed.died();
        let second = printed.next_process();
        printed.add(second, b"listening\n");
        assert_eq!(printed.since(mark), "Traceback\nKeyError: 'x'\nlistening\n");
        assert_eq!(printed.last(), "listening\nTraceback\nKeyError: 'x'\nlistening\n");
        assert_eq!(printed.current(), "listening\n");
    }

    #[test]
    fn processes_that_were_ended_are_not_told_of() {
        let printed = Printed::default();
        for _ in 0..3 {
            let process = printed.next_process();
            printed.add(process, b"listening\n");
        }
        assert_eq!(printed.last(), "listening\n");
    }

    #[test]
    fn a_traceback_is_told_of_however_many_processes_come_after_it() {
        let printed = Printed::default();
        for n in 0..30 {
            let process = printed.next_process();
            printed.add(process, b"listening\n");
            if n == 3 {
                printed.add(process, b"Traceback\nKeyError\n");
            }
        }
        assert_eq!(printed.last(), "listening\nTraceback\nKeyError\nlistening\n");
    }

    #[test]
    fn what_comes_late_belongs_to_the_process_that_printed_it() {
        let printed = Printed::default();
        let first = printed.next_process();
        printed.next_process();
        printed.add(first, b"late");
        assert_eq!(printed.current(), "");
        assert_eq!(printed.since(Mark::default()), "late");
    }

    #[test]
    fn everything_is_bounded_and_escaped() {
        let printed = Printed::default();
        let mark = printed.mark();
        for n in 0..20 {
            let process = printed.next_process();
            printed.add(process, "\u{1b}x\n".repeat(10_000).as_bytes());
            printed.add(process, format!("last of {n}\r\n").as_bytes());
        }
        let all = printed.since(mark);
        assert!(all.len() <= LONGEST + 8 && all.ends_with("last of 19\n"), "{}", all.len());
        assert!(!all.contains('\u{1b}') && all.starts_with("...\n"));
        assert!(printed.logs().logs.len() == PROCESSES);
    }
}
