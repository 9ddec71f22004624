//! Cells: writing into the buffer of the screen, such that nothing is written outside of it and no wide character is cut.
//!
//! What is written is either this program's own words or a [`chatterbox_proto::ScreenText`].

use std::borrow::Cow;

use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

/// Writes a text from a cell on, as much as fits into `width` cells. Gives how many it took.
pub(super) fn put(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    width: u16,
    text: &str,
    style: Style,
) -> u16 {
    let area = buffer.area;
    if !area.contains((x, y).into()) {
        return 0;
    }
    let width = width.min(area.right() - x);
    if !is_simple(text) {
        let (end, _) = buffer.set_stringn(x, y, text, usize::from(width), style);
        return end.saturating_sub(x);
    }
    let mut used = 0;
    for byte in text.bytes().take(usize::from(width)) {
        if let Some(cell) = buffer.cell_mut((x + used, y)) {
            cell.set_char(char::from(byte)).set_style(style);
        }
        used += 1;
    }
    used
}

/// The same, at the right edge of so many cells; a text that is too long is shortened.
pub(super) fn put_right(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    width: u16,
    text: &str,
    style: Style,
) {
    let text = shorten(text, width);
    let used = self::width(&text).min(width);
    put(buffer, (x + (width - used), y), used, &text, style);
}

/// Fills a row, or a part of it, with one character.
pub(super) fn fill(buffer: &mut Buffer, area: Rect, with: char, style: Style) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.set_char(with).set_style(style);
            }
        }
    }
}

/// Empties an area for what stands over others. A wide character that reaches into it goes as a whole.
pub(super) fn clear(buffer: &mut Buffer, area: Rect, ground: Option<Style>) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        cut_before(buffer, area.left(), y);
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(ground.unwrap_or_default());
            }
        }
    }
}

/// Takes away what begins before a column and reaches into it. A character can be wider than two cells.
fn cut_before(buffer: &mut Buffer, left: u16, y: u16) {
    let mut x = buffer.area.left();
    while x < left {
        let Some(cell) = buffer.cell_mut((x, y)) else { return };
        let wide = if cell.symbol().len() == 1 { 1 } else { cell.symbol().cell_width().max(1) };
        if x.saturating_add(wide) > left {
            cell.set_symbol(" ");
        }
        x = x.saturating_add(wide);
    }
}

/// How many cells a text takes.
pub(super) fn width(text: &str) -> u16 {
    if is_simple(text) {
        return u16::try_from(text.len()).unwrap_or(u16::MAX);
    }
    let cells = text.graphemes(true).filter(|g| !g.contains(char::is_control));
    cells.map(|grapheme| grapheme.cell_width()).fold(0, u16::saturating_add)
}

/// A text in at most so many cells, with `…` where some of it is left out.
pub(super) fn shorten(text: &str, most: u16) -> Cow<'_, str> {
    if is_simple(text) && text.len() <= usize::from(most) {
        return Cow::Borrowed(text);
    }
    let (mut used, mut kept) = (0_u16, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used = used.saturating_add(width(grapheme));
        if used > most {
            let kept = text.get(..kept).unwrap_or_default();
            return if most == 0 { Cow::Borrowed("") } else { Cow::Owned(format!("{kept}…")) };
        }
        if used < most {
            kept = at + grapheme.len();
        }
    }
    Cow::Borrowed(text)
}

/// Printable ASCII only: each byte is a cell.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_shortened_by_graphemes() {
        for (text, most, shown) in [
            ("annabel", 7, "annabel"),
            ("annabel", 6, "annab…"),
            ("世界世界", 8, "世界世界"),
            ("世界世界", 7, "世界世…"),
            ("世界世界", 6, "世界…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("👩\u{200d}💻👩\u{200d}💻", 3, "👩\u{200d}💻…"),
            ("ann", 1, "…"),
            ("ann", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(shorten(text, most), shown, "{text} {most}");
            assert!(width(&shorten(text, most)) <= most);
        }
    }

    #[test]
    fn nothing_is_written_outside_and_no_wide_character_is_cut() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
        assert_eq!(put(&mut buffer, (9, 0), 5, "x", Style::new()), 0);
        assert_eq!(put(&mut buffer, (0, 9), 5, "x", Style::new()), 0);
        assert_eq!(put(&mut buffer, (2, 0), 9, "世界", Style::new()), 2);
        assert_eq!(put(&mut buffer, (0, 0), 9, "abcdefg", Style::new()), 5);
        put(&mut buffer, (0, 0), 4, "世界", Style::new());
        clear(&mut buffer, Rect::new(3, 0, 9, 9), None);
        let symbols: Vec<_> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(symbols, ["世", " ", " ", " ", " "]);
    }
}
