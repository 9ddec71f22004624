//! Recall: the lines that were typed before, as many as may be kept.

use std::collections::VecDeque;

/// So many earlier lines are kept, of so many bytes together.
const LINES: usize = 500;
const BYTES: usize = 256 * 1024;

/// The lines that were typed before. Their places are counted from the newest, which is 0.
#[derive(Debug, Default)]
pub(super) struct Recall {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Recall {
    /// Adds a line, unless it is the newest already. Says whether the places have moved.
    pub(super) fn push(&mut self, line: String) -> bool {
        if line.is_empty() || self.lines.back() == Some(&line) {
            return false;
        }
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        true
    }

    pub(super) fn at(&self, place: usize) -> Option<&str> {
        self.lines.iter().rev().nth(place).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().rev().map(String::as_str)
    }
}
