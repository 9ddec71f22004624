//! The path of a file, as it is typed before a text.

use std::borrow::Cow;

/// The first path of a line, and what is behind it. A path with blanks stands in quotation marks, or has a backslash before each of them,
/// as terminals write a file that is dropped into them. `None` where there is none, or its quotation mark is missing.
pub(crate) fn first_path(line: &str) -> Option<(Cow<'_, str>, &str)> {
    let line = line.trim_start();
    if line.starts_with(['"', '\'']) {
        return quoted(line);
    }
    let mut path = String::new();
    let mut rest = line.char_indices().peekable();
    let mut end = line.len();
    while let Some((at, c)) = rest.next() {
        match (c, rest.peek().map(|(_, next)| *next)) {
            ('\\', Some(next)) if next == ' ' || next.is_ascii_punctuation() => {
                path.push(next);
                rest.next();
            }
            (c, _) if c.is_whitespace() => {
                end = at;
                break;
            }
            (c, _) => path.push(c),
        }
    }
    (!path.is_empty()).then(|| (Cow::Owned(path), line.get(end..).unwrap_or_default().trim_start()))
}

/// The same for one that begins with a quotation mark. As in a shell, pieces in quotation marks may follow each other, with characters
/// between them that have a backslash before: `'it'\''s'`. In double ones `\"` is a quotation mark; other backslashes are of the path.
fn quoted(line: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut path = String::new();
    let mut rest = line;
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            Some('\'') => {
                let (piece, behind) = chars.as_str().split_once('\'')?;
                path.push_str(piece);
                rest = behind;
            }
            Some('"') => loop {
                match (chars.next()?, chars.clone().next()) {
                    ('"', _) => {
                        rest = chars.as_str();
                        break;
                    }
                    ('\\', Some('"')) => path.extend(chars.next()),
                    (c, _) => path.push(c),
                }
            },
            Some('\\') => {
                path.push(chars.next()?);
                rest = chars.as_str();
            }
            None => break,
            Some(c) if c.is_whitespace() => break,
            Some(_) => return None,
        }
    }
    (!path.is_empty()).then(|| (Cow::Owned(path), rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_at_the_first_blank_that_is_not_its_own() {
        for (line, path, rest) in [
            ("notes.pdf", "notes.pdf", ""),
            ("~/notes.pdf my  notes", "~/notes.pdf", "my  notes"),
            ("\"my notes.pdf\" look", "my notes.pdf", "look"),
            ("'my \"notes\".pdf'", "my \"notes\".pdf", ""),
            ("my\\ notes.pdf look", "my notes.pdf", "look"),
            ("a\\\\b\\ c x", "a\\b c", "x"),
            ("a\\b x", "a\\b", "x"),
            (" \u{e9}\tx", "\u{e9}", "x"),
            ("'it'\\''s mine.pdf' look", "it's mine.pdf", "look"),
            ("\"q\\\"uote.pdf\" x", "q\"uote.pdf", "x"),
            ("\"C:\\my notes\\a.pdf\"", "C:\\my notes\\a.pdf", ""),
        ] {
            let found = first_path(line).map(|(path, rest)| (path.into_owned(), rest));
            assert_eq!(found, Some((path.to_owned(), rest)), "{line}");
        }
        for line in ["", "  ", "\"my notes", "\"\"", "\"a\"b", "'a'\\", "\"a\\\""] {
            assert_eq!(first_path(line), None, "{line}");
        }
    }
}
