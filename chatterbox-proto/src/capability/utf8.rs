//! `utf8`: text without `\u` escapes (U8-1).
//!
//! Everything is encoded once, as ASCII. Who agreed to this gets the same JSON with most of its escapes undone, which is
//! cheap where there are none.

use std::borrow::Cow;
use std::ops::Range;

use crate::text::{is_bidi_control, is_invisible};

/// Undoes the `\u` escapes of JSON that this crate wrote, as far as the characters are harmless to look at.
pub fn unescaped(json: &[u8]) -> Cow<'_, [u8]> {
    unescaped_part(json, usize::MAX).0
}

/// The same for the beginning of a longer JSON: of `limit` bytes, and of one escape that begins within them. Says how many
/// bytes that was.
pub fn unescaped_part(json: &[u8], limit: usize) -> (Cow<'_, [u8]>, usize) {
    let mut out: Option<Vec<u8>> = None;
    // What is before this place has been copied, if there is a copy.
    let mut copied = 0;
    let end = walk(json, limit, |escape, character| {
        let out = out.get_or_insert_with(|| Vec::with_capacity(json.len().min(limit)));
        out.extend_from_slice(json.get(copied..escape.start).unwrap_or_default());
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        copied = escape.end;
    });
    let part = match out {
        None => Cow::Borrowed(json.get(..end).unwrap_or_default()),
        Some(mut out) => {
            out.extend_from_slice(json.get(copied..end).unwrap_or_default());
            Cow::Owned(out)
        }
    };
    (part, end)
}

/// How long a JSON is without escapes.
pub fn unescaped_len(json: &[u8]) -> usize {
    unescaped_len_part(json, usize::MAX).0
}

/// The same for the beginning of a longer JSON, as [`unescaped_part`] takes it; with how many bytes that was.
pub fn unescaped_len_part(json: &[u8], limit: usize) -> (usize, usize) {
    let mut saved = 0;
    let end = walk(json, limit, |escape, character| saved += escape.len() - character.len_utf8());
    (end - saved, end)
}

/// Finds the escapes to undo among the first bytes of a JSON. Returns where it stopped, which is never within an escape.
fn walk(json: &[u8], limit: usize, mut found: impl FnMut(Range<usize>, char)) -> usize {
    let end = limit.min(json.len());
    let mut at = 0;
    while let Some(step) = json.get(at..end).and_then(next_backslash) {
        at += step;
        let Some((character, length)) = json.get(at..).and_then(escape) else {
            // Two characters that stay as they are, such as `\\` and `\n`.
            at += 2;
            continue;
        };
        if !stays_escaped(character) {
            found(at..at + length, character);
        }
        at += length;
    }
    at.max(end).min(json.len())
}

fn next_backslash(json: &[u8]) -> Option<usize> {
    json.iter().position(|byte| *byte == b'\\')
}

/// The character of the `\u` escape (or the pair of them) that the text begins with, and how long that is.
fn escape(json: &[u8]) -> Option<(char, usize)> {
    let high = unit(json)?;
    if let Some(character) = char::from_u32(u32::from(high)) {
        return Some((character, 6));
    }
    let low = unit(json.get(6..)?)?;
    let character = char::decode_utf16([high, low]).next()?.ok()?;
    Some((character, 12))
}

fn unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

fn stays_escaped(character: char) -> bool {
    character.is_ascii()
        || character.is_control()
        || is_bidi_control(character)
        || is_invisible(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn shown(text: &str) -> String {
        String::from_utf8(unescaped(&json::string(text)).into_owned()).unwrap()
    }

    #[test]
    fn harmless_characters_are_shown_and_others_stay_escaped() {
        assert_eq!(shown("Grüße 世界 👍 \"x\" \\u00e9"), r#""Grüße 世界 👍 \"x\" \\u00e9""#);
        assert_eq!(
            shown("a\u{1b}b\u{202e}c\u{200b}\n\u{85}"),
            r#""a\u001bb\u202ec\u200b\n\u0085""#
        );
        assert!(matches!(unescaped(b"[\"plain\", 1]"), Cow::Borrowed(_)));
        // Half an escape would be our bug, and is left alone.
        for odd in ["\\", "\\u", "\\u12", "\\ud83d", "\\ud83d\\u0041", "\\uzzzz"] {
            assert_eq!(unescaped(odd.as_bytes()), odd.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(text in any::<String>()) {
            let written = shown(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), &*text);
            prop_assert!(!written.chars().any(|c| !c.is_ascii() && (c.is_control() || is_bidi_control(c) || is_invisible(c))));
        }

        #[test]
        fn a_part_after_the_other_is_the_whole(text in ".{0,40}", limit in 1_usize..20) {
            let json = json::string(&text);
            let (mut rest, mut parts) = (&json[..], Vec::new());
            while !rest.is_empty() {
                let (part, used) = unescaped_part(rest, limit);
                prop_assert!(used <= limit + 11 && used > 0);
                parts.extend_from_slice(&part);
                rest = &rest[used..];
            }
            prop_assert_eq!(&parts, &*unescaped(&json));
            prop_assert_eq!(parts.len(), unescaped_len(&json));
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "(\\\\|u|d|8|3|e|0){0,30}") {
            let _ = unescaped(&bytes);
            let _ = unescaped(text.as_bytes());
        }
    }
}
