//! Escapes a subject's text, so that it can't control a terminal or a report.

/// Whether a character acts on a screen instead of being seen on it: controls, bidirectional
/// formatting, invisible characters, and what is no character at all (such as U+FFFE), which YAML and
/// XML can't hold.
fn acts(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xFFFE == 0xFFFE
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Makes every character visible: what would act on a terminal becomes `\u{..}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Like [`visible`], but lines stay lines.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Makes bytes of a subject readable, cut to `limit` characters.
#[must_use]
pub fn bytes(bytes: &[u8], limit: usize) -> String {
    // Four bytes make one character at most: no need to decode megabytes to show a line of it.
    let head = bytes.get(..limit.saturating_mul(4)).unwrap_or(bytes);
    shorten(&visible(&String::from_utf8_lossy(head)), limit)
}

/// Cuts a text to `limit` characters and says that it did.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Keeps the last `limit` characters of a text, from the beginning of a line on where there is one, and
/// says that it cut: the end of a traceback tells what was wrong.
#[must_use]
pub fn ending(text: &str, limit: usize) -> String {
    let Some(surplus) = text.chars().count().checked_sub(limit).filter(|surplus| *surplus > 0)
    else {
        return text.to_owned();
    };
    let at = text.char_indices().nth(surplus).map_or(0, |(at, _)| at);
    let end = text.get(at..).unwrap_or_default();
    let whole = end.split_once('\n').map_or(end, |(_, lines)| lines);
    format!("...\n{}", if whole.is_empty() { end } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_the_terminal() {
        let text = visible("a\u{1b}[31m\r\u{202e}b\u{200b}\u{9b}");
        assert_eq!(text, "a\\u{1b}[31m\\u{d}\\u{202e}b\\u{200b}\\u{9b}");
        assert_eq!(visible("é 漢 😀"), "é 漢 😀");
    }

    #[test]
    fn the_end_of_a_long_text_begins_with_a_whole_line() {
        assert_eq!(ending("one\ntwo\nthree", 9), "...\nthree");
        assert_eq!(ending("héllo", 2), "...\nlo");
        assert_eq!(ending("short\n", 9), "short\n");
    }

    #[test]
    fn what_is_no_character_is_written_out() {
        assert_eq!(
            visible("\u{fffe}\u{1ffff}\u{fdd0}\u{fffd}"),
            "\\u{fffe}\\u{1ffff}\\u{fdd0}\u{fffd}"
        );
    }

    #[test]
    fn long_things_are_cut() {
        assert_eq!(shorten("héllo", 2), "hé...");
        assert_eq!(bytes(&[b'a'; 100], 3), "aaa...");
    }
}
