//! Wrapping: a line in rows of a terminal, at words where possible; no grapheme is ever cut.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The rows of a line that is safe to show, none wider than `width` cells; together they are the line. A grapheme that is wider than
/// that has a row of its own.
pub fn wrap(line: &str, width: usize) -> Vec<&str> {
    let width = width.max(1);
    let mut rows = Vec::new();
    let (mut start, mut used) = (0, 0);
    // Behind the last blank of the row, and how wide the row is up to there.
    let mut blank: Option<(usize, usize)> = None;
    for (at, grapheme) in line.grapheme_indices(true) {
        let wide = grapheme.width();
        if used + wide > width && at > start {
            // A blank at the end of a row takes no place.
            if grapheme.trim().is_empty() {
                blank = None;
                used = width;
                continue;
            }
            let (end, before) = blank.take().filter(|(end, _)| *end > start).unwrap_or((at, used));
            rows.extend(line.get(start..end));
            start = end;
            used = used.saturating_sub(before);
            if end == at {
                used = 0;
            }
        }
        used += wide;
        if grapheme.chars().all(char::is_whitespace) {
            blank = Some((at + grapheme.len(), used));
        }
    }
    rows.extend(line.get(start..));
    rows
}
