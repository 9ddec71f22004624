//! The names of rooms (RM-1).

/// The longest name behind the `#`, in characters.
const LONGEST: usize = 32;

/// Whether a room may have this name.
pub(super) fn is_good(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('#') else { return false };
    (1..=LONGEST).contains(&rest.chars().count()) && rest.chars().all(is_visible)
}

/// Combining marks are refused as well: what has them is not in normalisation form C, mostly.
const fn is_visible(c: char) -> bool {
    let hidden = matches!(c,
        '\0'..=' ' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{1680}'
        | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    !hidden
}

/// Whether two names are one, as far as the case of letters goes.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether two names look alike.
pub(super) fn alike(one: &str, other: &str) -> bool {
    let skeleton = |name: &str| -> String { name.to_lowercase().chars().map(plain).collect() };
    skeleton(one) == skeleton(other)
}

/// The Latin letter that a Cyrillic or Greek one looks like.
const fn plain(c: char) -> char {
    match c {
        '\u{430}' | '\u{3b1}' => 'a',
        '\u{435}' => 'e',
        '\u{43e}' | '\u{3bf}' => 'o',
        '\u{440}' | '\u{3c1}' => 'p',
        '\u{441}' => 'c',
        '\u{443}' => 'y',
        '\u{445}' => 'x',
        '\u{455}' => 's',
        '\u{456}' | '\u{131}' => 'i',
        other => other,
    }
}
