//! The rows in which a text is drawn: its lines, wrapped.

use crate::wrap::{cells, wrap};

/// A row that is drawn: a part of a text, from one place to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct DrawnRow {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it is the last one of its line.
    pub(super) is_last: bool,
    /// Whether no character finds room at its end.
    is_full: bool,
}

impl DrawnRow {
    /// Whether the cursor is in it: at its end it is, unless it stands at the beginning of the next one.
    pub(super) fn has(&self, cursor: usize) -> bool {
        let is_at_end = cursor == self.end && (self.is_last || !self.is_full);
        cursor >= self.start && (cursor < self.end || is_at_end)
    }
}

/// The rows that are drawn where a row has so many cells.
pub(super) fn drawn_rows(text: &str, width: usize) -> Vec<DrawnRow> {
    let mut rows: Vec<DrawnRow> = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        for row in wrap(line, width) {
            let end = start + row.len();
            rows.push(DrawnRow { start, end, is_last: false, is_full: cells(row) >= width });
            start = end;
        }
        if let Some(last) = rows.last_mut() {
            last.is_last = true;
        }
        start += 1;
    }
    rows
}
